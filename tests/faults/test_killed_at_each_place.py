"""As around an approval, one place at a time: the process dies in the very moment, with all that it had in hand."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from faults.standings import CLAIM, CLICKS, EARLY, PLACES, UNASKED, Stand, Standing, Victim, all_end_well
from faults.stories import nothing_lags
from fleet import Fleet, start_fleet
from waiting import wait_until

pytestmark = [pytest.mark.soak, pytest.mark.asyncio(loop_scope="module")]

STANDS = [each for each in (*UNASKED, *EARLY, *PLACES, CLAIM, *CLICKS) if each.point]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet() -> AsyncIterator[Fleet]:
    """A fleet that speaks as fast as it can."""
    async with start_fleet(FAULT_BUDGETS="off") as running:
        await running.start("web", "worker")
        yield running


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("stand", STANDS, ids=lambda stand: stand.name)
async def test_a_process_that_dies_in_this_moment_leaves_one_effect_or_a_question_behind(
    fleet: Fleet, stand: Stand, workers: int
) -> None:
    if workers == 1:
        fleet.process("worker", "worker-2").kill()
    wanted = ("worker", "worker-2")[:workers]
    await fleet.start(*(name for name in wanted if not fleet.process("worker", name).lives))
    await wait_until(lambda: nothing_lags(fleet), timeout=20, what="everything is shown")
    standing = await Standing.ask(fleet, stand, fleet.playground.config.cast.ops, action="kill")
    if not stand.early:
        await standing.take_place()
    (dead,) = await wait_until(lambda: dead_of(fleet, stand.role, wanted), what="the process died")
    await standing.let_go()
    await fleet.start(dead)
    victim: Victim = stand.role
    await all_end_well([standing], victim)


def dead_of(fleet: Fleet, role: str, workers: tuple[str, ...]) -> list[str]:
    """The names of the processes of this role that should live and do not."""
    names = ("web",) if role == "web" else workers
    return [name for name in names if not fleet.process(role, name).lives]
