"""Checkpoints that a program keeps in a file of its own go with their threads, too."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from approvals.approval_office import ApprovalOffice
from sealing import SEAL
from waiting import wait_until

from harness_core import Harness
from harness_core.errors import NotFound
from harness_core.models import RunFilter


@pytest.fixture
def harness(office: ApprovalOffice) -> Harness:
    file = office.folder / "workspace.yaml"
    text = file.read_text(encoding="utf-8")
    settings = (
        "kind: Runtime\ncheckpointer: {kind: sqlite}\nmaintenance: {every: 100ms, finished_runs_for: 30d}"
    )
    file.write_text(text.replace("kind: Runtime", settings, 1))
    return Harness(office.store, office.holder, seal=SEAL, folder=office.folder / "data")


def threads_in(folder: Path) -> set[str]:
    with sqlite3.connect(folder / "data" / "checkpoints.sqlite") as file:
        rows = [
            *file.execute("SELECT DISTINCT thread_id FROM checkpoints"),
            *file.execute("SELECT DISTINCT thread_id FROM writes"),
        ]
    file.close()
    return {thread_id for (thread_id,) in rows}


async def test_a_deleted_thread_is_in_no_file(harness: Harness, office: ApprovalOffice) -> None:
    async with harness:
        kept = await harness.run("say 2 words")
        gone = await harness.run("say 3 words")
        assert threads_in(office.folder) == {kept.thread_id, gone.thread_id}

        plan = await harness.deletion.of_thread(gone.thread_id)
        done = await harness.deletion.carry_out(plan, by="me")

        assert (done.threads, done.runs) == (1, 1)
        assert threads_in(office.folder) == {kept.thread_id}
        assert (await harness.run("say 1 words", thread_id=kept.thread_id)).output
        with pytest.raises(NotFound):
            await harness.reads.get_thread(gone.thread_id)


async def test_a_thread_past_its_retention_is_in_no_file(
    harness: Harness, office: ApprovalOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness_core.engine.maintenance.LOOK", 0.1)
    async with harness:
        old = await harness.run("say 2 words")
        await office.later(31 * 86_400)
        await wait_until(lambda: old.thread_id not in threads_in(office.folder), timeout=20)
        assert (await harness.reads.list_runs("local", RunFilter())).items == ()
