"""Tasks that live as long as the process: when one of them ends, so does the process."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, NoReturn


class LongTasks:
    """Owns them, tells when the first one ends, and cancels the others in the end."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Runs ``work`` until it ends or :meth:`close`."""
        self._tasks.append(asyncio.create_task(work, name=name))

    async def first_end(self) -> NoReturn:
        """Waits until one of them ends, and raises what it raised.

        :raises RuntimeError: it ended without an error, which none of them should.
        """
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        raise RuntimeError(f"ended by itself: {', '.join(task.get_name() for task in done)}")

    async def stop(self, name: str) -> None:
        """Cancels the task of this name, if there is one, and waits."""
        for task in self._tasks:
            if task.get_name() == name:
                task.cancel()
                await asyncio.wait({task})

    async def close(self) -> None:
        """Cancels all of them, the newest first, and waits. What they raise now is nobody's concern."""
        for task in reversed(self._tasks):
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled():
                task.exception()
