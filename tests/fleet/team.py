"""A workspace folder with the demo model, tools that ask before they act, and one that is only slow.

What ``act`` and ``act_again`` do to the world is one effect at the counter; ``slow_lookup`` notes its executions.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TOOL = "slow_lookup"
ACT = "act"
"""Asks, and must not happen twice."""
ACT_AGAIN = "act_again"
"""Asks, and may be repeated under its key."""

_YAML = """\
kind: Runtime
recovery: {{lease: {lease}s, max_recovery_attempts: {attempts}}}
concurrency: {{max_concurrent_runs: 70, per_user: 70}}
approvals: {{approvers: {{users: [{approvers}]}}}}
tool_packages: [fleet_tools]
---
kind: Model
name: demo
provider: demo
model: demo
---
kind: Tool
name: slow_lookup
python: fleet_tools.lookups:slow_lookup
title: "Look up {{name}}"
label: "Looking up {{name}}"
idempotent: true
approval: never
---
kind: Tool
name: act
python: fleet_tools.acts:act
title: "Act on {{name}}"
label: "Acting on {{name}}"
approval: always
idempotent: false
---
kind: Tool
name: act_again
python: fleet_tools.acts:act_again
title: "Act again on {{name}}"
label: "Acting again on {{name}}"
approval: always
idempotent: true
---
kind: Agent
name: fleet
description: Does what it is told.
model: demo
tools: [slow_lookup, act, act_again]
"""

_TOOL = '''\
"""A tool that says when it begins and when it ends, and may be held at a gate."""

import json
import time
from pathlib import Path

from harness_core import ToolCall

ROOT = Path(__file__).parents[2]


def note(**entry: str) -> None:
    with (ROOT / "executions").open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(entry) + "\\n")


def slow_lookup(name: str, call: ToolCall) -> str:
    """Looks a name up, slowly. It waits while a file of that name is in the folder of gates."""
    note(phase="began", name=name, key=call.key, run=call.run_id)
    while (ROOT / "gates" / name).exists():
        time.sleep(0.02)
    note(phase="ended", name=name, key=call.key, run=call.run_id)
    return f"{name} is fine."
'''

_ACTS = '''\
"""Tools whose only effect is one request to the effect counter."""

from pathlib import Path

import aiohttp

from harness_core import ToolCall

ROOT = Path(__file__).parents[2]


async def effect(name: str, key: str) -> str:
    url = (ROOT / "effects").read_text(encoding="utf-8")
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{url}/effects", json={"name": name, "key": key}) as answer:
            answer.raise_for_status()
    return f"{name} is done."


async def act(name: str, call: ToolCall) -> str:
    """Does something to a name that must not be done twice."""
    return await effect(name, call.key)


async def act_again(name: str, call: ToolCall) -> str:
    """Does something to a name that the receiver knows again by its key."""
    return await effect(name, call.key)
'''


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One line of the tool: that it began or ended, for which name, under which idempotency key."""

    phase: str
    name: str
    key: str
    run: str


@dataclass(frozen=True, slots=True)
class Team:
    """Files of one fleet under ``root``."""

    root: Path

    @property
    def workspace(self) -> Path:
        return self.root / "workspace"

    @property
    def data(self) -> Path:
        return self.root / "data"

    def write(self, *, lease: float, attempts: int, approvers: Sequence[str], effects_url: str) -> None:
        """Lays the folder out; ``lease`` in seconds, ``attempts`` at taking one run over."""
        package = self.workspace / "fleet_tools"
        package.mkdir(parents=True)
        (self.root / "gates").mkdir()
        (package / "__init__.py").touch()
        (package / "lookups.py").write_text(_TOOL, encoding="utf-8")
        (package / "acts.py").write_text(_ACTS, encoding="utf-8")
        (self.root / "effects").write_text(effects_url, encoding="utf-8")
        text = _YAML.format(lease=lease, attempts=attempts, approvers=", ".join(approvers))
        (self.workspace / "fleet.yaml").write_text(text, encoding="utf-8")

    def close_gate(self, name: str) -> None:
        """From now on a lookup of ``name`` does not return."""
        (self.root / "gates" / name).touch()

    def open_gate(self, name: str) -> None:
        (self.root / "gates" / name).unlink()

    def executions(self, name: str) -> list[Execution]:
        """What the tool noted about ``name``, oldest first."""
        try:
            lines = (self.root / "executions").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        noted = [Execution(**json.loads(line)) for line in lines]
        return [each for each in noted if each.name == name]
