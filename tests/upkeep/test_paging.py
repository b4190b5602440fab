"""Lists are exact while what they list comes and goes: what was there all the time is told once, and in order."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import pytest
from store.asking import a_call, a_question

from harness_core import Control
from harness_core.events import OutputDelta, RunCompleted
from harness_core.models import Accepted, Page, RunFilter
from harness_core.states import RunState

if TYPE_CHECKING:
    from store.conftest import Caller

T = TypeVar("T")

SEEDS = range(4)


async def paged(
    fetch: Callable[[str | None], Awaitable[Page[T]]], meanwhile: Callable[[], Awaitable[object]]
) -> list[T]:
    """Every page, with something happening between two of them."""
    seen: list[T] = []
    cursor: str | None = None
    while True:
        page = await fetch(cursor)
        seen.extend(page.items)
        if page.cursor is None:
            return seen
        assert page.items, "a page that is not the last has something on it"
        cursor = page.cursor
        await meanwhile()


class Traffic:
    """Runs come at random and are removed at random."""

    def __init__(self, caller: Caller, seed: int) -> None:
        self.caller = caller
        self.rng = random.Random(seed)
        self.removed: set[str] = set()

    async def arrive(self, conversation: str | None = None) -> str:
        """A run that is over."""
        name = conversation or f"C{self.rng.randrange(8)}"
        accepted = await self.caller.store.runs.accept(self.caller.message(conversation=name))
        assert isinstance(accepted, Accepted)
        (claim,) = await self.caller.claim()
        await self.caller.store.runs.finish(
            claim.fence, RunState.COMPLETED, RunCompleted(output="x"), output=f"answer to {accepted.run_id}"
        )
        return accepted.run_id

    async def fill(self, count: int = 30) -> list[str]:
        return [await self.arrive() for _ in range(count)]

    async def remove(self, run_ids: list[str]) -> None:
        gone = self.rng.sample(sorted(run_ids), min(3, len(run_ids)))
        await self.caller.store.upkeep.forget_runs("T1", gone)
        self.removed |= set(gone)

    def meanwhile(self, run_ids: list[str]) -> Callable[[], Awaitable[object]]:
        async def both() -> None:
            await self.arrive()
            await self.remove([each for each in run_ids if each not in self.removed])

        return both


@pytest.mark.parametrize("seed", SEEDS)
async def test_runs(caller: Caller, seed: int) -> None:
    traffic, control = Traffic(caller, seed), Control(caller.store)
    before = await traffic.fill()
    wanted = RunFilter(state=RunState.COMPLETED)

    seen = await paged(
        lambda cursor: control.list_runs("T1", wanted, cursor=cursor, limit=4), traffic.meanwhile(before)
    )

    ids = [run.run_id for run in seen]
    assert ids == sorted(set(ids), reverse=True)
    assert set(before) - traffic.removed <= set(ids) <= set(before)


@pytest.mark.parametrize("seed", SEEDS)
async def test_threads_that_are_used_while_they_are_listed(caller: Caller, seed: int) -> None:
    traffic, control = Traffic(caller, seed), Control(caller.store)
    await traffic.fill(40)
    before = (await control.list_threads("T1", limit=100)).items
    assert len(before) == 8

    seen = await paged(
        lambda cursor: control.list_threads("T1", cursor=cursor, limit=2),
        traffic.arrive,  # some thread moves to the top each time
    )

    assert [thread.thread_id for thread in seen] == [thread.thread_id for thread in before]
    again = (await control.list_threads("T1", limit=100)).items
    assert [thread.latest_run for thread in again] == sorted(
        (thread.latest_run or "" for thread in again), reverse=True
    )


@pytest.mark.parametrize("seed", SEEDS)
async def test_threads_that_are_removed_while_they_are_listed(caller: Caller, seed: int) -> None:
    traffic, control = Traffic(caller, seed), Control(caller.store)
    runs = await traffic.fill(40)
    before = (await control.list_threads("T1", limit=100)).items

    async def remove_a_thread() -> None:
        listed = (await control.list_threads("T1", limit=100)).items
        chosen = traffic.rng.choice(listed)
        page = await control.list_runs("T1", RunFilter(thread_id=chosen.thread_id), limit=100)
        gone = [run.run_id for run in page.items]
        assert (await caller.store.upkeep.forget_runs("T1", gone)).threads == (chosen.thread_id,)
        traffic.removed.add(chosen.thread_id)

    seen = await paged(lambda cursor: control.list_threads("T1", cursor=cursor, limit=2), remove_a_thread)

    ids = [thread.thread_id for thread in seen]
    assert runs
    assert len(ids) == len(set(ids))
    kept = [thread.thread_id for thread in before if thread.thread_id not in traffic.removed]
    assert [each for each in ids if each in kept] == kept


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
async def test_messages(caller: Caller, limit: int) -> None:
    traffic, control = Traffic(caller, limit), Control(caller.store)
    before = [await traffic.arrive("C1") for _ in range(12)]
    thread = await control.find_thread("T1", "C1")
    assert thread is not None
    sizes: list[int] = []

    async def fetch(cursor: str | None) -> Page[tuple[str, str]]:
        page = await control.messages(thread.thread_id, cursor=cursor, limit=limit)
        sizes.append(len(page.items))
        return Page(items=tuple((each.run_id, each.role) for each in page.items), cursor=page.cursor)

    async def meanwhile() -> None:
        await traffic.arrive("C1")
        if traffic.rng.random() < 0.3:
            await traffic.remove([each for each in before if each not in traffic.removed][:4])

    seen = await paged(fetch, meanwhile)

    assert max(sizes) <= limit
    assert len(seen) == len(set(seen))
    kept = [run_id for run_id in reversed(before) if run_id not in traffic.removed]
    expected = [(run_id, role) for run_id in kept for role in ("assistant", "user")]
    assert [each for each in seen if each[0] in kept] == expected


@pytest.mark.parametrize("seed", SEEDS)
async def test_approvals_also_those_that_were_asked_in_one_millisecond(caller: Caller, seed: int) -> None:
    store, rng = caller.store, random.Random(seed)
    claim = await caller.running()
    asked = 0

    async def ask() -> str:
        nonlocal asked
        asked += 1
        question = a_question(claim, f"call-{rng.randrange(10**6)}-{asked}")
        await store.calls.open(claim.fence, a_call(claim, question.about.call_key), question)
        return question.about.approval_id

    before = [await ask() for _ in range(30)]
    now = await store.client.zscore("harness:{p0}:approvals:T1", before[0])
    for each in before[:20]:
        # As if they had been asked at once; which of them come first among equals is by id.
        await store.client.zadd("harness:{p0}:approvals:T1:open", {each: now})
    removed: set[str] = set()

    async def meanwhile() -> None:
        await ask()
        gone = rng.choice([each for each in before if each not in removed])
        await store.client.zrem("harness:{p0}:approvals:T1:open", gone)
        removed.add(gone)

    seen = await paged(
        lambda cursor: store.approvals.page("T1", open_only=True, cursor=cursor, limit=3), meanwhile
    )

    ids = [approval.approval_id for approval in seen]
    assert len(ids) == len(set(ids))
    assert set(before) - removed <= set(ids) <= set(before)


async def test_events_also_when_they_are_folded_between_two_pages(caller: Caller) -> None:
    store, control = caller.store, Control(caller.store)
    claim = await caller.running()
    run_id = claim.run.run_id
    deltas = [OutputDelta(text="x", message=str(number)) for number in range(25)]
    await store.runs.append(claim.fence, 1, deltas)
    await store.runs.finish(claim.fence, RunState.COMPLETED, RunCompleted(output="x"))
    whole = await control.list_events(run_id)
    seen = await control.list_events(run_id, limit=4)
    while page := await control.list_events(run_id, after=seen[-1].seq, limit=4):
        assert len(page) <= 4
        seen += page
        if len(seen) == 12:
            assert await store.events.fold(run_id, lagging=True) == "folded"

    assert seen == whole
