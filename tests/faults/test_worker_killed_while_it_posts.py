"""kill -9 of the worker around every call to Slack: what a person sees is there once, and complete."""

from __future__ import annotations

import pytest
from faults.stories import Measured, Pair, Told, restart_and_see, running_beside, story
from fleet import Fleet

pytestmark = pytest.mark.asyncio(loop_scope="module")

POINTS = [
    "after:out_begin",
    pytest.param("before:chat.postMessage", marks=pytest.mark.soak),
    "after:chat.postMessage",
    "after:chat.update",
    pytest.param("after:out_begin.final", marks=pytest.mark.soak),
    pytest.param("after:chat.update.final", marks=pytest.mark.soak),
    "before:out_done.final",
    "after:out_done.final",
]


@pytest.mark.parametrize("point", POINTS)
async def test_a_message_is_posted_once_and_complete_after_its_worker_was_killed_at(
    fleet: Fleet, told: Told, point: str, measured: Measured
) -> None:
    worker = fleet.process("worker")
    asked, name = story()
    beside = await running_beside(fleet)
    channel = fleet.playground.config.cast.ops
    in_the_middle = not point.endswith(".final")
    if in_the_middle:
        fleet.team.close_gate(name)
    worker.arm(point, about=channel)
    pair = Pair(hurt=await fleet.mention(asked, channel=channel), beside=beside)
    await worker.ended(within=25)
    if in_the_middle:
        fleet.team.open_gate(name)
    await restart_and_see(fleet, worker, pair, told, measured)


async def test_a_worker_killed_while_it_reads_its_own_post_back_does_not_post_it_twice(
    fleet: Fleet, told: Told, measured: Measured
) -> None:
    worker = fleet.process("worker")
    asked, _ = story()
    beside = await running_beside(fleet)
    channel = fleet.playground.config.cast.ops
    worker.arm("after:chat.postMessage", about=channel)
    pair = Pair(hurt=await fleet.mention(asked, channel=channel), beside=beside)
    await worker.ended(within=25)
    worker.arm("after:conversations.replies", about=channel)
    worker.start()
    await worker.ended(within=40)
    await restart_and_see(fleet, worker, pair, told, measured)
