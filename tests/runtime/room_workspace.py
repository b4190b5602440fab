"""Small workspaces, written as YAML like real ones."""

from __future__ import annotations

from pathlib import Path

from harness_core.workspace import Workspace, load_workspace

SAFE = "approval: never\nidempotent: true\n"
DEMO = "provider: demo\nmodel: demo\nparams: {delay: 0}\n"


def tool(name: str, attribute: str | None = None, extra: str = "") -> str:
    """A tool of ``room_tools.py`` that may run without a decision."""
    return f"kind: Tool\nname: {name}\npython: runtime.room_tools:{attribute or name}\n{SAFE}{extra}"


def agent(*tools: str, name: str = "ops", extra: str = "") -> str:
    return f"kind: Agent\nname: {name}\nmodel: fast\ntools: [{', '.join(tools)}]\n{extra}"


def workspace(
    folder: Path, *documents: str, model: str = DEMO, limits: str = "{}", runtime: str = ""
) -> Workspace:
    """A loaded workspace of one model, ``fast``, and these documents. ``runtime`` adds to the Runtime."""
    head = f"kind: Runtime\nlimits: {limits}\ntool_packages: [runtime]\n{runtime}"
    head += "" if "routing:" in runtime else "routing: {default_agent: ops}\n"
    everything = [head, f"kind: Model\nname: fast\n{model}", *documents]
    folder.mkdir(exist_ok=True)
    (folder / "all.yaml").write_text("---\n".join(everything))
    return load_workspace(folder, {})
