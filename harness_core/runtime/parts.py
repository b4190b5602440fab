"""What agents are made of: the models and tools of a workspace, each built once and shared."""

from __future__ import annotations

from collections.abc import Callable

from harness_core.errors import WorkspaceInvalid
from harness_core.runtime.models import BoundModel, ModelUnusable, load_model
from harness_core.runtime.tools import BoundTool, ToolUnusable, load_tool
from harness_core.workspace import Diagnostic, Workspace


class Parts:
    """Builds on first use. What cannot be built is a diagnostic, in the words of the workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._models: dict[str, BoundModel] = {}
        self._tools: dict[str, BoundTool] = {}

    def model(self, name: str) -> BoundModel:
        """:raises WorkspaceInvalid: the model cannot be used."""
        if name not in self._models:
            try:
                self._models[name] = load_model(self._workspace.models[name])
            except ModelUnusable as error:
                raise WorkspaceInvalid([_finding("model-unusable", f"Model {name}", str(error))]) from error
        return self._models[name]

    def tool(self, name: str) -> BoundTool:
        """:raises WorkspaceInvalid: the tool cannot be used."""
        if name not in self._tools:
            try:
                self._tools[name] = load_tool(self._workspace.tools[name])
            except ToolUnusable as error:
                raise WorkspaceInvalid([_finding("tool-unusable", f"Tool {name}", str(error))]) from error
        return self._tools[name]


def check_runtime(workspace: Workspace) -> list[Diagnostic]:
    """Imports every tool and builds every model, sends nothing, and lists what cannot be used."""
    parts = Parts(workspace)
    builds: list[tuple[Callable[[str], object], str]] = [
        *((parts.model, name) for name in workspace.models),
        *((parts.tool, name) for name in workspace.tools),
    ]
    found: list[Diagnostic] = []
    for build, name in builds:
        try:
            build(name)
        except WorkspaceInvalid as error:
            found.extend(each for each in error.findings if isinstance(each, Diagnostic))
    return found


def _finding(code: str, subject: str, message: str) -> Diagnostic:
    return Diagnostic(code=code, file="workspace", line=0, path=subject, message=message)
