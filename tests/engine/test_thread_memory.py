"""What a thread came to, kept for later threads: only where the workspace wants it, and never at the cost of a run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from openai_stand_in import openai_stand_in
from sealing import SEAL
from waiting import wait_until

from harness_core import Harness, Reloaded, RunState, WorkspaceHolder
from harness_core.memory_places import of_person, of_threads
from harness_core.runtime import LongTermMemory

if TYPE_CHECKING:
    from engine.conftest import Office

WANTED = "kind: Runtime\nmemory: {remember_threads: true}"

EMBEDDINGS = """
kind: EmbeddingModel
name: small
provider: openai
model: words
base_url: {base_url}
api_key: {api_key}
params: {{max_retries: 0}}
"""

TOOLS = """
kind: Tool
name: recall
python: harness_core.tools:recall
approval: never
idempotent: true
"""


class Room:
    """An office whose workspace says whether threads are remembered."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.store = office.store
        self.memory = LongTermMemory(office.store.items, tenant="local")
        self.write("kind: Runtime", WANTED)
        self.holder: WorkspaceHolder | None = None

    def write(self, old: str, new: str) -> None:
        page = self.office.folder / "workspace.yaml"
        text = page.read_text()
        assert old in text
        page.write_text(text.replace(old, new))

    def add(self, more: str) -> None:
        (self.office.folder / "more.yaml").write_text(more)

    def harness(self) -> Harness:
        self.holder = self.office.holder
        return Harness(self.store, self.holder, seal=SEAL)

    async def reload(self) -> None:
        assert self.holder is not None
        assert isinstance(await asyncio.to_thread(self.holder.reload), Reloaded)

    async def kept(self, thread_id: str) -> Mapping[str, Any] | None:
        item = await self.memory.aget(of_threads("ops"), thread_id)
        return None if item is None else item.value

    async def everything(self) -> list[str]:
        return [item.key for item in await self.memory.asearch(())]


@pytest.fixture
async def room(office: Office) -> Room:
    return Room(office)


async def test_a_thread_is_kept_with_what_was_asked_answered_and_noted(room: Room) -> None:
    async with room.harness() as harness:
        first = await harness.run('say "the cache was full"')
        note = {"note": "checkout caches too much", "thread": first.thread_id, "by": "local"}
        await room.memory.aput(of_person("ops", "local"), "k", note)
        await room.memory.aput(of_person("ops", "local"), "other", {**note, "thread": "thread_other"})
        second = await harness.run('call look_up {"name": "ada"}', thread_id=first.thread_id)
        await wait_until(lambda: _is_of(room, first.thread_id, second.run_id))

    kept = await room.kept(first.thread_id)
    assert kept is not None
    assert kept["status"] == "completed"
    assert kept["summary"].splitlines()[:2] == [
        'Asked: say "the cache was full"',
        'Then: call look_up {"name": "ada"}',
    ]
    assert "ada is known" in kept["summary"]
    assert kept["notes"] == ["checkout caches too much"]
    assert kept["user"] == "local"
    (hit,) = await room.memory.asearch(of_threads("ops"), query="who caches checkout?")
    assert hit.key == first.thread_id


async def test_an_agent_recalls_in_one_thread_what_another_came_to(room: Room) -> None:
    room.write("tools: [look_up]", "tools: [look_up, recall]")
    room.add(TOOLS)
    async with room.harness() as harness:
        first = await harness.run('say "the cache was full"')
        await wait_until(lambda: room.kept(first.thread_id))
        second = await harness.run('call recall {"query": "what about the cache?"}')

    assert second.thread_id != first.thread_id
    assert "the cache was full" in second.output


async def test_a_failed_and_a_cancelled_run_are_kept_as_that(room: Room) -> None:
    async with room.harness() as harness:
        failed = await harness.run("fail")
        last = None
        async for item in harness.stream_events("stream for 20s"):
            last = item.event
            if item.kind == "content":
                await harness.cancel(item.event.run_id, by="me")
        assert last is not None
        stopped = (await harness.reads.get_run(last.run_id)).thread_id
        for thread in (failed.thread_id, stopped):  # each run is told in order, two of them in any
            await wait_until(partial(room.kept, thread))

        assert failed.state is RunState.FAILED
        statuses = [kept["status"] for each in (failed.thread_id, stopped) if (kept := await room.kept(each))]
    assert statuses == ["failed", "cancelled"]


async def test_secrets_in_what_was_asked_are_not_kept(room: Room) -> None:
    async with room.harness() as harness:
        ran = await harness.run("my api_key=sk-0123456789abcdef please")
        await wait_until(lambda: room.kept(ran.thread_id))

    assert "sk-0123456789abcdef" not in str(await room.kept(ran.thread_id))


async def test_nothing_is_kept_while_it_is_not_wanted(room: Room) -> None:
    room.write(WANTED, "kind: Runtime")
    async with room.harness() as harness:
        await harness.run("say 1 word")

    assert await room.everything() == []


async def test_a_reload_begins_and_ends_it_without_a_restart(room: Room) -> None:
    room.write(WANTED, "kind: Runtime")
    async with room.harness() as harness:
        before = await harness.run("say 1 word")
        room.write("kind: Runtime", WANTED)
        await room.reload()
        wanted = await harness.run("say 2 words")
        await wait_until(lambda: room.kept(wanted.thread_id))
        room.write(WANTED, "kind: Runtime")
        await room.reload()
        after = await harness.run("say 3 words")

    assert await room.everything() == [wanted.thread_id]
    assert len({before.thread_id, wanted.thread_id, after.thread_id}) == 3


async def test_what_ended_just_before_the_end_of_the_process_is_kept(room: Room) -> None:
    room.office.hold("ada")
    async with room.harness() as harness:
        run_id = await room.office.ask('call look_up {"name": "ada"}')
        await wait_until(room.office.executions)
        closing = asyncio.create_task(harness.close())
        room.office.let_go("ada")
        await closing

    run = await room.store.runs.get(run_id)
    kept = await LongTermMemory(room.store.items, tenant="T1").aget(of_threads("ops"), run.thread_id)
    assert run.state is RunState.COMPLETED
    assert kept is not None
    assert kept.value["status"] == "completed"


async def test_an_embedding_model_that_hangs_costs_no_run_no_listener_and_no_end_of_the_process(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    async with openai_stand_in() as models:
        models.hangs = True
        room.add(EMBEDDINGS.format(base_url=models.base_url, api_key=models.api_key))
        seen: list[str] = []
        async with room.harness() as harness:
            harness.subscribe(lambda event: seen.append(event.payload.name))
            for _ in range(3):
                assert (await harness.run("say 1 word")).state is RunState.COMPLETED
            await wait_until(lambda: seen.count("run.completed") == 3)
            await wait_until(models.stalled.is_set)

    assert await room.everything() == []
    assert "threads not remembered: 2" in caplog.text


async def test_a_store_that_refuses_costs_no_run_and_is_used_again_when_it_works(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    items = "harness:{p0}:items:local"
    async with room.harness() as harness:
        await room.store.client.set(items, "not a sorted set")
        lost = await harness.run("say 1 word")
        await wait_until(lambda: "a thread is not remembered" in caplog.text)
        await room.store.client.delete(items)
        kept = await harness.run("say 1 word")
        await wait_until(lambda: room.kept(kept.thread_id))

    assert lost.state is RunState.COMPLETED
    assert await room.everything() == [kept.thread_id]


@pytest.mark.parametrize("kind", ["redis", "memory"])
async def test_deleting_a_thread_or_a_person_deletes_what_was_kept_of_it(room: Room, kind: str) -> None:
    room.write("kind: Runtime", f"kind: Runtime\nstore: {{kind: {kind}}}")
    async with room.harness() as harness:
        memory = await harness._worker.runtimes.memory("local")

        async def kept() -> set[str]:
            return {item.key for item in await memory.asearch(of_threads("ops"))}

        first, second = [(await harness.run(f'say "{word}"')).thread_id for word in ("one", "two")]
        await wait_until(lambda: _equal(kept, {first, second}))

        await harness.deletion.carry_out(await harness.deletion.of_thread(first), by="me")
        assert await kept() == {second}
        await harness.deletion.carry_out(await harness.deletion.of_person("local"), by="me")
        assert await kept() == set()


async def _equal(found: Callable[[], Awaitable[set[str]]], expected: set[str]) -> bool:
    return await found() == expected


async def _is_of(room: Room, thread_id: str, run_id: str) -> bool:
    kept = await room.kept(thread_id)
    return kept is not None and kept["run"] == run_id
