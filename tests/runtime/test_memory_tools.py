"""What an agent remembers in one conversation and recalls in another, and for whom."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from openai_stand_in import StandIn, openai_stand_in
from runtime.room_leases import TENANT, Leases
from runtime.room_workspace import SAFE, agent, workspace

from harness_core.memory_places import of_threads
from harness_core.runtime import AgentRuntime, ToolResultChunk, Turn
from harness_core.store import Seal, Store
from harness_core.workspace import Workspace

TOOLS = [
    f"kind: Tool\nname: {name}\npython: harness_core.tools:{name}\n{SAFE}" for name in ("remember", "recall")
]


@pytest.fixture
async def server() -> AsyncIterator[StandIn]:
    async with openai_stand_in() as running:
        yield running


def space(folder: Path, server: StandIn | None = None, store: str = "redis") -> Workspace:
    embeddings = []
    if server is not None:
        where = f"base_url: {server.base_url}\napi_key: {server.api_key}\n"
        embeddings = [f"kind: EmbeddingModel\nname: small\nprovider: openai\nmodel: words\n{where}"]
    agents = (agent("remember", "recall"), agent("remember", "recall", name="other"))
    return workspace(folder, *TOOLS, *embeddings, *agents, runtime=f"store: {{kind: {store}}}\n")


@dataclass
class Room:
    """Where runs are made one after the other."""

    folder: Path
    store: Store
    seal: Seal
    leases: Leases
    server: StandIn
    runtime: AgentRuntime = field(init=False)

    def __post_init__(self) -> None:
        self.use()

    def use(self, *, meaning: bool = False, kind: str = "redis") -> None:
        """Begin anew with another way to search, or another store."""
        here = space(self.folder, self.server if meaning else None, kind)
        self.runtime = AgentRuntime(here, self.store, self.seal)

    async def call(
        self, tool: str, *, user: str = "U1", name: str = "ops", at: str = "C1", **given: object
    ) -> str:
        """What the tool says, called in a run of its own in the conversation ``at``."""
        fence = await self.leases.claim(conversation=at)
        turn = Turn(fence=fence, agent=name, text=f"call {tool} {json.dumps(given)}", user=user)
        chunks = [chunk async for chunk in self.runtime.stream(turn)]
        await self.leases.finish(fence)
        (output,) = (chunk.output for chunk in chunks if isinstance(chunk, ToolResultChunk))
        return output


@pytest.fixture
def room(tmp_path: Path, store: Store, seal: Seal, leases: Leases, server: StandIn) -> Room:
    return Room(tmp_path, store, seal, leases, server)


@pytest.mark.parametrize("kind", ["redis", "memory"])
async def test_what_is_remembered_is_found_by_meaning_in_another_conversation(room: Room, kind: str) -> None:
    room.use(meaning=True, kind=kind)
    await room.call("remember", note="We never deploy on Fridays.")
    await room.call("remember", note="The team likes pizza.")

    answer = await room.call("recall", at="C2", query="when may I launch a release?")

    assert answer.splitlines()[0].endswith(": We never deploy on Fridays.")
    assert not answer.startswith("Found by words")


async def test_without_an_embedding_model_words_are_found_and_that_is_said(room: Room) -> None:
    await room.call("remember", note="We never deploy on Fridays.")

    assert (await room.call("recall", query="deploy")).startswith("Found by words alone, not by meaning:\n- ")
    assert await room.call("recall", query="launch") == "Nothing about that is remembered."


async def test_a_note_is_for_the_person_who_asked_unless_it_is_for_the_team(room: Room) -> None:
    assert await room.call("remember", note="my door code is green") == "Remembered."
    assert (
        await room.call("remember", note="the office code is blue", for_the_team=True)
        == "Remembered for the team."
    )

    mine = await room.call("recall", query="code")
    theirs = await room.call("recall", query="code", user="U2")

    assert "green" in mine
    assert "blue" in mine
    assert "green" not in theirs
    assert "blue" in theirs
    assert await room.call("recall", query="code", name="other") == "Nothing about that is remembered."


async def test_the_same_call_made_again_remembers_once(room: Room) -> None:
    await room.call("remember", note="one")

    (item,) = await (await room.runtime.memory(TENANT)).asearch(("notes",))

    assert len(item.key) == 64  # the key of the call, which is the same when it is made again
    assert item.value["by"] == "U1"
    assert item.value["thread"].startswith("thread_")


@pytest.mark.parametrize(
    ("note", "said"),
    [("  ", "nothing to remember"), ("x" * 5000, "too long to remember: at most 4000 characters")],
)
async def test_a_note_that_cannot_be_kept_is_an_answer(room: Room, note: str, said: str) -> None:

    assert said in await room.call("remember", note=note)
    assert await (await room.runtime.memory(TENANT)).asearch(("notes",)) == []


async def test_conversations_are_recalled_for_the_person_who_had_them(room: Room) -> None:
    summary = {"summary": "Asked about the checkout outage.", "user": "U1"}
    await (await room.runtime.memory(TENANT)).aput(of_threads("ops"), "thread_1", summary, index=["summary"])

    assert "a conversation: Asked about the checkout outage." in await room.call("recall", query="outage")
    assert await room.call("recall", query="outage", user="U2") == "Nothing about that is remembered."


async def test_another_team_recalls_nothing_of_it(room: Room) -> None:
    await room.call("remember", note="secret", for_the_team=True)

    assert len(await (await room.runtime.memory(TENANT)).asearch(())) == 1
    assert await (await room.runtime.memory("T2")).asearch(()) == []
