"""The time in which a program's harness works: from its start, which may fail, to its end. It is open once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Final, TypeVar

from harness_core.engine.worker import Worker
from harness_core.errors import NotOpen

T = TypeVar("T")

_END: Final = object()


class Lifetime:
    """Owns the task that a worker runs in."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False
        self._is_told = False

    async def begin(self) -> None:
        """Returns when the worker is ready.

        :raises NotOpen: it was begun before.
        :raises Exception: why the worker could not start.
        """
        if self._task is not None:
            raise NotOpen("a harness is opened once: make another one")
        self._task = asyncio.create_task(self._worker.run(), name="harness worker")
        ready = asyncio.create_task(self._worker.ready.wait())
        try:
            await asyncio.wait({self._task, ready}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if self._task.done():
            self._is_told = True
            await _alone(self._task)

    async def end(self, *, limit: float, grace: float) -> None:
        """Drains the worker; nothing where it never worked or has ended.

        :raises Exception: why the worker had ended, if nobody was told yet.
        """
        task = self._task
        if task is None or self._is_closed:
            return
        self._is_closed = True
        if not task.done():
            await self._worker.drain(limit=limit, grace=grace)
            task.cancel()
        if not self._is_told:
            with contextlib.suppress(asyncio.CancelledError):
                await _alone(task)

    def require(self) -> None:
        """:raises NotOpen: the worker does not work, so nobody might do what is asked."""
        task = self._task
        if task is None:
            raise NotOpen("the harness is not open: use it within `async with`, or call initialize() first")
        if self._is_closed:
            raise NotOpen("the harness is closed: make another one")
        if task.done():
            self._is_told = True
            failure = None if task.cancelled() else task.exception()
            raise NotOpen("the harness has stopped working: make another one") from failure

    async def through(
        self, items: AsyncIterator[T], is_over: Callable[[], Awaitable[bool]]
    ) -> AsyncGenerator[T, None]:
        """The items; where the worker ends before them, they go on only if ``is_over`` says that they come to an end.

        :raises NotOpen: the worker has ended, and another process would have to go on.
        """
        watched = self._task
        while True:
            step = asyncio.ensure_future(anext(items, _END))
            try:
                await asyncio.wait(
                    {step, *([watched] if watched else [])}, return_when=asyncio.FIRST_COMPLETED
                )
                if not step.done():
                    watched = None
                    if not await is_over():
                        self.require()
                item = await step
            finally:
                if not step.done():
                    step.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await step
            if item is _END:
                return
            yield item  # type: ignore[misc]  # all but the mark for the end are items


async def _alone(task: asyncio.Task[None]) -> None:
    """Awaits a task group's task; one failure is raised as itself."""
    try:
        await task
    except BaseExceptionGroup as group:
        only: BaseException = group
        while isinstance(only, BaseExceptionGroup) and len(only.exceptions) == 1:
            only = only.exceptions[0]
        raise only from only.__cause__
