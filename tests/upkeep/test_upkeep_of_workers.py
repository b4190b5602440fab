from __future__ import annotations

import asyncio
import contextlib
import logging

import pytest
from approvals.approval_office import ApprovalOffice
from sealing import SEAL
from waiting import wait_until

from bot.metrics import Metrics
from harness_core import Worker
from harness_core.errors import StoreUnavailable
from harness_core.models import Upkept
from harness_core.states import RunState


async def test_every_worker_does_it_and_says_so_in_one_line_and_to_whoever_counts(
    office: ApprovalOffice, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    passes: list[Upkept] = []
    async with office.worker("first"):
        run_id = await office.ask("say 2 words")
        await office.ended(run_id)
    await office.later(31 * 86_400)
    caplog.clear()
    worker = Worker(office.store, office.holder, seal=SEAL, name="second", upkept=passes.append)
    working = asyncio.create_task(worker.run())
    try:
        done = (await wait_until(lambda: passes, timeout=20))[0]
    finally:
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working

    assert (done.runs, done.threads) == (1, 1)
    (line,) = [record for record in caplog.records if record.getMessage() == "maintenance"]
    assert (line.__dict__["runs"], line.__dict__["keys"]) == (1, done.keys)
    assert "links" not in line.__dict__, "what did not happen is not told"


async def test_maintenance_that_fails_stops_no_run_and_is_tried_again(
    office: ApprovalOffice, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures = [StoreUnavailable("away"), RuntimeError("a fault of ours")]
    tried: list[str] = []
    begin = office.store.upkeep.begin

    async def fail(worker: str, lease: float) -> float:
        tried.append(worker)
        if failures:
            raise failures.pop(0)
        return await begin(worker, lease)

    monkeypatch.setattr("harness_core.engine.maintenance.LOOK", 0.05)
    monkeypatch.setattr(office.store.upkeep, "begin", fail)
    async with office.worker():
        await wait_until(lambda: len(tried) >= 3)
        run = await office.ended(await office.ask("say 3 words"))

    assert run.state is RunState.COMPLETED
    assert "no maintenance: away" in caplog.messages
    assert "maintenance failed" in caplog.messages


def test_what_maintenance_did_is_counted() -> None:
    metrics = Metrics()
    metrics.upkept(Upkept(runs=3, checkpoints=40, keys=70, folded=2))
    metrics.upkept(Upkept(runs=1))

    text = metrics.exposition().decode()
    assert 'harness_maintenance_total{what="runs"} 4.0' in text
    assert 'harness_maintenance_total{what="checkpoints"} 40.0' in text
    assert 'harness_maintenance_total{what="links"} 0.0' in text
    assert "harness_maintenance_passes_total 2.0" in text
