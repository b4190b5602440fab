"""kill -9 of the worker, of the web process and of Redis while runs stand at every place around an approval.

A call that people approved acts once, or, where its worker died between its start and its result, somebody is asked
what became of it. The runs are held at their places, so one kill meets all of them.
"""

from __future__ import annotations

import asyncio
import itertools
import random
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
@pytest.mark.parametrize("victim", ["worker", "web", "redis"])
async def test_whatever_is_killed_a_call_acts_once_or_somebody_is_asked_what_became_of_it(
    fleet: Fleet, victim: Victim, workers: int, measured: Measured
) -> None:
    await survive(fleet, victim, workers, measured)


@pytest.mark.soak
@pytest.mark.timeout(1800)
async def test_the_same_holds_twenty_times_in_any_order(fleet: Fleet, measured: Measured) -> None:
    seed = random.SystemRandom().randrange(10**6)
    measured(f"seed {seed}")
    chance = random.Random(seed)
    victims: tuple[Victim, ...] = ("worker", "web", "redis")
    for _ in range(20):
        await survive(fleet, chance.choice(victims), chance.choice((1, 2)), measured)


async def survive(fleet: Fleet, victim: Victim, workers: int, measured: Measured) -> None:
    """Runs take their places, the victim is killed, and all end well; then whoever asks is answered."""
    began = time.monotonic()
    # A second worker begins none of the runs that stand when the first one dies, and has to take over all.
    await only(fleet, 1 if victim == "worker" else workers)
    standings = await stand(fleet, clicks=victim != "worker")
    await only(fleet, workers)
    struck = time.monotonic()
    await strike(fleet, victim, standings)
    await all_end_well(standings, victim)
    ended = time.monotonic()
    await fleet.completed(await fleet.mention("say 3 words"))
    await wait_until(lambda: nothing_lags(fleet), timeout=20, what="everything is shown")
    measured(
        f"kill -9 of {victim}, workers: {workers}: {len(standings)} runs stood after {struck - began:.1f} s, "
        f"and all had ended {ended - struck:.1f} s after the kill"
    )


async def strike(fleet: Fleet, victim: Victim, standings: list[Standing]) -> None:
    """Kills it and lets everything go that is still held, while the victim is away."""
    if victim == "redis":
        await fleet.kill_redis()
    else:
        process = fleet.process(victim)
        process.kill()
        process.disarm()
        process.start()
    for standing in standings:
        await standing.let_go()
    if victim == "web":
        await fleet.ready(fleet.process("web"))


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
