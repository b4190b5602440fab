"""A conversation begins again: what is live is stopped, another thread takes its place, the old one stays readable."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from store.asking import ask

from harness_core.events import RunCancelled, RunCompleted, RunFailed
from harness_core.models import Accepted, Duplicate, Refused, Run, Steered, Thread
from harness_core.states import RunState
from harness_core.store import acceptance

if TYPE_CHECKING:
    from store.conftest import Caller


async def thread(caller: Caller) -> Thread:
    found = await caller.store.threads.find("T1", "C1:1.0")
    assert found is not None
    return found


async def restart(caller: Caller, *names: str, by: str = "U2") -> str:
    return await caller.store.messages.restart("T1", "C1:1.0", by, names or ("restart-1",))


async def live(caller: Caller) -> list[Run]:
    page = await caller.store.lists.page("T1", limit=50)
    return [run for run in page.items if run.ended_at is None]


async def test_every_live_run_is_stopped_and_the_next_message_is_in_a_new_thread(caller: Caller) -> None:
    for number in range(3):
        await caller.store.runs.accept(caller.message(str(number)))
    old = await thread(caller)

    assert await restart(caller) == "restarted"

    assert await live(caller) == []
    stopped = (await caller.store.lists.page("T1")).items
    assert {(run.state, run.cancelled_by) for run in stopped} == {(RunState.CANCELLED, "U2")}
    assert await caller.claim() == []
    await caller.store.runs.accept(caller.message("anew"))
    new = await thread(caller)
    assert (old.generation, new.generation) == (1, 2)
    assert [each.text for each in (await caller.store.threads.messages(new.thread_id)).items] == ["anew"]
    assert (await caller.store.threads.get(old.thread_id)).runs == 3
    assert len((await caller.store.threads.messages(old.thread_id)).items) == 3


async def test_a_running_run_is_asked_to_stop_and_the_new_thread_waits_for_it(caller: Caller) -> None:
    claim = await caller.running()
    await caller.store.runs.accept(caller.message("waits"))

    await restart(caller)
    accepted = await caller.store.runs.accept(caller.message("anew", while_running="steer"))

    assert isinstance(accepted, Accepted)  # never a message to the run that ends
    assert accepted.position == 1
    assert accepted.thread_id != claim.run.thread_id
    assert await caller.claim() == []
    assert await caller.store.runs.finish(claim.fence, RunState.COMPLETED, RunCompleted(output="x")) == "U2"
    await caller.store.runs.finish(claim.fence, RunState.CANCELLED, RunCancelled(by="U2"))
    (following,) = await caller.claim()
    assert following.run.run_id == accepted.run_id
    assert following.fence.epoch > claim.fence.epoch


async def test_questions_of_a_waiting_run_are_void(caller: Caller) -> None:
    claim = await caller.running()
    approval = await ask(caller.store, claim)
    await caller.store.runs.park(claim.fence)

    await restart(caller)

    assert (await caller.store.approvals.get("T1", approval.approval_id)).state == "void"
    assert await live(caller) == []


async def test_what_was_written_to_a_run_goes_with_its_thread(caller: Caller) -> None:
    claim = await caller.running()
    message = caller.message("unread", while_running="steer")
    assert isinstance(await caller.store.runs.accept(message), Steered)

    await restart(caller)
    await caller.store.runs.finish(claim.fence, RunState.FAILED, RunFailed(reason="x"))

    assert await live(caller) == []
    assert await caller.store.messages.written_to(claim.fence) == []


async def test_it_is_done_once_for_each_request(caller: Caller) -> None:
    await caller.running()

    outcomes = await asyncio.gather(*(restart(caller, "event-9", "post-9") for _ in range(5)))

    assert sorted(outcomes) == ["duplicate"] * 4 + ["restarted"]
    assert await restart(caller, "post-9") == "duplicate"
    assert (await thread(caller)).generation == 2


async def test_a_conversation_that_never_ran_has_nothing_to_begin_again(caller: Caller) -> None:
    assert await restart(caller) == "unknown"
    assert await caller.store.threads.find("T1", "C1:1.0") is None


async def test_the_agent_is_chosen_anew(caller: Caller) -> None:
    claim = await caller.running()
    await caller.store.runs.route(claim.fence, "ops", "default", "digest")

    await restart(caller)

    assert await caller.store.threads.agent_of("T1", "C1:1.0") is None


async def test_a_message_can_bring_the_new_thread_with_it(caller: Caller) -> None:
    claim = await caller.running()
    await caller.store.runs.accept(caller.message("waits"))
    message = caller.message("anew", anew=True, user="U3")

    accepted = await caller.store.runs.accept(message)

    assert isinstance(accepted, Accepted)
    assert (accepted.position, (await thread(caller)).thread_id) == (1, accepted.thread_id)
    assert accepted.thread_id != claim.run.thread_id
    assert [run.state for run in await live(caller)] == [RunState.QUEUED, RunState.RUNNING]
    assert (await caller.store.runs.get(claim.run.run_id)).cancelled_by == "U3"
    assert await caller.store.runs.accept(message) == Duplicate(run_id=accepted.run_id)
    assert (await thread(caller)).generation == 2


class TestWhenThereIsNoRoom:
    async def test_a_message_that_is_refused_has_stopped_nothing(
        self, caller: Caller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        claim = await caller.running()
        await caller.store.runs.accept(caller.message("waits", conversation="C2"))
        monkeypatch.setattr(acceptance, "PER_TENANT", 1)

        refused = await caller.store.runs.accept(caller.message("anew", anew=True))

        assert refused == Refused(reason="tenant_full")
        assert not (await caller.store.runs.get(claim.run.run_id)).cancel_requested
        assert (await thread(caller)).thread_id == claim.run.thread_id

    async def test_what_waits_in_the_conversation_itself_makes_room(
        self, caller: Caller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await caller.running()
        await caller.store.runs.accept(caller.message("waits"))
        monkeypatch.setattr(acceptance, "PER_TENANT", 1)

        assert isinstance(await caller.store.runs.accept(caller.message("anew", anew=True)), Accepted)

    async def test_what_was_written_to_the_run_that_is_stopped_takes_none(self, caller: Caller) -> None:
        await caller.running()
        for number in range(19):
            await caller.store.runs.accept(caller.message(str(number), while_running="steer"))

        assert isinstance(await caller.store.runs.accept(caller.message("anew", anew=True)), Accepted)
