"""The files of deep agents: where they lie, what an agent may do to them, and what a caller gave and gets."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deepagents.backends import FilesystemBackend, StateBackend, StoreBackend
from deepagents.backends.protocol import BackendProtocol, SandboxBackendProtocol
from deepagents.backends.utils import create_file_data
from deepagents.middleware import FilesystemMiddleware, FilesystemPermission

from harness_core.memory_places import files_of
from harness_core.redaction import redact
from harness_core.runtime.history import HistoryState
from harness_core.runtime.memory import LongTermMemory
from harness_core.runtime.tools import BoundTool, ToolUnusable
from harness_core.workspace import AgentSpec, ToolSpec, python_reference
from harness_core.workspace.schema.agents import FolderFiles, PythonFiles, StateFiles, StoredFiles

_READING = {
    "ls": "Listing {path}",
    "read_file": "Reading {file_path}",
    "glob": "Looking for files {pattern}",
    "grep": "Searching files for {pattern}",
}
_CHANGING = {
    "write_file": "Writing {file_path}",
    "edit_file": "Changing {file_path}",
    "delete": "Deleting {file_path}",
}
EXECUTE = "execute"
"""The tool that runs commands; only a sandbox brings it."""


def backend_of(agent: AgentSpec, folder: Path, memory: LongTermMemory) -> BackendProtocol:
    """Where the files of ``agent`` lie. ``folder`` is the workspace's.

    :raises ToolUnusable: a Python function was to give a backend and did not.
    """
    match agent.backend:
        case StateFiles():
            return StateBackend()
        case StoredFiles():
            place = files_of(agent.name)
            return StoreBackend(store=memory, namespace=lambda _runtime: place)
        case FolderFiles(root=root):
            return FilesystemBackend(root_dir=folder / root, virtual_mode=True)
        case PythonFiles(python=reference):
            return _from_python(reference)


def file_middleware(agent: AgentSpec, backend: BackendProtocol) -> FilesystemMiddleware[Any, Any]:
    """The middleware that brings the file tools. Commands can be run only where the backend is a sandbox."""
    names: list[Any] = [*_READING, *_CHANGING]
    if isinstance(backend, SandboxBackendProtocol):
        names.append(EXECUTE)
    rules = [
        FilesystemPermission(operations=list(rule.operations), paths=list(rule.paths), mode=rule.mode)
        for rule in agent.permissions
    ]
    middleware: Any = FilesystemMiddleware(backend=backend, tools=names, permissions=rules)
    if isinstance(backend, StateBackend):
        middleware.state_schema = HistoryState
    return middleware  # type: ignore[no-any-return]  # its stub wants a state that keeps files as deltas


def bound_file_tools(files: FilesystemMiddleware[Any, Any]) -> list[BoundTool]:
    """The file tools as the gate knows them. Files in the state are the graph's own affair, others are not."""
    return [_bound(tool, inside=isinstance(files.backend, StateBackend)) for tool in files.tools]


def state_files(files: Mapping[str, str]) -> dict[str, Any]:
    """Texts by path, as a graph's state keeps files."""
    return {f"/{path.lstrip('/')}": create_file_data(text) for path, text in files.items()}


def texts_of(files: Mapping[str, Any]) -> dict[str, str]:
    """The opposite of :func:`state_files`; what is no text is Base64."""
    return {
        path: content if isinstance(content := file["content"], str) else "\n".join(content)
        for path, file in files.items()
    }


def _bound(tool: Any, *, inside: bool) -> BoundTool:
    name = tool.name
    changes = name not in _READING
    shown = _READING.get(name) or _CHANGING.get(name) or "Running {command}"
    spec = ToolSpec(name=name, label=shown, title=shown, idempotent=name != EXECUTE)
    return BoundTool(spec=spec, tool=tool, stays_inside=not changes or (inside and name != EXECUTE))


def _from_python(reference: str) -> BackendProtocol:
    found = python_reference(reference)
    if found is None:
        raise ToolUnusable(f"{reference} is not a reference: write package.module:function")
    try:
        backend = getattr(importlib.import_module(found.module), found.attribute)()
    except Exception as error:
        # Somebody else's code: whatever it raises is a finding.
        raise ToolUnusable(
            f"{reference} gives no backend: {type(error).__name__}: {redact(str(error))}"
        ) from error
    if not isinstance(backend, BackendProtocol):
        raise ToolUnusable(f"{reference} gives a {type(backend).__name__}, not a backend of deepagents")
    return backend
