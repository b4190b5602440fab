"""A worker that stops without dying while a call that people approved is at work: by SIGSTOP and by SIGTERM."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from faults.stories import Measured, look, nothing_lags, resumptions_of
from fleet import BotProcess, Fleet, Request, start_fleet
from waiting import wait_until

from bot.view.values import APPROVAL_DONE, RUN_STOP
from harness_core import RunState

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet() -> AsyncIterator[Fleet]:
    """A fleet without workers yet."""
    async with start_fleet(FAULT_BUDGETS="off") as running:
        await running.start("web")
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def first(fleet: Fleet) -> BotProcess:
    """The only worker that is at work when the test begins."""
    fleet.process("worker", "worker-2").kill()
    worker = fleet.process("worker")
    if not worker.lives:
        await fleet.start("worker")
    return worker


async def test_a_worker_frozen_inside_a_call_past_its_lease_writes_nothing_more(
    fleet: Fleet, first: BotProcess, measured: Measured
) -> None:
    channel = fleet.playground.config.cast.private
    request = await at_work(fleet, channel)
    await wait_until(lambda: nothing_lags(fleet), timeout=20, what="everything is shown")
    await fleet.start("worker-2")
    first.freeze()
    frozen = time.monotonic()
    doubts = await wait_until(lambda: request.questions(uncertain=True), timeout=30, what="somebody is asked")
    part = f"doubt:{doubts[0].approval_id}"
    await request.card(part)
    took = time.monotonic() - frozen
    await request.parked()
    await request.card_says("it may have happened")
    await wait_until(lambda: nothing_lags(fleet), timeout=20, what="everything is shown")
    before, called = await look(fleet, request.asked), first.slack_calls(channel)
    await fleet.effects.let_go(request.name)
    first.thaw()
    await first.logs("lease_lost", within=20, run_id=request.run_id)
    await fleet.completed(await fleet.mention("stream for 1s"))
    assert await look(fleet, request.asked) == before
    assert first.slack_calls(channel) == called
    assert len(await request.effects()) == 1
    assert (await request.press(APPROVAL_DONE, part=part)).ok
    await fleet.completed(request.asked, cards=2)
    await request.card_says("a person found that it is done")
    assert len(await request.effects()) == 1
    measured(f"SIGSTOP inside a call: somebody was asked {took:.1f} s later; the sleeper wrote nothing")


async def test_a_worker_that_is_asked_to_stop_lets_the_call_end_and_nobody_is_asked(
    fleet: Fleet, first: BotProcess, measured: Measured
) -> None:
    cast = fleet.playground.config.cast
    request = await at_work(fleet, cast.ops)
    beside = await fleet.mention("stream for 120s")
    run = await fleet.run_of(beside)
    await wait_until(lambda: speaks(fleet, run.run_id), timeout=20, what="a run beside it speaks")
    await fleet.start("worker-2")
    first.ask_to_stop()
    asked_to_stop = time.monotonic()

    async def handed_over() -> bool:
        return bool(await resumptions_of(fleet, run.run_id))

    # Whatever may be broken off is handed over when the first seconds are over, so the call is past them, too.
    await wait_until(handed_over, timeout=20, what="the run beside it is handed over")
    assert first.lives
    assert await request.state() is RunState.RESUMING
    assert len(await request.effects()) == 1
    await fleet.effects.let_go(request.name)
    await first.ended(within=20)
    took = time.monotonic() - asked_to_stop
    answer = await fleet.completed(request.asked, cards=1)
    await request.card_says("Ran once at")
    assert f"{request.name} is done." in answer.output
    assert len(await request.effects()) == 1
    assert not await request.questions(uncertain=True)
    assert (answer.run.attempts, answer.run.takeovers) == (0, 0)
    assert first.child is not None
    assert first.child.exitcode == 0
    assert [each.resume_kind for each in await resumptions_of(fleet, run.run_id)] == ["handover"]
    (shown,) = await fleet.messages_of(beside, run.run_id)
    assert (await fleet.door.click(shown, RUN_STOP)).ok
    assert (await fleet.answer(beside)).run.state is RunState.CANCELLED
    measured(f"SIGTERM inside a call: it ended, and the worker {took:.1f} s after the signal")


async def at_work(fleet: Fleet, channel: str) -> Request:
    """A run whose approved call has reached the world and has no answer yet."""
    request = await Request.make(fleet, channel=channel)
    await request.card()
    await request.parked()
    await fleet.effects.hold(request.name)
    await request.approve()
    await request.acted()
    return request


async def speaks(fleet: Fleet, run_id: str) -> bool:
    """Whether the run has begun to answer."""
    events = await (await fleet.store()).events.read(run_id)
    return any(each.payload.name == "output.delta" for each in events)
