"""A run this process holds, and the ways in which it is told to let go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from harness_core.engine.endings import Cancelled, Ending, HandedOver, Lost
from harness_core.models import Claim


class HeldRun:
    """One leased run and the task that executes it.

    A request to stop cancels the task and leaves behind why, so that the executor, which sees only a
    cancellation, can tell a person's Stop from a lost lease or a shutdown from outside. ``is_delicate`` tells
    whether a tool is at work that must not run twice, or what the run did would be lost with this process.
    """

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.stopped_by: Ending | None = None
        self.is_delicate: Callable[[], bool] = lambda: False
        self._settled = False
        self._task: asyncio.Task[None] | None = None

    def attach(self, task: asyncio.Task[None]) -> None:
        """The task that executes this run."""
        self._task = task

    def settle(self) -> None:
        """Its ending is about to be written: only a lost lease interrupts that."""
        self._settled = True

    def unsettle(self) -> None:
        """It goes on after all, and may be told to let go again."""
        self._settled = False

    def cancel(self, by: str) -> None:
        """A person asked it to stop."""
        if self.stopped_by is None and not self._settled:
            self._stop(Cancelled(by=by))

    def hand_over(self) -> None:
        """This process is shutting down."""
        if self.stopped_by is None and not self._settled:
            self._stop(HandedOver())

    def lose(self) -> None:
        """The lease is gone: whatever it is doing, it must stop, and write nothing more."""
        if not isinstance(self.stopped_by, Lost):
            self._stop(Lost())

    def _stop(self, why: Ending) -> None:
        self.stopped_by = why
        if self._task is not None:
            self._task.cancel()
