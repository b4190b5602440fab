"""The journal's verbs and those about questions: what each refuses, whoever comes first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from store.asking import DIGEST, a_call, a_question, ask, changed

from harness_core.approvals import (
    AlreadyDecided,
    Approve,
    Decision,
    DecisionOutcome,
    Effect,
    Reject,
    RunAgain,
    RunOver,
    Stale,
    Tallied,
    TooLate,
    Touched,
    Won,
)
from harness_core.errors import ApprovalNotFound, SealBroken, StaleFence, StopRequested
from harness_core.events import ApprovalRevised, RunFailed
from harness_core.models import Claim
from harness_core.states import RunState
from harness_core.store import Store, verify_chain

if TYPE_CHECKING:
    from store.conftest import Caller


async def decide(
    store: Store,
    claim: Claim,
    key: str = "call-1",
    by: str = "U2",
    *,
    decision: Decision | None = None,
    revision: int | None = None,
) -> DecisionOutcome:
    approval = await store.approvals.get(claim.run.tenant, a_question(claim, key).about.approval_id)
    return await store.approvals.decide(
        approval, decision or Approve(), revision=revision, by=by, source="message"
    )


async def start(store: Store, claim: Claim, *, asked: str = DIGEST, running: str = DIGEST) -> object:
    return await store.calls.start(claim.fence, "call-1", asked=asked, running=running)


async def test_no_call_starts_before_its_approval_and_none_twice_on_one(caller: Caller) -> None:
    claim, store = await caller.running(), caller.store
    await ask(store, claim)
    assert await start(store, claim) == "unapproved"

    await decide(store, claim)

    assert await start(store, claim) == 1
    assert await start(store, claim) == "unsure"
    await store.calls.done(claim.fence, "call-1", ok=True, result=b"r", outcome="ran")
    assert await start(store, claim) == "done"


async def test_only_exactly_what_was_approved_starts(caller: Caller) -> None:
    claim, store = await caller.running(), caller.store
    await ask(store, claim)
    await decide(store, claim)

    assert await start(store, claim, running="x" * 64) == "changed"
    assert await start(store, claim, asked="x" * 64) == "changed"
    assert await start(store, claim) == 1


async def test_an_unknown_and_a_denied_call_never_start(caller: Caller) -> None:
    claim, store = await caller.running(), caller.store
    assert await start(store, claim) == "unapproved"
    await store.calls.open(claim.fence, a_call(claim, verdict="deny"))

    assert await start(store, claim) == "unapproved"


async def test_a_verdict_is_found_once(caller: Caller) -> None:
    claim, store = await caller.running(), caller.store
    await store.calls.open(claim.fence, a_call(claim, verdict="deny"))
    await store.calls.open(claim.fence, a_call(claim, verdict="allow"))

    standing = await store.calls.standing(claim.fence, "call-1")

    assert standing.call is not None
    assert standing.call.verdict == "deny"


async def test_the_first_outcome_of_a_call_stands(caller: Caller) -> None:
    claim, store = await caller.running(), caller.store
    await store.calls.open(claim.fence, a_call(claim, verdict="allow"))
    await start(store, claim)
    await store.calls.done(claim.fence, "call-1", ok=True, result=b"first", outcome="ran")
    await store.calls.done(claim.fence, "call-1", ok=False, result=b"second", outcome="failed")

    standing = await store.calls.standing(claim.fence, "call-1")

    assert standing.call is not None
    assert (standing.call.result, standing.call.ok, standing.call.attempts) == (b"first", True, 1)


async def test_an_idempotent_call_may_start_again_and_a_once_call_only_on_a_new_word(caller: Caller) -> None:
    claim, store = await caller.running(), caller.store
    await store.calls.open(claim.fence, a_call(claim, verdict="allow", effect=Effect.IDEMPOTENT))
    assert [await start(store, claim), await start(store, claim)] == [1, 2]

    other = await caller.running(conversation="C2:1.0")
    await store.calls.open(other.fence, a_call(other, verdict="allow"))
    assert await start(store, other) == 1
    doubt = a_question(other, kind="uncertain")
    await store.calls.open(other.fence, a_call(other), doubt)
    assert await start(store, other) == "unsure"
    approval = await store.approvals.get("T1", doubt.about.approval_id)
    await store.approvals.decide(approval, RunAgain(), revision=None, by="U2", source="message")
    assert [await start(store, other), await start(store, other)] == [2, "unsure"]


async def test_a_lost_worker_starts_ends_and_asks_nothing(caller: Caller) -> None:
    claim, store = await caller.running(), caller.store
    await store.calls.open(claim.fence, a_call(claim, verdict="allow"))
    await caller.later(11)

    with pytest.raises(StaleFence):
        await start(store, claim)
    with pytest.raises(StaleFence):
        await store.calls.done(claim.fence, "call-1", ok=True, result=b"", outcome="ran")
    with pytest.raises(StaleFence):
        await store.calls.open(claim.fence, a_call(claim, "call-2"), a_question(claim, "call-2"))
    assert await store.approvals.of_run(claim.run.run_id) == ()
    assert await store.calls.touched("T1", claim.run.run_id) == Touched(ran=0, unsure=0)


async def test_a_run_that_was_asked_to_stop_starts_no_further_call(caller: Caller) -> None:
    claim, store = await caller.running(), caller.store
    await store.calls.open(claim.fence, a_call(claim, verdict="allow"))
    await store.runs.cancel(claim.run.run_id, "U9")

    with pytest.raises(StopRequested, match="U9 asked"):
        await start(store, claim)


async def test_a_question_asked_twice_is_one_question(caller: Caller) -> None:
    claim, store = await caller.running(), caller.store
    await ask(store, claim)
    await ask(store, claim)

    assert len(await store.approvals.of_run(claim.run.run_id)) == 1
    names = [event.payload.name for event in await store.events.read(claim.run.run_id)]
    assert names.count("approval.requested") == 1


async def test_a_waiting_run_goes_on_when_the_last_question_is_answered_and_before_new_ones(
    caller: Caller,
) -> None:
    claim, store = await caller.running(), caller.store
    await ask(store, claim, "call-1")
    await ask(store, claim, "call-2")
    assert (await store.runs.park(claim.fence)).outcome == "waiting"
    await store.runs.accept(caller.message(conversation="C2:1.0"))

    await decide(store, claim, "call-1")
    assert (await store.runs.get(claim.run.run_id)).state is RunState.WAITING
    await decide(store, claim, "call-2", decision=Reject(reason="no"))

    run = await store.runs.get(claim.run.run_id)
    assert (run.state, run.intent, run.pause, run.attempts) == (RunState.RESUMING, "approval-decision", 2, 0)
    (first,) = await caller.claim(want=1)
    assert first.run.run_id == claim.run.run_id
    assert first.fence.epoch == claim.fence.epoch + 1


async def test_fifty_people_at_once_make_one_decision_and_the_others_are_told_whose(caller: Caller) -> None:
    claim, store = await caller.running(), caller.store
    await ask(store, claim)
    outcomes = await asyncio.gather(
        *(decide(store, claim, by=f"U{n}", decision=Approve() if n % 2 else Reject()) for n in range(50))
    )

    (won,) = [each for each in outcomes if isinstance(each, Won)]
    lost = [each for each in outcomes if isinstance(each, AlreadyDecided)]
    assert len(lost) == 49
    assert {each.by for each in lost} == {won.approval.decided_by}
    chain = await store.audit.read("T1")
    assert [entry.data.count('"what":"decided"') for entry in chain] == [0, 1]


async def test_a_quorum_needs_different_people_and_one_rejection_is_enough(caller: Caller) -> None:
    claim, store = await caller.running(), caller.store
    await ask(store, claim, "call-1", quorum=3)
    await ask(store, claim, "call-2", quorum=3)

    assert await decide(store, claim, by="U1") == Tallied(votes=1, quorum=3)
    assert await decide(store, claim, by="U1") == Tallied(votes=1, quorum=3, repeated=True)
    assert await decide(store, claim, by="U2") == Tallied(votes=2, quorum=3)
    assert isinstance(await decide(store, claim, by="U3"), Won)
    await decide(store, claim, "call-2", by="U1")
    assert isinstance(await decide(store, claim, "call-2", by="U2", decision=Reject()), Won)


async def test_a_change_voids_the_votes_and_makes_older_clicks_stale(caller: Caller) -> None:
    claim, store = await caller.running(), caller.store
    approval = await ask(store, claim, quorum=2)
    await decide(store, claim, by="U1")
    event = ApprovalRevised(
        approval=approval.approval_id, revision=1, by="U5", title="t", arguments="{}", changes=[]
    )

    assert await store.approvals.revise(approval, changed(approval, service="db"), event, source="modal") == 1
    assert await store.approvals.revise(approval, approval, event, source="modal") == Stale(revision=1)
    assert await decide(store, claim, by="U2", revision=0) == Stale(revision=1)
    assert await decide(store, claim, by="U2", revision=1) == Tallied(votes=1, quorum=2)
    assert await start(store, claim) == "unapproved"
    await decide(store, claim, by="U3", revision=1)
    assert await start(store, claim) == "changed"
    assert await start(store, claim, running="e" * 64) == 1


async def test_after_the_deadline_nothing_is_decided_and_the_sweep_closes_the_question(
    caller: Caller,
) -> None:
    claim, store = await caller.running(), caller.store
    await ask(store, claim, expire_after=5)
    await store.runs.park(claim.fence)
    await caller.later(6)

    assert isinstance(await decide(store, claim), TooLate)
    due = await store.approvals.expire()

    assert due.expired == (claim.run.run_id,)
    assert (await store.runs.get(claim.run.run_id)).state is RunState.RESUMING
    assert (await store.approvals.expire()).expired == ()


async def test_a_question_of_a_run_that_ended_is_void(caller: Caller) -> None:
    claim, store = await caller.running(), caller.store
    approval = await ask(store, claim)
    await store.runs.finish(claim.fence, RunState.FAILED, RunFailed(reason="x"), reason="x")

    assert await decide(store, claim) == RunOver(state=RunState.FAILED)
    assert (await store.approvals.page("T1", open_only=True)).items == ()
    assert [each.state for each in (await store.approvals.page("T1", open_only=False)).items] == ["void"]
    assert approval.state == "open"


async def test_a_waiting_run_whose_questions_are_gone_is_stirred(caller: Caller) -> None:
    claim, store = await caller.running(), caller.store
    approval = await ask(store, claim)
    await store.runs.park(claim.fence)
    assert await store.approvals.stir() == []
    await store.client.delete(f"harness:{{p0}}:approval:{approval.approval_id}")

    assert await store.approvals.stir() == [claim.run.run_id]
    assert (await store.runs.get(claim.run.run_id)).state is RunState.RESUMING


async def test_a_waiting_run_that_must_not_go_on_ends_with_its_questions(caller: Caller) -> None:
    claim, store = await caller.running(), caller.store
    await ask(store, claim)
    assert not await store.approvals.abandon(claim.run.run_id, RunFailed(reason="configuration_changed"))
    await store.runs.park(claim.fence)

    assert await store.approvals.abandon(claim.run.run_id, RunFailed(reason="configuration_changed"))

    run = await store.runs.get(claim.run.run_id)
    assert (run.state, run.reason) == (RunState.FAILED, "configuration_changed")
    assert await decide(store, claim) == RunOver(state=RunState.FAILED)


async def test_pages_of_questions_are_newest_first(caller: Caller) -> None:
    claim, store = await caller.running(), caller.store
    for number in range(5):
        await ask(store, claim, f"call-{number}")
        await caller.later(1)

    first = await store.approvals.page("T1", open_only=True, limit=3)
    second = await store.approvals.page("T1", open_only=True, limit=3, cursor=first.cursor)

    keys = [each.call_key for page in (first, second) for each in page.items]
    assert keys == [f"call-{number}" for number in (4, 3, 2, 1, 0)]
    assert second.cursor is None


async def test_what_people_see_of_a_question_is_sealed_to_its_place(caller: Caller) -> None:
    claim, store = await caller.running(), caller.store
    one, two = await ask(store, claim, "call-1"), await ask(store, claim, "call-2")
    keys = [f"harness:{{p0}}:approval:{each.approval_id}" for each in (one, two)]
    stored = await store.client.hget(keys[0], "asked")
    assert b"web" not in stored
    await store.client.hset(keys[1], "asked", stored)

    with pytest.raises(SealBroken):
        await store.approvals.get("T1", two.approval_id)
    with pytest.raises(ApprovalNotFound):
        await store.approvals.get("T1", "appr_unknown")


async def test_the_audit_chain_verifies_and_a_changed_byte_is_found_and_named(caller: Caller) -> None:
    claim, store = await caller.running(), caller.store
    for number in range(3):
        await ask(store, claim, f"call-{number}")
        await decide(store, claim, f"call-{number}", by="Uödmann")
    await store.audit.note("T1", {"what": "refused", "by": "U66", "approval": "appr_x" * 40})
    entries = await store.audit.read("T1")
    assert [entry.seq for entry in entries] == list(range(1, 8))
    assert verify_chain(entries) is None
    assert [entry.seq for entry in await store.audit.read("T1", after=5)] == [6, 7]

    key = "harness:{p0}:audit:T1"
    stored = await store.client.lindex(key, 3)
    for at in range(len(stored)):
        damaged = stored[:at] + bytes([stored[at] ^ 1]) + stored[at + 1 :]
        await store.client.lset(key, 3, damaged)
        assert verify_chain(await store.audit.read("T1")) == 4, at
    await store.client.lset(key, 3, stored)
    head = await store.audit.head("T1")
    assert verify_chain(await store.audit.read("T1"), head) is None
    await store.client.rpop(key)
    assert verify_chain(await store.audit.read("T1"), head) == 7
    await store.client.lrem(key, 1, await store.client.lindex(key, 2))
    assert verify_chain(await store.audit.read("T1")) == 3


async def test_facts_of_every_length_are_chained_by_true_sha_256(caller: Caller) -> None:
    for length in range(0, 300, 7):
        await caller.store.audit.note("T1", {"what": "x" * length})

    entries = await caller.store.audit.read("T1")

    assert len(entries) == 43
    assert verify_chain(entries) is None
