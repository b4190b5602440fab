"""Thinning out the checkpoints of threads: nothing that is still needed goes, and what is not needed does."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from runtime import room_tools
from runtime.room_leases import TENANT, Leases
from runtime.room_turns import read, results, run
from runtime.room_workspace import agent, tool, workspace

from harness_core.models import Fence
from harness_core.runtime import AgentRuntime, Asking, Finished, Unfinished
from harness_core.store import Seal, Store

FIRST = "What was my first message?"


@dataclass
class Room:
    runtime: AgentRuntime
    store: Store
    leases: Leases

    async def turn(self, text: str) -> Fence:
        fence = await self.leases.claim()
        await run(self.runtime, fence, text)
        await self.leases.finish(fence)
        return fence

    async def state(self, fence: Fence) -> Any:
        """Every channel's value, as the graph reads it."""
        config: Any = {"configurable": {"thread_id": fence.thread_id, "fence": fence}}
        return (await (await self.runtime._bindings.get("ops")).graph.aget_state(config)).values

    async def counts(self, fence: Fence) -> dict[str, int]:
        """How many checkpoints each namespace has."""
        names = await self.store.checkpoints.namespaces(fence.thread_id)
        return {name: len(await self.store.checkpoints.ids(fence.thread_id, name)) for name in names}

    async def prune(self, fence: Fence, keep: int) -> int:
        return (await self.runtime.prune(TENANT, fence.thread_id, keep=keep)).checkpoints


def ask(text: str) -> str:
    return f"call task {json.dumps({'subagent_type': 'researcher', 'description': text})}"


@pytest.fixture(params=["langchain", "deepagent"])
def room(request: pytest.FixtureRequest, tmp_path: Path, store: Store, seal: Seal, leases: Leases) -> Room:
    mode = f"mode: {request.param}\n"
    here = workspace(
        tmp_path,
        *map(tool, ("status", "waits", "asks_until_told")),
        agent("status", extra=f"{mode}subagents: [researcher]\n"),
        agent("status", "waits", "asks_until_told", name="researcher", extra=mode),
    )
    return Room(AgentRuntime(here, store, seal), store, leases)


@pytest.mark.parametrize("keep", [1, 3])
async def test_a_long_conversation_reads_the_same_after_each_pruning(room: Room, keep: int) -> None:
    gone, held = 0, list[int]()
    if (await room.runtime._bindings.get("ops")).agent.mode == "deepagent":
        await room.turn('call write_file {"file_path": "/a.md", "content": "kept"}')
    for number in range(24):
        fence = await room.turn(f'call status {{"service": "s{number}"}}; say {number + 1} words')
        if number % 4 == 3:
            before = await room.state(fence)
            gone += await room.prune(fence, keep)
            assert await room.state(fence) == before
            held.append((await room.counts(fence))[""])
    last = await room.leases.claim()

    assert "first message was" in read(await run(room.runtime, last, FIRST))
    assert len(before["messages"]) >= 24 * 4
    # What is kept reaches back to the last snapshot of a delta channel, which comes every 50 updates.
    assert gone > 0
    assert max(held) <= 130


async def test_a_question_in_a_subagent_survives_pruning_down_to_one(room: Room) -> None:
    await room.turn("say 3 words")
    fence = await room.leases.claim()
    await run(room.runtime, fence, ask('call status {"service": "web"}; call asks_until_told'))
    assert isinstance(await room.runtime.position(fence), Asking)

    assert await room.prune(fence, 1) >= 0

    assert len(await room.counts(fence)) == 2
    assert isinstance(await room.runtime.position(fence), Asking)
    room_tools.told.set()
    (result,) = results(await run(room.runtime, fence, None))
    assert "decided" in result.output
    assert room_tools.runs == {"status": 1, "asks_until_told": 1}


async def test_a_run_that_another_worker_will_take_over_survives_pruning_down_to_one(room: Room) -> None:
    first = await room.leases.claim()
    inner = ask('call status {"service": "web"}; call waits {"service": "web"}')
    dying = asyncio.create_task(run(room.runtime, first, f'call status {{"service": "web"}}; {inner}'))
    await room_tools.started.wait()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)

    assert await room.prune(first, 1) >= 0

    second = await room.leases.take_over(first, worker="w2")
    assert isinstance(await room.runtime.position(second), Unfinished)
    room_tools.release.set()
    await run(room.runtime, second, None)
    assert isinstance(await room.runtime.position(second), Finished)
    assert room_tools.runs == {"status": 2, "waits": 2}


async def test_pruning_while_a_run_is_at_work_disturbs_it_not(room: Room) -> None:
    await room.turn("say 3 words")
    fence = await room.leases.claim()
    working = asyncio.create_task(run(room.runtime, fence, ask('call waits {"service": "web"}')))
    await room_tools.started.wait()
    await room.prune(fence, 1)
    room_tools.release.set()
    await working

    assert isinstance(await room.runtime.position(fence), Finished)
    assert room_tools.runs == {"waits": 1}


async def test_what_subagents_left_behind_goes_when_the_thread_is_done(room: Room) -> None:
    for _ in range(3):
        fence = await room.turn(ask('call status {"service": "web"}'))
    assert len(await room.counts(fence)) == 4
    before = await room.state(fence)

    await room.prune(fence, 2)

    assert list(await room.counts(fence)) == [""]
    assert await room.state(fence) == before
    keys = await room.store.client.keys(f"*ck:{fence.thread_id}:tools*")
    assert keys == []


async def test_a_thread_keeps_at_least_one(room: Room) -> None:
    fence = await room.turn("say 1 word")

    with pytest.raises(ValueError, match="at least its newest checkpoint"):
        await room.prune(fence, 0)
