from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from sealing import SEAL_KEY
from store.asking import DIGEST, a_call, a_question, ask
from upkeep.whole_store import traces

from harness_core import Control
from harness_core.approvals import Approve, Outcome
from harness_core.engine.maintenance import Maintenance
from harness_core.errors import RunNotFound, StaleFence, ThreadNotFound
from harness_core.events import OutputDelta, RunCompleted
from harness_core.models import Claim, Delivery, RunFilter, Upkept
from harness_core.states import RunState
from harness_core.store import Budget, Store, verify_chain

if TYPE_CHECKING:
    from store.conftest import Caller

Keeper = Callable[..., Maintenance]

DAY = 86_400
RAN: Outcome = "ran"


async def finished(caller: Caller, claim: Claim, output: str = "done") -> str:
    await caller.store.runs.finish(
        claim.fence, RunState.COMPLETED, RunCompleted(output=output), output=output
    )
    return claim.run.run_id


async def eventful(caller: Caller, **values: object) -> Claim:
    """A run that is at work and has everything that a run can have."""
    claim, store = await caller.running(**values), caller.store
    approval = await ask(store, claim)
    await ask(store, claim, "call-2", quorum=2)
    await store.calls.open(claim.fence, a_call(claim, "call-3", verdict="allow"))
    await store.approvals.decide(approval, Approve(), revision=None, by="U2", source="message")
    await store.calls.start(claim.fence, "call-1", asked=DIGEST, running=DIGEST)
    await store.calls.done(claim.fence, "call-1", ok=True, result=b"r", outcome=RAN)
    await store.runs.append(claim.fence, 1, [OutputDelta(text="said")])
    await store.checkpoints.put(
        claim.run.thread_id, "", "1", header=b"h", blobs={("m", "1"): b"v"}, fence=claim.fence
    )
    owner = await store.deliveries.own("T1", "w1", 10.0)
    assert owner is not None
    pending = Delivery(run_id=claim.run.run_id, part="0", state="pending", nonce="n")
    budget = Budget(per_minute=60, burst=5)
    await store.deliveries.begin(owner, pending, method="post", room="C1", budget=budget)
    return claim


async def test_an_old_run_goes_with_everything_it_had_and_its_thread_with_it(
    caller: Caller, keeper: Keeper, passes: list[Upkept]
) -> None:
    store = caller.store
    claim = await eventful(caller)
    run_id = await finished(caller, claim)
    ids = (run_id, claim.run.thread_id, a_question(claim).about.approval_id, claim.run.conversation)
    await store.events.fold(run_id, lagging=True)
    await caller.later(31 * DAY)
    young = await caller.running(conversation="C2")
    before = {key for key in await traces(store, SEAL_KEY, *ids) if not passing(key)}
    assert len(before) > 15

    await keeper(finished_runs_for="30d").sweep()

    left = {key for key in await traces(store, SEAL_KEY, *ids) if not passing(key)}
    assert left == {"harness:{p0}:audit:T1"}
    (done,) = passes
    assert (done.runs, done.threads, done.checkpoints, done.values) == (1, 1, 1, 1)
    assert done.keys >= 10
    with pytest.raises(RunNotFound):
        await store.runs.get(run_id)
    with pytest.raises(ThreadNotFound):
        await store.threads.get(claim.run.thread_id)
    assert verify_chain(await store.audit.read("T1")) is None
    assert (await store.runs.get(young.run.run_id)).state is RunState.RUNNING
    assert (await store.runs.renew("w1", [young.fence], 10.0)).lost == frozenset()


async def test_what_is_not_over_or_not_old_enough_stays_however_old_it_is(
    caller: Caller, keeper: Keeper, passes: list[Upkept]
) -> None:
    store = caller.store
    waiting = await caller.running(conversation="waits")
    await ask(store, waiting, expire_after=90 * DAY)
    await store.runs.park(waiting.fence)
    await store.runs.accept(caller.message(conversation="waits"))
    running = await caller.running(conversation="runs", user="U2")
    await caller.later(31 * DAY)
    late = await caller.running(conversation="late", user="U3")
    done = await finished(caller, late)

    await keeper(finished_runs_for="30d").sweep()

    assert (passes[0].runs, passes[0].threads) == (0, 0)
    states = {run.run_id: run.state for run in (await store.lists.page("T1", RunFilter())).items}
    assert len(states) == 4
    assert states[waiting.run.run_id] is RunState.WAITING
    assert states[running.run.run_id] is RunState.RUNNING
    assert states[done] is RunState.COMPLETED


async def test_a_thread_keeps_its_younger_runs_and_says_how_many(caller: Caller, keeper: Keeper) -> None:
    store = caller.store
    old = [await finished(caller, await caller.running()) for _ in range(3)]
    await caller.later(31 * DAY)
    young = await finished(caller, await caller.running())

    await keeper(finished_runs_for="30d").sweep()

    thread = await store.threads.find("T1", "C1:1.0")
    assert thread is not None
    assert (thread.latest_run, thread.runs, thread.status) == (young, 1, RunState.COMPLETED)
    kept = (await store.lists.page("T1", RunFilter(thread_id=thread.thread_id))).items
    assert [run.run_id for run in kept] == [young]
    for run_id in old:
        with pytest.raises(RunNotFound):
            await store.runs.get(run_id)


async def test_the_latest_run_is_no_other_because_the_clock_of_a_host_was_wrong(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = caller.store
    numbers = iter(("run_1", "run_3", "run_2"))
    monkeypatch.setattr("harness_core.store.runs.new_run_id", lambda: next(numbers))
    gone, _, last = [await finished(caller, await caller.running()) for _ in range(3)]

    await store.upkeep.forget_runs("T1", [gone])

    thread = await store.threads.find("T1", "C1:1.0")
    assert thread is not None
    assert (thread.latest_run, thread.runs) == (last, 2)


async def test_the_newest_run_may_go_before_an_older_one_that_still_waits(
    caller: Caller, keeper: Keeper
) -> None:
    store = caller.store
    waiting = await caller.running()
    await ask(store, waiting, expire_after=90 * DAY)
    await store.runs.park(waiting.fence)
    await store.runs.accept(caller.message())
    (newest,) = (await store.lists.page("T1", RunFilter(state=RunState.QUEUED))).items
    await store.runs.cancel(newest.run_id, "U1")
    await caller.later(31 * DAY)

    await keeper(finished_runs_for="30d").sweep()

    thread = await store.threads.find("T1", "C1:1.0")
    assert thread is not None
    assert (thread.latest_run, thread.status) == (waiting.run.run_id, RunState.WAITING)


async def test_a_thread_in_which_nothing_was_ever_asked_goes_after_as_long_as_a_run(
    caller: Caller, keeper: Keeper, passes: list[Upkept]
) -> None:
    store = caller.store
    old = await caller.running()
    await finished(caller, old)
    control = Control(store)
    assert await control.start_anew("T1", "C1:1.0", by="U1", names=("restart",)) == "restarted"
    thread = await store.threads.find("T1", "C1:1.0")
    assert thread is not None
    await keeper(finished_runs_for="30d").sweep()
    assert (await store.threads.get(thread.thread_id)).runs == 0

    await caller.later(31 * DAY)
    await keeper(finished_runs_for="30d").sweep()

    assert passes[-1].threads == 2
    ids = (thread.thread_id, old.run.thread_id, "C1:1.0")
    assert {key for key in await traces(store, SEAL_KEY, *ids) if not passing(key)} == set()
    assert await store.upkeep.idle_threads(0, limit=10) == []


async def test_nothing_of_a_removed_run_can_be_written_any_more(caller: Caller) -> None:
    store = caller.store
    claim = await eventful(caller)
    run_id = await finished(caller, claim)
    owner = await store.deliveries.own("T1", "w1", 10.0)
    assert owner is not None
    gone = await store.upkeep.forget_runs("T1", [run_id])
    assert gone.runs == 1

    delivery = Delivery(run_id=run_id, part="0", state="shown", nonce="n", shown=9)
    await store.deliveries.done(owner, delivery, complete=True)
    stranger = await store.deliveries.own("T1", "w1", 0.001)
    assert stranger is not None
    await caller.later(60)
    await store.deliveries.done(owner, delivery, complete=False)
    again = await store.deliveries.own("T1", "w1", 10.0)
    assert again is not None
    await store.deliveries.begin(
        again, delivery, method="post", room=None, budget=Budget(per_minute=60, burst=5)
    )
    with pytest.raises(RunNotFound):
        await store.deliveries.mark_dirty(run_id)
    with pytest.raises(StaleFence):
        await store.runs.append(claim.fence, 9, [OutputDelta(text="late")])
    with pytest.raises(StaleFence):
        await store.checkpoints.put(claim.run.thread_id, "", "2", header=b"h", blobs={}, fence=claim.fence)

    left = {key for key in await traces(store, SEAL_KEY, run_id) if not passing(key)}
    assert left == {"harness:{p0}:audit:T1"}
    assert await store.deliveries.dirty("T1") == []


async def test_only_one_worker_at_a_time_does_it_and_another_after_it_died(caller: Caller) -> None:
    upkeep = caller.store.upkeep
    assert await upkeep.begin("w1", 60.0) == 0
    assert await upkeep.begin("w1", 60.0) == 0
    assert 50 < await upkeep.begin("w2", 60.0) <= 60

    await caller.later(61)
    assert await upkeep.begin("w2", 60.0) == 0
    await upkeep.end("w1", 600.0)
    assert await upkeep.begin("w1", 60.0) > 0

    await upkeep.end("w2", 600.0)
    assert 590 < await upkeep.begin("w1", 60.0) <= 600
    await caller.later(600)
    assert await upkeep.begin("w1", 60.0) == 0


async def test_twenty_workers_make_one_pass_in_the_time_of_one(
    keeper: Keeper, passes: list[Upkept], store: Store
) -> None:
    keepers = [keeper(f"w{number}", every="1h") for number in range(20)]
    loops = [asyncio.create_task(each.run()) for each in keepers]
    try:
        async with asyncio.timeout(10):
            while not passes:  # noqa: ASYNC110 - the loops tell nobody when they wait for their turn
                await asyncio.sleep(0.02)
        assert 3590 < await store.upkeep.begin("another", 1.0) <= 3600
    finally:
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
    assert len(passes) == 1


async def test_a_pass_that_runs_out_of_time_goes_on_soon(
    caller: Caller, keeper: Keeper, passes: list[Upkept], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(60):
        await finished(caller, await caller.running(conversation=f"C{number}"))
    await caller.later(31 * DAY)
    monkeypatch.setattr("harness_core.engine.maintenance.SHARE", 0.0)
    hurried = keeper(every="1h", finished_runs_for="30d")

    await hurried._turn()

    assert passes[0].complete is False
    assert 0 < passes[0].runs < 60
    wait = await caller.store.upkeep.begin("w2", 60.0)
    assert 0 < wait <= 5
    while not passes[-1].complete:
        await hurried.sweep()
    assert sum(each.runs for each in passes) == 60
    assert (await caller.store.lists.page("T1")).items == ()


async def test_audit_links_go_after_a_year_and_the_rest_still_verifies(
    caller: Caller, keeper: Keeper, passes: list[Upkept]
) -> None:
    store = caller.store
    for number in range(130):
        await store.audit.note("T1", {"what": "old", "number": str(number)})
    await caller.later(200 * DAY)
    for number in range(3):
        await store.audit.note("T1", {"what": "new", "number": str(number)})
    await store.runs.accept(caller.message())  # makes the tenant known
    await caller.later(166 * DAY)

    await keeper().sweep()

    left = await store.audit.read("T1")
    assert [json.loads(each.data)["what"] for each in left] == ["new"] * 3
    assert [each.seq for each in left] == [131, 132, 133]
    assert verify_chain(left) is None
    assert passes[0].links == 130
    await store.audit.note("T1", {"what": "newest"})
    assert verify_chain(await store.audit.read("T1")) is None
    assert (await store.audit.read("T1", after=132))[0].seq == 133


async def test_a_whole_chain_may_go_and_the_next_link_still_builds_on_it(caller: Caller) -> None:
    store = caller.store
    await store.audit.note("T1", {"what": "old"})
    (old,) = await store.audit.read("T1")

    assert await store.upkeep.trim_audit("T1", old.at + 1, limit=10) == 1

    await store.audit.note("T1", {"what": "new"})
    (new,) = await store.audit.read("T1")
    assert (new.seq, new.previous) == (2, old.hash)
    assert verify_chain([new]) is None


async def test_a_link_whose_time_was_damaged_stays_as_evidence(caller: Caller) -> None:
    store = caller.store
    for _ in range(3):
        await store.audit.note("T1", {"what": "old"})
    await store.client.lset("harness:{p0}:audit:T1", 1, "no link at all")

    assert await store.upkeep.trim_audit("T1", 10**15, limit=10) == 1
    assert verify_chain(await store.audit.read("T1")) is not None


async def test_who_exports_the_chain_while_it_is_cut_never_sees_a_gap(caller: Caller) -> None:
    store = caller.store
    for _ in range(400):
        await store.audit.note("T1", {"what": "old"})
    last = (await store.audit.read("T1", after=399))[0]

    async def cut() -> None:
        gone = 1
        while gone:
            gone = await store.upkeep.trim_audit("T1", last.at, limit=3)

    cutting = asyncio.create_task(cut())
    looks = 0
    while not cutting.done():
        page = await store.audit.read("T1", after=20, limit=150)
        assert verify_chain(page) is None
        assert not page or page[0].seq >= 21
        looks += 1
    await cutting
    assert looks > 0


def passing(key: str) -> bool:
    """Whether the key is one of those that expire by themselves soon."""
    return key.split(":")[2] in ("op", "seen")
