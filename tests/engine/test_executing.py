from __future__ import annotations

from typing import TYPE_CHECKING

from waiting import wait_until

from harness_core.events import OutputDelta, RunCompleted, RunFailed, RunRouted, SyntheticFallback, ToolResult
from harness_core.models import Run
from harness_core.states import RunState

if TYPE_CHECKING:
    from engine.conftest import Office


async def test_a_run_streams_and_ends_with_the_whole_text(office: Office) -> None:
    run_id = await office.ask("say 40 words")
    async with office.worker():
        run = await office.ended(run_id)

    assert run.state is RunState.COMPLETED
    assert run.agent == "ops"
    events = [event.payload for event in await office.store.events.read(run_id)]
    streamed = "".join(each.text for each in events if isinstance(each, OutputDelta))
    output = await office.store.runs.output(run_id)
    assert output
    assert output == streamed.strip()
    assert len(output.split()) == 40
    assert RunCompleted(output=output) in events
    assert RunRouted(agent="ops", step="default") in events


async def test_a_conversation_remembers_and_its_runs_go_in_order(office: Office) -> None:
    first = await office.ask('call look_up {"name": "ada"}')
    second = await office.ask("say 3 words")
    async with office.worker():
        await office.ended(first)
        later = await office.ended(second)

    assert office.executions()[0].endswith(" ada")
    assert later.started_at is not None
    assert later.started_at >= ((await office.store.runs.get(first)).ended_at or 0)
    thread = await office.store.threads.messages(later.thread_id)
    assert [message.role for message in thread.items] == ["assistant", "user"] * 2


async def test_a_tool_that_fails_is_told_to_the_model_and_does_not_end_the_run(office: Office) -> None:
    run_id = await office.ask('call look_up {"name": "nobody"}')
    async with office.worker():
        run = await office.ended(run_id)

    assert run.state is RunState.COMPLETED
    results = [e.payload for e in await office.store.events.read(run_id) if isinstance(e.payload, ToolResult)]
    assert [result.is_error for result in results] == [True]
    assert "no such name" in results[0].output


async def test_a_model_that_fails_ends_the_run_with_a_sentence_and_its_id(office: Office) -> None:
    run_id = await office.ask("fail")
    async with office.worker():
        run = await office.ended(run_id)

    assert run.state is RunState.FAILED
    assert run.reason == "model_failed"
    (failed,) = [
        e.payload for e in await office.store.events.read(run_id) if isinstance(e.payload, RunFailed)
    ]
    assert failed.message.endswith(f"Run {run_id}.")
    assert "Traceback" not in failed.message


async def test_stop_ends_a_running_run_soon_and_keeps_what_was_said(office: Office) -> None:
    run_id = await office.ask("stream for 20s")
    async with office.worker():
        await wait_until(lambda: _said(office, run_id), what="the first words")
        assert await office.store.runs.cancel(run_id, "U2") == "requested"
        run = await office.ended(run_id, timeout=5)

    assert (run.state, run.cancelled_by) == (RunState.CANCELLED, "U2")


async def test_a_run_whose_place_is_closed_stops_and_has_failed(office: Office) -> None:
    run_id = await office.ask("stream for 20s")
    async with office.worker():
        await wait_until(lambda: _said(office, run_id), what="the first words")
        run = await office.store.runs.get(run_id)
        await office.store.deliveries.undeliverable(run.tenant, run_id, "is_archived")
        run = await office.ended(run_id, timeout=5)

    assert (run.state, run.reason) == (RunState.FAILED, "undeliverable")
    (failed,) = [
        e.payload for e in await office.store.events.read(run_id) if isinstance(e.payload, RunFailed)
    ]
    assert failed.message == (
        "Nothing can be written any more where this was asked, so it was not continued."
    )


async def test_a_run_that_is_stopped_before_a_worker_sees_it_never_starts(office: Office) -> None:
    run_id = await office.ask('call look_up {"name": "ada"}')
    await office.store.runs.cancel(run_id, "U2")
    next_run = await office.ask("say 2 words")
    async with office.worker():
        await office.ended(next_run)

    assert office.executions() == []


async def test_a_refused_person_gets_the_sentence_and_no_agent_runs(office: Office) -> None:
    async def refuse(_: Run) -> str:
        return "Guests cannot start runs here."

    run_id = await office.ask('call look_up {"name": "ada"}')
    async with office.worker(admission=refuse):
        run = await office.ended(run_id)

    assert (run.state, run.reason) == (RunState.FAILED, "policy")
    (failed,) = [
        e.payload for e in await office.store.events.read(run_id) if isinstance(e.payload, RunFailed)
    ]
    assert failed.message.startswith("Guests cannot start runs here.")
    assert office.executions() == []


async def test_a_model_that_says_nothing_leaves_what_failed_as_the_answer(office: Office) -> None:
    run_id = await office.ask('call look_up {"name": "nobody"} then say ""')
    async with office.worker():
        run = await office.ended(run_id)

    output = await office.store.runs.output(run_id) or ""
    assert run.state is RunState.COMPLETED
    assert "failed: " in output
    assert run_id in output
    payloads = [event.payload for event in await office.store.events.read(run_id)]
    assert SyntheticFallback(text=output) in payloads


async def _said(office: Office, run_id: str) -> bool:
    events = await office.store.events.read(run_id)
    return any(isinstance(event.payload, OutputDelta) for event in events)
