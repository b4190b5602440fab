"""A workspace whose tools ask, act once, or may be repeated; each execution is written down outside of the worker."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

from engine.conftest import Office
from waiting import wait_until

from harness_core import Approvals
from harness_core.approvals import Approval, Approve, Decision, DecisionOutcome
from harness_core.models import Run
from harness_core.states import RunState
from harness_core.store import Store

TENANT = "T1"

WORKSPACE = """
kind: Runtime
tool_packages: [approval_tools]
recovery: {{lease: 2s}}
limits: {{tool_call: {tool_call}}}
approvals: {{approvers: {{users: [U2, U3]}}, expire_after: 1h, remind_after: [10m], quorum: {quorum}}}
---
kind: Model
name: demo
provider: demo
model: demo
---
kind: Tool
name: restart
python: approval_tools:restart
title: "Restart {{service}} in {{env}}"
label: "Restarting {{service}}"
approval: always
idempotent: false
destructive: true
preview: approval_tools:preview_restart
arguments: {{password: {{secret: true}}}}
---
kind: Tool
name: toggle
python: approval_tools:toggle
title: "Toggle {{service}}"
approval: {{except_when: {{argument: env, equals: staging}}}}
idempotent: true
---
kind: Tool
name: notify
python: approval_tools:notify
title: "Notify {{service}}"
approval: never
idempotent: false
---
kind: Tool
name: look
python: approval_tools:look
approval: never
idempotent: true
---
kind: Agent
name: ops
description: Does things.
model: demo
tools: [restart, toggle, notify, look]
---
kind: Channel
channel: C-NOBODY
approvals: {{approvers: {{users: []}}}}
"""

TOOLS = '''
"""Tools that write down each of their executions, and wait while a file says so."""

import asyncio
import json
from pathlib import Path
from typing import Any, Literal

from harness_core import ToolCall

FOLDER = Path(__file__).parent


def note(tool: str, call: ToolCall, **arguments: Any) -> None:
    with (FOLDER / "executions").open("a") as log:
        log.write(json.dumps({"tool": tool, "key": call.key, **arguments}) + "\\n")


async def held(service: str) -> None:
    while (FOLDER / f"hold-{service}").exists():
        await asyncio.sleep(0.01)


async def restart(
    service: str, call: ToolCall, env: Literal["prod", "staging"] = "prod", count: int = 1, password: str = ""
) -> str:
    """Restart a service."""
    note("restart", call, service=service, env=env, count=count)
    await held(service)
    return f"{service} restarted in {env}"


async def preview_restart(service: str, env: str, count: int, password: str) -> str:
    return f"{count} of {service} go down in {env}. {password}"


async def toggle(service: str, call: ToolCall, env: Literal["prod", "staging"] = "prod") -> str:
    """Toggle a service."""
    note("toggle", call, service=service, env=env)
    await held(service)
    return f"{service} toggled"


async def notify(service: str, call: ToolCall, data: dict[str, Any] | None = None) -> str:
    """Notify about a service."""
    note("notify", call, service=service, data=data)
    await held(service)
    return f"{service} notified"


async def look(service: str, call: ToolCall) -> str:
    """Look at a service."""
    note("look", call, service=service)
    await held(service)
    return f"{service} is fine"
'''


@dataclass(frozen=True)
class ApprovalOffice(Office):
    """An :class:`Office` with questions."""

    @classmethod
    def write(cls, folder: Path, store: Store, *, tool_call: str = "20s", quorum: int = 1) -> ApprovalOffice:
        text = dedent(WORKSPACE).format(tool_call=tool_call, quorum=quorum)
        (folder / "workspace.yaml").write_text(text, encoding="utf-8")
        (folder / "approval_tools.py").write_text(TOOLS, encoding="utf-8")
        return cls(folder, store)

    @property
    def approvals(self) -> Approvals:
        return Approvals(self.store, self.holder)

    def ran(self, tool: str | None = None) -> list[dict[str, Any]]:
        """The executions of a tool, oldest first."""
        rows: list[dict[str, Any]] = [json.loads(line) for line in self.executions()]
        return [row for row in rows if tool in (None, row["tool"])]

    async def began(self, tool: str, times: int = 1) -> None:
        await wait_until(lambda: len(self.ran(tool)) >= times, what=f"{tool} began {times} times")

    async def questions(self, run_id: str, count: int = 1) -> list[Approval]:
        """The open questions of a run, once there are so many."""

        async def asked() -> list[Approval] | None:
            found = [each for each in await self.approvals.of_run(run_id) if each.state == "open"]
            return found if len(found) == count else None

        found = await wait_until(asked, what=f"{count} questions of {run_id}")
        assert found is not None
        return found

    async def question(self, run_id: str) -> Approval:
        (asked,) = await self.questions(run_id)
        return asked

    async def parked(self, run_id: str) -> Run:
        async def waits() -> Run | None:
            run = await self.store.runs.get(run_id)
            return run if run.state is RunState.WAITING else None

        run = await wait_until(waits, what=f"{run_id} waits")
        assert run is not None
        return run

    async def decide(
        self,
        approval: Approval,
        decision: Decision | None = None,
        *,
        by: str = "U2",
        revision: int | None = None,
    ) -> DecisionOutcome:
        return await self.approvals.decide(
            TENANT, approval.approval_id, decision or Approve(), revision=revision, by=by, source="message"
        )

    async def names(self, run_id: str) -> list[str]:
        """The names of a run's events, text left out."""
        return [
            event.payload.name
            for event in await self.store.events.read(run_id)
            if event.payload.name not in ("output.delta", "reasoning.delta")
        ]


def call(tool: str, service: str = "web", **arguments: Any) -> str:
    """What to tell the demo model so that it makes this call."""
    return f"call {tool} {json.dumps({'service': service, **arguments})}"
