"""What is done with a run whose graph says something else than its record."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from waiting import wait_until

from harness_core.events import Payload, RunResumed, StepStarted
from harness_core.states import RunState
from harness_core.store import RunRepository

if TYPE_CHECKING:
    from engine.conftest import Office


async def test_a_run_carries_its_intent_until_it_ends(office: Office) -> None:
    run_id = await office.ask("say 2 words")
    before = await office.store.runs.get(run_id)
    async with office.worker():
        after = await office.ended(run_id)

    assert (before.intent, after.intent) == ("run-input", None)


async def test_a_run_that_left_no_checkpoint_gets_its_input_again(office: Office) -> None:
    run_id = await office.ask("say 4 words")
    await office.store.runs.claim("lost", want=1, per_tenant=9, per_user=9, lease=2.0)
    await office.later(2.5)

    async with office.worker("second"):
        run = await office.ended(run_id)

    assert (run.state, run.takeovers) == (RunState.COMPLETED, 1)
    assert len((await office.store.runs.output(run_id) or "").split()) == 4
    (resumed,) = [each for each in await _payloads(office, run_id) if isinstance(each, RunResumed)]
    assert (resumed.text, resumed.finished_steps) == ("", 0)


async def test_a_run_whose_graph_was_done_is_ended_without_asking_the_model_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = asyncio.Event()

    async def never(*_: Any, **__: Any) -> None:
        reached.set()
        await asyncio.Event().wait()

    run_id = await office.ask("say 6 words")
    with monkeypatch.context() as patched:
        patched.setattr(RunRepository, "finish", never)
        async with office.worker("first"):
            await wait_until(reached.is_set, what="all but the ending")
    await office.later(2.5)
    async with office.worker("second"):
        run = await office.ended(run_id)

    payloads = await _payloads(office, run_id)
    output = await office.store.runs.output(run_id) or ""
    assert run.state is RunState.COMPLETED
    assert len(output.split()) == 6
    assert [each.text for each in payloads if isinstance(each, RunResumed)] == [output]
    assert len([each for each in payloads if isinstance(each, StepStarted)]) == 1


async def _payloads(office: Office, run_id: str) -> list[Payload]:
    return [event.payload for event in await office.store.events.read(run_id)]
