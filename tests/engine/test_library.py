from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sealing import SEAL
from waiting import wait_until

from harness_core import Harness, Listeners, RunState, StreamItem
from harness_core.errors import ThreadNotFound, UnknownAgent
from harness_core.events import Event

if TYPE_CHECKING:
    from engine.conftest import Office

pytest_plugins: list[str] = []


@pytest.fixture
def harness(office: Office) -> Harness:
    return Harness(office.store, office.holder, seal=SEAL)


async def test_a_program_runs_an_agent_and_reads_what_happened(harness: Harness) -> None:
    async with harness:
        first = await harness.run("say 7 words")
        second = await harness.run("say 2 words", thread_id=first.thread_id)

        assert (first.state, first.agent_id) == (RunState.COMPLETED, "ops")
        assert len(first.output.split()) == 7
        assert second.thread_id == first.thread_id
        page = await harness.reads.list_runs("local")
        assert [run.run_id for run in page.items] == [second.run_id, first.run_id]
        messages = await harness.reads.messages(first.thread_id)
        assert [each.text for each in messages.items][:2] == [second.output, "say 2 words"]


async def test_a_stream_has_every_kind_in_order_and_ends(harness: Harness) -> None:
    async with harness:
        items = [
            item async for item in harness.stream_events('call look_up {"name": "ada"} then say 30 words')
        ]

    kinds = [item.kind for item in items]
    assert kinds.index("tool-call") < kinds.index("tool-result") < kinds.index("content")
    assert [item.event.seq for item in items] == list(range(1, len(items) + 1))
    assert len("".join(item.text for item in items if item.kind == "content").split()) >= 30


async def test_callbacks_sync_and_async_get_their_items(harness: Harness) -> None:
    words: list[str] = []
    results: list[StreamItem] = []

    async def result(item: StreamItem) -> None:
        await asyncio.sleep(0)
        results.append(item)

    listeners = Listeners(on_chunk=lambda item: words.append(item.text), on_tool_result=result)
    async with harness:
        ran = await harness.run('call look_up {"name": "ada"} then say 9 words', listeners=listeners)

    assert "".join(words).split()[-9:] == ran.output.split()[-9:]
    assert len(results) == 1


async def test_a_listener_that_raises_harms_neither_the_run_nor_another_listener(harness: Harness) -> None:
    seen: list[Event] = []

    def broken(_: Event) -> None:
        raise RuntimeError("listener")

    async with harness:
        harness.subscribe(broken)
        harness.subscribe(seen.append)
        ran = await harness.run("say 3 words")
        await wait_until(lambda: any(each.payload.name == "run.completed" for each in seen))

    assert ran.state is RunState.COMPLETED
    assert [each.seq for each in seen] == list(range(1, len(seen) + 1))


async def test_a_run_is_cancelled_from_beside_its_stream(harness: Harness) -> None:
    async with harness:
        last = None
        async for item in harness.stream_events("stream for 20s"):
            last = item
            if item.kind == "content":
                await harness.cancel(item.event.run_id, by="me")

    assert last is not None
    assert last.event.payload.name == "run.cancelled"


async def test_unknown_names_are_refused_before_anything_is_stored(harness: Harness) -> None:
    async with harness:
        with pytest.raises(UnknownAgent, match="Known agents: ops"):
            await harness.run("hello", agent_id="opps")
        with pytest.raises(ThreadNotFound):
            await harness.run("hello", thread_id="thread_x")

        assert (await harness.reads.list_runs("local")).items == ()
        assert harness.list_host_bindings() == [("ops", "Looks things up.")]
