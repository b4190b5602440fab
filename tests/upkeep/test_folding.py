from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from waiting import wait_until

from harness_core.engine.maintenance import Maintenance
from harness_core.events import OutputDelta, RunCompleted
from harness_core.models import Delivery, RunFilter, Upkept
from harness_core.states import RunState
from harness_core.store import Store, Stored

if TYPE_CHECKING:
    from store.conftest import Caller

Keeper = Callable[..., Maintenance]


async def told(caller: Caller, *, conversation: str = "C1:1.0", words: int = 40) -> str:
    """A run that is over, with a log."""
    claim = await caller.running(conversation=conversation)
    deltas = [OutputDelta(text=f"word {number} ", message="m") for number in range(words)]
    await caller.store.runs.append(claim.fence, 1, deltas)
    await caller.store.runs.finish(claim.fence, RunState.COMPLETED, RunCompleted(output="x"), output="x")
    return claim.run.run_id


async def shown(store: Store, run_id: str) -> None:
    """People have seen the end of it."""
    owner = await store.deliveries.own("T1", "w1", 10.0)
    assert owner is not None
    run = await store.runs.get(run_id)
    final = Delivery(run_id=run_id, part="0", state="shown", nonce="n", shown=run.events, final=True)
    assert await store.deliveries.done(owner, final, complete=True) == Stored()
    assert run_id not in [each.run_id for each in await store.deliveries.dirty("T1")]


def events_key(run_id: str) -> str:
    return f"harness:{{p0}}:run:{run_id}:events"


async def test_a_folded_log_reads_as_before_from_every_place(caller: Caller) -> None:
    store, run_id = caller.store, await told(caller)
    await shown(store, run_id)
    before, run = await store.events.read(run_id), await store.runs.get(run_id)
    bytes_before = await store.client.memory_usage(events_key(run_id))

    assert await store.events.fold(run_id) == "folded"

    assert await store.client.exists(events_key(run_id)) == 0
    assert await store.events.read(run_id) == before
    for after in (0, 1, 7, len(before) - 1, len(before), len(before) + 3):
        assert await store.events.read(run_id, after=after) == before[after:]
        assert await store.events.read(run_id, after=after, limit=2) == before[after : after + 2]
    assert await store.runs.get(run_id) == run
    assert (await store.lists.page("T1", RunFilter())).items == (run,)
    record = await store.client.memory_usage(f"harness:{{p0}}:run:{run_id}:folded")
    assert record < bytes_before / 3


async def test_what_comes_after_folding_counts_on_and_can_be_folded_too(caller: Caller) -> None:
    store, run_id = caller.store, await told(caller)
    await shown(store, run_id)
    await store.events.fold(run_id)
    before = await store.events.read(run_id)
    for at in (1, 2):
        await store.client.rpush(events_key(run_id), f'{at}|P|run.cancel.requested|{{"by": "U{at}"}}')

    after = await store.events.read(run_id)
    assert [each.seq for each in after] == list(range(1, len(before) + 3))
    assert after[:-2] == before
    assert (await store.runs.get(run_id)).events == len(before) + 2
    assert await store.events.read(run_id, after=len(before) + 1) == after[-1:]

    assert await store.events.fold(run_id) == "folded"
    assert await store.events.read(run_id) == after


async def test_a_delivery_that_shows_all_of_a_folded_log_leaves_nothing_to_show(caller: Caller) -> None:
    store, run_id = caller.store, await told(caller)
    await store.events.fold(run_id, lagging=True)

    await shown(store, run_id)


async def test_a_log_that_grows_or_was_not_shown_is_left_alone(caller: Caller) -> None:
    claim = await caller.running(conversation="C2")
    assert await caller.store.events.fold(claim.run.run_id) == "live"

    run_id = await told(caller)
    assert await caller.store.events.fold(run_id) == "lagging"
    assert await caller.store.client.exists(events_key(run_id)) == 1


async def test_a_log_that_changes_while_it_is_folded_loses_nothing(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, run_id = caller.store, await told(caller)
    await shown(store, run_id)
    late = f'1|P|run.cancel.requested|{{"by": "late-{run_id}"}}'
    pack = store.events._packed

    def slowly(*arguments: Any) -> Any:
        packed = pack(*arguments)
        asyncio.run_coroutine_threadsafe(store.client.rpush(events_key(run_id), late), loop).result(5)
        return packed

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(store.events, "_packed", slowly)

    assert await store.events.fold(run_id) == "changed"

    monkeypatch.undo()
    assert (await store.events.read(run_id))[-1].at == 1
    assert await store.events.fold(run_id) == "folded"
    assert (await store.events.read(run_id))[-1].at == 1


async def test_who_reads_while_logs_are_folded_always_sees_all_of_them(caller: Caller) -> None:
    store = caller.store
    runs = [await told(caller, conversation=f"C{number}") for number in range(20)]
    lengths = {run_id: len(await store.events.read(run_id)) for run_id in runs}
    folding = True
    looks = 0

    async def look() -> None:
        nonlocal looks
        while folding:
            for run_id in runs:
                assert len(await store.events.read(run_id, after=1)) == lengths[run_id] - 1
                assert (await store.runs.get(run_id)).events == lengths[run_id]
                looks += 1
            page = await store.lists.page("T1", RunFilter(), limit=30)
            assert {run.run_id: run.events for run in page.items} == lengths

    readers = [asyncio.create_task(look()) for _ in range(3)]
    await wait_until(lambda: looks > 20)
    for run_id in runs:
        assert await store.events.fold(run_id, lagging=True) == "folded"
    seen = looks
    await wait_until(lambda: looks > seen + 60)
    folding = False
    await asyncio.gather(*readers)


async def test_maintenance_folds_what_was_shown_and_after_a_day_what_nobody_shows(
    caller: Caller, keeper: Keeper, passes: list[Upkept]
) -> None:
    store = caller.store
    seen, unseen = await told(caller), await told(caller, conversation="C2")
    await shown(store, seen)

    await keeper(every="1h").sweep()
    assert await store.client.exists(events_key(seen)) == 0
    assert await store.client.exists(events_key(unseen)) == 1
    await caller.later(86_500)
    await keeper(every="1h").sweep()

    assert await store.client.exists(events_key(unseen)) == 0
    assert [each.folded for each in passes] == [1, 1]
    assert [run_id for run_id, _ in await store.events.unfolded(0, limit=10)] == []


async def test_a_log_that_cannot_be_opened_stays_and_does_not_keep_others_from_being_folded(
    caller: Caller, keeper: Keeper, passes: list[Upkept]
) -> None:
    store = caller.store
    broken, sound = await told(caller), await told(caller, conversation="C2")
    for run_id in (broken, sound):
        await shown(store, run_id)
    await store.client.lset(events_key(broken), 5, b"1|S|output.delta|\x01nonsense")

    await keeper(every="1h").sweep()

    assert (passes[0].folded, passes[0].unreadable, passes[0].complete) == (1, 1, True)
    assert await store.client.exists(events_key(broken)) == 1
    assert await store.client.exists(events_key(sound)) == 0
