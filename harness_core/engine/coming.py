"""A worker that is still getting ready: it counts as alive while its process imports what it needs.

Imports the store alone, since importing an agent framework is what takes the time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from typing import Self

from ulid import ULID

from harness_core.errors import StoreError
from harness_core.store import Store

log = logging.getLogger(__name__)

EVERY = 2.0
"""Seconds between two beats. Imports hold the interpreter, so they may come late."""

LASTS = 15.0
"""Seconds for which a beat counts: for that long nobody notices that the process died on its way."""


def worker_name() -> str:
    """Tells this process from every other one, also from a later one with the same pid."""
    return f"{socket.gethostname()}-{os.getpid()}-{str(ULID())[-6:]}"


class ComingWorker:
    """Beats within the block, under the ``name`` that the worker is to have, until that one has :meth:`arrived`."""

    def __init__(self, store: Store) -> None:
        self.name = worker_name()
        self._store = store
        self._beating: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._beat()
        self._beating = asyncio.create_task(self._beat_on(), name="coming worker")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.arrived()
        with contextlib.suppress(StoreError):
            await self._store.presence.leave(self.name)

    async def arrived(self) -> None:
        """The worker beats by itself from here on."""
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.wait({self._beating})
            self._beating = None

    async def _beat_on(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            await self._beat()

    async def _beat(self) -> None:
        try:
            await self._store.presence.beat(self.name, LASTS)
        except StoreError as error:
            log.warning("a worker that is coming is not announced: %s", error)
