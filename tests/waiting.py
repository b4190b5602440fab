"""Waiting for a condition instead of sleeping for a while."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")

_POLL = 0.02


@overload
async def wait_until(
    predicate: Callable[[], Awaitable[T]], *, timeout: float = ..., what: str | None = ...
) -> T: ...
@overload
async def wait_until(predicate: Callable[[], T], *, timeout: float = ..., what: str | None = ...) -> T: ...
async def wait_until(predicate: Callable[[], Any], *, timeout: float = 10.0, what: str | None = None) -> Any:
    """Poll ``predicate`` (plain or async) until it returns something true, and return that.

    Fails with the condition and its last value after ``timeout`` seconds. An ``AssertionError`` inside
    the predicate counts as "not yet", and its text ends up in the failure.
    """
    deadline = time.monotonic() + timeout
    while True:
        seen: object
        try:
            async with asyncio.timeout(max(deadline - time.monotonic(), _POLL)):
                answer = predicate()
                value = await answer if inspect.isawaitable(answer) else answer
        except AssertionError as failure:
            seen = failure
        except TimeoutError:
            seen = "no answer in time"
        else:
            if value:
                return value
            seen = value
        if time.monotonic() >= deadline:
            message = f"not within {timeout:g} s: {what or _source(predicate)} (last: {seen!r})"
            raise AssertionError(message)
        await asyncio.sleep(_POLL)


def _source(predicate: Callable[..., object]) -> str:
    try:
        return " ".join(inspect.getsource(predicate).split())
    except (OSError, TypeError):
        return repr(predicate)
