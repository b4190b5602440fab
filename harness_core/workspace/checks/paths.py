"""Paths of the workspace: below its folder, also when links are followed, and there where something is read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness_core.workspace.checks.picture import Picture
from harness_core.workspace.diagnostics import KeyPath
from harness_core.workspace.document import Document
from harness_core.workspace.folder import is_inside
from harness_core.workspace.schema import AgentSpec, McpOverStdio, MiddlewareSpec
from harness_core.workspace.schema.agents import FolderFiles
from harness_core.workspace.schema.tool_middleware import FileSearchSpec, ShellSpec


def check_paths(picture: Picture, folder: Path) -> None:
    for document, path, written, is_read in _places(picture):
        place = folder / written
        if not is_inside(place, folder):
            message = "is a link that leaves the workspace folder"
            document.report(path, "path-outside", message, allowed="a folder inside the workspace's")
        elif is_read and not place.is_dir():
            message = "there is no such folder in the workspace's"
            document.report(path, "no-such-folder", message, allowed="a folder inside the workspace's")


def _places(picture: Picture) -> Iterator[tuple[Document, KeyPath, str, bool]]:
    """Each path, and whether it must be there already."""
    for tool in picture.tools.values():
        match tool.spec.mcp:
            case McpOverStdio(cwd=str() as cwd):
                yield tool.document, ("mcp", "cwd"), cwd, True
    for agent in picture.agents.values():
        match agent.spec.backend:
            case FolderFiles(root=root):
                yield agent.document, ("backend", "root"), root, False
        yield from _of_inline_middleware(agent.document, agent.spec)
    for middleware in picture.middleware.values():
        yield from _of_middleware(middleware.document, (), middleware.spec)


def _of_inline_middleware(
    document: Document, agent: AgentSpec
) -> Iterator[tuple[Document, KeyPath, str, bool]]:
    for index, use in enumerate(agent.middleware):
        if not isinstance(use, str):
            yield from _of_middleware(document, ("middleware", index), use)


def _of_middleware(
    document: Document, path: KeyPath, spec: MiddlewareSpec
) -> Iterator[tuple[Document, KeyPath, str, bool]]:
    match spec:
        case FileSearchSpec(root_path=root):
            yield document, (*path, "root_path"), root, True
        case ShellSpec(workspace_root=str() as root):
            yield document, (*path, "workspace_root"), root, False
