"""``limits.run`` holds for the whole of a run: a pause or another worker gives it no more time, and no less."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from approvals.approval_office import ApprovalOffice, call
from sealing import SEAL

from harness_core.events import RunFailed
from harness_core.models import Fence, Run
from harness_core.states import RunState
from harness_core.store import Store

LIMIT, LEASE = 60.0, 600.0
SPENT = LIMIT - 2
"""Seconds; what is then left is more than a healthy run needs, and little to wait for."""


@pytest.fixture
async def office(
    tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ApprovalOffice]:
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("approval_tools", None)
    store = await Store.open(redis_url, seal=SEAL)
    office = ApprovalOffice.write(tmp_path, store)
    yaml = tmp_path / "workspace.yaml"
    text = yaml.read_text().replace("{lease: 2s}", f"{{lease: {LEASE:.0f}s}}")
    yaml.write_text(text.replace("limits: {", f"limits: {{run: {LIMIT:.0f}s, "))
    yield office
    await store.close()


async def test_a_run_that_pauses_has_only_what_is_left_when_it_goes_on(office: ApprovalOffice) -> None:
    run_id = await paused_after(office, SPENT)
    office.hold("db")

    await office.decide(await office.question(run_id))
    async with office.worker("second"):
        run = await office.ended(run_id)

    await timed_out(office, run)


async def test_time_in_which_it_waits_for_people_is_not_counted(office: ApprovalOffice) -> None:
    run_id = await paused_after(office, 0)
    await office.later(LIMIT * 10)

    await office.decide(await office.question(run_id))
    await office.later(LIMIT * 10)
    async with office.worker("second"):
        run = await office.ended(run_id)

    assert run.state is RunState.COMPLETED


async def test_a_run_that_is_taken_over_has_only_what_is_left(office: ApprovalOffice) -> None:
    office.hold("web")
    run_id = await office.ask(call("look"))
    async with office.worker("first"):
        await office.began("look")
        await office.later(SPENT)
        await office.store.runs.renew("first", [await fence(office, run_id)], LEASE)
    await office.later(LEASE + 1)

    async with office.worker("second"):
        run = await office.ended(run_id)

    assert run.takeovers == 1
    await timed_out(office, run)


async def test_a_run_without_any_time_left_begins_nothing_more(office: ApprovalOffice) -> None:
    run_id = await paused_after(office, LIMIT)

    await office.decide(await office.question(run_id))
    async with office.worker("second"):
        run = await office.ended(run_id)

    await timed_out(office, run)
    assert office.ran("toggle") == []


async def paused_after(office: ApprovalOffice, seconds: float) -> str:
    """A run that worked for so long before it asked."""
    office.hold("web")
    run_id = await office.ask(f"{call('look')} then {call('toggle', 'db')}")
    async with office.worker("first"):
        await office.began("look")
        await office.later(seconds)
        office.let_go("web")
        await office.parked(run_id)
    return run_id


async def fence(office: ApprovalOffice, run_id: str) -> Fence:
    run = await office.store.runs.get(run_id)
    return Fence(
        tenant=run.tenant,
        conversation=run.conversation,
        thread_id=run.thread_id,
        run_id=run_id,
        epoch=run.epoch,
    )


async def timed_out(office: ApprovalOffice, run: Run) -> None:
    assert (run.state, run.reason) == (RunState.FAILED, "timeout_run")
    (failed,) = [
        event.payload
        for event in await office.store.events.read(run.run_id)
        if isinstance(event.payload, RunFailed)
    ]
    assert "took longer than 1 min." in failed.message, failed.message
