"""A harness that does not work says so: nothing that is asked of it waits for ever."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sealing import SEAL
from waiting import wait_until

from harness_core import Harness, RunState
from harness_core.errors import NotOpen, StoreMisconfigured, WorkspaceInvalid
from harness_core.events import Event

if TYPE_CHECKING:
    from engine.conftest import Office


@pytest.fixture
def harness(office: Office) -> Harness:
    return Harness(office.store, office.holder, seal=SEAL)


async def test_a_harness_that_was_not_opened_takes_no_work(harness: Harness) -> None:
    with pytest.raises(NotOpen, match="not open"):
        await harness.run("say 2 words")
    with pytest.raises(NotOpen, match="not open"):
        _ = [item async for item in harness.stream_events("say 2 words")]
    await harness.close()


async def test_a_harness_that_was_closed_takes_no_work_and_is_not_opened_again(harness: Harness) -> None:
    async with harness:
        pass
    await harness.stop()

    with pytest.raises(NotOpen, match="closed"):
        await harness.run("say 2 words")
    with pytest.raises(NotOpen, match="make another"):
        await harness.initialize()
    assert (await harness.reads.list_runs("local")).items == ()


async def test_a_start_that_fails_says_why_once_and_as_itself(office: Office) -> None:
    module = office.folder / "rehearsal_tools.py"
    module.write_text(f"{module.read_text()}\nraise RuntimeError('not whole')\n")
    harness = Harness(office.store, office.holder, seal=SEAL)

    with pytest.raises(WorkspaceInvalid, match="not whole"):
        await harness.initialize()
    with pytest.raises(NotOpen):
        await harness.run("say 2 words")
    await harness.close()


async def test_checkpoints_in_a_file_need_a_folder_and_the_start_says_so(office: Office) -> None:
    yaml = office.folder / "workspace.yaml"
    yaml.write_text(yaml.read_text().replace("recovery:", "checkpointer: {kind: sqlite}\nrecovery:"))

    with pytest.raises(StoreMisconfigured):
        await Harness(office.store, office.holder, seal=SEAL).initialize()


async def test_who_follows_a_run_is_told_when_the_harness_closes_before_its_end(
    office: Office, harness: Harness
) -> None:
    async with harness:
        following = asyncio.create_task(harness.run("stream for 20s"))
        await wait_until(lambda: _began(harness), what="the run is at work")
        await harness.close(limit=0.5)
        with pytest.raises(NotOpen, match="closed"):
            await asyncio.wait_for(following, 10)

    (run,) = (await office.control.list_runs("local")).items
    assert run.state is RunState.RUNNING


async def test_who_follows_a_run_is_told_when_the_worker_fails(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> None:
        raise RuntimeError("the sweep died")

    seen: list[Event] = []
    async with harness:
        harness.subscribe(seen.append)
        following = asyncio.create_task(harness.run("stream for 20s"))
        await wait_until(lambda: _began(harness), what="the run is at work")
        monkeypatch.setattr(harness._worker._sweep._store.approvals, "stir", broken)
        with pytest.raises(NotOpen, match="stopped working") as told:
            await asyncio.wait_for(following, 10)

    assert isinstance(told.value.__cause__, ExceptionGroup)


async def _began(harness: Harness) -> bool:
    runs = (await harness.reads.list_runs("local")).items
    return any(each.state is RunState.RUNNING for each in runs)
