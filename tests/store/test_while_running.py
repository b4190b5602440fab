"""A message that comes while a run of its conversation is at work: it waits, is read, takes its place, is turned away."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from store.asking import ask

from harness_core.errors import StaleFence, UnreadMessages
from harness_core.events import CancelRequested, Payload, RunCancelled, RunCompleted, RunFailed, RunSteered
from harness_core.models import Accepted, Claim, Duplicate, Refused, Run, Steered
from harness_core.states import RunState
from harness_core.store import Store

if TYPE_CHECKING:
    from store.conftest import Caller

DONE = RunCompleted(output="done")


async def complete(store: Store, claim: Claim, *, leave_unread: bool = False) -> str | None:
    return await store.runs.finish(claim.fence, RunState.COMPLETED, DONE, leave_unread=leave_unread)


async def steer(caller: Caller, text: str = "also that", **values: object) -> Steered:
    steered = await caller.store.runs.accept(caller.message(text, while_running="steer", **values))
    assert isinstance(steered, Steered), steered
    return steered


async def accept(caller: Caller, text: str = "hello", **values: object) -> str:
    accepted = await caller.store.runs.accept(caller.message(text, **values))
    assert isinstance(accepted, Accepted), accepted
    return accepted.run_id


async def line(caller: Caller) -> list[Run]:
    """The runs that wait or work, in the order of their conversation."""
    ids = await caller.store.client.lrange("harness:{p0}:inbox:T1:C1%3A1.0", 0, -1)
    return [await caller.store.runs.get(each.decode()) for each in ids]


async def texts(caller: Caller) -> list[str]:
    return [(await caller.store.runs.load_input(run.run_id)).text for run in await line(caller)]


async def latest(caller: Caller) -> str | None:
    thread = await caller.store.threads.find("T1", "C1:1.0")
    assert thread is not None
    return thread.latest_run


async def unread(caller: Caller, claim: Claim) -> list[str]:
    return [each.message for each in await caller.store.messages.written_to(claim.fence) if not each.read]


async def payloads(store: Store, run_id: str) -> list[Payload]:
    return [event.payload for event in await store.events.read(run_id)]


class TestSteering:
    async def test_a_message_is_added_to_the_run_at_work_and_is_no_run_of_its_own(
        self, caller: Caller
    ) -> None:
        claim = await caller.running()

        steered = await steer(caller, "look at the logs, too", user="U2")

        assert steered == Steered(run_id=claim.run.run_id, thread_id=claim.run.thread_id)
        assert len(await line(caller)) == 1
        (waiting,) = await caller.store.messages.written_to(claim.fence)
        assert (waiting.text, waiting.user, waiting.kind) == ("look at the logs, too", "U2", "message")
        told = [each for each in await payloads(caller.store, steered.run_id) if isinstance(each, RunSteered)]
        assert told == [RunSteered(message=waiting.message, by="U2")]

    async def test_however_often_it_comes_it_is_read_once(self, caller: Caller) -> None:
        claim = await caller.running()
        message = caller.message("twice", while_running="steer")

        answers = await asyncio.gather(*(caller.store.runs.accept(message) for _ in range(10)))

        assert answers.count(Steered(run_id=claim.run.run_id, thread_id=claim.run.thread_id)) == 1
        assert answers.count(Duplicate(run_id=claim.run.run_id)) == 9
        assert len(await caller.store.messages.written_to(claim.fence)) == 1

    async def test_a_run_whose_thread_is_about_to_be_removed_is_not_steered(self, caller: Caller) -> None:
        claim = await caller.running()
        await caller.store.upkeep.detach("T1", claim.run.thread_id)
        message = caller.message("later", while_running="steer")
        accepted = await caller.store.runs.accept(message)
        assert isinstance(accepted, Accepted), accepted
        assert accepted.thread_id != claim.run.thread_id

    async def test_a_run_that_has_not_begun_is_not_steered(self, caller: Caller) -> None:
        await accept(caller)

        await accept(caller, "next", while_running="steer")

        assert await texts(caller) == ["hello", "next"]

    async def test_a_run_that_waits_for_people_takes_messages_and_keeps_them_until_it_goes_on(
        self, caller: Caller
    ) -> None:
        claim = await caller.running()
        await ask(caller.store, claim)
        await caller.store.runs.park(claim.fence)

        await steer(caller)

        assert (await caller.store.runs.get(claim.run.run_id)).state is RunState.WAITING
        assert len(await unread(caller, claim)) == 1

    async def test_a_run_that_is_asked_to_stop_is_not_written_to_any_more(self, caller: Caller) -> None:
        claim = await caller.running()
        await caller.store.runs.cancel(claim.run.run_id, "U2")

        await accept(caller, "next", while_running="steer")

        assert await texts(caller) == ["hello", "next"]

    async def test_a_message_for_another_agent_is_a_run_of_its_own(self, caller: Caller) -> None:
        claim = await caller.running()
        await caller.store.runs.route(claim.fence, "ops", "default", "digest")

        await steer(caller, "for the same", agent="ops")
        await accept(caller, "for another", agent="guide", while_running="steer")

        assert await texts(caller) == ["hello", "for another"]

    async def test_a_run_does_not_complete_before_it_has_read_everything(self, caller: Caller) -> None:
        claim = await caller.running()
        await steer(caller, "one")
        await steer(caller, "two")

        with pytest.raises(UnreadMessages):
            await complete(caller.store, claim)
        waiting = await unread(caller, claim)
        await caller.store.messages.mark_read(claim.fence, waiting[:1])
        with pytest.raises(UnreadMessages):
            await complete(caller.store, claim)
        assert (await caller.store.runs.get(claim.run.run_id)).state is RunState.RUNNING
        await caller.store.messages.mark_read(claim.fence, waiting)

        assert await complete(caller.store, claim) is None
        assert [each.text for each in await caller.store.messages.written_to(claim.fence)] == ["one", "two"]
        assert await line(caller) == []

    @pytest.mark.parametrize("ending", ["failed", "cancelled", "completed", "given up"])
    async def test_what_was_not_read_becomes_the_next_run_which_reads_the_rest(
        self, caller: Caller, ending: str
    ) -> None:
        claim = await caller.running()
        await accept(caller, "waits")
        await steer(caller, "one", user="U2", channel="C1")
        await steer(caller, "two", user="U3")

        match ending:
            case "failed":
                await caller.store.runs.finish(claim.fence, RunState.FAILED, RunFailed(reason="x"))
            case "cancelled":
                await caller.store.runs.cancel(claim.run.run_id, "U9")
                await caller.store.runs.finish(claim.fence, RunState.CANCELLED, RunCancelled(by="U9"))
            case "completed":
                await complete(caller.store, claim, leave_unread=True)
            case _:
                await caller.later(11)
                await caller.store.runs.reap(max_attempts=0)

        assert await texts(caller) == ["one", "waits"]
        heir, _ = await line(caller)
        assert (heir.user, heir.channel, heir.thread_id) == ("U2", "C1", claim.run.thread_id)
        assert (heir.requesters, heir.target) == (("U2",), {"channel": "C1"})
        (following,) = await caller.claim()
        assert following.run.run_id == heir.run_id
        assert [each.text for each in await caller.store.messages.written_to(following.fence)] == ["two"]
        assert await caller.store.messages.written_to(claim.fence) == []

    async def test_the_latest_run_of_a_thread_stays_the_last_in_line(self, caller: Caller) -> None:
        claim = await caller.running()
        await accept(caller, "waits")
        await accept(caller, "now", while_running="interrupt")
        (_, _, last) = await line(caller)
        assert await latest(caller) == last.run_id
        await caller.store.runs.finish(claim.fence, RunState.CANCELLED, RunCancelled(by="U1"))
        (following,) = await caller.claim()
        await steer(caller, "one")
        await caller.store.runs.finish(following.fence, RunState.FAILED, RunFailed(reason="x"))

        assert await texts(caller) == ["one", "waits"]
        assert await latest(caller) == last.run_id

    async def test_a_message_that_nobody_waits_behind_becomes_the_latest_run(self, caller: Caller) -> None:
        claim = await caller.running()
        await steer(caller, "one")
        await caller.store.runs.finish(claim.fence, RunState.FAILED, RunFailed(reason="x"))

        (heir,) = await line(caller)

        assert await latest(caller) == heir.run_id

    async def test_a_message_that_became_a_run_is_still_the_same_message(self, caller: Caller) -> None:
        claim = await caller.running()
        message = caller.message("one", while_running="steer")
        await caller.store.runs.accept(message)
        await caller.store.runs.finish(claim.fence, RunState.FAILED, RunFailed(reason="x"))

        (heir,) = await line(caller)

        assert await caller.store.runs.accept(message) == Duplicate(run_id=heir.run_id)

    async def test_who_the_model_is_told_of_has_asked_too_and_others_have_not(self, caller: Caller) -> None:
        claim = await caller.running(user="U1")
        await steer(caller, "one", user="U2")
        await steer(caller, "two", user="U3")
        (first, _) = await unread(caller, claim)

        assert await caller.store.messages.take(claim.fence, [first]) == {first: "one"}
        assert await caller.store.messages.take(claim.fence, [first]) == {first: "one"}

        assert (await caller.store.runs.get(claim.run.run_id)).requesters == ("U1", "U2")

    async def test_a_lost_worker_reads_nothing(self, caller: Caller) -> None:
        claim = await caller.running()
        await steer(caller)
        waiting = await unread(caller, claim)
        await caller.later(11)

        with pytest.raises(StaleFence):
            await caller.store.messages.take(claim.fence, waiting)
        with pytest.raises(StaleFence):
            await caller.store.messages.mark_read(claim.fence, waiting)

        assert (await caller.store.runs.get(claim.run.run_id)).requesters == ("U1",)
        assert await unread(caller, claim) == waiting

    async def test_a_run_takes_twenty_messages_and_no_more(self, caller: Caller) -> None:
        claim = await caller.running()
        for number in range(19):
            await steer(caller, str(number))

        full = await caller.store.runs.accept(caller.message("one more", while_running="steer"))

        assert full == Refused(reason="thread_full")
        await caller.store.messages.mark_read(claim.fence, await unread(caller, claim))
        await steer(caller, "again")

    async def test_the_log_of_the_thread_shows_what_was_written_to_the_run(self, caller: Caller) -> None:
        claim = await caller.running(text="why?")
        await steer(caller, "and where?", user="U2")
        waiting = await unread(caller, claim)
        await steer(caller, "and when?")
        await caller.store.messages.mark_read(claim.fence, waiting)

        page = await caller.store.threads.messages(claim.run.thread_id)

        assert [(each.text, each.user) for each in page.items] == [
            ("and when?", "U1"),
            ("and where?", "U2"),
            ("why?", "U1"),
        ]


class TestInterrupting:
    async def test_the_run_at_work_is_stopped_by_the_person_and_the_new_one_is_next(
        self, caller: Caller
    ) -> None:
        claim = await caller.running()
        await accept(caller, "waits")

        await accept(caller, "now", user="U2", while_running="interrupt")

        assert await texts(caller) == ["hello", "now", "waits"]
        assert CancelRequested(by="U2") in await payloads(caller.store, claim.run.run_id)
        assert await complete(caller.store, claim) == "U2"
        await caller.store.runs.finish(claim.fence, RunState.CANCELLED, RunCancelled(by="U2"))
        (following,) = await caller.claim()
        assert (await caller.store.runs.load_input(following.run.run_id)).text == "now"

    async def test_a_run_that_waits_for_people_ends_at_once_and_its_question_with_it(
        self, caller: Caller
    ) -> None:
        claim = await caller.running()
        approval = await ask(caller.store, claim)
        await caller.store.runs.park(claim.fence)
        await accept(caller, "waits")

        await accept(caller, "now", while_running="interrupt")

        assert (await caller.store.runs.get(claim.run.run_id)).state is RunState.CANCELLED
        assert (await caller.store.approvals.get("T1", approval.approval_id)).state == "void"
        assert await texts(caller) == ["now", "waits"]
        (following,) = await caller.claim()
        assert (await caller.store.runs.load_input(following.run.run_id)).text == "now"
        assert await caller.claim() == []

    async def test_a_run_that_has_not_begun_keeps_its_turn(self, caller: Caller) -> None:
        await accept(caller, "first")

        await accept(caller, "second", while_running="interrupt")

        assert await texts(caller) == ["first", "second"]
        assert (await line(caller))[0].state is RunState.QUEUED

    async def test_while_the_run_at_work_is_stopping_messages_keep_their_order(self, caller: Caller) -> None:
        await caller.running()
        for text in ("one", "two", "three"):
            await accept(caller, text, while_running="interrupt")

        assert await texts(caller) == ["hello", "one", "two", "three"]


class TestRejecting:
    async def test_nothing_is_stored_but_that_it_came(self, caller: Caller) -> None:
        claim = await caller.running()
        before = await caller.store.client.dbsize()
        message = caller.message("now", while_running="reject")

        assert await caller.store.runs.accept(message) == Refused(reason="busy")

        # The two names it came under, and the reply that a lost answer would be repeated from.
        assert await caller.store.client.dbsize() == before + 3
        assert await caller.store.runs.accept(message) == Duplicate(run_id="")
        assert len((await caller.store.lists.page("T1")).items) == 1
        await complete(caller.store, claim)
        assert await caller.store.runs.accept(message) == Duplicate(run_id="")

    async def test_a_run_that_has_not_begun_makes_the_thread_busy_too(self, caller: Caller) -> None:
        await accept(caller)

        refused = await caller.store.runs.accept(caller.message(while_running="reject"))

        assert refused == Refused(reason="busy")

    async def test_a_run_that_is_about_to_end_keeps_nobody_from_asking(self, caller: Caller) -> None:
        claim = await caller.running()
        await caller.store.runs.cancel(claim.run.run_id, "U1")

        await accept(caller, "now", while_running="reject")

        assert await texts(caller) == ["hello", "now"]

    async def test_an_idle_thread_takes_the_next_message(self, caller: Caller) -> None:
        await complete(caller.store, await caller.running())

        await accept(caller, "now", while_running="reject")
