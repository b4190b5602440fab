from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sealing import SEAL
from store.conftest import Caller

from harness_core.errors import StaleFence, StoreUnavailable
from harness_core.events import OutputDelta, RecoveryAttempted, RecoveryExhausted, RunCompleted, RunFailed
from harness_core.models import Claim, Run
from harness_core.states import RunState
from harness_core.store import Store
from harness_core.store.keys import Keys
from harness_core.store.runs import GIVEN_UP, NOT_RECOVERED, TAKEOVERS
from harness_core.store.scripts import Argument, Scripts


async def test_only_the_head_of_a_conversation_is_claimed_and_the_next_one_after_it(caller: Caller) -> None:
    for number in range(3):
        await caller.store.runs.accept(caller.message(str(number)))

    order = []
    for _ in range(3):
        (claim,) = await caller.claim()
        assert await caller.claim("w2") == []
        order.append((await caller.store.runs.load_input(claim.run.run_id)).text)
        await caller.store.runs.finish(claim.fence, RunState.COMPLETED, RunCompleted(output="ok"))

    assert order == ["0", "1", "2"]


async def test_two_workers_never_claim_one_run(caller: Caller) -> None:
    for number in range(40):
        await caller.store.runs.accept(caller.message(conversation=f"C:{number}", user=f"U{number}"))

    claims = await asyncio.gather(*(caller.claim(f"w{number}", want=3) for number in range(10)))

    ids = [claim.run.run_id for part in claims for claim in part]
    assert len(ids) == len(set(ids)) == 20  # the cap of the tenant


@pytest.mark.parametrize("harm", ["gone", "a target that means nothing", "a number that is none"])
async def test_a_run_that_cannot_be_read_holds_nobody_else_up_and_is_given_up(
    caller: Caller, harm: str
) -> None:
    for number in range(3):
        await caller.store.runs.accept(caller.message(conversation=f"C:{number}"))
    first, second, third = sorted([run.run_id for run in (await caller.store.lists.page("T1")).items])
    record, redis = f"harness:{{p0}}:run:{second}", caller.store.client
    with pytest.MonkeyPatch.context() as patch:
        read = caller.store.runs._read

        async def damage(keys: Keys, run_id: str) -> Run | None:
            """Between the claim and the look at what was claimed."""
            match harm if run_id == second else "":
                case "gone":
                    await redis.delete(record)
                case "a target that means nothing":
                    await redis.hset(record, "target", "{")
                case "a number that is none":
                    await redis.hset(record, "created_at", "soon")
            return await read(keys, run_id)

        patch.setattr(caller.store.runs, "_read", damage)
        claims = await caller.claim()
    assert [claim.run.run_id for claim in claims] == [first, third]

    await caller.later(11)
    reaped = await caller.store.runs.reap(max_attempts=0)
    assert set(reaped.dead) == {first, third} | ({second} if harm != "gone" else set())
    assert await caller.store.client.zcard("harness:{p0}:leases") == 0


async def test_what_was_claimed_is_told_though_another_partition_is_away(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await Store.open(redis_url, seal=SEAL, partitions=8)
    caller = Caller(store)
    for number in range(20):
        await store.runs.accept(caller.message(tenant=f"T{number}", conversation="C1"))
    call, asked = Scripts.call, list[str]()

    async def sometimes(self: Scripts, verb: str, keys: Keys, *arguments: Argument, **more: Any) -> list[Any]:
        asked.append(verb)
        if len(asked) == 4:
            raise StoreUnavailable("away")
        return await call(self, verb, keys, *arguments, **more)

    monkeypatch.setattr(Scripts, "call", sometimes)

    claims = await caller.claim(want=20)
    assert 0 < len(claims) < 20
    asked[:] = ["", "", ""]
    with pytest.raises(StoreUnavailable):
        await caller.claim(want=20)
    await store.close()


async def test_one_person_may_fill_only_their_own_cap(caller: Caller) -> None:
    for number in range(8):
        await caller.store.runs.accept(caller.message(conversation=f"C:{number}"))
    await caller.store.runs.accept(caller.message(conversation="C:x", user="U2"))

    users = [claim.run.user for claim in await caller.claim()]

    assert sorted(users) == ["U1"] * 5 + ["U2"]


async def test_a_tenant_at_its_cap_does_not_hold_up_another(caller: Caller) -> None:
    for number in range(30):
        await caller.store.runs.accept(caller.message(conversation=f"C:{number}", user=f"U{number}"))
    await caller.claim(want=30)
    await caller.store.runs.accept(caller.message(tenant="T2"))

    (claim,) = await caller.claim()

    assert claim.run.tenant == "T2"


async def test_a_lease_that_ran_out_cannot_be_renewed_or_written_under_even_if_nobody_took_it(
    caller: Caller,
) -> None:
    claim = await caller.running()
    await caller.later(10.1)

    renewal = await caller.store.runs.renew("w1", [claim.fence], 10.0)

    assert renewal.lost == {claim.run.run_id}
    with pytest.raises(StaleFence):
        await caller.store.runs.append(claim.fence, 1, [OutputDelta(text="late")])
    with pytest.raises(StaleFence):
        await caller.store.runs.finish(claim.fence, RunState.COMPLETED, RunCompleted(output="late"))
    assert (await caller.store.runs.get(claim.run.run_id)).state is RunState.RUNNING


async def test_a_renewed_lease_holds(caller: Caller) -> None:
    claim = await caller.running()
    for _ in range(3):
        await caller.later(6)
        assert not (await caller.store.runs.renew("w1", [claim.fence], 10.0)).lost

    await caller.store.runs.append(claim.fence, 1, [OutputDelta(text="still here")])


async def test_a_lost_run_goes_to_the_next_worker_with_a_higher_epoch_and_the_same_state(
    caller: Caller,
) -> None:
    claim = await caller.running()
    await caller.store.runs.accept(caller.message(conversation="C:other"))
    await caller.later(10.1)

    reaped = await caller.store.runs.reap(max_attempts=3)
    first, _ = await caller.claim("w2")

    assert reaped.taken == (claim.run.run_id,)
    assert first.run.run_id == claim.run.run_id  # recovered runs come first
    assert first.taken_over
    assert first.run.state is RunState.RUNNING
    assert first.fence.epoch > claim.fence.epoch
    with pytest.raises(StaleFence):
        await caller.store.runs.append(claim.fence, 9, [OutputDelta(text="zombie")])
    events = await caller.store.events.read(claim.run.run_id)
    assert events[-1].payload == RecoveryAttempted(attempt=1)


async def test_an_interruption_counts_from_the_last_sign_of_life_not_from_the_end_of_the_lease(
    caller: Caller,
) -> None:
    claim = await caller.running()
    await caller.later(4)
    await caller.store.runs.renew("w1", [claim.fence], 10.0)
    renewed = await caller.store.now()
    await caller.later(10.1)
    await caller.store.runs.reap(max_attempts=3)
    (again,) = await caller.claim("w2")

    assert again.run.left_at is not None
    assert abs(again.run.left_at - renewed) < 1000


async def test_after_three_lost_workers_without_progress_the_run_fails_and_the_next_may_go(
    caller: Caller,
) -> None:
    claim = await caller.running()
    await caller.store.runs.accept(caller.message("next"))
    for _ in range(3):
        await caller.later(10.1)
        await caller.store.runs.reap(max_attempts=3)
        await caller.claim()
    await caller.later(10.1)

    reaped = await caller.store.runs.reap(max_attempts=3)

    assert reaped.dead == (claim.run.run_id,)
    run = await caller.store.runs.get(claim.run.run_id)
    assert (run.state, run.reason) == (RunState.FAILED, "recovery_exhausted")
    payloads = [event.payload for event in await caller.store.events.read(run.run_id)]
    assert payloads[-2:] == [
        RecoveryExhausted(attempts=3),
        RunFailed(reason="recovery_exhausted", message=GIVEN_UP, ran=0, unsure=0),
    ]
    assert run.intent is None
    (following,) = await caller.claim()
    assert (await caller.store.runs.load_input(following.run.run_id)).text == "next"


async def test_a_new_checkpoint_sets_the_attempts_back(caller: Caller) -> None:
    claim = await caller.running()
    for _ in range(5):
        claim = await lost_and_claimed(caller)
        await save(caller, claim)

    assert (await caller.store.runs.get(claim.run.run_id)).takeovers == 5


async def test_attempts_count_from_the_last_progress_on(caller: Caller) -> None:
    claim = await caller.running()
    for _ in range(3):
        claim = await lost_and_claimed(caller)
    assert claim.run.attempts == 3
    await save(caller, claim)
    for _ in range(3):
        claim = await lost_and_claimed(caller)

    assert (claim.run.attempts, claim.run.takeovers) == (3, 6)
    await caller.later(10.1)
    assert (await caller.store.runs.reap(max_attempts=3)).dead == (claim.run.run_id,)


async def test_ten_lost_workers_are_the_most_however_far_the_run_comes_in_between(caller: Caller) -> None:
    claim = await caller.running()
    for _ in range(TAKEOVERS):
        claim = await lost_and_claimed(caller)
        await save(caller, claim)
    await caller.later(10.1)

    reaped = await caller.store.runs.reap(max_attempts=3)

    assert TAKEOVERS == 10
    assert reaped.dead == (claim.run.run_id,)
    run = await caller.store.runs.get(claim.run.run_id)
    assert (run.state, run.reason) == (RunState.FAILED, "recovery_exhausted")
    payloads = [event.payload for event in await caller.store.events.read(run.run_id)]
    assert RecoveryExhausted(attempts=10) in payloads


async def test_without_recovery_the_first_lost_worker_is_the_last(caller: Caller) -> None:
    claim = await caller.running()
    await caller.later(10.1)

    reaped = await caller.store.runs.reap(max_attempts=0)

    assert reaped.dead == (claim.run.run_id,)
    payloads = [event.payload for event in await caller.store.events.read(claim.run.run_id)]
    assert payloads[-2:] == [
        RecoveryExhausted(attempts=0),
        RunFailed(reason="recovery_exhausted", message=NOT_RECOVERED, ran=0, unsure=0),
    ]


async def lost_and_claimed(caller: Caller) -> Claim:
    await caller.later(10.1)
    assert (await caller.store.runs.reap(max_attempts=3)).taken
    (claim,) = await caller.claim()
    return claim


async def save(caller: Caller, claim: Claim) -> None:
    await caller.store.checkpoints.put(
        claim.fence.thread_id, "", "cp", header=b"h", blobs={}, fence=claim.fence
    )


async def test_a_run_that_is_handed_over_counts_no_attempt_and_is_claimed_at_once(caller: Caller) -> None:
    claim = await caller.running()

    await caller.store.runs.release(claim.fence)
    (again,) = await caller.claim("w2")

    assert again.taken_over
    assert again.run.handed_over
    assert again.run.attempts == 0
    with pytest.raises(StaleFence):
        await caller.store.runs.append(claim.fence, 1, [OutputDelta(text="late")])


async def test_people_at_their_cap_hold_up_nobody_however_many_of_their_runs_come_first(
    caller: Caller,
) -> None:
    for number in range(300):
        await caller.store.runs.accept(caller.message(conversation=f"C:{number}"))
    await caller.store.runs.accept(caller.message(conversation="C:x", user="U2"))

    users = [claim.run.user for claim in await caller.claim(want=10)]

    assert users == ["U1"] * 5 + ["U2"]


async def test_the_names_of_new_events_of_many_runs_are_read_at_once_without_opening_them(
    caller: Caller,
) -> None:
    one = await caller.running()
    other = await caller.running(conversation="C:other")
    seen = {
        claim.run.run_id: (await caller.store.runs.get(claim.run.run_id)).events for claim in (one, other)
    }
    garbled = b"1|S|approval.voted|not what anybody could open"
    await caller.store.client.rpush(f"harness:{{p0}}:run:{one.run.run_id}:events", garbled)
    await caller.store.runs.append(one.fence, 1, [OutputDelta(text="a|b")])

    names = await caller.store.events.names({**seen, "run_gone": 3})

    assert names == {
        one.run.run_id: ["approval.voted", "output.delta"],
        other.run.run_id: [],
        "run_gone": [],
    }
    assert await caller.store.events.names({}) == {}
