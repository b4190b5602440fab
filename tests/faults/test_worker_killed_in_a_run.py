"""kill -9 of the worker at every step of a run's life in the store."""

from __future__ import annotations

import time

import pytest
from faults.stories import Measured, Pair, Told, restart_and_see, running_beside, story
from fleet import Fleet
from waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="module")

POINTS = [
    ("after:claim", 1),
    pytest.param("after:route", 1, marks=pytest.mark.soak),
    ("after:append", 2),
    pytest.param("after:ck_put", 1, marks=pytest.mark.soak),
    ("after:ck_put", 2),
    pytest.param("after:ck_put", 3, marks=pytest.mark.soak),
    pytest.param("after:ck_writes", 1, marks=pytest.mark.soak),
    pytest.param("before:finish", 1, marks=pytest.mark.soak),
    ("after:finish", 1),
]


@pytest.mark.parametrize(("point", "nth"), POINTS)
async def test_a_run_ends_by_itself_after_its_worker_was_killed_at(
    fleet: Fleet, told: Told, point: str, nth: int, measured: Measured
) -> None:
    worker = fleet.process("worker")
    asked, name = story()
    beside = await running_beside(fleet)
    channel = fleet.playground.config.cast.ops
    worker.arm(point, nth=nth, about="" if point == "after:claim" else channel)
    pair = Pair(hurt=await fleet.mention(asked, channel=channel), beside=beside)
    await worker.ended(within=20)
    await restart_and_see(fleet, worker, pair, told, measured)
    assert len({each.key for each in fleet.team.executions(name)}) == 1


async def test_a_tool_that_was_killed_runs_again_under_the_same_key(
    fleet: Fleet, told: Told, measured: Measured
) -> None:
    worker = fleet.process("worker")
    asked, name = story()
    fleet.team.close_gate(name)
    channel = fleet.playground.config.cast.ops
    pair = Pair(beside=await running_beside(fleet), hurt=await fleet.mention(asked, channel=channel))
    await wait_until(lambda: fleet.team.executions(name), timeout=20, what="the tool began")
    worker.kill()
    fleet.team.open_gate(name)
    await restart_and_see(fleet, worker, pair, told, measured)
    noted = fleet.team.executions(name)
    assert [each.phase for each in noted] == ["began", "began", "ended"]
    assert len({each.key for each in noted}) == 1


async def test_a_tool_that_ended_before_its_result_was_stored_runs_again_under_the_same_key(
    fleet: Fleet, told: Told, measured: Measured
) -> None:
    worker = fleet.process("worker")
    asked, name = story()
    fleet.team.close_gate(name)
    channel = fleet.playground.config.cast.ops
    pair = Pair(beside=await running_beside(fleet), hurt=await fleet.mention(asked, channel=channel))
    await wait_until(lambda: fleet.team.executions(name), timeout=20, what="the tool began")
    worker.arm("before:call_done", about=channel)
    fleet.team.open_gate(name)
    await worker.ended(within=10)
    await restart_and_see(fleet, worker, pair, told, measured)
    noted = fleet.team.executions(name)
    assert [each.phase for each in noted] == ["began", "ended"] * 2
    assert len({each.key for each in noted}) == 1


@pytest.mark.parametrize("point", ["after:call_done", "after:ck_writes"])
async def test_a_tool_whose_result_was_stored_does_not_run_again(
    fleet: Fleet, told: Told, point: str, measured: Measured
) -> None:
    worker = fleet.process("worker")
    asked, name = story()
    fleet.team.close_gate(name)
    channel = fleet.playground.config.cast.ops
    pair = Pair(beside=await running_beside(fleet), hurt=await fleet.mention(asked, channel=channel))
    await wait_until(lambda: fleet.team.executions(name), timeout=20, what="the tool began")
    worker.arm(point, about=channel)
    fleet.team.open_gate(name)
    await worker.ended(within=10)
    await restart_and_see(fleet, worker, pair, told, measured)
    assert [each.phase for each in fleet.team.executions(name)] == ["began", "ended"]


async def test_what_is_asked_after_the_last_kill_is_answered_at_once(fleet: Fleet, told: Told) -> None:
    began = time.monotonic()
    answer = await fleet.completed(await fleet.mention("stream for 3s"))
    assert answer.output == told.beside
    assert answer.at - began < 10
