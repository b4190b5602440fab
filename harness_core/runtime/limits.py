"""Time limits of a run: on the whole of it, on a model call, and on silence in the middle of an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

from langchain.agents.middleware import AgentMiddleware
from langchain.agents.middleware.types import ModelRequest, ModelResponse
from langgraph.errors import GraphBubbleUp

from harness_core.errors import HarnessError, OperationTimeout
from harness_core.runtime.failures import ModelGaveUp
from harness_core.runtime.steps import ModelStep

T = TypeVar("T")

RECURSION_LIMIT = 300
"""Supersteps of one graph: some ninety rounds of model and tools. One that goes on longer is going in circles."""


class ModelCalls(AgentMiddleware[Any, Any]):
    """Reports when a model call begins and ends, bounds it in time, and names what went wrong.

    Stands inside any middleware that repeats calls, so each try has the whole time limit of ``limit``
    seconds. ``tries`` is how often the provider's client sends a request before it gives up.
    """

    def __init__(self, model: str, *, limit: float, tries: int) -> None:
        super().__init__()
        self._model = model
        self._limit = limit
        self._tries = tries

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> ModelResponse[Any]:
        """:raises OperationTimeout: stage ``model_call``.
        :raises ModelFailed: the provider failed; its error is the cause.
        """
        info = request.runtime.execution_info
        step = info.task_id if info is not None else ""
        say = request.runtime.stream_writer
        say(ModelStep(step, "started"))
        ok = False
        try:
            response = await self._bounded(handler, request)
            ok = True
        finally:
            say(ModelStep(step, "completed", ok))
        return response

    async def _bounded(
        self,
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
        request: ModelRequest[Any],
    ) -> ModelResponse[Any]:
        try:
            async with asyncio.timeout(self._limit) as limit:
                return await handler(request)
        except (GraphBubbleUp, HarnessError):
            raise
        except Exception as error:
            if limit.expired():
                raise OperationTimeout("model_call", self._limit) from error
            raise ModelGaveUp(self._model, tries=self._tries_of(error), status=_status(error)) from error

    def _tries_of(self, error: Exception) -> int:
        """Requests that the provider refused outright are not repeated by its client."""
        status = _status(error)
        refused = status is not None and 400 <= status < 500 and status not in {408, 409, 429}
        return 1 if refused else self._tries


def _status(error: Exception) -> int | None:
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) else None


class Pace:
    """Draws from an iterator under two limits, in seconds: ``run`` for the whole run, ``idle`` between two items.

    ``left`` is what the run has left of its limit from now on; None: all of it.
    Silence counts only between :meth:`expect` and :meth:`relax`: while words are coming, not while a tool works.
    """

    def __init__(self, *, run: float, idle: float, left: float | None = None) -> None:
        self._clock = asyncio.get_running_loop().time
        self._run, self._idle = run, idle
        self._end = self._clock() + (run if left is None else left)
        self._expecting = False

    def expect(self) -> None:
        self._expecting = True

    def relax(self) -> None:
        self._expecting = False

    async def within(self, work: Awaitable[T]) -> T:
        """What ``work`` gives, which counts as part of the run.

        :raises OperationTimeout: stage ``run``.
        """
        try:
            async with asyncio.timeout_at(self._end) as limit:
                return await work
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise OperationTimeout("run", self._run) from error

    async def through(self, items: AsyncIterator[T]) -> AsyncGenerator[T, None]:
        """The items, as long as they come in time.

        :raises OperationTimeout: stage ``run`` or ``stream_idle``.
        """
        while True:
            if self._clock() >= self._end:  # a task that is begun and cut off at once may have done something
                raise OperationTimeout("run", self._run)
            silence = self._clock() + self._idle if self._expecting else self._end
            try:
                async with asyncio.timeout_at(min(self._end, silence)) as limit:
                    item = await anext(items, _END)
            except TimeoutError as error:
                if not limit.expired():
                    raise
                if silence < self._end:
                    raise OperationTimeout("stream_idle", self._idle) from error
                raise OperationTimeout("run", self._run) from error
            if isinstance(item, _End):
                return
            yield item


class _End:
    """Marks the end of an iterator."""


_END = _End()
