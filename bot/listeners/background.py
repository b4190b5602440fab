"""Work that nobody waits for: its errors are logged, and it gets a moment to end before the process does."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger(__name__)


class Background:
    """Owns tasks that were started and left alone. Close it before what they use is closed."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None], what: str) -> None:
        """Run ``work`` beside everything else; ``what`` names it in the log if it fails."""
        task = asyncio.create_task(self._guard(work, what), name=what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self, limit: float = 1.0) -> None:
        """Waits for what still runs, at most ``limit`` seconds, then cancels it."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=limit)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    @staticmethod
    async def _guard(work: Coroutine[Any, Any, None], what: str) -> None:
        try:
            await work
        except Exception:
            log.exception("background work failed", what=what)
