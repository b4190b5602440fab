"""A workspace folder with the demo model and one slow, idempotent tool that notes each of its executions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

TOOL = "slow_lookup"

_YAML = """\
kind: Runtime
recovery: {{lease: {lease}s, max_recovery_attempts: {attempts}}}
concurrency: {{max_concurrent_runs: 70, per_user: 70}}
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
kind: Agent
name: fleet
description: Does what it is told.
model: demo
tools: [slow_lookup]
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

    def write(self, *, lease: float, attempts: int) -> None:
        """Lays the folder out; ``lease`` in seconds, ``attempts`` at taking one run over."""
        package = self.workspace / "fleet_tools"
        package.mkdir(parents=True)
        (self.root / "gates").mkdir()
        (package / "__init__.py").touch()
        (package / "lookups.py").write_text(_TOOL, encoding="utf-8")
        (self.workspace / "fleet.yaml").write_text(
            _YAML.format(lease=lease, attempts=attempts), encoding="utf-8"
        )

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
