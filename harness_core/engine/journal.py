"""Writing a run's events: collected for a moment, appended in one round trip for all runs of the process.

A batch keeps its number until the store has confirmed it, so a repeat after a lost reply changes nothing,
and while Redis is away events wait here instead of being lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from harness_core.errors import StaleFence, StoreError, StoreUnavailable
from harness_core.events import OutputDelta, Payload, ReasoningDelta
from harness_core.models import Fence
from harness_core.store import Appended, RunRepository

log = logging.getLogger(__name__)

INTERVAL = 0.25
"""Seconds between two appends: edits of a message are at least a second apart, so more often buys nothing."""


class RunJournal:
    """The events of one run under one fence."""

    def __init__(self, fence: Fence, on_cancel: Callable[[str], None], wake: Callable[[], None]) -> None:
        self.fence = fence
        self._on_cancel = on_cancel
        self._wake = wake
        self._waiting: list[Payload] = []
        self._sending: list[Payload] = []
        self._batch = 0
        self._spoke = False
        self._settled = asyncio.Event()
        self._settled.set()
        self._failure: StoreError | None = None

    def add(self, payload: Payload) -> None:
        """Takes an event. The first text goes out at once, everything else with the next batch."""
        merged = _merged(self._waiting[-1], payload) if self._waiting else None
        if merged is not None:
            self._waiting[-1] = merged
        else:
            self._waiting.append(payload)
        self._settled.clear()
        if not self._spoke:
            self._spoke = True
            self._wake()

    async def flush(self) -> None:
        """Returns when everything taken so far is in the log.

        :raises StaleFence: the lease is gone; what was not written yet never will be.
        """
        self._wake()
        await self._settled.wait()
        if self._failure is not None:
            raise self._failure

    def batch(self) -> tuple[Fence, int, list[Payload]] | None:
        """What to append next: the batch that is not confirmed yet, or a new one."""
        if self._failure is not None:
            return None
        if not self._sending and self._waiting:
            self._sending, self._waiting = self._waiting, []
            self._batch += 1
        return (self.fence, self._batch, self._sending) if self._sending else None

    def confirm(self, answer: Appended | StaleFence) -> None:
        """The store's answer to the batch."""
        if isinstance(answer, StaleFence):
            self._failure = answer
            self._settled.set()
            return
        self._sending = []
        if not self._waiting:
            self._settled.set()
        if answer.cancelled_by is not None:
            self._on_cancel(answer.cancelled_by)


class EventWriter:
    """One loop for all runs of the process."""

    def __init__(self, runs: RunRepository, written: Callable[[str], None]) -> None:
        self._runs = runs
        self._written = written
        self._open: dict[str, RunJournal] = {}
        self._news = asyncio.Event()

    def open(self, fence: Fence, on_cancel: Callable[[str], None]) -> RunJournal:
        """A journal for a run that this process leases."""
        displaced = self._open.get(fence.run_id)
        if displaced is not None:
            displaced.confirm(StaleFence(f"run {fence.run_id}: epoch {displaced.fence.epoch} is over"))
        journal = RunJournal(fence, on_cancel, self._news.set)
        self._open[fence.run_id] = journal
        return journal

    def close(self, journal: RunJournal) -> None:
        """What is not flushed by now is dropped."""
        if self._open.get(journal.fence.run_id) is journal:
            del self._open[journal.fence.run_id]

    async def run(self) -> None:
        """Appends until cancelled."""
        while True:
            try:
                async with asyncio.timeout(INTERVAL):
                    await self._news.wait()
            except TimeoutError:
                pass
            self._news.clear()
            await self._append()

    async def _append(self) -> None:
        journals = list(self._open.values())
        batches = [(journal, batch) for journal in journals if (batch := journal.batch()) is not None]
        if not batches:
            return
        answers = await self._runs.append_all([batch for _, batch in batches])
        waiting: list[tuple[str, StoreUnavailable]] = []
        for (journal, (fence, _, _)), answer in zip(batches, answers, strict=True):
            if isinstance(answer, StoreUnavailable):
                waiting.append((fence.run_id, answer))
            else:
                journal.confirm(answer)
                self._written(fence.run_id)
        if waiting:
            run_id, error = waiting[0]
            log.warning("events of %d runs wait: %s", len(waiting), error, extra={"run_id": run_id})


def _merged(last: Payload, new: Payload) -> Payload | None:
    match last, new:
        case OutputDelta(message=one), OutputDelta(message=other) if one == other:
            return OutputDelta(text=last.text + new.text, message=one)
        case ReasoningDelta(message=one), ReasoningDelta(message=other) if one == other:
            return ReasoningDelta(text=last.text + new.text, message=one)
    return None
