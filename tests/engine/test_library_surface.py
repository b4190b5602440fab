"""What a program can ask of a harness, call by call."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sealing import SEAL
from waiting import wait_until

from harness_core import Harness, Listeners, RunState, StreamItem
from harness_core.errors import PolicyBlocked
from harness_core.events import RunResumed, StepStarted

if TYPE_CHECKING:
    from engine.conftest import Office

SUBAGENT = """
---
kind: Agent
name: clerk
description: Fetches files.
model: demo
---
kind: Agent
name: desk
description: Takes orders.
model: demo
subagents: [clerk]
"""

RESERVED = """
---
kind: Policy
name: payroll-only
agents: [ops]
use: allow
users: [payroll]
"""


def opened(office: Office) -> Harness:
    return Harness(office.store, office.holder, seal=SEAL)


async def test_a_program_that_starts_goes_on_with_what_an_earlier_one_left(office: Office) -> None:
    office.hold("ada")
    lost = await office.ask('call look_up {"name": "ada"} then say 5 words')
    async with office.worker("earlier"):
        await wait_until(office.executions, what="the tool starts")
    waiting = await office.ask("say 2 words", conversation="C2")
    office.let_go("ada")
    await office.later(2.5)

    async with opened(office) as harness:
        await office.ended(waiting)
        run = await office.ended(lost)
        events = await harness.reads.list_events(lost)

    assert run.state is RunState.COMPLETED
    kinds = [each.payload.resume_kind for each in events if isinstance(each.payload, RunResumed)]
    assert kinds == ["startup-recovery"]


async def test_closing_hands_over_what_does_not_end_in_time(office: Office) -> None:
    harness = opened(office)
    await harness.initialize()
    run_id = await office.ask("stream for 20s")
    await wait_until(lambda: _began(harness, run_id), what="the run begins")

    async with asyncio.timeout(3):
        await harness.close(limit=1)

    run = await office.store.runs.get(run_id)
    assert (run.state, run.handed_over, run.attempts) == (RunState.RUNNING, True, 0)


async def test_each_callback_gets_the_items_of_its_kind_and_on_event_all(office: Office) -> None:
    items: list[StreamItem] = []
    words: list[StreamItem] = []
    thoughts: list[StreamItem] = []
    steps: list[StreamItem] = []
    results: list[StreamItem] = []
    listeners = Listeners(
        on_event=items.append,
        on_chunk=words.append,
        on_reasoning=thoughts.append,
        on_step=steps.append,
        on_tool_result=results.append,
    )
    async with opened(office) as harness:
        await harness.run(
            'call look_up {"name": "ada"} then think 4 words and say 3 words', listeners=listeners
        )

    for kind, got in (
        ("content", words),
        ("reasoning", thoughts),
        ("step", steps),
        ("tool-result", results),
    ):
        assert got
        assert got == [each for each in items if each.kind == kind]
    assert all(each.text for each in (*words, *thoughts))
    assert [each.event.seq for each in items] == list(range(1, len(items) + 1))
    assert {each.kind for each in items} == {
        "event", "content", "reasoning", "step", "tool-call", "tool-result"
    }  # fmt: skip


async def test_a_refused_run_raises_its_reasons(office: Office) -> None:
    with (office.folder / "workspace.yaml").open("a") as file:
        file.write(RESERVED)
    async with opened(office) as harness:
        with pytest.raises(PolicyBlocked) as blocked:
            await harness.run('call look_up {"name": "ada"}')
        (run,) = (await harness.reads.list_runs("local")).items
        names = [each.payload for each in await harness.reads.list_events(run.run_id)]

    assert "ops" in str(blocked.value)
    assert run.state is RunState.FAILED
    assert not [each for each in names if isinstance(each, StepStarted)]
    assert office.executions() == []


async def test_threads_are_listed_last_used_first_a_page_at_a_time(office: Office) -> None:
    async with opened(office) as harness:
        first, second, third = [(await harness.run(f"say {number} words")).thread_id for number in (1, 2, 3)]
        await harness.run("say 4 words", thread_id=first)
        page = await harness.reads.list_threads("local", limit=2)
        rest = await harness.reads.list_threads("local", cursor=page.cursor, limit=2)
        thread = await harness.reads.get_thread(first)

    assert [each.thread_id for each in (*page.items, *rest.items)] == [first, third, second]
    assert rest.cursor is None
    assert (thread.agent, thread.status, thread.runs) == ("ops", RunState.COMPLETED, 2)


async def test_the_log_of_a_run_is_replayed_from_any_point(office: Office) -> None:
    async with opened(office) as harness:
        ran = await harness.run('call look_up {"name": "ada"} then say 9 words')
    later = opened(office)  # of another process, say: it never executes anything
    whole = await later.reads.list_events(ran.run_id)

    assert len(whole) > 5
    for seq in range(len(whole) + 1):
        assert await later.reads.list_events(ran.run_id, after=seq) == whole[seq:]


async def test_hosts_are_listed_apart_from_subagents(office: Office) -> None:
    with (office.folder / "workspace.yaml").open("a") as file:
        file.write(SUBAGENT)
    text = (office.folder / "workspace.yaml").read_text()
    (office.folder / "workspace.yaml").write_text(
        text.replace("kind: Runtime", "kind: Runtime\nrouting: {default_agent: ops}")
    )

    assert opened(office).list_host_bindings() == [("desk", "Takes orders."), ("ops", "Looks things up.")]


async def test_what_a_run_was_asked_is_found_again_by_its_id(office: Office) -> None:
    async with opened(office) as harness:
        ran = await harness.run("say 2 words", context={"room": "blue"})
    asked = await opened(office).reads.run_input(ran.run_id)

    assert (asked.text, asked.context) == ("say 2 words", {"room": "blue"})


async def _began(harness: Harness, run_id: str) -> bool:
    return any(isinstance(each.payload, StepStarted) for each in await harness.reads.list_events(run_id))
