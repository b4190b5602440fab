from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from approvals.approval_office import ApprovalOffice, call
from architecture.source_tree import ROOT
from sealing import SEAL, SEAL_KEY
from store.conftest import Caller
from upkeep.own_server import OwnServer, own_server
from waiting import wait_until

from harness_core import Control, EventBus, Harness, StreamItem
from harness_core.errors import RunNotFound, StoreUnavailable
from harness_core.events import Event, OutputDelta, RunCompleted
from harness_core.states import RunState
from harness_core.store import Store


@pytest.fixture
async def server() -> AsyncIterator[OwnServer]:
    async with own_server() as started:
        yield started


async def numbers(events: AsyncIterator[Event]) -> list[int]:
    return [event.seq async for event in events]


async def test_a_stream_outlasts_a_redis_that_is_killed_and_started_again(
    server: OwnServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("approval_tools", None)
    store = await Store.open(server.url, seal=SEAL)
    office = ApprovalOffice.write(tmp_path, store)
    heard: list[Event] = []
    items: list[StreamItem] = []
    try:
        async with Harness(store, office.holder, seal=SEAL, patience=30) as harness:
            harness.subscribe(heard.append)

            async def read() -> None:
                async for item in harness.stream_events(f"{call('look')} then stream for 3s"):
                    items.append(item)  # noqa: PERF401 - looked at while it grows

            reading = asyncio.create_task(read())
            for _ in range(2):
                said = len(items)
                await wait_until(lambda: any(item.kind == "content" for item in items) and len(items) > said)  # noqa: B023 - read at once
                await server.kill()
                with pytest.raises(StoreUnavailable):
                    await store.ping()
                await asyncio.sleep(0.5)
                assert not reading.done()
                await server.start()
            await asyncio.wait_for(reading, 30)
            run = (await harness.reads.list_runs("local")).items[0]
            told = await harness.reads.list_events(run.run_id)
            await wait_until(lambda: len(heard) >= len(told), what="the bus hears of the end, too")
    finally:
        await store.close()

    assert run.state is RunState.COMPLETED
    assert [item.event for item in items] == told
    assert heard == told
    assert isinstance(items[-1].event.payload, RunCompleted)
    assert len(office.ran("look")) == 1


async def test_a_subscriber_hears_of_the_last_event_though_redis_was_away_just_then(
    server: OwnServer,
) -> None:
    store = await Store.open(server.url, seal=SEAL)
    bus, heard = EventBus(store.events), list[Event]()
    bus.subscribe(heard.append)
    running = asyncio.create_task(bus.run())
    try:
        claim = await Caller(store).running()
        run_id = claim.run.run_id
        await store.runs.finish(claim.fence, RunState.COMPLETED, RunCompleted(output="x"))
        told = await store.events.read(run_id)
        await server.kill()
        bus.touch(run_id)
        with pytest.raises(StoreUnavailable):
            await store.ping()
        await asyncio.sleep(0.7)  # longer than the bus tries at once
        assert heard == []

        await server.start()
        await wait_until(lambda: len(heard) == len(told))
        assert heard == told
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await store.close()


async def test_patience_ends_and_says_that_redis_is_away(server: OwnServer) -> None:
    store = await Store.open(server.url, seal=SEAL)
    try:
        claim = await Caller(store).running()
        seen: list[Event] = []

        async def follow() -> None:
            async for event in Control(store).follow(claim.run.run_id, patience=0.5):
                seen.append(event)  # noqa: PERF401 - looked at while it grows

        following = asyncio.create_task(follow())
        await wait_until(lambda: seen)
        await server.kill()
        with pytest.raises(StoreUnavailable):
            await asyncio.wait_for(following, 15)
    finally:
        await store.close()


async def test_following_begins_anywhere_and_ends_with_the_run(caller: Caller) -> None:
    control, claim = Control(caller.store), await caller.running()
    run_id = claim.run.run_id
    following = [asyncio.create_task(numbers(control.follow(run_id, after=after))) for after in (0, 3)]
    for batch in range(1, 6):
        await caller.store.runs.append(claim.fence, batch, [OutputDelta(text="x", message=str(batch))])
    assert not any(task.done() for task in following)
    await caller.store.runs.finish(claim.fence, RunState.COMPLETED, RunCompleted(output="x"))

    whole, later = await asyncio.wait_for(asyncio.gather(*following), 10)

    last = len(await control.list_events(run_id))
    assert whole == list(range(1, last + 1))
    assert later == list(range(4, last + 1))
    await caller.store.events.fold(run_id, lagging=True)
    assert await numbers(control.follow(run_id, after=last - 2)) == [last - 1, last]
    assert await numbers(control.follow(run_id, after=last)) == []


async def test_following_stops_where_people_are_asked_unless_it_is_to_go_on(office: ApprovalOffice) -> None:
    control = Control(office.store)
    async with office.worker():
        run_id = await office.ask(call("restart"))
        question = await office.question(run_id)
        all_of_it = asyncio.create_task(numbers(control.follow(run_id, while_waiting=True)))
        first = await asyncio.wait_for(numbers(control.follow(run_id)), 10)
        assert (await control.get_run(run_id)).state is RunState.WAITING
        assert not all_of_it.done()

        await office.decide(question)
        second = await asyncio.wait_for(numbers(control.follow(run_id, after=first[-1])), 10)

    last = (await control.get_run(run_id)).events
    assert first + second == list(range(1, last + 1))
    assert await asyncio.wait_for(all_of_it, 10) == first + second


async def test_who_follows_a_run_that_is_removed_is_told_so(caller: Caller) -> None:
    store, claim = caller.store, await caller.running()
    following = asyncio.create_task(numbers(Control(store).follow(claim.run.run_id)))
    await store.upkeep.evict("T1", claim.run.run_id, "U9")
    await store.upkeep.forget_runs("T1", [claim.run.run_id])

    with pytest.raises(RunNotFound):
        await asyncio.wait_for(following, 10)
    with pytest.raises(RunNotFound):
        await numbers(Control(store).follow("run_unknown"))


FOLLOWER = """
import asyncio, base64, json, sys
from harness_core import Control, Seal, Store

async def main(url, key, run_id, after):
    store = await Store.open(url, seal=Seal(base64.b64decode(key)))
    async for event in Control(store).follow(run_id, after=int(after)):
        print(json.dumps([event.seq, event.payload.name]), flush=True)
    await store.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_another_process_follows_what_a_worker_does_here(
    office: ApprovalOffice, redis_url: str
) -> None:
    run_id = await office.ask("stream for 2s")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", FOLLOWER, redis_url, base64.b64encode(SEAL_KEY).decode(), run_id, "1"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    first = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    assert first == [2, "run.queued"]
    async with office.worker():
        out, _ = await asyncio.wait_for(process.communicate(), 30)

    assert process.returncode == 0
    told = [(event.seq, event.payload.name) for event in await office.store.events.read(run_id, after=2)]
    assert [tuple(json.loads(line)) for line in out.splitlines()] == told
