"""Runs that a worker must let go of, while their task, the store or the agents take their time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from engine.conftest import Office
from waiting import wait_until

from harness_core.engine.runtimes import Runtimes
from harness_core.engine.worker import Worker
from harness_core.errors import StoreUnavailable
from harness_core.states import RunState
from harness_core.store import PresenceRepository, RunRepository

STUBBORN = '''

async def tidy(name: str) -> str:
    """Tidy something up, also when nobody waits for it any more."""
    begun = FOLDER / "begun"
    begun.write_text(begun.read_text() + "." if begun.exists() else ".")
    try:
        while (FOLDER / f"hold-{name}").exists():
            await asyncio.sleep(0.01)
    except asyncio.CancelledError:
        while (FOLDER / f"clean-{name}").exists():
            await asyncio.sleep(0.01)
        raise
    return f"{name} is tidy"
'''

TIDY = """
---
kind: Tool
name: tidy
python: rehearsal_tools:tidy
idempotent: true
approval: never
"""


async def test_a_run_that_was_claimed_again_is_held_until_it_ends_whatever_its_older_task_does(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    yaml, tools = office.folder / "workspace.yaml", office.folder / "rehearsal_tools.py"
    yaml.write_text(yaml.read_text().replace("tools: [look_up]", "tools: [look_up, tidy]") + TIDY)
    tools.write_text(tools.read_text() + STUBBORN)
    renew = RunRepository.renew
    cut_off = asyncio.Event()

    async def renewed(runs: RunRepository, *given: Any) -> Any:
        if cut_off.is_set():
            raise StoreUnavailable("cut off")
        return await renew(runs, *given)

    monkeypatch.setattr(RunRepository, "renew", renewed)
    office.hold("ada")
    (office.folder / "clean-ada").touch()
    begun = office.folder / "begun"
    run_id = await office.ask('call tidy {"name": "ada"}')
    async with office.worker() as worker:
        await wait_until(begun.exists, what="the tool began")
        cut_off.set()
        await wait_until(lambda: _told_to_let_go(worker), what="the lease is given up")
        cut_off.clear()
        await office.later(2.5)
        await wait_until(lambda: len(begun.read_text()) == 2, what="the run is executed again")
        (office.folder / "clean-ada").unlink()
        await wait_until(lambda: len(worker._tasks) == 1, what="the older task ended")
        assert worker.held == 1
        office.let_go("ada")
        run = await office.ended(run_id)

    assert (run.state, run.takeovers) == (RunState.COMPLETED, 1)


def _told_to_let_go(worker: Worker) -> bool:
    (held,) = worker._held.values()
    return held.stopped_by is not None


async def test_a_lease_that_was_renewed_is_not_lost_because_people_were_not_told(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = 0

    async def beat(_: PresenceRepository, worker: str, ttl: float) -> None:
        nonlocal silent
        silent += 1
        raise StoreUnavailable(f"{worker} for {ttl}")

    monkeypatch.setattr(PresenceRepository, "beat", beat)
    office.hold("ada")
    run_id = await office.ask('call look_up {"name": "ada"}')
    async with office.worker():
        await wait_until(office.executions, what="the tool starts")
        heard = silent
        await wait_until(lambda: silent >= heard + 4, what="two seconds, the length of a lease")
        office.let_go("ada")
        run = await office.ended(run_id)

    assert (run.state, run.takeovers) == (RunState.COMPLETED, 0)
    assert len(office.executions()) == 1


@pytest.fixture
def agents(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """The agents of a worker are handed out only while this is set."""
    ready = asyncio.Event()
    ready.set()
    current: Callable[[Runtimes], Awaitable[Any]] = Runtimes.current

    async def waits(runtimes: Runtimes) -> Any:
        await ready.wait()
        return await current(runtimes)

    monkeypatch.setattr(Runtimes, "current", waits)
    return ready


async def test_a_run_that_waits_for_its_agents_is_stopped_at_once(
    office: Office, agents: asyncio.Event
) -> None:
    async with office.worker() as worker:
        agents.clear()
        run_id = await office.ask("say 3 words")
        await wait_until(lambda: worker.held, what="the run is claimed")
        await office.control.cancel(run_id, "U9")
        run = await office.ended(run_id)

    assert (run.state, run.cancelled_by) == (RunState.CANCELLED, "U9")


async def test_a_run_that_waits_for_its_agents_is_handed_over(office: Office, agents: asyncio.Event) -> None:
    async with office.worker("first") as worker:
        agents.clear()
        run_id = await office.ask("say 3 words")
        await wait_until(lambda: worker.held, what="the run is claimed")
        await worker.drain(limit=2, grace=0.1)
        assert worker.held == 0
        agents.set()
    async with office.worker("second"):
        run = await office.ended(run_id)

    assert (run.state, run.takeovers) == (RunState.COMPLETED, 0)
