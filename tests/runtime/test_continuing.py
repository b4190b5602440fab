"""A turn that was cut off goes on from its checkpoint, in another instance, without doing anything twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from openai_stand_in import Call, CallTools, Reply, Say, Stall, StandIn, openai_stand_in
from runtime import room_tools
from runtime.room_leases import Leases
from runtime.room_turns import read, results, run
from runtime.room_workspace import agent, tool, workspace
from waiting import wait_until

from harness_core.errors import OperationTimeout, StaleFence, StoreUnavailable
from harness_core.models import Fence
from harness_core.runtime import AgentRuntime, Chunk, Finished, NoCheckpoint, StepChunk, Unfinished
from harness_core.store import CheckpointRepository, Seal, Store
from harness_core.workspace import Workspace


@dataclass
class Room:
    """A model over HTTP whose requests are counted, and as many runtimes over one store as a test wants."""

    folder: Path
    store: Store
    seal: Seal
    leases: Leases
    server: StandIn
    space: Workspace = field(init=False)

    def __post_init__(self) -> None:
        tools = ("status", "waits", "logs")
        self.space = workspace(
            self.folder,
            *map(tool, tools),
            agent(*tools),
            model=f"provider: openai\nmodel: m\nbase_url: {self.server.base_url}\napi_key: {self.server.api_key}\n",
            limits="{run: 20s}",
        )

    def runtime(self) -> AgentRuntime:
        return AgentRuntime(self.space, self.store, self.seal)

    def script(self, *replies: Reply) -> None:
        self.server.script = replies

    async def cut_off(
        self, fence: Fence, text: str | None, when: asyncio.Event, *, after_results: int = 0
    ) -> list[Chunk]:
        """What a turn said until it was cancelled at ``when``, with so many results told."""
        seen: list[Chunk] = []
        task = asyncio.create_task(run(self.runtime(), fence, text, into=seen))
        await wait_until(lambda: when.is_set() and len(results(seen)) >= after_results)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return seen


@pytest.fixture
async def room(tmp_path: Path, store: Store, seal: Seal, leases: Leases) -> AsyncIterator[Room]:
    async with openai_stand_in([]) as server:
        yield Room(tmp_path, store, seal, leases, server)


async def test_cut_off_inside_a_tool_only_that_tool_runs_again(room: Room) -> None:
    both = CallTools(
        (Call("status", {"service": "web"}), Call("waits", {"service": "web"})), text="Looking. "
    )
    room.script(both, Say("It is slow."))
    fence = await room.leases.claim()
    begun = await room.cut_off(fence, "why is web slow?", room_tools.started, after_results=1)
    assert [result.tool for result in results(begun)] == ["status"]
    taken = await room.leases.take_over(fence, worker="w2")
    other = room.runtime()

    position = await other.position(taken)

    assert position == Unfinished(text="Looking. ", finished_steps=1)
    assert position.text == read(begun)
    room_tools.release.set()
    resumed = await run(other, taken, None)
    assert read(resumed, begun=position.text) == "Looking. \n\nIt is slow."
    assert await other.position(taken) == Finished(text="Looking. \n\nIt is slow.")
    assert dict(room_tools.runs) == {"status": 1, "waits": 2}
    assert len(room.server.requests) == 2
    ended = [chunk.step for chunk in resumed if isinstance(chunk, StepChunk) and chunk.phase == "completed"]
    assert len(ended) == len(set(ended))


async def test_cut_off_inside_the_model_its_unsaved_text_is_not_in_the_position_and_comes_again(
    room: Room,
) -> None:
    asked = CallTools((Call("status", {"service": "web"}),), text="Looking. ")
    room.script(asked, Stall("It is the connec"), Say("It is the pool."))
    fence = await room.leases.claim()
    begun = await room.cut_off(fence, "why is web slow?", room.server.stalled)
    assert read(begun).startswith("Looking. ")
    taken = await room.leases.take_over(fence, worker="w2")
    other = room.runtime()

    position = await other.position(taken)

    assert position == Unfinished(text="Looking. ", finished_steps=1)
    resumed = await run(other, taken, None)
    assert read(resumed, begun=position.text) == "Looking. \n\nIt is the pool."
    assert await other.position(taken) == Finished(text="Looking. \n\nIt is the pool.")
    assert dict(room_tools.runs) == {"status": 1}
    assert len(room.server.requests) == 3


async def test_cut_off_before_the_first_word_the_input_is_kept(room: Room) -> None:
    room.script(Stall(), Say("Hello."))
    fence = await room.leases.claim()
    await room.cut_off(fence, "hi", room.server.stalled)
    taken = await room.leases.take_over(fence, worker="w2")
    other = room.runtime()

    assert await other.position(taken) == Unfinished(text="", finished_steps=0)
    assert read(await run(other, taken, None)) == "Hello."
    assert [message["content"] for message in room.server.requests[-1]["messages"]] == ["hi"]


async def test_cut_off_twice_everything_finished_stays_finished(room: Room) -> None:
    first = CallTools((Call("logs", {"service": "web"}),), text="First. ")
    second = CallTools((Call("waits", {"service": "web"}),), text="Second. ")
    room.script(first, second, Stall("Thi"), Say("Third."))
    fence = await room.leases.claim()
    await room.cut_off(fence, "go", room_tools.started)
    room_tools.release.set()
    taken = await room.leases.take_over(fence, worker="w2")
    await room.cut_off(taken, None, room.server.stalled)
    again = await room.leases.take_over(taken, worker="w3")
    last = room.runtime()

    assert await last.position(again) == Unfinished(text="First. \n\nSecond. ", finished_steps=2)
    await run(last, again, None)

    assert await last.position(again) == Finished(text="First. \n\nSecond. \n\nThird.")
    assert dict(room_tools.runs) == {"logs": 1, "waits": 2}
    assert len(room.server.requests) == 4


async def test_a_worker_whose_lease_was_taken_over_writes_nothing_more(room: Room) -> None:
    room.script(CallTools((Call("waits", {"service": "web"}),)), Say("Never said by the first."))
    fence = await room.leases.claim()
    sleeper = asyncio.create_task(run(room.runtime(), fence, "go"))
    await wait_until(room_tools.started.is_set)
    taken = await room.leases.take_over(fence, worker="w2")
    before = await room.store.checkpoints.ids(fence.thread_id, "")

    room_tools.release.set()

    with pytest.raises(StaleFence):
        await asyncio.wait_for(sleeper, 10)
    assert await room.store.checkpoints.ids(fence.thread_id, "") == before
    assert len(room.server.requests) == 1
    assert await room.runtime().position(taken) == Unfinished(text="", finished_steps=0)


async def test_a_run_past_its_limit_ends_and_stays_resumable(room: Room) -> None:
    room.space = workspace(
        room.folder / "short",
        tool("waits"),
        agent("waits"),
        model=f"provider: openai\nmodel: m\nbase_url: {room.server.base_url}\napi_key: {room.server.api_key}\n",
        limits="{run: 300ms}",
    )
    room.script(CallTools((Call("waits", {"service": "web"}),)), Say("Done."))
    fence = await room.leases.claim()
    runtime = room.runtime()

    with pytest.raises(OperationTimeout) as timeout:
        await run(runtime, fence, "go")

    assert timeout.value.stage == "run"
    room_tools.release.set()
    assert read(await run(runtime, fence, None)) == "Done."


async def test_the_next_run_of_a_thread_does_not_trip_over_a_call_that_never_ended(room: Room) -> None:
    room.script(CallTools((Call("waits", {"service": "web"}),)), Say("Hello again."))
    fence = await room.leases.claim()
    await room.cut_off(fence, "go", room_tools.started)
    await room.leases.finish(fence)
    following = await room.leases.claim()
    runtime = room.runtime()
    assert await runtime.position(following) == NoCheckpoint()

    assert read(await run(runtime, following, "hi")) == "Hello again."

    roles = [message["role"] for message in room.server.requests[-1]["messages"]]
    assert roles == ["user", "assistant", "tool", "user"]
    assert room_tools.runs["waits"] == 1
    assert await runtime.position(following) == Finished(text="Hello again.")


class FailingPuts(CheckpointRepository):
    """Loses the store at the moment of one checkpoint: what tasks wrote is kept, what it would close is not."""

    def __init__(self, store: Store, *, at: int) -> None:
        super().__init__(store.client, store.checkpoints._scripts)
        self._left = at

    async def put(self, *args: Any, **kwargs: Any) -> None:
        self._left -= 1
        if self._left == 0:
            raise StoreUnavailable("the store went away")
        await super().put(*args, **kwargs)


@pytest.mark.parametrize("at", range(1, 7))
async def test_whichever_checkpoint_is_lost_nothing_is_said_or_done_twice(room: Room, at: int) -> None:
    room.script(CallTools((Call("status", {"service": "web"}),), text="Looking. "), Say("It is slow."))
    fence = await room.leases.claim()
    room.store.checkpoints = FailingPuts(room.store, at=at)
    begun = AgentRuntime(room.space, room.store, room.seal)
    seen: list[Chunk] = []
    try:
        await run(begun, fence, "why is web slow?", into=seen)
    except StoreUnavailable:
        pass
    else:
        pytest.fail("the fault did not hit: the turn makes fewer checkpoints")
    taken = await room.leases.take_over(fence, worker="w2")
    other = room.runtime()

    match await other.position(taken):
        case NoCheckpoint():
            said = read(await run(other, taken, "why is web slow?"))
        case Unfinished(text=text):
            said = read(await run(other, taken, None), begun=text)
        case unexpected:
            pytest.fail(f"{unexpected}")

    assert said == "Looking. \n\nIt is slow."
    assert await other.position(taken) == Finished(text=said)
    assert room_tools.runs["status"] == 1
    assert len(room.server.requests) == 2
