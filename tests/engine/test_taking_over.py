"""Runs whose worker is gone. A crash is a worker that is cancelled without a word, as its process would be."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from waiting import wait_until

from harness_core.errors import StaleFence
from harness_core.events import OutputDelta, Payload, RunFailed, RunResumed
from harness_core.models import Fence
from harness_core.states import RunState
from harness_core.store.runs import NOT_RECOVERED

if TYPE_CHECKING:
    from engine.conftest import Office


async def test_a_run_that_was_lost_inside_a_tool_goes_on_with_the_same_key(office: Office) -> None:
    office.hold("ada")
    run_id = await office.ask('call look_up {"name": "ada"} then say 5 words')
    async with office.worker("first"):
        await wait_until(office.executions, what="the tool starts")
    office.let_go("ada")
    await office.later(2.5)

    async with office.worker("second"):
        run = await office.ended(run_id)

    assert run.state is RunState.COMPLETED
    keys = {line.split()[0] for line in office.executions()}
    assert len(office.executions()) == 2
    assert len(keys) == 1


async def test_text_that_was_streamed_but_not_saved_is_taken_back_and_said_once(office: Office) -> None:
    run_id = await office.ask('call look_up {"name": "ada"} then stream for 2s')
    async with office.worker("first"):
        await wait_until(lambda: _said(office, run_id, 3), what="a few words")
    await office.later(2.5)

    async with office.worker("second"):
        await office.ended(run_id)

    (resumed,) = [each for each in await _payloads(office, run_id) if isinstance(each, RunResumed)]
    assert (resumed.resume_kind, resumed.finished_steps) == ("startup-recovery", 1)
    assert len(office.executions()) == 1
    output = await office.store.runs.output(run_id) or ""
    undisturbed = await office.ask(
        'call look_up {"name": "ada"} then stream for 2s', conversation="C2", name="b"
    )
    async with office.worker("third"):
        await office.ended(undisturbed)
    assert output == await office.store.runs.output(undisturbed)


async def test_a_worker_that_is_drained_hands_over_and_no_attempt_is_counted(office: Office) -> None:
    run_id = await office.ask("stream for 3s")
    async with office.worker("first") as first:
        await wait_until(lambda: _said(office, run_id, 1), what="the first word")
        await first.drain(limit=5, grace=0.1)
        assert first.held == 0
    async with office.worker("second"):
        run = await office.ended(run_id)

    assert (run.state, run.takeovers) == (RunState.COMPLETED, 0)
    kinds = [each.resume_kind for each in await _payloads(office, run_id) if isinstance(each, RunResumed)]
    assert kinds == ["handover"]


async def test_a_worker_that_lost_its_lease_while_it_slept_writes_nothing_more(office: Office) -> None:
    run_id = await office.ask("stream for 4s")
    async with office.worker("sleeper"):
        await wait_until(lambda: _said(office, run_id, 1), what="the first word")
        (sleeper,) = await _fences(office, run_id)
        await office.later(2.5)
        await office.store.runs.reap(max_attempts=3)
        run = await office.ended(run_id)

    assert run.state is RunState.COMPLETED
    try:
        await office.store.runs.append(sleeper, 99, [OutputDelta(text="zombie")])
    except StaleFence:
        pass
    else:
        raise AssertionError("the old fence still writes")


async def test_an_agent_that_was_removed_fails_its_interrupted_run_and_says_so(office: Office) -> None:
    run_id = await office.ask("stream for 5s")
    async with office.worker("first"):
        await wait_until(lambda: _said(office, run_id, 1), what="the first word")
    await office.later(2.5)
    text = (office.folder / "workspace.yaml").read_text().replace("name: ops", "name: other")
    (office.folder / "workspace.yaml").write_text(text)

    async with office.worker("second"):
        run = await office.ended(run_id)

    assert (run.state, run.reason) == (RunState.FAILED, "unknown_agent")


async def test_twenty_runs_survive_workers_that_keep_dying(office: Office) -> None:
    # How far a run comes in a moment is the machine's affair: the limit is proven elsewhere.
    patient = (office.folder / "workspace.yaml").read_text().replace("2s}", "2s, max_recovery_attempts: 9}")
    (office.folder / "workspace.yaml").write_text(patient)
    runs = [await office.ask(f"say {20 + n} words", conversation=f"C{n}") for n in range(20)]
    for round_ in range(4):
        async with office.worker(f"w{round_}"):
            await asyncio.sleep(0.05 * round_)
        await office.later(2.5)
    async with office.worker("last"):
        for number, run_id in enumerate(runs):
            run = await office.ended(run_id)
            assert run.state is RunState.COMPLETED
            assert len((await office.store.runs.output(run_id) or "").split()) == 20 + number


async def test_without_recovery_a_run_whose_worker_was_lost_fails_and_says_how_to_begin_anew(
    office: Office,
) -> None:
    no_recovery(office)
    run_id = await office.ask("stream for 5s")
    following = await office.ask("say 3 words")
    async with office.worker("first"):
        await wait_until(lambda: _said(office, run_id, 1), what="the first word")
    await office.later(2.5)

    async with office.worker("second"):
        run, after = await office.ended(run_id), await office.ended(following)

    assert (run.state, run.reason) == (RunState.FAILED, "recovery_exhausted")
    (failed,) = [each for each in await _payloads(office, run_id) if isinstance(each, RunFailed)]
    assert failed.message == NOT_RECOVERED
    assert after.state is RunState.COMPLETED


async def test_without_recovery_what_a_worker_hands_over_goes_on(office: Office) -> None:
    no_recovery(office)
    run_id = await office.ask("stream for 2s")
    async with office.worker("first") as first:
        await wait_until(lambda: _said(office, run_id, 1), what="the first word")
        await first.drain(limit=5, grace=0.1)
    async with office.worker("second"):
        run = await office.ended(run_id)

    assert run.state is RunState.COMPLETED


def no_recovery(office: Office) -> None:
    text = (office.folder / "workspace.yaml").read_text().replace("2s}", "2s, enabled: false}")
    (office.folder / "workspace.yaml").write_text(text)


async def _payloads(office: Office, run_id: str) -> list[Payload]:
    return [event.payload for event in await office.store.events.read(run_id)]


async def _said(office: Office, run_id: str, words: int) -> bool:
    text = "".join(each.text for each in await _payloads(office, run_id) if isinstance(each, OutputDelta))
    return len(text.split()) >= words


async def _fences(office: Office, run_id: str) -> list[Fence]:
    run = await office.store.runs.get(run_id)
    return [
        Fence(
            tenant=run.tenant,
            conversation=run.conversation,
            thread_id=run.thread_id,
            run_id=run_id,
            epoch=run.epoch,
        )
    ]
