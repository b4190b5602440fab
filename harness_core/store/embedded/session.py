"""What is asked of a running server to keep it: is it ours, is it ready, and: stop."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any, Literal, Self

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from harness_core.errors import EmbeddedServerError
from harness_core.store.embedded.folder import DataFolder
from harness_core.store.embedded.process import AppendFsync

Readiness = Literal["silent", "loading", "ready"]

_ANSWER_WITHIN = 2.0


class ServerSession:
    """A short connection for housekeeping; it never retries."""

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder
        self._client: Redis = Redis(
            unix_socket_path=str(folder.socket),
            socket_timeout=_ANSWER_WITHIN,
            socket_connect_timeout=_ANSWER_WITHIN,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
            encoding_errors="surrogateescape",  # a path may hold any bytes
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def readiness(self) -> Readiness:
        """Whether this folder's server takes commands. Loading a large file takes a while and is progress.

        Raises :class:`EmbeddedServerError` when a server of another folder answers.
        """
        try:
            state: dict[str, Any] = await self._client.info("persistence")
            directory = await self._setting("dir")
        except RedisError:
            return "silent"
        if not _same(directory, self._folder):
            raise EmbeddedServerError(
                f"The server at {self._folder.socket} keeps its data in {directory}, not in {self._folder.path}. "
                "Stop it, or choose another data folder."
            )
        return "loading" if state["loading"] else "ready"

    async def sync_as_strictly_as(self, appendfsync: AppendFsync) -> bool:
        """Make the server as strict as asked, never less strict; false when it went away meanwhile."""
        try:
            if appendfsync == "always" and await self._setting("appendfsync") != "always":
                await self._client.config_set("appendfsync", "always")
        except RedisError:
            return False
        return True

    async def shut_down(self) -> None:
        """Ask for a clean end, which writes everything to disk first. Raises redis-py's errors."""
        if await self.readiness() != "silent":
            await self._client.shutdown()

    async def _setting(self, name: str) -> str:
        answer = await self._client.config_get(name)
        return str(answer[name])


def _same(directory: str, folder: DataFolder) -> bool:
    try:
        return os.path.samefile(directory, folder.path)  # noqa: PTH121 - both may be gone by now
    except OSError:
        return False
