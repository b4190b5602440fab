"""Blocking work of somebody else's code, awaited without trusting it to end."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Any


async def in_daemon_thread(work: Callable[[], Any], *, name: str) -> Any:
    """Runs ``work`` in a thread of its own, in the caller's context, and raises what it raises.

    A daemon thread, not a pool: work that hangs after it was given up would keep a worker of the pool busy for
    ever, and the process from ending.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[Any] = loop.create_future()
    context = contextvars.copy_context()

    def settle(value: Any, error: BaseException | None) -> None:
        if outcome.done():
            return
        if error is None:
            outcome.set_result(value)
        else:
            outcome.set_exception(error)

    def run() -> None:
        value: Any = None
        error: BaseException | None = None
        try:
            value = context.run(work)
        except StopIteration as stop:
            error = RuntimeError(f"the {name} raised StopIteration: {stop}")
        except BaseException as raised:  # noqa: BLE001  # it travels to the awaiting task
            error = raised
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, value, error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return await outcome
