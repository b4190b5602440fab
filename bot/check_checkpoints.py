"""Whether conversations survive where the workspace keeps them: outside Redis, one worker has them alone."""

from __future__ import annotations

from typing import Final

from bot.findings import Finding
from harness_core import Workspace

_ALONE: Final = ("memory", "sqlite")
_REMEDY: Final = "run one `serve`, or one `worker` beside `web`, or say `checkpointer: {kind: redis}`"


def kept_by_one_worker(workspace: Workspace) -> dict[str, list[str]]:
    """The agents whose conversations only the worker has that held them: by the kind of checkpointer."""
    found: dict[str, list[str]] = {}
    for name in sorted(workspace.hosts):
        kind = (workspace.agents[name].checkpointer or workspace.runtime.checkpointer).kind
        if kind in _ALONE:
            found.setdefault(str(kind), []).append(name)
    return found


def check_checkpoints(workspace: Workspace, workers: int, *, embedded: bool) -> list[Finding]:
    """What does not go together with checkpoints outside Redis.

    ``workers`` are alive at the moment; ``embedded`` says that processes of other hosts cannot be among them.
    """
    found: list[Finding] = []
    for kind, agents in kept_by_one_worker(workspace).items():
        place = "a file in HARNESS_DATA" if kind == "sqlite" else "the memory of a worker"
        what = f"conversations of {', '.join(agents)} are in {place} (checkpointer: {kind}), so"
        if workers > 1:
            text = f"{what} {workers} workers that are alive lose each other's: {_REMEDY}."
            found.append(Finding("error", "checkpoints", text))
            continue
        elsewhere = "" if embedded else ", and no worker on another host has them"
        ends = (
            "" if kind == "sqlite" else " They are gone when it ends, and what waits for approval then fails."
        )
        text = f"{what} no other worker can take a run over{elsewhere}: {_REMEDY}.{ends}"
        found.append(Finding("warning", "checkpoints", text))
    return found
