"""How long a run was worked on: between a claim and the end of its lease, by the store's clock, and at no other time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from store.asking import ask

from harness_core.approvals import Approve
from harness_core.events import RunCompleted
from harness_core.models import Claim
from harness_core.states import RunState

if TYPE_CHECKING:
    from store.conftest import Caller

SLACK = 5.0
"""Seconds that a busy machine may take for the steps of a test; those of the tests are much longer."""


@pytest.fixture
async def claim(caller: Caller) -> Claim:
    """Under a lease that does not end by itself."""
    await caller.store.runs.accept(caller.message())
    return await claimed(caller)


async def claimed(caller: Caller) -> Claim:
    (claim,) = await caller.claim(lease=1000)
    return claim


async def worked(caller: Caller, claim: Claim) -> float:
    return (await caller.store.runs.get(claim.run.run_id)).worked / 1000


async def test_a_pause_ends_it_and_what_people_take_is_not_counted(caller: Caller, claim: Claim) -> None:
    assert claim.run.worked == 0
    await caller.later(100)
    approval = await ask(caller.store, claim)
    await caller.store.runs.park(claim.fence)
    await caller.later(2000)
    await caller.store.approvals.decide(approval, Approve(), revision=None, by="U2", source="message")
    await caller.later(2000)  # until a worker has room for it

    again = await claimed(caller)

    assert again.run.worked / 1000 == pytest.approx(100, abs=SLACK)
    await caller.later(50)
    await caller.store.runs.finish(again.fence, RunState.COMPLETED, RunCompleted(output="done"))
    assert await worked(caller, claim) == pytest.approx(150, abs=SLACK)


async def test_a_question_that_is_answered_before_the_pause_ends_nothing(
    caller: Caller, claim: Claim
) -> None:
    approval = await ask(caller.store, claim)
    await caller.store.approvals.decide(approval, Approve(), revision=None, by="U2", source="message")
    await caller.later(100)
    assert (await caller.store.runs.park(claim.fence)).outcome == "resuming"
    await caller.later(100)

    await caller.store.runs.release(claim.fence)

    assert await worked(caller, claim) == pytest.approx(200, abs=SLACK)


async def test_a_worker_that_was_lost_has_worked_until_its_last_sign_of_life(
    caller: Caller, claim: Claim
) -> None:
    await caller.later(300)
    await caller.store.runs.renew("w1", [claim.fence], 1000)
    await caller.later(1001)
    await caller.store.runs.reap(max_attempts=3)
    await caller.later(500)

    again = await claimed(caller)

    assert again.run.worked / 1000 == pytest.approx(300, abs=SLACK)


async def test_one_that_is_handed_over_or_left_for_somebody_is_not_worked_on(
    caller: Caller, claim: Claim
) -> None:
    await caller.later(100)
    await caller.store.runs.release(claim.fence)
    await caller.later(500)
    again = await claimed(caller)
    await caller.later(1001)
    await caller.store.runs.reap(max_attempts=3, hold_before=await caller.store.now())
    await caller.later(500)
    await caller.store.runs.carry_on(claim.run.run_id)

    last = await claimed(caller)

    assert again.run.worked / 1000 == pytest.approx(100, abs=SLACK)
    assert last.run.worked / 1000 == pytest.approx(100, abs=SLACK)


async def test_a_waiting_run_that_is_ended_by_force_has_worked_no_longer(
    caller: Caller, claim: Claim
) -> None:
    await caller.later(100)
    await ask(caller.store, claim)
    await caller.store.runs.park(claim.fence)
    await caller.later(2000)

    await caller.store.upkeep.evict("T1", claim.run.run_id, "U1")

    assert await worked(caller, claim) == pytest.approx(100, abs=SLACK)
