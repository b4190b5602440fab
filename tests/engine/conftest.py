from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest
from sealing import SEAL
from waiting import wait_until

from harness_core import Control, Store, WorkspaceHolder
from harness_core.engine.company import Admission
from harness_core.engine.worker import Worker
from harness_core.models import Accepted, Run, Submission
from harness_core.states import TERMINAL

WORKSPACE = """
kind: Runtime
tool_packages: [rehearsal_tools]
recovery: {lease: 2s}
---
kind: Model
name: demo
provider: demo
model: demo
---
kind: Tool
name: look_up
python: rehearsal_tools:look_up
label: "Looking up {name}"
idempotent: true
approval: never
---
kind: Agent
name: ops
description: Looks things up.
model: demo
instructions: You look things up.
tools: [look_up]
"""

TOOLS = '''
"""Tools whose executions a test can count and hold up from outside."""

import asyncio
from pathlib import Path

from harness_core import ToolCall

FOLDER = Path(__file__).parent


async def look_up(name: str, call: ToolCall) -> str:
    """Look a name up."""
    with (FOLDER / "executions").open("a") as log:
        log.write(f"{call.key} {name}\\n")
    while (FOLDER / f"hold-{name}").exists():
        await asyncio.sleep(0.01)
    if name == "nobody":
        raise ValueError("there is no such name")
    return f"{name} is known"
'''


@dataclass(frozen=True)
class Office:
    """A workspace folder with one agent and one tool, and a store."""

    folder: Path
    store: Store

    @property
    def holder(self) -> WorkspaceHolder:
        return WorkspaceHolder(self.folder, {})

    @property
    def control(self) -> Control:
        return Control(self.store)

    def executions(self) -> list[str]:
        log = self.folder / "executions"
        return log.read_text().splitlines() if log.exists() else []

    def hold(self, name: str) -> None:
        (self.folder / f"hold-{name}").touch()

    def let_go(self, name: str) -> None:
        (self.folder / f"hold-{name}").unlink()

    async def ask(self, text: str, *, conversation: str = "C1", name: str | None = None) -> str:
        submission = Submission(
            tenant="T1", conversation=conversation, user="U1", text=text, dedupe=(name or text,), target={}
        )
        accepted = await self.store.runs.accept(submission)
        assert isinstance(accepted, Accepted)
        return accepted.run_id

    async def ended(self, run_id: str, *, timeout: float = 15.0) -> Run:
        async def terminal() -> Run | None:
            run = await self.store.runs.get(run_id)
            return run if run.state in TERMINAL else None

        run = await wait_until(terminal, timeout=timeout, what=f"{run_id} ends")
        assert run is not None
        return run

    async def later(self, seconds: float) -> None:
        await self.store.client.incrby("harness:{p0}:clock_offset", round(seconds * 1000))

    @asynccontextmanager
    async def worker(self, name: str = "w1", admission: Admission | None = None) -> AsyncIterator[Worker]:
        worker = Worker(self.store, self.holder, seal=SEAL, name=name, admission=admission)
        task = asyncio.create_task(worker.run())
        try:
            await asyncio.wait_for(worker.ready.wait(), 20)
            yield worker
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@pytest.fixture
async def office(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    (tmp_path / "workspace.yaml").write_text(dedent(WORKSPACE))
    (tmp_path / "rehearsal_tools.py").write_text(TOOLS)
    monkeypatch.syspath_prepend(str(tmp_path))
    store = await Store.open(redis_url, seal=SEAL)
    yield Office(tmp_path, store)
    await store.close()


@pytest.fixture(autouse=True)
def fresh_tools() -> Iterator[None]:
    """Each test imports its own folder's tools."""
    sys.modules.pop("rehearsal_tools", None)
    yield
    sys.modules.pop("rehearsal_tools", None)
