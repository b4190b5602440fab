"""kill -9 of the worker, of the web process and of Redis while runs stand at every place around an approval.

A call that people approved acts once, or, where its worker died between its start and its result, somebody is asked
what became of it. The runs are held at their places, so one kill meets all of them.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterable

import pytest
import pytest_asyncio
from faults.standings import CLAIM, CLICKS, EARLY, PLACES, Stand, Standing, Victim, all_end_well
from faults.stories import Measured, nothing_lags
from fleet import Fleet, start_fleet
from waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet() -> AsyncIterator[Fleet]:
    """A fleet that speaks as fast as it can, in four channels."""
    async with start_fleet(FAULT_BUDGETS="off") as running:
        cast = running.playground.config.cast
        await running.start("web", "worker")
        await running.door.join(cast.outside, cast.bot_user, inviter=cast.requester)
        yield running


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.soak)])
async def test_a_killed_worker_leaves_one_effect_or_a_question_behind(
    fleet: Fleet, workers: int, measured: Measured
) -> None:
    await only(fleet, 1)
    standings = await stand(fleet, clicks=False)
    await only(fleet, workers)
    worker = fleet.process("worker")
    worker.kill()
    worker.disarm()
    killed = time.monotonic()
    worker.start()
    took = await end(fleet, standings, "worker", since=killed)
    measured(f"kill -9 of the worker, {workers} at work: {len(standings)} runs ended {took:.1f} s later")


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.soak)])
async def test_a_killed_web_process_loses_no_decision_and_disturbs_no_call(
    fleet: Fleet, workers: int, measured: Measured
) -> None:
    await only(fleet, workers)
    standings = await stand(fleet, clicks=True)
    web = fleet.process("web")
    web.kill()
    web.disarm()
    killed = time.monotonic()
    await let_go(standings)
    await fleet.start("web")
    took = await end(fleet, standings, "web", since=killed)
    measured(f"kill -9 of web, {workers} at work: {len(standings)} runs ended {took:.1f} s later")


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.soak)])
async def test_a_killed_redis_leaves_one_effect_or_a_question_behind(
    fleet: Fleet, workers: int, measured: Measured
) -> None:
    await only(fleet, workers)
    standings = await stand(fleet, clicks=True)
    await fleet.kill_redis()
    killed = time.monotonic()
    await let_go(standings)
    took = await end(fleet, standings, "redis", since=killed)
    measured(f"kill -9 of Redis, {workers} at work: {len(standings)} runs ended {took:.1f} s later")


async def only(fleet: Fleet, workers: int) -> None:
    """So many workers, ready."""
    second = fleet.process("worker", "worker-2")
    if workers == 1:
        second.kill()
    wanted = ["worker", "worker-2"][:workers]
    await fleet.start(*(name for name in wanted if not fleet.process("worker", name).lives))


async def stand(fleet: Fleet, *, clicks: bool) -> list[Standing]:
    """Runs at all places: those first that can be held for long."""
    waiting = await ask(fleet, (*PLACES, CLAIM, *(CLICKS if clicks else ())))
    await take_places(waiting, PLACES)
    waiting += await ask(fleet, EARLY)
    await take_places(waiting, (CLAIM,))
    await take_places(waiting, CLICKS)
    return waiting


async def take_places(waiting: list[Standing], stands: tuple[Stand, ...]) -> None:
    await asyncio.gather(*(each.take_place() for each in waiting if each.stand in stands))


async def ask(fleet: Fleet, stands: Iterable[Stand]) -> list[Standing]:
    cast = fleet.playground.config.cast
    rooms = itertools.cycle((cast.general, cast.ops, cast.private, cast.outside))
    asking = [Standing.ask(fleet, each, room) for each, room in zip(stands, rooms, strict=False)]
    return await asyncio.gather(*asking)


async def let_go(standings: list[Standing]) -> None:
    for standing in standings:
        await standing.let_go()


async def end(fleet: Fleet, standings: list[Standing], victim: Victim, *, since: float) -> float:
    """All end well, and the seconds that took; then whoever asks is answered, and nothing is left unsaid."""
    await let_go(standings)
    await all_end_well(standings, victim)
    took = time.monotonic() - since
    await fleet.completed(await fleet.mention("say 3 words"))
    await wait_until(lambda: nothing_lags(fleet), timeout=20, what="everything is shown")
    return took
