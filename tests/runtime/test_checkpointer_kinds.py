"""The checkpointers that a workspace may ask for: all continue a conversation and know where a run stands."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from runtime import room_tools
from runtime.room_leases import Leases
from runtime.room_turns import read, results, run
from runtime.room_workspace import agent, tool, workspace

from harness_core.errors import StoreError, StoreMisconfigured
from harness_core.runtime import AgentRuntime, Asking, FencedSaver, Finished, NoCheckpoint, Unfinished
from harness_core.runtime.checkpointer.savers import FILE, SealedSerde
from harness_core.runtime.resources import Resources
from harness_core.store import Seal, Store
from harness_core.workspace import Workspace

KINDS = {"redis": FencedSaver, "memory": InMemorySaver, "sqlite": AsyncSqliteSaver}
FIRST = "What was my first message?"


def space(folder: Path, kind: str, *, mode: str = "langchain") -> Workspace:
    tools = ("status", "waits", "asks_until_told")
    return workspace(
        folder,
        *map(tool, tools),
        agent(*tools, extra=f"mode: {mode}\n"),
        runtime=f"checkpointer: {{kind: {kind}}}\n",
    )


@dataclass
class Stranger:
    """A type that no checkpoint may hold."""

    value: int


@dataclass
class Room:
    folder: Path
    store: Store
    seal: Seal

    @asynccontextmanager
    async def runtime(self, kind: str, *, mode: str = "langchain") -> AsyncIterator[AgentRuntime]:
        """A runtime whose process ends with the block."""
        resources = Resources(self.store, self.seal, folder=self.folder / "data")
        here = await asyncio.to_thread(space, self.folder / "workspace", kind, mode=mode)
        runtime = AgentRuntime(here, self.store, self.seal, resources=resources)
        try:
            yield runtime
        finally:
            await runtime.aclose()
            await resources.aclose()


@pytest.fixture
def room(tmp_path: Path, store: Store, seal: Seal) -> Room:
    return Room(tmp_path, store, seal)


@pytest.mark.parametrize("mode", ["langchain", "deepagent"])
@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_continues_a_conversation_in_both_modes(
    room: Room, leases: Leases, kind: str, mode: str
) -> None:
    async with room.runtime(kind, mode=mode) as runtime:
        assert isinstance((await runtime._bindings.get("ops")).saver, KINDS[kind])
        first = await leases.claim()
        await run(runtime, first, "say 3 words")
        await leases.finish(first)

        assert "say 3 words" in read(await run(runtime, await leases.claim(), FIRST))


@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_knows_where_a_run_stands(room: Room, leases: Leases, kind: str) -> None:
    async with room.runtime(kind) as runtime:
        fence = await leases.claim()
        assert await runtime.position(fence) == NoCheckpoint()
        working = asyncio.create_task(
            run(
                runtime,
                fence,
                'call status {"service": "web"}; call waits {"service": "web"}; call asks_until_told',
            )
        )
        await room_tools.started.wait()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        broken_off = await runtime.position(fence)
        assert isinstance(broken_off, Unfinished)
        assert broken_off.finished_steps == 1

        room_tools.release.set()
        await run(runtime, fence, None)
        assert isinstance(await runtime.position(fence), Asking)
        room_tools.told.set()
        answer = read(await run(runtime, fence, None))
        assert await runtime.position(fence) == Finished(text=answer)
        await leases.finish(fence)
        assert await runtime.position(await leases.claim()) == NoCheckpoint()

    assert room_tools.runs["status"] == 1


@pytest.mark.parametrize(("kind", "kept"), [("redis", True), ("sqlite", True), ("memory", False)])
async def test_what_a_process_leaves_behind(room: Room, leases: Leases, kind: str, kept: bool) -> None:
    first = await leases.claim()
    async with room.runtime(kind) as runtime:
        await run(runtime, first, "say 3 words")
    await leases.finish(first)

    async with room.runtime(kind) as runtime:
        answer = read(await run(runtime, await leases.claim(), FIRST))

    assert ("say 3 words" in answer) is kept


async def test_memory_lives_as_long_as_the_process_not_as_one_version_of_the_workspace(
    room: Room, leases: Leases
) -> None:
    async with room.runtime("memory") as runtime:
        first = await leases.claim()
        await run(runtime, first, "say 3 words")
        await leases.finish(first)
        here = await asyncio.to_thread(space, room.folder / "workspace", "memory")
        reloaded = AgentRuntime(here, room.store, room.seal, resources=runtime._resources)

        assert "say 3 words" in read(await run(reloaded, await leases.claim(), FIRST))


async def test_nothing_of_a_conversation_is_readable_in_the_file(room: Room, leases: Leases) -> None:
    async with room.runtime("sqlite") as runtime:
        await run(runtime, await leases.claim(), f"say {json.dumps('the password is plover')}")
        data = (room.folder / "data" / FILE).with_suffix(".sqlite-wal")
        written = await asyncio.to_thread(data.read_bytes)

    assert len(written) > 10_000
    assert b"plover" not in written


async def test_a_value_that_could_not_be_read_back_is_refused_as_in_redis(seal: Seal) -> None:
    serde = SealedSerde(seal)

    assert serde.loads_typed(serde.dumps_typed({"a": [1, "x"]})) == {"a": [1, "x"]}
    with pytest.raises(StoreError, match="Use plain JSON values"):
        serde.dumps_typed({"a": Stranger(1)})


async def test_without_a_checkpointer_every_run_begins_anew(room: Room, leases: Leases) -> None:
    async with room.runtime("false") as runtime:
        first = await leases.claim()
        await run(runtime, first, "say 3 words")
        assert await runtime.position(first) == NoCheckpoint()
        assert await runtime.files(first) == {}
        await leases.finish(first)

        answer = read(await run(runtime, await leases.claim(), FIRST))

    assert answer == "This is the first thing you asked me here."
    assert await room.store.checkpoints.threads() == []


async def test_a_file_needs_a_folder_and_that_is_said(tmp_path: Path, store: Store, seal: Seal) -> None:
    runtime = AgentRuntime(space(tmp_path, "sqlite"), store, seal)

    with pytest.raises(StoreMisconfigured, match="no data folder is known: name one, or use redis"):
        await runtime.warm()


async def test_an_agent_may_have_another_checkpointer_than_the_rest(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases
) -> None:
    here = workspace(
        tmp_path,
        agent(extra="mode: deepagent\n"),
        agent(name="aside", extra="mode: deepagent\ncheckpointer: {kind: memory}\n"),
    )
    runtime = AgentRuntime(here, store, seal)
    for name in ("ops", "aside", "ops"):
        fence = await leases.claim()
        text = f'call write_file {{"file_path": "/{name}.md", "content": "x"}}'
        (result,) = results(await run(runtime, fence, text, name=name))
        assert not result.is_error
        assert isinstance(await runtime.position(fence), Finished)
        assert f"/{name}.md" in await runtime.files(fence)
        await leases.finish(fence)
