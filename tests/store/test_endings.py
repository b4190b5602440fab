from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from store.asking import ask

from harness_core.errors import IllegalTransition, RunNotFound
from harness_core.events import CancelRequested, RunCancelled, RunCompleted, StateChanged
from harness_core.models import RunFilter
from harness_core.states import RunState
from harness_core.store import Parked

if TYPE_CHECKING:
    from store.conftest import Caller


async def test_a_finished_run_has_its_output_and_leaves_nothing_behind(caller: Caller) -> None:
    claim = await caller.running()

    await caller.store.runs.finish(
        claim.fence, RunState.COMPLETED, RunCompleted(output="done"), output="done"
    )

    run = await caller.store.runs.get(claim.run.run_id)
    assert run.state is RunState.COMPLETED
    assert run.ended_at is not None
    assert await caller.store.runs.output(run.run_id) == "done"
    for name in ("leases", "ready:T1", "active:T1", "active:T1:U1", "inbox:T1:C1%3A1.0"):
        assert await caller.store.client.exists(f"harness:{{p0}}:{name}") == 0, name


async def test_a_queued_run_is_cancelled_at_once_and_the_next_moves_up(caller: Caller) -> None:
    await caller.store.runs.accept(caller.message("first"))
    await caller.store.runs.accept(caller.message("second"))
    (head,) = (await caller.store.lists.page("T1", RunFilter(), limit=10)).items[1:]

    assert await caller.store.runs.cancel(head.run_id, "U2") == "cancelled"

    assert (await caller.store.runs.get(head.run_id)).state is RunState.CANCELLED
    payloads = [event.payload for event in await caller.store.events.read(head.run_id)]
    assert payloads[-2:] == [
        StateChanged(source="queued", target="cancelled"),
        RunCancelled(by="U2", ran=0, unsure=0),
    ]
    (claim,) = await caller.claim()
    assert (await caller.store.runs.load_input(claim.run.run_id)).text == "second"


async def test_who_leaves_the_line_takes_nothing_from_the_run_at_work(caller: Caller) -> None:
    claim = await caller.running()
    await caller.store.runs.accept(caller.message("behind it"))
    (waiting,) = (await caller.store.lists.page("T1", RunFilter(state=RunState.QUEUED))).items

    await caller.store.runs.cancel(waiting.run_id, "U2")

    assert not (await caller.store.runs.renew("w1", [claim.fence], 10.0)).lost
    assert await caller.store.runs.finish(claim.fence, RunState.COMPLETED, RunCompleted(output="x")) is None


async def test_a_running_run_is_asked_once_to_stop_and_cannot_complete_any_more(caller: Caller) -> None:
    claim = await caller.running()

    assert await caller.store.runs.cancel(claim.run.run_id, "U2") == "requested"
    assert await caller.store.runs.cancel(claim.run.run_id, "U3") == "requested"
    renewal = await caller.store.runs.renew("w1", [claim.fence], 10.0)
    stopper = await caller.store.runs.finish(claim.fence, RunState.COMPLETED, RunCompleted(output="x"))

    assert renewal.cancelled == {claim.run.run_id: "U2"}
    assert stopper == "U2"
    events = await caller.store.events.read(claim.run.run_id)
    assert [each.payload for each in events if isinstance(each.payload, CancelRequested)] == [
        CancelRequested(by="U2")
    ]
    await caller.store.runs.finish(claim.fence, RunState.CANCELLED, RunCancelled(by="U2", ran=0, unsure=0))
    assert await caller.store.runs.cancel(claim.run.run_id, "U4") == "finished"


async def test_cancelling_a_run_that_is_not_there_says_so(caller: Caller) -> None:
    with pytest.raises(RunNotFound):
        await caller.store.runs.cancel("run_01ARZ3NDEKTSV4RRFFQ69G5FAV", "U1")


async def test_a_parked_run_frees_its_caps_but_keeps_its_place(caller: Caller) -> None:
    claim = await caller.running()
    await caller.store.runs.accept(caller.message("behind it"))

    await ask(caller.store, claim)
    assert (await caller.store.runs.park(claim.fence)).outcome == "waiting"

    assert (await caller.store.runs.get(claim.run.run_id)).state is RunState.WAITING
    assert await caller.store.client.scard("harness:{p0}:active:T1") == 0
    assert await caller.claim() == []
    assert await caller.store.runs.cancel(claim.run.run_id, "U1") == "cancelled"
    assert len(await caller.claim()) == 1


async def test_a_run_whose_questions_are_all_answered_goes_on_under_its_lease(caller: Caller) -> None:
    claim = await caller.running()

    assert await caller.store.runs.park(claim.fence) == Parked(outcome="resuming", pause=2)

    assert (await caller.store.runs.get(claim.run.run_id)).state is RunState.RESUMING
    assert not (await caller.store.runs.renew("w1", [claim.fence], 10.0)).lost


async def test_a_move_that_the_table_does_not_have_changes_nothing(caller: Caller) -> None:
    claim = await caller.running()

    with pytest.raises(IllegalTransition, match="is running and cannot become queued"):
        await caller.store.runs.finish(claim.fence, RunState.QUEUED, RunCompleted(output="x"))

    assert (await caller.store.runs.get(claim.run.run_id)).state is RunState.RUNNING


async def test_pages_of_runs_are_newest_first_and_stay_exact_while_runs_arrive(caller: Caller) -> None:
    for number in range(25):
        await caller.store.runs.accept(caller.message(conversation=f"C:{number}", user=f"U{number % 2}"))

    first = await caller.store.lists.page("T1", limit=10)
    await caller.store.runs.accept(caller.message(conversation="C:late"))
    second = await caller.store.lists.page("T1", cursor=first.cursor, limit=10)
    third = await caller.store.lists.page("T1", cursor=second.cursor, limit=10)

    ids = [run.run_id for page in (first, second, third) for run in page.items]
    assert len(ids) == len(set(ids)) == 25
    assert ids == sorted(ids, reverse=True)
    assert third.cursor is None
    mine = await caller.store.lists.page("T1", RunFilter(user="U1", state=RunState.QUEUED), limit=50)
    assert {run.user for run in mine.items} == {"U1"}


async def test_the_message_log_of_a_thread_is_its_questions_and_answers_newest_first(caller: Caller) -> None:
    claim = await caller.running(text="why?")
    await caller.store.runs.finish(
        claim.fence, RunState.COMPLETED, RunCompleted(output="because"), output="because"
    )
    await caller.store.runs.accept(caller.message("and then?"))

    page = await caller.store.threads.messages(claim.run.thread_id)

    assert [(each.role, each.text) for each in page.items] == [
        ("user", "and then?"),
        ("assistant", "because"),
        ("user", "why?"),
    ]
    thread = await caller.store.threads.get(claim.run.thread_id)
    assert (thread.runs, thread.status) == (2, RunState.QUEUED)
