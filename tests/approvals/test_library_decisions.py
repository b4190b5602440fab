"""Decisions of a program through the harness itself."""

from __future__ import annotations

import time

import pytest
from approvals.approval_office import ApprovalOffice, call
from sealing import SEAL
from waiting import wait_until

from harness_core import Harness, RunState
from harness_core.errors import ApprovalAlreadyDecided


def opened(office: ApprovalOffice) -> Harness:
    return Harness(office.store, office.holder, seal=SEAL)


async def test_a_paused_run_says_which_question_and_call_it_waits_for(office: ApprovalOffice) -> None:
    async with opened(office) as harness:
        paused = await harness.run(call("restart"))
        (asked,) = await harness.approvals.of_run(paused.run_id)

    assert paused.state is RunState.WAITING
    assert (paused.approval_id, paused.pending_action_id) == (asked.approval_id, asked.call)
    assert asked.call


async def test_a_program_answers_in_the_tools_place_and_streams_on(office: ApprovalOffice) -> None:
    async with opened(office) as harness:
        paused = await harness.run(call("restart"))
        items = [
            item
            async for item in harness.stream_resume(
                thread_id=paused.thread_id, decision="respond", reason="web is fine as it is", decided_by="U2"
            )
        ]
        output = await harness.reads.output(paused.run_id) or ""

    names = [item.event.payload.name for item in items]
    assert (names[0], names[-1]) == ("approval.decided", "run.completed")
    assert [item.event.seq for item in items] == list(
        range(items[0].event.seq, items[0].event.seq + len(items))
    )
    assert "".join(item.text for item in items if item.kind == "content")
    assert "web is fine as it is" in output
    assert office.ran() == []


async def test_a_second_decision_is_told_who_was_faster_and_nothing_runs_twice(
    office: ApprovalOffice,
) -> None:
    async with opened(office) as harness:
        paused = await harness.run(call("restart"))
        await harness.resume(paused.approval_id, decision="approve", decided_by="U2")
        with pytest.raises(ApprovalAlreadyDecided) as told:
            await harness.resume(paused.approval_id, decision="approve", decided_by="U3")

    assert (told.value.decision, told.value.by) == ("approve", "U2")
    assert told.value.at
    assert len(office.ran("restart")) == 1


async def test_time_that_people_take_is_not_counted(office: ApprovalOffice) -> None:
    yaml = office.folder / "workspace.yaml"
    yaml.write_text(yaml.read_text().replace("limits: {", "limits: {run: 1s, "))
    async with opened(office) as harness:
        paused = await harness.run(call("restart"))
        assert paused.state is RunState.WAITING
        begun = time.monotonic()
        await wait_until(lambda: time.monotonic() > begun + 1.1, what="more time than the run has")
        done = await harness.resume(paused.approval_id, decision="approve", decided_by="U2")

    assert done.state is RunState.COMPLETED
    assert "web restarted" in done.output
