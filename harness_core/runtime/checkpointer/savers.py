"""The checkpointers that a workspace may ask for, each opened once in a process.

Only the one in Redis checks a fence, and only what is in Redis can be taken over by another process. Those in
memory and in a file are for programs that use the library by themselves: there the lease still guards what a run
does to its record, its events and its journal, but a worker that has lost it may still write a checkpoint.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from pathlib import Path
from typing import Any, Self, TypeAlias

import aiosqlite
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from harness_core.errors import StoreMisconfigured
from harness_core.runtime.checkpointer.envelope import Envelope, strict_serde
from harness_core.runtime.checkpointer.saver import FencedSaver
from harness_core.store import CheckpointRepository, Seal
from harness_core.workspace import Checkpointer

AnySaver: TypeAlias = BaseCheckpointSaver[Any]

FILE = "checkpoints.sqlite"
"""The file in the data folder, unless the workspace names another one."""

_TAG = "sealed"
_PLACE = ("checkpoint",)


def engine_saver(checkpoints: CheckpointRepository, seal: Seal) -> FencedSaver:
    """The checkpointer in Redis of every graph that the engine runs. There is no way to build it unfenced."""
    return FencedSaver(checkpoints, seal, require_fence=True)


class SealedSerde(SerializerProtocol):
    """What the checkpointers of others store: sealed, and of types that can be read back as themselves."""

    def __init__(self, seal: Seal) -> None:
        self._envelope = Envelope(seal, strict_serde())

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """:raises StoreError: ``obj`` holds a type that could not be read back as itself."""
        return _TAG, self._envelope.pack(obj, *_PLACE)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """:raises SealBroken: the bytes are not ours."""
        return self._envelope.unpack(data[1], *_PLACE)


class _Strict:
    """For checkpointers over :class:`SealedSerde`, which revives no further types, whatever a graph would allow."""

    def with_allowlist(self, _extra: Collection[tuple[str, ...]]) -> Self:
        return self


class _InProcess(_Strict, InMemorySaver):
    pass


class _InFile(_Strict, AsyncSqliteSaver):
    pass


class Savers:
    """Opens checkpointers by what the workspace says, and closes them. ``folder`` is where files go."""

    def __init__(self, checkpoints: CheckpointRepository, seal: Seal, folder: Path | None = None) -> None:
        self._fenced = engine_saver(checkpoints, seal)
        self._serde = SealedSerde(seal)
        self._folder = folder
        self._memory: InMemorySaver | None = None
        self._files: dict[Path, AsyncSqliteSaver] = {}
        self._opening = asyncio.Lock()

    async def open(self, spec: Checkpointer) -> AnySaver | None:
        """The checkpointer; None where none is wanted.

        :raises StoreMisconfigured: a file is wanted, and nobody said where files go.
        """
        match spec.kind:
            case False:
                return None
            case "memory":
                self._memory = self._memory or _InProcess(serde=self._serde)
                return self._memory
            case "sqlite":
                return await self._file(spec.path or FILE)
            case _:
                return self._fenced

    async def aclose(self) -> None:
        """Closes files; what was kept in memory is gone."""
        files, self._files, self._memory = list(self._files.values()), {}, None
        for saver in files:
            await saver.conn.close()

    async def _file(self, path: str) -> AsyncSqliteSaver:
        if self._folder is None:
            raise StoreMisconfigured(
                "The workspace keeps checkpoints in a file, and no data folder is known: name one, or use redis."
            )
        file = self._folder / path
        async with self._opening:
            if file not in self._files:
                await asyncio.to_thread(file.parent.mkdir, parents=True, exist_ok=True)
                self._files[file] = _InFile(await aiosqlite.connect(file), serde=self._serde)
            return self._files[file]
