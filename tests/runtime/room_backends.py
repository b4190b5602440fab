"""Backends for files of deep agents, as an author would provide them."""

from __future__ import annotations

import asyncio
from tempfile import mkdtemp
from typing import Any

from deepagents.backends import FilesystemBackend
from deepagents.backends.protocol import ExecuteResponse, SandboxBackendProtocol

_FOLDER: list[str] = []


class _Sandbox(FilesystemBackend, SandboxBackendProtocol):
    @property
    def id(self) -> str:
        return "test"

    def execute(self, command: str, **_: Any) -> ExecuteResponse:
        return ExecuteResponse(output=f"would run {command}", exit_code=0, truncated=False)


def _folder() -> str:
    if not _FOLDER:
        _FOLDER.append(mkdtemp(prefix="backend-"))
    return _FOLDER[0]


def shared() -> FilesystemBackend:
    return FilesystemBackend(root_dir=_folder(), virtual_mode=True)


def sandbox() -> SandboxBackendProtocol:
    return _Sandbox(root_dir=_folder(), virtual_mode=True)


class _Stuck(FilesystemBackend):
    async def aread(self, *_: Any, **__: Any) -> Any:
        await asyncio.Event().wait()


def stuck() -> FilesystemBackend:
    return _Stuck(root_dir=_folder(), virtual_mode=True)


def number() -> int:
    return 7


def broken() -> FilesystemBackend:
    raise OSError("no disk")
