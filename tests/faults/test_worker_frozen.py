"""A worker that stops without dying: by SIGSTOP for longer than its lease, and by SIGTERM."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from faults.stories import Measured, look, resumptions_of, workers_of
from fleet import BotProcess, Fleet
from waiting import wait_until

from bot.playground.records import Message
from harness_core import RunState
from harness_core.models import Run

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def two(fleet: Fleet) -> AsyncIterator[Fleet]:
    """Both workers at work, and thawed afterwards."""
    dead = [name for name in ("worker", "worker-2") if not fleet.process("worker", name).lives]
    await fleet.start(*dead)
    yield fleet
    for process in fleet.processes.values():
        if process.lives:
            process.thaw()


async def holder(fleet: Fleet, run_id: str) -> tuple[BotProcess, BotProcess]:
    """The worker that began the run, and the other one."""
    (name,) = await wait_until(lambda: workers_of(fleet, run_id), what="a worker began the run")
    workers = [fleet.process("worker", name) for name in ("worker", "worker-2")]
    first, second = sorted(workers, key=lambda worker: f"-{worker.pid}-" not in name)
    assert f"-{first.pid}-" in name
    return first, second


async def speaks(fleet: Fleet, asked: Message, run: Run) -> None:
    """Waits until the answer has begun to show."""

    async def shown() -> bool:
        return bool(await fleet.messages_of(asked, run.run_id))

    await wait_until(shown, timeout=15, what="the first words are shown")


async def test_a_worker_frozen_past_its_lease_writes_nothing_more(two: Fleet, measured: Measured) -> None:
    channel = two.playground.config.cast.private
    asked = await two.mention("stream for 5s", channel=channel)
    run = await two.run_of(asked)
    sleeper, other = await holder(two, run.run_id)
    await speaks(two, asked, run)
    sleeper.freeze()
    frozen = time.monotonic()
    answer = await two.completed(asked, within=40)
    before, called = await look(two, asked), sleeper.slack_calls(channel)
    sleeper.thaw()
    await sleeper.logs("lease_lost", within=15, run_id=run.run_id)
    await two.completed(await two.mention("stream for 2s"))
    assert await look(two, asked) == before
    assert sleeper.slack_calls(channel) == called
    assert len(answer.output.split()) == 50
    assert [each.resume_kind for each in await resumptions_of(two, run.run_id)] == ["takeover"]
    assert other.lives
    measured(f"the other worker's final text {answer.at - frozen:.1f} s after SIGSTOP")


@pytest.mark.parametrize(
    "point",
    [
        pytest.param("before:chat.update", marks=pytest.mark.soak),
        "before:chat.update.final",
        pytest.param("before:finish", marks=pytest.mark.soak),
    ],
)
async def test_the_last_word_stands_when_its_worker_was_frozen_at(two: Fleet, point: str) -> None:
    channel = two.playground.config.cast.ops
    workers = [two.process("worker", name) for name in ("worker", "worker-2")]
    armed = {worker.name: worker.arm(point, about=channel, action="stop") for worker in workers}
    asked = await two.mention("stream for 3s", channel=channel)
    (sleeper,) = await wait_until(
        lambda: [each for each in workers if not armed[each.name].pending], timeout=20, what=point
    )
    for worker in workers:
        worker.disarm()
    answer = await two.completed(asked, within=40)
    sleeper.thaw()
    # Whatever it had in hand goes out in this moment; another run is a measure of when that is over.
    await two.completed(await two.mention("stream for 2s"))
    assert len(answer.output.split()) == 30
    await wait_until(lambda: complete_again(two, asked), timeout=20, what="the last word stands")


async def complete_again(fleet: Fleet, asked: Message) -> bool:
    return bool(await fleet.completed(asked, within=1))


async def test_a_worker_that_is_asked_to_stop_hands_its_run_over(two: Fleet, measured: Measured) -> None:
    asked = await two.mention("stream for 12s")
    run = await two.run_of(asked)
    leaver, other = await holder(two, run.run_id)
    await speaks(two, asked, run)
    leaver.ask_to_stop()
    took = await leaver.ended(within=25)
    answer = await two.completed(asked, within=40)
    assert len(answer.output.split()) == 120
    assert [each.resume_kind for each in await resumptions_of(two, run.run_id)] == ["handover"]
    assert (answer.run.attempts, answer.run.takeovers) == (0, 0)
    assert answer.run.state is RunState.COMPLETED
    assert leaver.child is not None
    assert leaver.child.exitcode == 0
    assert other.lives
    measured(f"SIGTERM: the worker ended {took:.1f} s later")
