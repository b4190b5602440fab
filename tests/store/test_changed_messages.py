"""People change and delete what they wrote: before anything began with it, while it is read, and too late."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from store.asking import ask

from harness_core.errors import UnreadMessages
from harness_core.events import RunAmended, RunCompleted, RunFailed, RunSteered
from harness_core.models import Accepted, Claim, Steered
from harness_core.states import RunState
from harness_core.store import Moved

if TYPE_CHECKING:
    from store.conftest import Caller

NOTHING = Moved(outcome="nothing")


async def amend(caller: Caller, name: str, text: str, stamp: int = 1) -> Moved:
    return await caller.store.messages.amend(
        "T1", name, text, by="U1", stamp=stamp, correction=f"Now: {text}"
    )


async def withdraw(caller: Caller, name: str) -> Moved:
    return await caller.store.messages.withdraw("T1", name, "U1")


async def asked(caller: Caller, name: str = "post-a", text: str = "first") -> str:
    accepted = await caller.store.runs.accept(caller.message(text, dedupe=(f"event-{name}", name)))
    assert isinstance(accepted, Accepted)
    return accepted.run_id


async def steered(caller: Caller, name: str = "post-b", text: str = "also") -> None:
    message = caller.message(text, dedupe=(name,), while_running="steer")
    assert isinstance(await caller.store.runs.accept(message), Steered)


async def begun(caller: Caller) -> Claim:
    await asked(caller)
    (claim,) = await caller.claim()
    return claim


async def written(caller: Caller, claim: Claim) -> list[str]:
    return [each.text for each in await caller.store.messages.written_to(claim.fence)]


async def unread(caller: Caller, claim: Claim) -> list[str]:
    return [each.message for each in await caller.store.messages.written_to(claim.fence) if not each.read]


async def test_before_the_run_began_its_input_is_the_new_text(caller: Caller) -> None:
    run_id = await asked(caller)

    assert await amend(caller, "post-a", "changed") == Moved(outcome="changed", run_id=run_id)

    assert (await caller.store.runs.load_input(run_id)).text == "changed"
    (log,) = (await caller.store.threads.messages((await caller.store.runs.get(run_id)).thread_id)).items
    assert log.text == "changed"
    events = [event.payload for event in await caller.store.events.read(run_id)]
    assert RunAmended(by="U1") in events


async def test_an_older_change_that_comes_late_and_a_repeated_one_do_nothing(caller: Caller) -> None:
    run_id = await asked(caller)
    await amend(caller, "post-a", "second change", stamp=1_700_000_000_000_200)

    assert await amend(caller, "post-a", "second change", stamp=1_700_000_000_000_200) == NOTHING
    assert await amend(caller, "post-a", "first change", stamp=1_700_000_000_000_199) == NOTHING

    assert (await caller.store.runs.load_input(run_id)).text == "second change"


async def test_a_run_at_work_reads_a_correction_once(caller: Caller) -> None:
    claim = await begun(caller)

    outcomes = await asyncio.gather(*(amend(caller, "post-a", "changed") for _ in range(5)))

    corrected = Moved(outcome="corrected", run_id=claim.run.run_id)
    assert sorted(outcomes, key=lambda each: each.outcome) == [corrected, *[NOTHING] * 4]
    assert await written(caller, claim) == ["Now: changed"]
    told = [event.payload for event in await caller.store.events.read(claim.run.run_id)]
    assert [each.kind for each in told if isinstance(each, RunSteered)] == ["correction"]


async def test_of_two_corrections_that_nobody_has_read_the_newer_one_is_left(caller: Caller) -> None:
    claim = await begun(caller)
    await amend(caller, "post-a", "one", stamp=1)
    await amend(caller, "post-a", "two", stamp=2)
    assert await written(caller, claim) == ["Now: two"]

    await caller.store.messages.mark_read(claim.fence, await unread(caller, claim))
    await amend(caller, "post-a", "three", stamp=3)

    assert await written(caller, claim) == ["Now: two", "Now: three"]


async def test_a_run_that_waits_for_people_is_corrected_too(caller: Caller) -> None:
    claim = await begun(caller)
    await ask(caller.store, claim)
    await caller.store.runs.park(claim.fence)

    assert (await amend(caller, "post-a", "changed")).outcome == "corrected"


async def test_who_retries_a_corrected_run_asks_what_it_said_last(caller: Caller) -> None:
    claim = await begun(caller)
    await amend(caller, "post-a", "changed")

    await caller.store.runs.finish(claim.fence, RunState.FAILED, RunFailed(reason="x"))

    assert (await caller.store.runs.load_input(claim.run.run_id)).text == "changed"
    assert await caller.claim() == []  # a correction alone is no run


async def test_a_message_that_waits_to_be_read_is_read_as_it_was_changed(caller: Caller) -> None:
    claim = await begun(caller)
    await steered(caller)

    assert (await amend(caller, "post-b", "changed")).outcome == "changed"
    assert await written(caller, claim) == ["changed"]

    await caller.store.messages.mark_read(claim.fence, await unread(caller, claim))
    assert (await amend(caller, "post-b", "again", stamp=2)).outcome == "corrected"
    assert await written(caller, claim) == ["again", "Now: again"]


async def test_a_message_is_found_in_the_run_that_it_was_passed_on_to(caller: Caller) -> None:
    claim = await begun(caller)
    await steered(caller, "post-b", "one")
    await steered(caller, "post-c", "two")
    await caller.store.runs.finish(claim.fence, RunState.FAILED, RunFailed(reason="x"))
    (heir,) = await caller.claim()

    assert await amend(caller, "post-c", "changed") == Moved(outcome="changed", run_id=heir.run.run_id)
    assert (await amend(caller, "post-b", "changed")).outcome == "corrected"

    assert await written(caller, heir) == ["changed", "Now: changed"]


@pytest.mark.parametrize("when", ["ended", "stopping", "unknown", "turned away"])
async def test_too_late_a_change_does_nothing(caller: Caller, when: str) -> None:
    claim = await begun(caller)
    match when:
        case "ended":
            await caller.store.runs.finish(claim.fence, RunState.COMPLETED, RunCompleted(output="x"))
        case "stopping":
            await caller.store.runs.cancel(claim.run.run_id, "U1")
        case "turned away":
            await caller.store.runs.accept(caller.message(dedupe=("post-z",), while_running="reject"))

    assert await amend(caller, "post-z" if when in {"unknown", "turned away"} else "post-a", "x") == NOTHING
    assert await withdraw(caller, "post-z") == NOTHING


async def test_a_deleted_message_leaves_the_line_and_the_next_moves_up(caller: Caller) -> None:
    first = await asked(caller, "post-a")
    await asked(caller, "post-b", "second")

    assert await withdraw(caller, "post-a") == Moved(outcome="cancelled", run_id=first)

    (claim,) = await caller.claim()
    assert (await caller.store.runs.load_input(claim.run.run_id)).text == "second"


async def test_a_run_that_has_begun_outlives_its_message(caller: Caller) -> None:
    claim = await begun(caller)

    assert await withdraw(caller, "post-a") == NOTHING

    run = await caller.store.runs.get(claim.run.run_id)
    assert (run.state, run.cancel_requested) == (RunState.RUNNING, False)


async def test_a_deleted_message_is_not_read_if_it_was_not_yet(caller: Caller) -> None:
    claim = await begun(caller)
    await steered(caller)

    assert await withdraw(caller, "post-b") == Moved(outcome="unread", run_id=claim.run.run_id)
    assert await withdraw(caller, "post-b") == NOTHING

    assert await written(caller, claim) == []
    assert await caller.store.runs.finish(claim.fence, RunState.COMPLETED, RunCompleted(output="x")) is None


class TestWhileTheModelIsToldOfIt:
    """It was taken for the model, which has not answered yet."""

    async def test_a_change_is_told_as_a_correction_and_the_run_does_not_end_before(
        self, caller: Caller
    ) -> None:
        claim = await begun(caller)
        await steered(caller)
        taken = list(await caller.store.messages.take(claim.fence, await unread(caller, claim)))

        assert (await amend(caller, "post-b", "changed")).outcome == "corrected"

        await caller.store.messages.mark_read(claim.fence, taken)
        assert await unread(caller, claim) == [f"{taken[0]}.1"]
        with pytest.raises(UnreadMessages):
            await caller.store.runs.finish(claim.fence, RunState.COMPLETED, RunCompleted(output="x"))

    async def test_a_correction_of_it_is_corrected_by_another(self, caller: Caller) -> None:
        claim = await begun(caller)
        await amend(caller, "post-a", "one", stamp=1)
        await caller.store.messages.take(claim.fence, await unread(caller, claim))

        await amend(caller, "post-a", "two", stamp=2)

        assert await written(caller, claim) == ["Now: one", "Now: two"]

    async def test_it_cannot_be_taken_back_and_who_wrote_it_has_asked(self, caller: Caller) -> None:
        claim = await begun(caller)
        await caller.store.runs.accept(
            caller.message("also", user="U2", dedupe=("post-b",), while_running="steer")
        )
        taken = await caller.store.messages.take(claim.fence, await unread(caller, claim))

        assert await withdraw(caller, "post-b") == NOTHING

        await caller.store.messages.mark_read(claim.fence, list(taken))
        assert (await caller.store.runs.get(claim.run.run_id)).requesters == ("U1", "U2")
        assert await written(caller, claim) == ["also"]

    async def test_one_that_was_taken_back_too_late_is_not_begun_with_anew(self, caller: Caller) -> None:
        claim = await begun(caller)
        await steered(caller)
        await caller.store.messages.take(claim.fence, await unread(caller, claim))
        await withdraw(caller, "post-b")

        await caller.store.runs.finish(claim.fence, RunState.FAILED, RunFailed(reason="x"))

        assert await caller.claim() == []

    async def test_of_the_next_run_it_is_a_message_that_nobody_was_told_of(self, caller: Caller) -> None:
        claim = await begun(caller)
        await steered(caller, "post-b", "one")
        await steered(caller, "post-c", "two")
        await caller.store.messages.take(claim.fence, await unread(caller, claim))

        await caller.store.runs.finish(claim.fence, RunState.FAILED, RunFailed(reason="x"))
        await caller.claim()

        assert (await withdraw(caller, "post-c")).outcome == "unread"

    async def test_what_changes_or_goes_before_it_is_taken_is_told_as_it_is_then(
        self, caller: Caller
    ) -> None:
        claim = await begun(caller)
        await steered(caller, "post-b", "one")
        await steered(caller, "post-c", "two")
        seen = await unread(caller, claim)

        await amend(caller, "post-b", "changed")
        await withdraw(caller, "post-c")

        assert await caller.store.messages.take(claim.fence, seen) == {seen[0]: "changed"}
