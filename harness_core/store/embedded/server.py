"""One server per data folder, whoever started it."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from pathlib import Path
from typing import ClassVar

from redis.exceptions import RedisError

from harness_core.errors import EmbeddedServerError
from harness_core.store.embedded.folder import DataFolder
from harness_core.store.embedded.process import AppendFsync, ServerProcess, start_if_gone
from harness_core.store.embedded.session import Readiness, ServerSession

logger = logging.getLogger(__name__)

_POLL = 0.05
_WATCH_EVERY = 0.25
_SLOWEST_RETRY = 15.0


class EmbeddedServer:
    """One Redis or Valkey server, shared by every process that uses the same data folder.

    No process owns it: whichever comes first starts it, any of them may be killed, and the last one that
    leaves stops it. Make one with :meth:`attach`, keep :meth:`watch` running, end with :meth:`leave`.
    """

    patience: ClassVar[float] = 20.0
    """Seconds a server may be silent while it starts or stops; one that reads a large file is not silent."""

    def __init__(self, folder: DataFolder, membership: int, appendfsync: AppendFsync) -> None:
        self._folder = folder
        self._membership: int | None = membership
        self._appendfsync = appendfsync
        self._changing = asyncio.Lock()

    @property
    def url(self) -> str:
        """Where clients connect, for ``redis.asyncio.from_url``. A restarted server has the same address."""
        return self._folder.url

    @classmethod
    async def attach(cls, data: Path, *, appendfsync: AppendFsync = "always") -> EmbeddedServer:
        """Start the server of the folder, or join the one that runs, and return when it is ready.

        Only ``always`` keeps every acknowledged write across a ``kill -9`` of the server; ``everysec`` trades that
        for speed on a slow disk. All processes of a folder should ask for the same: the one that starts the
        server decides, and one that joins can make it stricter, not weaker.

        Raises :class:`EmbeddedServerError` with a sentence that says what to do.
        """
        folder = await asyncio.to_thread(DataFolder.prepare, data)
        membership = await cls._join(folder)
        server = cls(folder, membership, appendfsync)
        try:
            await server._ensure_running()
        except BaseException:
            os.close(membership)
            raise
        return server

    async def watch(self) -> None:
        """Bring the server back whenever it is gone; runs until cancelled.

        Every process of the folder watches, and the server's lock decides which of them restarts it.
        """
        pause = _WATCH_EVERY
        watching = asyncio.current_task()
        # Before Python 3.12 the `wait_for` inside redis-py can swallow a cancellation (python/cpython#86296).
        while watching is None or not watching.cancelling():
            await asyncio.sleep(pause)
            try:
                await self._restart_if_gone()
            except EmbeddedServerError as error:
                pause = min(pause * 2, _SLOWEST_RETRY)
                logger.error("%s Trying again in %g s.", error, pause)  # noqa: TRY400 - the sentence says it all
            else:
                pause = _WATCH_EVERY

    async def leave(self) -> None:
        """Stop using the server. The last process that leaves stops it; the data stays in the folder.

        Cancel :meth:`watch` first: a restart that is under way is waited for.
        """
        async with self._changing:
            if self._membership is None:
                return
            membership, self._membership = self._membership, None
            try:
                if self._folder.is_last(membership):
                    await self._stop()
            finally:
                os.close(membership)

    @classmethod
    async def _join(cls, folder: DataFolder) -> int:
        deadline = time.monotonic() + cls.patience
        while (membership := folder.join()) is None:
            if time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"Another process has been stopping the Redis server of {folder.path} "
                    f"for {cls.patience:g} s. Try again later."
                )
            await asyncio.sleep(_POLL)
        return membership

    async def _restart_if_gone(self) -> None:
        async with self._changing:
            if self._membership is None or self._folder.server_lives():
                return
            logger.warning("The Redis server of %s is gone.", self._folder.path)
            began = time.monotonic()
            process = await self._ensure_running()
            who = "another process" if process is None else f"this process, as process {process.child.pid}"
            took = time.monotonic() - began
            logger.warning(
                "The Redis server of %s was restarted by %s; ready after %.2f s.",
                self._folder.path,
                who,
                took,
            )

    async def _ensure_running(self) -> ServerProcess | None:
        """Start a server or wait for another's; the process if it is ours. Ready when this returns."""
        process: ServerProcess | None = None
        ended: str | None = None
        deadline = time.monotonic() + self.patience
        while time.monotonic() < deadline:
            if process is None:
                process = await asyncio.to_thread(start_if_gone, self._folder, appendfsync=self._appendfsync)
            match await self._readiness():
                case "ready":
                    return process
                case "loading":
                    deadline = time.monotonic() + self.patience
                case "silent":
                    pass
            if process is not None and (status := process.exit_status) is not None:
                ended = f"The Redis server of {self._folder.path} does not start: {process.why_it_ended()}"
                if status >= 0:
                    break
                process = None  # killed from outside, which says nothing about the next one
            await asyncio.sleep(_POLL)
        raise EmbeddedServerError(ended or _silence(self._folder))

    async def _readiness(self) -> Readiness:
        async with ServerSession(self._folder) as session:
            readiness = await session.readiness()
            if readiness == "ready" and not await session.sync_as_strictly_as(self._appendfsync):
                return "silent"
            return readiness

    async def _stop(self) -> None:
        if not self._folder.server_lives():
            return
        try:
            async with ServerSession(self._folder) as session:
                await session.shut_down()
            await self._wait_gone()
        except (RedisError, EmbeddedServerError) as error:
            logger.warning("The Redis server of %s keeps running: %s", self._folder.path, error)
        else:
            self._folder.remove_socket_folder()

    async def _wait_gone(self) -> None:
        deadline = time.monotonic() + self.patience
        while self._folder.server_lives():
            if time.monotonic() > deadline:
                raise EmbeddedServerError(f"it did not end within {self.patience:g} s")
            await asyncio.sleep(_POLL)


def _silence(folder: DataFolder) -> str:
    pid = folder.noted_pid()
    which = f" It noted {pid} as its process id: look at it, and end it if it hangs." if pid else ""
    return (
        f"The Redis server of {folder.path} runs but does not answer at {folder.socket}.{which} "
        "If another machine uses this folder, set REDIS_URL instead."
    )
