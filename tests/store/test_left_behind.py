"""Runs that a person has to let go on, and what operators ask of all workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from store.asking import a_question, ask

from harness_core.approvals import Approve
from harness_core.errors import RunNotFound, StaleFence
from harness_core.events import OutputDelta, RunCancelled, RunHeld
from harness_core.models import DEAD_LETTERS, Accepted, Switches
from harness_core.states import RunState

if TYPE_CHECKING:
    from store.conftest import Caller


async def found_at_start(caller: Caller) -> str:
    """A run whose worker was lost before the next one began."""
    claim = await caller.running()
    await caller.later(11)
    started = await caller.store.now()
    reaped = await caller.store.runs.reap(max_attempts=3, hold_before=started)
    assert (reaped.taken, reaped.dead, reaped.held) == ((), (), (claim.run.run_id,))
    with pytest.raises(StaleFence):
        await caller.store.runs.append(claim.fence, 1, [OutputDelta(text="late")])
    return claim.run.run_id


async def test_one_that_was_asked_to_stop_is_taken_over_to_end_it(caller: Caller) -> None:
    claim = await caller.running()
    await caller.store.runs.cancel(claim.run.run_id, "U2")
    await caller.later(11)

    reaped = await caller.store.runs.reap(max_attempts=3, hold_before=await caller.store.now())

    assert (reaped.taken, reaped.held) == ((claim.run.run_id,), ())
    (again,) = await caller.claim("w2")
    assert (again.run.cancelled_by, again.run.held) == ("U2", False)


async def test_a_run_found_at_start_stays_where_it_is_and_frees_its_slot(caller: Caller) -> None:
    run_id = await found_at_start(caller)
    await caller.store.runs.accept(caller.message("waits behind it"))

    assert await caller.claim() == []

    run = await caller.store.runs.get(run_id)
    assert (run.state, run.held) == (RunState.RUNNING, True)
    assert await caller.store.client.scard("harness:{p0}:active:T1") == 0
    (last,) = (await caller.store.events.read(run_id))[-1:]
    assert isinstance(last.payload, RunHeld)
    assert last.payload.since < last.at - 10_000  # its last sign of life, not the end of its lease
    assert (await caller.store.runs.reap(max_attempts=3)).taken == ()


async def test_it_goes_on_when_somebody_says_so_once(caller: Caller) -> None:
    run_id = await found_at_start(caller)

    assert [await caller.store.runs.carry_on(run_id), await caller.store.runs.carry_on(run_id)] == [
        True,
        False,
    ]

    (claim,) = await caller.claim()
    assert (claim.run.run_id, claim.taken_over, claim.run.held) == (run_id, True, False)
    with pytest.raises(RunNotFound):
        await caller.store.runs.carry_on("run_01ARZ3NDEKTSV4RRFFQ69G5FAV")


async def test_it_can_be_stopped_and_the_next_one_goes(caller: Caller) -> None:
    run_id = await found_at_start(caller)
    await caller.store.runs.accept(caller.message("next"))

    assert await caller.store.runs.cancel(run_id, "U2") == "cancelled"

    run = await caller.store.runs.get(run_id)
    assert (run.state, run.held) == (RunState.CANCELLED, False)
    payloads = [event.payload for event in await caller.store.events.read(run_id)]
    assert payloads[-1] == RunCancelled(by="U2", ran=0, unsure=0)
    (claim,) = await caller.claim()
    assert (await caller.store.runs.load_input(claim.run.run_id)).text == "next"


async def test_a_run_that_was_lost_while_its_successor_was_there_goes_on_by_itself(caller: Caller) -> None:
    started = await caller.store.now()
    claim = await caller.running()
    await caller.later(11)

    reaped = await caller.store.runs.reap(max_attempts=3, hold_before=started)

    assert (reaped.taken, reaped.held) == ((claim.run.run_id,), ())


async def test_a_decision_that_came_while_nobody_worked_needs_no_second_word(caller: Caller) -> None:
    claim = await caller.running()
    await ask(caller.store, claim)
    await caller.store.runs.park(claim.fence)
    approval = await caller.store.approvals.get("T1", a_question(claim).about.approval_id)
    await caller.store.approvals.decide(approval, Approve(), revision=None, by="U2", source="message")
    await caller.later(600)

    reaped = await caller.store.runs.reap(max_attempts=3, hold_before=await caller.store.now())

    assert reaped.held == ()
    assert len(await caller.claim()) == 1


async def test_runs_that_were_given_up_are_listed_apart_from_other_failures(caller: Caller) -> None:
    given_up = (await caller.running()).run.run_id
    await caller.later(11)
    await caller.store.runs.reap(max_attempts=0)
    other = await caller.store.runs.accept(caller.message())
    assert isinstance(other, Accepted)
    await caller.store.runs.cancel(other.run_id, "U1")

    letters = await caller.store.lists.page("T1", DEAD_LETTERS)

    assert [run.run_id for run in letters.items] == [given_up]
    assert letters.items[0].intent is None


async def test_operators_pause_once_and_let_go_on_once(caller: Caller) -> None:
    switches = caller.store.switches
    assert await switches.read() == Switches()

    assert [await switches.drain("U1"), await switches.drain("U2")] == [True, False]
    paused = await switches.read()
    assert (paused.draining, paused.by, paused.reloads) == (True, "U1", 0)
    assert paused.at is not None

    assert [await switches.resume("U3"), await switches.resume("U3")] == [True, False]
    assert not (await switches.read()).draining


async def test_each_request_to_reload_is_another_number(caller: Caller) -> None:
    assert [await caller.store.switches.reload(), await caller.store.switches.reload()] == [1, 2]
    assert (await caller.store.switches.read()).reloads == 2
