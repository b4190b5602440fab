"""What runs after people have decided, and what does not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from approvals.approval_office import TENANT, ApprovalOffice, call
from waiting import wait_until

from harness_core import RunState
from harness_core.approvals import (
    AlreadyDecided,
    Approve,
    NotApplicable,
    Reject,
    Respond,
    RunAgain,
    RunOver,
    Tallied,
    TooLate,
    Won,
)
from harness_core.errors import ApprovalNotFound
from harness_core.events import (
    RunCancelled,
    RunResumed,
    ToolRefused,
)
from harness_core.models import Submission
from harness_core.store import Store


async def test_a_gated_call_waits_without_a_lease_and_runs_once_when_it_is_approved(
    office: ApprovalOffice,
) -> None:
    async with office.worker():
        run_id = await office.ask(call("restart", env="staging") + " then say 3 words")
        asked = await office.question(run_id)
        await office.parked(run_id)
        assert office.ran() == []
        assert await office.store.client.zcard("harness:{p0}:leases") == 0

        assert isinstance(await office.decide(asked), Won)
        run = await office.ended(run_id)

    assert run.state is RunState.COMPLETED
    assert [row["service"] for row in office.ran("restart")] == ["web"]
    names = await office.names(run_id)
    order = [
        "approval.requested",
        "approval.decided",
        "run.resumed",
        "approval.resolved",
        "run.completed",
    ]
    assert [name for name in names if name in order and names.count(name) == 1] == order
    resumed = [
        each.payload
        for each in await office.store.events.read(run_id)
        if isinstance(each.payload, RunResumed)
    ]
    assert [each.resume_kind for each in resumed] == ["approval"]
    assert resumed[0].gap < 10_000, "the time in which people thought is no interruption"


async def test_a_decision_that_finds_no_worker_tells_how_long_nobody_went_on(office: ApprovalOffice) -> None:
    async with office.worker():
        run_id = await office.ask(call("restart") + " then say 3 words")
        asked = await office.question(run_id)
        await office.parked(run_id)
    await office.later(60)
    await office.decide(asked)
    await office.later(20)
    async with office.worker("w2"):
        await office.ended(run_id)

    events = await office.store.events.read(run_id)
    (resumed,) = [each.payload for each in events if isinstance(each.payload, RunResumed)]
    assert resumed.resume_kind == "approval"
    assert 20_000 <= resumed.gap < 50_000
    assert len(office.ran("restart")) == 1


async def test_a_rejection_reaches_the_model_with_its_reason_and_nothing_runs(office: ApprovalOffice) -> None:
    async with office.worker():
        run_id = await office.ask(call("restart"))
        await office.decide(await office.question(run_id), Reject(reason="not on a Friday"))
        run = await office.ended(run_id)

    assert run.state is RunState.COMPLETED
    assert office.ran() == []
    assert "not on a Friday" in (await office.store.runs.output(run_id) or "")


async def test_an_answer_in_the_tools_place_is_what_the_model_reads(office: ApprovalOffice) -> None:
    async with office.worker():
        run_id = await office.ask(call("restart"))
        await office.decide(await office.question(run_id), Respond(text="I did it by hand at noon"))
        await office.ended(run_id)

    assert office.ran() == []
    assert "by hand at noon" in (await office.store.runs.output(run_id) or "")


async def test_a_call_that_nobody_could_approve_is_refused_at_once_with_who_to_ask(
    office: ApprovalOffice,
) -> None:
    async with office.worker():
        submission = Submission(
            tenant=TENANT, conversation="C9", user="U1", text=call("restart"), dedupe=("x",), target={},
            channel="C-NOBODY",
        )  # fmt: skip
        accepted = await office.store.runs.accept(submission)
        await office.ended(accepted.run_id)  # type: ignore[union-attr]  # it was accepted

        events = [each.payload for each in await office.store.events.read(accepted.run_id)]  # type: ignore[union-attr]  # as above
    (refused,) = [each for each in events if isinstance(each, ToolRefused)]
    assert refused.message.startswith(
        "Nobody here can approve this, so it did not run. Ask an admin to name approvers for “Restart web in prod”."
    )
    assert office.ran() == []


async def test_three_calls_of_one_turn_are_decided_in_any_order_also_while_one_of_them_runs(
    office: ApprovalOffice,
) -> None:
    office.hold("slow")
    async with office.worker():
        calls = [call("restart", "a"), call("look", "slow"), call("restart", "b")]
        run_id = await office.ask(" & ".join(calls))
        first, second = await office.questions(run_id, 2)
        await office.began("look")
        assert {first.pause, second.pause} == {1}
        later, sooner = (first, second) if first.asked.arguments["service"] == "a" else (second, first)

        assert isinstance(await office.decide(sooner), Won)
        assert (await office.store.runs.get(run_id)).state is RunState.RUNNING
        office.let_go("slow")
        await office.parked(run_id)
        assert office.ran("restart") == []
        assert isinstance(await office.decide(later, Reject()), Won)
        run = await office.ended(run_id)

    assert run.state is RunState.COMPLETED
    assert [row["service"] for row in office.ran("restart")] == ["b"]
    assert len(office.ran("look")) == 1


async def test_decisions_that_come_before_the_run_parked_are_not_lost(office: ApprovalOffice) -> None:
    office.hold("slow")
    async with office.worker():
        run_id = await office.ask(f"{call('restart', 'a')} & {call('look', 'slow')}")
        asked = await office.question(run_id)
        await office.began("look")
        assert isinstance(await office.decide(asked), Won)
        office.let_go("slow")
        run = await office.ended(run_id)

    assert run.state is RunState.COMPLETED
    assert [row["tool"] for row in office.ran()] == ["look", "restart"]
    assert "waiting_for_approval" not in repr(await office.store.events.read(run_id))


async def test_a_question_expires_by_the_stores_clock_and_the_model_reads_that_it_timed_out(
    office: ApprovalOffice,
) -> None:
    async with office.worker():
        run_id = await office.ask(call("restart"))
        asked = await office.question(run_id)
        await office.parked(run_id)
        await office.later(3601)
        assert isinstance(await office.decide(asked), TooLate | RunOver)
        await office.ended(run_id)

    output = await office.store.runs.output(run_id) or ""
    assert "timed out" in output
    assert "rejected" not in output
    assert office.ran() == []
    assert "approval.expired" in await office.names(run_id)


async def test_a_reminder_is_due_once_and_not_after_the_decision(office: ApprovalOffice) -> None:
    async with office.worker():
        run_id = await office.ask(call("restart"))
        asked = await office.question(run_id)
        await office.parked(run_id)
        await office.later(601)

        async def reminded() -> bool:
            return "approval.reminded" in await office.names(run_id)

        await wait_until(reminded, what="the reminder")
        await office.decide(asked)
        await office.ended(run_id)

    assert (await office.names(run_id)).count("approval.reminded") == 1


async def test_a_cancelled_run_takes_no_decision_any_more(office: ApprovalOffice) -> None:
    async with office.worker():
        run_id = await office.ask(call("restart"))
        asked = await office.question(run_id)
        await office.parked(run_id)
        assert await office.store.runs.cancel(run_id, "U1") == "cancelled"

        assert await office.decide(asked) == RunOver(state=RunState.CANCELLED)
    assert (await office.approvals.get(TENANT, asked.approval_id)).state == "void"
    (cancelled,) = [
        each.payload
        for each in await office.store.events.read(run_id)
        if isinstance(each.payload, RunCancelled)
    ]
    assert (cancelled.ran, cancelled.unsure) == (0, 0)
    assert (await office.approvals.page(TENANT)).items == ()


async def test_of_two_decisions_in_the_same_instant_one_wins_and_the_other_is_told(
    office: ApprovalOffice,
) -> None:
    async with office.worker():
        run_id = await office.ask(call("restart"))
        asked = await office.question(run_id)
        await office.parked(run_id)
        outcomes = await asyncio.gather(
            office.decide(asked, Approve(), by="U2"), office.decide(asked, Reject(), by="U3")
        )
        await office.ended(run_id)

    (won,) = [each for each in outcomes if isinstance(each, Won)]
    (lost,) = [each for each in outcomes if isinstance(each, AlreadyDecided)]
    assert (lost.decision, lost.by) == (won.approval.decision, won.approval.decided_by)
    assert len(office.ran()) == (1 if won.approval.decision == "approve" else 0)


async def test_a_call_cannot_be_answered_like_an_uncertain_one(office: ApprovalOffice) -> None:
    async with office.worker():
        asked = await office.question(await office.ask(call("restart")))
        assert await office.decide(asked, RunAgain()) == NotApplicable(kind="call")


async def test_an_approval_of_another_tenant_or_of_nobody_is_not_found(office: ApprovalOffice) -> None:
    async with office.worker():
        asked = await office.question(await office.ask(call("restart")))
    for tenant, approval_id in (("T2", asked.approval_id), (TENANT, "appr_" + "0" * 32), (TENANT, "../../x")):
        with pytest.raises(ApprovalNotFound):
            await office.approvals.decide(
                tenant, approval_id, Approve(), revision=None, by="U2", source="message"
            )


async def test_a_quorum_counts_different_people_and_survives_a_new_worker(
    tmp_path: Path, store: Store, office: ApprovalOffice
) -> None:
    office = ApprovalOffice.write(tmp_path, store, quorum=2)
    async with office.worker():
        run_id = await office.ask(call("restart"))
        asked = await office.question(run_id)
        await office.parked(run_id)
        assert await office.decide(asked, by="U2") == Tallied(votes=1, quorum=2)
        assert await office.decide(asked, by="U2") == Tallied(votes=1, quorum=2, repeated=True)
    assert office.ran() == []
    async with office.worker("w2"):
        assert isinstance(await office.decide(asked, by="U3"), Won)
        await office.ended(run_id)

    assert len(office.ran()) == 1
    assert (await office.names(run_id)).count("approval.voted") == 1
