"""What was deleted is nowhere: every key and value of the store is looked at, under the seal as well."""

from __future__ import annotations

import asyncio
import json

import pytest
from approvals.approval_office import TENANT, ApprovalOffice, call
from sealing import SEAL_KEY
from upkeep.talkative_team import CANARY, OTHER, PERSON, Team
from upkeep.whole_store import contents, traces
from waiting import wait_until

from harness_core import Control, Deletion, DeletionPlan
from harness_core.approvals import Respond
from harness_core.errors import NotFound, StaleFence, ThreadNotFound
from harness_core.events import OutputDelta
from harness_core.states import RunState
from harness_core.store import verify_chain

AUDIT = {"harness:{p0}:audit:T1", "harness:{p0}:audit:T1:head"}


@pytest.fixture
def team(office: ApprovalOffice) -> Team:
    return Team(office)


@pytest.fixture
def deletion(office: ApprovalOffice) -> Deletion:
    return Deletion(office.store, stop_within=10, show_within=0.2)


async def ids_of(team: Team, plan: DeletionPlan) -> list[str]:
    """Every id that leads to what the plan is about."""
    store, found = team.office.store, [thread_id for _, thread_id in plan.threads]
    for tenant, thread_id in plan.threads:
        found.append((await store.threads.get(thread_id)).conversation)
        for run_id in await store.erasure.runs_of_thread(tenant, thread_id):
            found.append(run_id)
            found += [each.approval_id for each in await store.approvals.of_run(run_id)]
    return found


async def test_of_a_deleted_conversation_nothing_is_left(team: Team, deletion: Deletion) -> None:
    async with team.office.worker():
        await team.talk()
    store = team.office.store
    plan = await deletion.of_thread(await team.thread())
    ids = [each for each in await ids_of(team, plan) if each != "C1"]
    assert len(await traces(store, SEAL_KEY, *ids)) > 20

    done = await deletion.carry_out(plan, by="shell:me")

    left = await traces(store, SEAL_KEY, *ids, "conv:T1:C1", "inbox:T1:C1")
    assert set(left) == {"harness:{p0}:audit:T1"}
    second = await team.thread("C2")
    approvals = [each.approval_id for each in await store.approvals.of_run(team.runs["C2"][0])]
    for key in await traces(store, SEAL_KEY, CANARY):
        assert any(each in key for each in (*team.runs["C2"], second, *approvals, "items:T1")), key
    assert (done.threads, done.runs, done.left) == (1, len(set(team.runs["C1"])), ())
    assert done.checkpoints > 0
    assert done.values > 0
    assert done.remembered == 1
    assert done.mentions > 0
    with pytest.raises(ThreadNotFound):
        await deletion.of_thread(plan.subject)


async def test_of_a_deleted_person_nothing_is_left_but_their_id_where_they_decided_without_a_word(
    team: Team, deletion: Deletion
) -> None:
    async with team.office.worker():
        await team.talk()
    store = team.office.store
    plan = await deletion.of_person(PERSON)
    assert {thread for _, thread in plan.threads} == {await team.thread("C1"), await team.thread("C2")}
    assert (plan.runs, plan.of_others, plan.remembered) == (len(set(team.runs["C1"])) + 1, 1, 2)
    ids = [each for each in await ids_of(team, plan) if not each.startswith("C")]
    kept = {
        "C3": await team.thread("C3"),
        "C4": await team.thread("C4"),
    }
    others = await traces(store, SEAL_KEY, OTHER)

    done = await deletion.carry_out(plan, by="shell:me")

    assert await traces(store, SEAL_KEY, CANARY) == {}
    assert set(await traces(store, SEAL_KEY, *ids)) <= AUDIT
    (voted,) = team.runs["C3"]
    (approval,) = await store.approvals.of_run(voted)
    left = set(await traces(store, SEAL_KEY, PERSON))
    in_their_run = {
        f"harness:{{p0}}:run:{voted}:events",
        f"harness:{{p0}}:approval:{approval.approval_id}",
        f"harness:{{p0}}:approval:{approval.approval_id}:votes",
    }
    assert left - AUDIT == in_their_run
    assert await traces(store, SEAL_KEY, OTHER) == others
    for conversation, thread_id in kept.items():
        assert await team.thread(conversation) == thread_id
    assert done.remembered == 2
    with pytest.raises(NotFound, match=PERSON):
        await deletion.of_person(PERSON)


async def test_of_a_deleted_team_nothing_is_left_but_its_audit_chain(team: Team, deletion: Deletion) -> None:
    async with team.office.worker():
        await team.talk()
    store = team.office.store
    elsewhere = await team.ask("say 1 words", tenant="T2", conversation="C1")
    await Control(store).start_anew(TENANT, "C4", by="U3", names=("restart",))
    await store.deliveries.close_method(TENANT, "chat.update", 60)
    plan = await deletion.of_team(TENANT)
    ids = [each for each in await ids_of(team, plan) if not each.startswith("C")]
    of_the_other = {key for key in await contents(store) if ":T2" in key}
    assert len(of_the_other) > 5

    await deletion.carry_out(plan, by="shell:me")

    everything = await contents(store)
    assert {key for key in everything if ":T1" in key} == AUDIT
    named = {
        key for key in await traces(store, SEAL_KEY, "T1") if elsewhere not in key
    }  # what is sealed spells anything
    assert named == {*AUDIT, "harness:{p0}:tenants"}
    assert await traces(store, SEAL_KEY, CANARY, OTHER) == {}
    assert set(await traces(store, SEAL_KEY, *ids)) <= AUDIT
    assert of_the_other <= set(everything)
    assert (await store.lists.page("T2")).items
    entries = await store.audit.read(TENANT)
    assert verify_chain(entries) is None
    assert [json.loads(each.data)["what"] for each in entries][-2:] == ["deletion.asked", "deleted"]


@pytest.mark.parametrize("when", ["before it is confirmed", "while its keys are removed"])
async def test_what_a_team_begins_meanwhile_goes_too(
    team: Team, deletion: Deletion, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    store = team.office.store
    await team.ask("say 1 words", conversation="known")
    plan = await deletion.of_team(TENANT)
    later: list[str] = []
    if when == "before it is confirmed":
        later.append(await team.ask(f"say {CANARY}", conversation="later", user=PERSON))
    remove_keys = store.erasure._remove_keys

    async def remove(pattern: str) -> int:
        if not later:
            later.append(await team.ask(f"say {CANARY}", conversation="later", user=PERSON))
        return await remove_keys(pattern)

    monkeypatch.setattr(store.erasure, "_remove_keys", remove)

    done = await deletion.carry_out(plan, by="shell:me")

    assert (done.threads, done.runs, done.left) == (2, 2, ())
    assert await traces(store, SEAL_KEY, CANARY, PERSON, *later) == {}
    assert {key for key in await contents(store) if ":T1" in key} == AUDIT


async def test_a_team_that_goes_on_writing_is_said_to_be_left(
    team: Team, deletion: Deletion, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = team.office.store
    await team.ask("say 1 words", conversation="known")
    remove_tenant = store.erasure.remove_tenant

    async def remove(tenant: str) -> int:
        gone = await remove_tenant(tenant)
        await team.ask("say 1 words", conversation="again")
        return gone

    monkeypatch.setattr(store.erasure, "remove_tenant", remove)

    done = await deletion.carry_out(await deletion.of_team(TENANT), by="shell:me")

    assert done.left == tuple(await store.erasure.threads_of_tenant(TENANT))
    assert len(done.left) == 1


async def test_a_deletion_is_an_entry_of_the_audit_chain_with_ids_and_counts_alone(
    team: Team, deletion: Deletion
) -> None:
    async with team.office.worker():
        await team.answered(f'say "{CANARY}"')
    plan = await deletion.of_thread(await team.thread())

    await deletion.carry_out(plan, by="shell:me")

    asked, deleted = [json.loads(each.data) for each in await team.office.store.audit.read(TENANT)]
    assert asked == {"what": "deletion.asked", "by": "shell:me", "thread": plan.subject}
    assert deleted == {
        "what": "deleted",
        "by": "shell:me",
        "thread": plan.subject,
        "threads": "1",
        "runs": "1",
        "left": "0",
    }


async def test_live_runs_are_stopped_first_wherever_they_are(team: Team, deletion: Deletion) -> None:
    office, store = team.office, team.office.store
    async with office.worker():
        waiting = await team.ask(call("restart"), conversation="waits")
        await office.parked(waiting)
        running = await team.ask("stream for 60s", conversation="runs", user="U2")
        await team.ask("say 2 words", conversation="runs", user="U2")
        await wait_until(lambda: _is(team, running, RunState.RUNNING))
        plan = await deletion.of_team(TENANT)
        assert (plan.live, plan.runs) == (3, 3)

        done = await deletion.carry_out(plan, by="shell:me")

        assert (done.runs, done.left) == (3, ())
        assert (await store.lists.page(TENANT)).items == ()
        again = await team.answered("say 3 words", conversation="runs")
        assert await store.runs.output(again)


async def test_a_run_whose_worker_does_not_obey_is_ended_and_that_worker_writes_nothing_more(
    team: Team,
) -> None:
    store = team.office.store
    run_id = await team.ask(f"say {CANARY}")
    (claim,) = await store.runs.claim("deaf", want=1, per_tenant=20, per_user=5, lease=60.0)
    await store.presence.beat("deaf", 60.0)
    await store.runs.append(claim.fence, 1, [OutputDelta(text=CANARY)])
    deletion = Deletion(store, stop_within=0.3, show_within=0.1)

    await deletion.carry_out(await deletion.of_thread(await team.thread()), by="shell:me")

    for late in (
        store.runs.append(claim.fence, 2, [OutputDelta(text=CANARY)]),
        store.checkpoints.put(claim.run.thread_id, "", "1", header=b"h", blobs={}, fence=claim.fence),
        store.calls.done(claim.fence, "c", ok=True, result=CANARY.encode(), outcome="ran"),
        store.runs.release(claim.fence),
    ):
        with pytest.raises(StaleFence):
            await late
    assert run_id in (await store.runs.renew("deaf", [claim.fence], 60.0)).lost
    assert await traces(store, SEAL_KEY, CANARY) == {}
    assert set(await traces(store, SEAL_KEY, run_id)) <= AUDIT


async def test_without_a_worker_nobody_is_waited_for(team: Team) -> None:
    store = team.office.store
    await team.ask(call("restart"))
    await store.runs.claim("dead", want=1, per_tenant=20, per_user=5, lease=0.01)
    deletion = Deletion(store, stop_within=3600, show_within=3600)

    async with asyncio.timeout(10):
        done = await deletion.carry_out(await deletion.of_thread(await team.thread()), by="shell:me")

    assert done.runs == 1


async def test_what_is_said_while_a_conversation_is_deleted_goes_or_begins_a_new_one(
    team: Team, deletion: Deletion
) -> None:
    store = team.office.store
    async with team.office.worker():
        await team.answered("say 1 words")
        old = await team.thread()
        going = True

        async def keep_talking() -> None:
            while going:
                await team.ask("say 1 words")
                await asyncio.sleep(0.15)

        talking = asyncio.create_task(keep_talking())
        done = await deletion.carry_out(await deletion.of_thread(old), by="shell:me")
        going = False
        await talking
    assert done.left == ()
    assert set(await traces(store, SEAL_KEY, old)) <= AUDIT
    thread = await store.threads.find(TENANT, "C1")
    assert thread is None or thread.thread_id != old


async def test_only_the_old_thread_of_a_conversation_that_began_again_is_deleted(
    team: Team, deletion: Deletion
) -> None:
    control = Control(team.office.store)
    async with team.office.worker():
        await team.answered(f'say "{CANARY}"')
        old = await team.thread()
        await control.start_anew(TENANT, "C1", by=PERSON, names=("anew",))
        kept = await team.answered(f'say "{OTHER}"')
        new = await team.thread()

        await deletion.carry_out(await deletion.of_thread(old), by="shell:me")

        assert await traces(team.office.store, SEAL_KEY, CANARY) == {}
        assert await team.thread() == new
        assert await team.office.store.runs.output(kept) == OTHER
        await team.answered("say 1 words")
        assert (await team.office.store.threads.get(new)).runs == 2


async def test_an_answer_given_in_a_tools_place_is_that_persons_too(team: Team, deletion: Deletion) -> None:
    async with team.office.worker():
        run_id = await team.ask(call("restart"), user="U2")
        await team.office.decide(await team.office.question(run_id), Respond(text=CANARY), by="U3")
        await team.office.ended(run_id)

    await deletion.carry_out(await deletion.of_person("U3"), by="shell:me")

    assert await traces(team.office.store, SEAL_KEY, CANARY) == {}


async def test_a_person_is_deleted_in_one_team_or_in_all(team: Team, deletion: Deletion) -> None:
    for tenant in ("T1", "T2"):
        await team.ask("say 1 words", tenant=tenant)
    assert (await deletion.of_person(PERSON)).tenants == ("T1", "T2")

    await deletion.carry_out(await deletion.of_person(PERSON, "T2"), by="shell:me")

    assert (await deletion.of_person(PERSON)).tenants == ("T1",)
    with pytest.raises(NotFound):
        await deletion.of_person(PERSON, "T2")
    with pytest.raises(NotFound):
        await deletion.of_team("T9")


async def _is(team: Team, run_id: str, state: RunState) -> bool:
    return (await team.office.store.runs.get(run_id)).state is state
