"""Calls that a worker's end, a limit or a Stop broke off: asked about, or run again under the same key."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from approvals.approval_office import ApprovalOffice, call
from waiting import wait_until

from harness_core import RunState
from harness_core.approvals import Approval, Approve, Decision, ItIsDone, NotApplicable, RunAgain, Skip, Won
from harness_core.events import RunCancelled
from harness_core.store import Store


async def break_off(office: ApprovalOffice, text: str, tool: str) -> str:
    """A run whose worker was lost while the tool was at work; the tool is let go for the next worker."""
    office.hold("web")
    async with office.worker("w1"):
        run_id = await office.ask(text)
        if tool in ("restart", "toggle"):
            await office.decide(await office.question(run_id))
        await office.began(tool)
    await office.later(3)
    office.let_go("web")
    return run_id


async def doubt(office: ApprovalOffice, run_id: str) -> Approval:
    asked = await office.question(run_id)
    assert asked.kind == "uncertain"
    await office.parked(run_id)
    return asked


@pytest.mark.parametrize(
    ("decision", "times", "said"),
    [
        (ItIsDone(), 1, "A person checked: it has happened"),
        (RunAgain(), 2, "web restarted in prod"),
        (Skip(), 1, "It was not run again"),
    ],
)
async def test_an_approved_call_that_was_broken_off_is_asked_about_and_each_answer_ends_the_run(
    office: ApprovalOffice, decision: Decision, times: int, said: str
) -> None:
    run_id = await break_off(office, call("restart"), "restart")
    async with office.worker("w2"):
        asked = await doubt(office, run_id)
        assert len(office.ran("restart")) == 1
        assert asked.asked.title == "Restart web in prod"
        assert await office.decide(asked, Approve()) == NotApplicable(kind="uncertain")
        assert isinstance(await office.decide(asked, decision), Won)
        run = await office.ended(run_id)

    assert run.state is RunState.COMPLETED
    rows = office.ran("restart")
    assert len(rows) == times
    assert len({row["key"] for row in rows}) == 1
    assert said in (await office.store.runs.output(run_id) or "")


async def test_a_second_break_is_a_second_question_and_run_again_is_good_for_one_attempt(
    office: ApprovalOffice,
) -> None:
    run_id = await break_off(office, call("restart"), "restart")
    office.hold("web")
    async with office.worker("w2"):
        first = await doubt(office, run_id)
        await office.decide(first, RunAgain())
        await office.began("restart", 2)
    await office.later(3)
    office.let_go("web")
    async with office.worker("w3"):
        second = await doubt(office, run_id)
        assert second.approval_id != first.approval_id
        assert len(office.ran("restart")) == 2
        await office.decide(second, ItIsDone())
        await office.ended(run_id)

    assert len(office.ran("restart")) == 2


async def test_an_idempotent_call_runs_again_under_the_same_key_without_asking(
    office: ApprovalOffice,
) -> None:
    run_id = await break_off(office, call("toggle"), "toggle")
    async with office.worker("w2"):
        run = await office.ended(run_id)

    assert run.state is RunState.COMPLETED
    rows = office.ran("toggle")
    assert len(rows) == 2
    assert rows[0]["key"] == rows[1]["key"]


async def test_a_call_that_needs_no_approval_is_asked_about_too_when_it_may_have_happened(
    office: ApprovalOffice,
) -> None:
    run_id = await break_off(office, call("notify"), "notify")
    async with office.worker("w2"):
        await office.decide(await doubt(office, run_id), Skip())
        await office.ended(run_id)

    assert len(office.ran("notify")) == 1


async def test_a_call_past_its_time_limit_may_have_happened_and_is_asked_about(
    tmp_path: Path, store: Store, office: ApprovalOffice
) -> None:
    office = ApprovalOffice.write(tmp_path, store, tool_call="300ms")
    office.hold("web")
    async with office.worker():
        run_id = await office.ask(call("restart"))
        await office.decide(await office.question(run_id))
        asked = await doubt(office, run_id)
        await office.decide(asked, ItIsDone())
        run = await office.ended(run_id)

    assert run.state is RunState.COMPLETED
    assert len(office.ran("restart")) == 1


async def test_a_call_that_ended_is_not_made_again_by_the_next_worker(office: ApprovalOffice) -> None:
    office.hold("slow")
    async with office.worker("w1"):
        run_id = await office.ask(f"{call('restart')} & {call('look', 'slow')}")
        await office.decide(await office.question(run_id))
        await office.began("look")
        # The answer came while the sibling was at work, so the call is made only by the next stretch.
    await office.later(3)
    office.let_go("slow")
    async with office.worker("w2"):
        await office.ended(run_id)

    assert len(office.ran("restart")) == 1
    assert len(office.ran("look")) == 2


async def test_a_stop_while_such_a_tool_is_at_work_says_that_it_may_have_happened(
    office: ApprovalOffice,
) -> None:
    office.hold("web")
    async with office.worker():
        run_id = await office.ask(call("restart"))
        await office.decide(await office.question(run_id))
        await office.began("restart")
        assert await office.store.runs.cancel(run_id, "U1") == "requested"
        run = await office.ended(run_id)

    assert run.state is RunState.CANCELLED
    (cancelled,) = [
        each.payload
        for each in await office.store.events.read(run_id)
        if isinstance(each.payload, RunCancelled)
    ]
    assert (cancelled.ran, cancelled.unsure) == (0, 1)


async def test_a_worker_that_drains_lets_such_a_tool_end(office: ApprovalOffice) -> None:
    office.hold("web")
    async with office.worker("w1") as worker:
        run_id = await office.ask(call("restart"))
        await office.decide(await office.question(run_id))
        await office.began("restart")
        draining = asyncio.create_task(worker.drain(limit=10, grace=0.2))
        done, _ = await asyncio.wait({draining}, timeout=1.0)
        assert not done
        office.let_go("web")
        await draining
    async with office.worker("w2"):
        run = await office.ended(run_id)

    assert run.state is RunState.COMPLETED
    assert len(office.ran("restart")) == 1


async def test_a_question_whose_record_is_lost_is_asked_again_under_its_id(office: ApprovalOffice) -> None:
    async with office.worker():
        run_id = await office.ask(call("restart"))
        asked = await office.question(run_id)
        await office.parked(run_id)
        await office.store.client.delete(f"harness:{{p0}}:approval:{asked.approval_id}")

        async def back() -> Approval | None:
            found = [each for each in await office.approvals.of_run(run_id) if each.state == "open"]
            return found[0] if found else None

        again = await wait_until(back, what="the question is asked again")
        assert again is not None
        assert again.approval_id == asked.approval_id
        await office.parked(run_id)
        await office.decide(again)
        await office.ended(run_id)

    assert len(office.ran("restart")) == 1
