"""Random processes are killed at random times while people write. Nothing that was acknowledged is lost."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from faults.stories import Measured, at_rest, story
from fleet import Fleet, start_fleet
from waiting import wait_until

from bot.playground.records import Message

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXTS = ("stream for 2s", "stream for 4s", "say 60 words", "")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet() -> AsyncIterator[Fleet]:
    """A fleet whose runs may be taken over as often as this file kills workers."""
    async with start_fleet(attempts=10) as running:
        await running.start("web", "worker")
        yield running


async def test_every_acknowledged_message_is_answered_once_whatever_was_killed(
    fleet: Fleet, measured: Measured
) -> None:
    await survive(fleet, seconds=18, messages=20, measured=measured)


@pytest.mark.soak
@pytest.mark.timeout(1200)
async def test_ten_minutes_of_random_kills_lose_nothing(fleet: Fleet, measured: Measured) -> None:
    await survive(fleet, seconds=600, messages=400, measured=measured)


async def survive(fleet: Fleet, *, seconds: float, messages: int, measured: Measured) -> None:
    seed = random.SystemRandom().randrange(10**6)
    measured(f"seed {seed}")
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        killing = group.create_task(kill(fleet, random.Random(seed), began + seconds))
        writing = group.create_task(write(fleet, random.Random(seed + 1), messages, began, seconds))
    kills, asked = killing.result(), writing.result()
    last = time.monotonic()
    tail = await fleet.mention("say 5 words")
    await fleet.all_delivered()
    await wait_until(lambda: at_rest(fleet), timeout=30, what="every run has ended and is shown")
    took = time.monotonic() - last
    heard = await fleet.acknowledged(asked)
    answers = [await fleet.completed(message) for message in heard]
    assert len((await fleet.completed(tail)).output.split()) == 5
    runs = Counter(run.target["ts"] for run in await fleet.runs())
    assert set(runs.values()) == {1}
    assert {message.ts for message in heard} <= set(runs)
    measured(
        f"killed {dict(kills)}; {len(heard)} of {messages} messages acknowledged and answered once, "
        f"{sum(answer.run.takeovers for answer in answers)} take-overs, "
        f"at rest {took:.1f} s after the last restart"
    )


async def kill(fleet: Fleet, rng: random.Random, until: float) -> Counter[str]:
    """Kills one process every one to three seconds, starts it again, and leaves everything running."""
    kills: Counter[str] = Counter()
    while time.monotonic() < until:
        await asyncio.sleep(rng.uniform(1, 3))
        supervise(fleet)
        victim = rng.choice(("worker", "web", "redis"))
        kills[victim] += 1
        if victim == "redis":
            await fleet.kill_redis()
        else:
            process = fleet.process(victim)
            process.kill()
            process.start()
    await wait_until(lambda: supervise(fleet) and came_up(fleet), timeout=60, what="all processes came up")
    for name in ("web", "worker"):
        await fleet.ready(fleet.process(name))
    return kills


def supervise(fleet: Fleet) -> bool:
    """Starts what gave up while it started, as it may without Redis; whatever works must not end by itself."""
    for name in ("web", "worker"):
        process = fleet.process(name)
        if not process.lives:
            if process.came_up:
                pytest.fail(f"{name} ended by itself:\n{process.tail()}")
            process.start()
    return True


def came_up(fleet: Fleet) -> bool:
    return all(process.lives and process.came_up for process in fleet.processes.values())


async def write(fleet: Fleet, rng: random.Random, count: int, began: float, seconds: float) -> list[Message]:
    """People write all the time, a third of them in a thread that is there already."""
    cast = fleet.playground.config.cast
    asked: list[Message] = []
    for number in range(count):
        await asyncio.sleep(max(0.0, began + seconds * number / count - time.monotonic()))
        thread = rng.choice(asked[-9:]) if asked and rng.random() < 1 / 3 else None
        asked.append(
            await fleet.mention(
                rng.choice(TEXTS) or story()[0],
                channel=thread.channel if thread else rng.choice((cast.general, cast.ops, cast.private)),
                user=rng.choice((cast.requester, cast.approver, cast.admin)),
                thread_ts=thread.root if thread else None,
            )
        )
    return asked
