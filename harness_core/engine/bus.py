"""The event bus of one process: every event of every run this process touches, in order per run.

Listeners get events read back from the log, not copies of what was about to be written: what they see
happened. A listener that raises harms neither the run nor another listener.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable

from harness_core.errors import RunNotFound, StoreError, StoreUnavailable
from harness_core.events import Event
from harness_core.store import EventRepository

log = logging.getLogger(__name__)

REMEMBERED = 10_000
"""Runs whose place in the log is kept; a run older than that would be told again if it were touched."""

PAUSE = 0.5
"""Seconds until what could not be read, since Redis was away, is read again."""

Listener = Callable[[Event], Awaitable[None] | None]


class Subscription:
    """A listener's place on the bus; ``close`` takes it off."""

    def __init__(self, bus: EventBus, listener: Listener) -> None:
        self._bus = bus
        self._listener = listener

    def close(self) -> None:
        """No event reaches the listener after this."""
        self._bus.unsubscribe(self._listener)


class EventBus:
    """Reads what :meth:`touch` names and hands it to the listeners, until :meth:`run` is cancelled."""

    def __init__(self, events: EventRepository) -> None:
        self._events = events
        self._listeners: list[Listener] = []
        self._seen: dict[str, int] = {}
        self._touched: set[str] = set()
        self._news = asyncio.Event()

    def subscribe(self, listener: Listener) -> Subscription:
        """``listener``, sync or async, gets every event from now on."""
        self._listeners.append(listener)
        return Subscription(self, listener)

    def unsubscribe(self, listener: Listener) -> None:
        """Takes a listener off; one that is not on it is no error."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def touch(self, run_id: str) -> None:
        """This run has new events."""
        if self._listeners:
            self._touched.add(run_id)
            self._news.set()

    async def run(self) -> None:
        """Delivers until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            touched, self._touched = self._touched, set()
            unread = {run_id for run_id in touched if not await self._deliver(run_id)}
            if unread:
                self._touched |= unread
                await asyncio.sleep(PAUSE)
                self._news.set()

    async def _deliver(self, run_id: str) -> bool:
        """Whether everything that was in the log has been told."""
        after = self._seen.get(run_id, 0)
        try:
            events = await self._events.read(run_id, after=after)
        except RunNotFound:
            return True
        except StoreUnavailable:
            return False
        except StoreError as error:
            log.warning("events cannot be read: %s", error, extra={"run_id": run_id})
            return True
        for event in events:
            for listener in tuple(self._listeners):
                await _tell(listener, event)
            self._seen[run_id] = event.seq
        while len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return True


async def _tell(listener: Listener, event: Event) -> None:
    try:
        answer = listener(event)
        if inspect.isawaitable(answer):
            await answer
    except Exception:
        log.exception("a listener failed on %s of %s", event.payload.name, event.run_id)
