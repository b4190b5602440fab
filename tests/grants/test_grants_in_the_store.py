"""The verbs behind grants: who comes first, who comes again, and what is left in the end."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from grants.granting_office import GrantingOffice
from sealing import SEAL_KEY
from store.asking import DIGEST, a_call, a_question
from store.conftest import Caller
from upkeep.whole_store import contents, traces

from harness_core import Deletion
from harness_core.approvals import Approve, GrantTerms, NotGrantable, Reject, Won
from harness_core.errors import GrantNotFound, StaleFence
from harness_core.events import ApprovalGranted, RunCompleted
from harness_core.grants import Grant
from harness_core.models import Claim
from harness_core.states import RunState
from harness_core.store import Question

SCOPE = "s" * 64
TERMS = GrantTerms(lasts=3_600_000, times=3)


def grantable(claim: Claim, key: str, *, terms: GrantTerms | None = TERMS, quorum: int = 1) -> Question:
    plain = a_question(claim, key, quorum=quorum)
    return replace(plain, about=replace(plain.about, grants=terms), scope=SCOPE if terms else "")


async def granted(caller: Caller, *, times: int = 3, lasts: int = 3_600_000) -> tuple[Claim, Grant]:
    """A run at work, and a grant that its first call got."""
    claim, store = await caller.running(), caller.store
    question = grantable(claim, "call-0", terms=GrantTerms(lasts=lasts, times=times))
    await store.calls.open(claim.fence, a_call(claim, "call-0"), question)
    approval = await store.approvals.get("T1", question.about.approval_id)
    outcome = await store.approvals.decide(
        approval, Approve(grant=True), revision=0, by="U2", source="list", scope=SCOPE
    )
    assert isinstance(outcome, Won)
    (grant,) = (await store.grants.page("T1", now=await store.now())).items
    return claim, grant


async def opened(caller: Caller, claim: Claim, key: str) -> bool:
    """Whether the call, as the gate opens it, is covered by the grant."""
    await caller.store.calls.open(claim.fence, a_call(claim, key), grantable(claim, key))
    standing = await caller.store.calls.standing(claim.fence, key)
    assert standing.call is not None
    assert (standing.approval is None) is (standing.granted is not None)
    return standing.granted is not None


async def start(caller: Caller, claim: Claim, key: str) -> object:
    return await caller.store.calls.start(claim.fence, key, asked=DIGEST, running=DIGEST)


async def revoke(caller: Caller, grant: Grant, by: str = "U3") -> str:
    return await caller.store.grants.revoke("T1", grant.grant_id, by=by, source="list")


async def uses(caller: Caller, claim: Claim) -> list[int]:
    events = await caller.store.events.read(claim.run.run_id)
    return [each.payload.used for each in events if isinstance(each.payload, ApprovalGranted)]


async def test_calls_of_many_workers_at_once_never_use_it_more_often_than_was_granted(caller: Caller) -> None:
    claim, grant = await granted(caller)

    covered = await asyncio.gather(*(opened(caller, claim, f"call-{n}") for n in range(1, 21)))

    assert sum(covered) == 3
    assert sorted(await uses(caller, claim)) == [1, 2, 3]
    assert (await caller.store.grants.get("T1", grant.grant_id)).used == 3
    assert len(await caller.store.approvals.of_run(claim.run.run_id)) == 1 + 17


async def test_a_call_that_is_opened_again_after_a_crash_uses_it_once(caller: Caller) -> None:
    claim, grant = await granted(caller)
    assert await opened(caller, claim, "call-1")
    await caller.later(11)
    assert (await caller.store.runs.reap(max_attempts=3)).taken
    again = (await caller.claim("w2"))[0]
    with pytest.raises(StaleFence):
        await opened(caller, claim, "call-2")

    assert await opened(caller, again, "call-1")
    assert await start(caller, again, "call-1") == 1
    assert (await caller.store.grants.get("T1", grant.grant_id)).used == 1
    assert await uses(caller, claim) == [1]


@pytest.mark.parametrize("started", [False, True])
async def test_a_call_whose_grant_went_with_the_run_it_was_given_in_is_asked_about(
    caller: Caller, started: bool
) -> None:
    claim, grant = await granted(caller)
    await caller.store.runs.finish(claim.fence, RunState.COMPLETED, RunCompleted(output="x"))
    later = await caller.running()
    assert await opened(caller, later, "call-1")
    assert not started or await start(caller, later, "call-1") == 1
    await caller.store.upkeep.forget_runs("T1", [grant.approval.run_id])

    assert not await opened(caller, later, "call-1")

    (asked,) = await caller.store.approvals.of_run(later.run.run_id)
    assert (asked.state, asked.call_key) == ("open", "call-1")
    assert await start(caller, later, "call-1") == "unapproved"


async def test_a_call_that_started_by_a_grant_starts_once(caller: Caller) -> None:
    claim, _ = await granted(caller)
    await opened(caller, claim, "call-1")

    assert await start(caller, claim, "call-1") == 1
    assert await start(caller, claim, "call-1") == "unsure"


async def test_a_granted_call_starts_with_the_arguments_that_the_model_gave_alone(caller: Caller) -> None:
    claim, _ = await granted(caller)
    await opened(caller, claim, "call-1")
    calls = caller.store.calls

    assert await calls.start(claim.fence, "call-1", asked=DIGEST, running="x" * 64) == "changed"
    assert await calls.start(claim.fence, "call-1", asked="x" * 64, running="x" * 64) == "changed"


async def test_after_it_was_revoked_no_call_starts_by_it_also_none_that_was_let_through(
    caller: Caller,
) -> None:
    claim, grant = await granted(caller)
    await opened(caller, claim, "call-1")
    await opened(caller, claim, "call-2")
    assert await start(caller, claim, "call-1") == 1
    assert await revoke(caller, grant) == "revoked"

    assert await start(caller, claim, "call-2") == "ungranted"
    assert not await opened(caller, claim, "call-2"), "so people are asked"
    assert await start(caller, claim, "call-2") == "unapproved"
    assert not await opened(caller, claim, "call-3")


async def test_a_grant_that_ended_before_the_call_started_is_no_answer_any_more(caller: Caller) -> None:
    claim, _ = await granted(caller, lasts=5000)
    await opened(caller, claim, "call-1")
    await caller.later(5)

    assert await start(caller, claim, "call-1") == "ungranted"


async def test_a_revocation_in_the_same_instant_as_uses_lets_start_what_came_before_it_alone(
    caller: Caller,
) -> None:
    for _ in range(10):
        await caller.store.client.flushall()
        claim, grant = await granted(caller, times=100)

        async def use(key: str, claim: Claim = claim) -> object:
            if not await opened(caller, claim, key):
                return "asked"
            return await start(caller, claim, key)

        early = [use(f"call-{n}") for n in range(1, 6)]
        *started, revoked = await asyncio.gather(*early, revoke(caller, grant))
        late = [await use(f"call-{n}") for n in range(11, 14)]

        assert revoked == "revoked"
        assert set(started) <= {1, "asked", "ungranted"}
        assert late == ["asked"] * 3


async def test_who_revokes_second_is_told_that_it_is_over_and_nothing_is_written(caller: Caller) -> None:
    _, grant = await granted(caller)
    outcomes = await asyncio.gather(*(revoke(caller, grant, by) for by in ("U3", "U4", "U5")))

    assert sorted(outcomes) == ["over", "over", "revoked"]
    found = await caller.store.grants.get("T1", grant.grant_id)
    assert found.revoked_by in ("U3", "U4", "U5")
    links = [each.data for each in await caller.store.audit.read("T1") if "grant.revoked" in each.data]
    assert len(links) == 1


async def test_what_is_over_by_itself_cannot_be_revoked(caller: Caller) -> None:
    claim, grant = await granted(caller, times=1)
    await opened(caller, claim, "call-1")
    assert await revoke(caller, grant) == "over"

    await caller.store.client.flushall()
    _, grant = await granted(caller)
    await caller.later(3600)
    assert await revoke(caller, grant) == "over"
    assert (await caller.store.grants.get("T1", grant.grant_id)).revoked_by is None


@pytest.mark.parametrize("name", ["grant_unknown", "", "appr_x"])
async def test_a_grant_that_is_not_there_or_another_teams_is_not_found(caller: Caller, name: str) -> None:
    _, grant = await granted(caller)
    for tenant, wanted in (("T1", name), ("T2", grant.grant_id)):
        with pytest.raises(GrantNotFound):
            await caller.store.grants.get(tenant, wanted)
        with pytest.raises(GrantNotFound):
            await caller.store.grants.revoke(tenant, wanted, by="U3", source="list")
    assert (await caller.store.grants.get("T1", grant.grant_id)).revoked_by is None


async def test_the_store_itself_grants_nothing_with_a_rejection_a_quorum_or_without_terms(
    caller: Caller,
) -> None:
    claim, store = await caller.running(), caller.store
    for key, terms, quorum, decision in (
        ("call-1", TERMS, 1, Reject()),
        ("call-2", TERMS, 2, Approve(grant=True)),
        ("call-3", None, 1, Approve(grant=True)),
    ):
        question = grantable(claim, key, terms=terms, quorum=quorum)
        await store.calls.open(claim.fence, a_call(claim, key), question)
        approval = await store.approvals.get("T1", question.about.approval_id)
        outcome = await store.approvals.decide(
            approval, decision, revision=0, by="U2", source="list", scope=SCOPE
        )
        assert outcome == NotGrantable()
        unchanged = await store.approvals.get("T1", approval.approval_id)
        assert (unchanged.state, unchanged.votes) == ("open", ())
    assert (await store.grants.page("T1", now=0)).items == ()


async def test_of_two_grants_that_cover_a_call_the_one_that_ends_first_is_used(caller: Caller) -> None:
    claim, first = await granted(caller, times=1, lasts=1_000_000)
    second = grantable(claim, "call-b", terms=GrantTerms(lasts=500_000, times=1))
    await caller.store.calls.open(claim.fence, a_call(claim, "call-b"), replace(second, scope=""))
    approval = await caller.store.approvals.get("T1", second.about.approval_id)
    await caller.store.approvals.decide(
        approval, Approve(grant=True), revision=0, by="U3", source="list", scope=SCOPE
    )

    assert await opened(caller, claim, "call-1")
    assert (await caller.store.grants.get("T1", first.grant_id)).used == 0
    assert await opened(caller, claim, "call-2")
    assert not await opened(caller, claim, "call-3")


async def test_pages_hold_every_live_grant_once_the_longest_first(caller: Caller) -> None:
    claim, _ = await granted(caller, lasts=10_000_000)
    for number in range(1, 8):
        lasts = 5_000_000 if number < 5 else 1000 * number
        question = grantable(claim, f"call-{number}", terms=GrantTerms(lasts=lasts, times=1))
        await caller.store.calls.open(
            claim.fence, a_call(claim, f"call-{number}"), replace(question, scope="")
        )
        approval = await caller.store.approvals.get("T1", question.about.approval_id)
        await caller.store.approvals.decide(
            approval, Approve(grant=True), revision=0, by="U2", source="list", scope=f"{number}"
        )
    now = await caller.store.now()
    found: list[Grant] = []
    cursor: str | None = None
    while True:
        page = await caller.store.grants.page("T1", now=now, cursor=cursor, limit=3)
        found += page.items
        cursor = page.cursor
        if cursor is None:
            break

    assert len({each.grant_id for each in found}) == len(found) == 8
    assert [each.expires_at for each in found] == sorted((each.expires_at for each in found), reverse=True)
    await caller.later(10)
    assert len((await caller.store.grants.page("T1", now=await caller.store.now())).items) == 5


async def test_a_grant_goes_with_the_run_that_it_was_given_in(office: GrantingOffice) -> None:
    text = 'call restart {"service": "web"}'
    async with office.worker():
        grant = await office.granted(text)
        await office.passes(text)
        kept = await office.granted('call toggle {"service": "web"}')
    needles = (grant.grant_id, grant.approval.approval_id)

    await office.store.upkeep.forget_runs("T1", [grant.approval.run_id])

    assert not any("grant" in key for key in await traces(office.store, SEAL_KEY, *needles))
    assert [each.grant_id for each in await office.all_grants()] == [kept.grant_id]


@pytest.mark.parametrize("what", ["thread", "person", "team"])
async def test_of_grants_nothing_is_left_when_a_thread_a_person_or_a_team_is_deleted(
    office: GrantingOffice, what: str
) -> None:
    text = 'call restart {"service": "web"}'
    async with office.worker():
        grant = await office.granted(text)
        await office.passes(text)
    store, deletion = office.store, Deletion(office.store)
    needles = (grant.grant_id, grant.approval.approval_id, grant.scope)
    assert len([key for key in await contents(store) if "grant" in key]) == 3

    plans = {
        "thread": deletion.of_thread(grant.approval.thread_id),
        "person": deletion.of_person("U1"),
        "team": deletion.of_team("T1"),
    }
    chosen = plans.pop(what)
    for each in plans.values():
        each.close()
    await deletion.carry_out(await chosen, by="shell:me")

    assert not [key for key in await contents(store) if "grant" in key]
    assert set(await traces(store, SEAL_KEY, *needles)) <= {"harness:{p0}:audit:T1"}
