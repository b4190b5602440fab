"""What a thread came to, kept for later threads: only where it is wanted, and never at the cost of a run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from waiting import wait_until

from harness_core import Harness, RunState
from harness_core.engine.thread_memory import ThreadMemory
from harness_core.memory_places import of_person, of_threads
from harness_core.runtime import LongTermMemory

if TYPE_CHECKING:
    from engine.conftest import Office


class Room:
    def __init__(self, office: Office) -> None:
        from engine.conftest import SEAL  # noqa: PLC0415 - the plugin is loaded by then

        self.harness = Harness(office.store, office.holder, seal=SEAL)
        self.store = office.store
        self.memory = LongTermMemory(office.store.items, tenant="local")
        self.wanted = True
        self.threads = ThreadMemory(office.store, self._memory_of, lambda: self.wanted)

    async def _memory_of(self, tenant: str) -> LongTermMemory:
        return self.memory.of_tenant(tenant)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Harness]:
        async with self.harness:
            self.threads.attach(self.harness._worker.bus)
            yield self.harness
            await self.threads.close()

    async def kept(self, thread_id: str) -> Mapping[str, Any] | None:
        item = await self.memory.aget(of_threads("ops"), thread_id)
        return None if item is None else item.value


@pytest.fixture
async def room(office: Office) -> Room:
    return Room(office)


async def test_a_thread_is_kept_with_what_was_asked_answered_and_noted(room: Room) -> None:
    async with room.open() as harness:
        first = await harness.run('say "the cache was full"')
        note = {"note": "checkout caches too much", "thread": first.thread_id, "by": "local"}
        await room.memory.aput(of_person("ops", "local"), "k", note)
        await room.memory.aput(of_person("ops", "local"), "other", {**note, "thread": "thread_other"})
        second = await harness.run('call look_up {"name": "ada"}', thread_id=first.thread_id)
        await wait_until(lambda: _is_of(room, first.thread_id, second.run_id))

    kept = await room.kept(first.thread_id)
    assert kept is not None
    assert kept["status"] == "completed"
    assert kept["summary"].splitlines()[:2] == [
        'Asked: say "the cache was full"',
        'Then: call look_up {"name": "ada"}',
    ]
    assert "ada is known" in kept["summary"]
    assert kept["notes"] == ["checkout caches too much"]
    assert kept["user"] == "local"
    (hit,) = await room.memory.asearch(of_threads("ops"), query="who caches checkout?")
    assert hit.key == first.thread_id


async def test_a_failed_and_a_cancelled_run_are_kept_as_that(room: Room) -> None:
    async with room.open() as harness:
        failed = await harness.run("fail")
        last = None
        async for item in harness.stream_events("stream for 20s"):
            last = item.event
            if item.kind == "content":
                await harness.cancel(item.event.run_id, by="me")
        assert last is not None
        stopped = (await harness.reads.get_run(last.run_id)).thread_id
        await wait_until(lambda: room.kept(stopped))

        assert failed.state is RunState.FAILED
        statuses = [kept["status"] for each in (failed.thread_id, stopped) if (kept := await room.kept(each))]
    assert statuses == ["failed", "cancelled"]


async def test_secrets_in_what_was_asked_are_not_kept(room: Room) -> None:
    async with room.open() as harness:
        ran = await harness.run("my api_key=sk-0123456789abcdef please")
        await wait_until(lambda: room.kept(ran.thread_id))

    assert "sk-0123456789abcdef" not in str(await room.kept(ran.thread_id))


async def test_nothing_is_kept_while_it_is_not_wanted(room: Room) -> None:
    room.wanted = False
    async with room.open() as harness:
        await harness.run("say 1 word")

    assert await room.memory.asearch(()) == []


async def test_a_store_that_fails_or_hangs_costs_no_run_and_no_other_listener(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    calls = 0

    async def failing(_tenant: str) -> LongTermMemory:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise RuntimeError("no store today")
        await asyncio.Event().wait()
        raise AssertionError

    room.threads = ThreadMemory(room.store, failing, lambda: True)
    seen: list[str] = []
    async with room.harness as harness:
        room.threads.attach(harness._worker.bus)
        harness.subscribe(lambda event: seen.append(event.payload.name))
        for _ in range(3):
            assert (await harness.run("say 1 word")).state is RunState.COMPLETED
        await wait_until(lambda: seen.count("run.completed") == 3)
        await room.threads.close(limit=0.1)

    assert "a thread is not remembered" in caplog.text
    assert "threads not remembered: 1" in caplog.text


async def test_closed_it_is_off_the_bus_and_has_kept_what_ended_before(room: Room) -> None:
    async with room.harness as harness:
        bus = harness._worker.bus
        room.threads.attach(bus)
        before = await harness.run("say 1 word")
        await wait_until(lambda: room.kept(before.thread_id))
        await room.threads.close()
        assert bus._listeners == []
        after = await harness.run("say 1 word")

    assert await room.kept(before.thread_id) is not None
    assert await room.kept(after.thread_id) is None


async def _is_of(room: Room, thread_id: str, run_id: str) -> bool:
    kept = await room.kept(thread_id)
    return kept is not None and kept["run"] == run_id
