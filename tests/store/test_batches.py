"""Events of runs are written in batches: once each, many together, none at the cost of another."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from harness_core.engine.journal import EventWriter
from harness_core.events import OutputDelta

if TYPE_CHECKING:
    from store.conftest import Caller


async def test_a_batch_that_is_sent_again_is_appended_once(caller: Caller) -> None:
    claim = await caller.running()
    before = (await caller.store.runs.get(claim.run.run_id)).events

    for _ in range(3):
        await caller.store.runs.append(claim.fence, 1, [OutputDelta(text="a"), OutputDelta(text="b")])
    await caller.store.runs.append(claim.fence, 2, [OutputDelta(text="c")])

    events = await caller.store.events.read(claim.run.run_id, after=before)
    assert [event.payload for event in events] == [OutputDelta(text=text) for text in "abc"]
    assert [event.seq for event in events] == [before + 1, before + 2, before + 3]


async def test_batches_of_many_runs_travel_together_and_fail_alone(caller: Caller) -> None:
    fresh = await caller.running()
    lost = await caller.running(conversation="C:lost", user="U2")
    await caller.store.runs.release(lost.fence)
    await caller.store.client.script_flush()

    answers = await caller.store.runs.append_all(
        [(fresh.fence, 1, [OutputDelta(text="a")]), (lost.fence, 1, [OutputDelta(text="b")])]
    )

    assert [type(answer).__name__ for answer in answers] == ["Appended", "StaleFence"]


async def test_a_log_that_cannot_be_written_holds_up_no_other(caller: Caller) -> None:
    sound, broken = await caller.running(), await caller.running(conversation="C:broken")
    await caller.store.client.set(f"harness:{{p0}}:run:{broken.run.run_id}:events", "?")
    writer = EventWriter(caller.store.runs, lambda _: None)
    journals = [writer.open(claim.fence, lambda _: None) for claim in (broken, sound)]
    for journal in journals:
        journal.add(OutputDelta(text="a"))
    writing = asyncio.create_task(writer.run())

    await asyncio.wait_for(journals[1].flush(), 5)

    assert journals[0].batch() is not None
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
