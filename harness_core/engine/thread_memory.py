"""What a thread came to, kept in the long-term store when a run of it ended, so that a later thread can recall it.

A subscriber of the event bus like any other: it only notes that a run ended, and does the work in a task of its
own, so that neither a run nor another listener ever waits for the store or an embedding model. Whatever fails is
logged and left out.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from harness_core.engine.bus import EventBus, Subscription
from harness_core.errors import ThreadNotFound
from harness_core.events import Event, RunCancelled, RunCompleted, RunFailed
from harness_core.memory_places import of_agent, of_threads
from harness_core.models import Run
from harness_core.redaction import redact
from harness_core.runtime import LongTermMemory
from harness_core.store import Store

log = logging.getLogger(__name__)

WAITING = 1_000
"""Ended runs that wait to be remembered; beyond that the newest are left out."""

NOTES = 20
"""Notes of a thread that are kept with it."""

_QUESTION, _ANSWER = 300, 600  # characters of each that a summary has

MemoryOf = Callable[[str], Awaitable[LongTermMemory]]
"""The long-term store of a tenant."""


class ThreadMemory:
    """Remembers threads while ``wanted`` says so. :meth:`attach` it to a bus, and :meth:`close` it."""

    def __init__(self, store: Store, memory_of: MemoryOf, wanted: Callable[[], bool]) -> None:
        self._store = store
        self._memory_of = memory_of
        self._wanted = wanted
        self._ended: asyncio.Queue[tuple[str, str]] = asyncio.Queue(maxsize=WAITING)
        self._subscription: Subscription | None = None
        self._work: asyncio.Task[None] | None = None

    def attach(self, bus: EventBus) -> None:
        """Listens to ``bus`` from now on, and begins to work."""
        self._subscription = bus.subscribe(self._notice)
        self._work = asyncio.create_task(self._remember_all(), name="thread memory")

    async def close(self, *, limit: float = 2.0) -> None:
        """Takes itself off the bus, and remembers what has ended already, for at most ``limit`` seconds."""
        if self._subscription is not None:
            self._subscription.close()
            self._subscription = None
        if self._work is None:
            return
        try:
            async with asyncio.timeout(limit):
                await self._ended.join()
        except TimeoutError:
            log.warning("threads not remembered: %d", self._ended.qsize())
        self._work.cancel()
        await asyncio.wait({self._work})
        self._work = None

    def _notice(self, event: Event) -> None:
        match event.payload:
            case RunCompleted(output=text) | RunFailed(message=text):
                pass
            case RunCancelled():
                text = ""
            case _:
                return
        if not self._wanted():
            return
        try:
            self._ended.put_nowait((event.run_id, text))
        except asyncio.QueueFull:
            log.warning("a thread is not remembered: too many wait", extra={"run_id": event.run_id})

    async def _remember_all(self) -> None:
        while True:
            run_id, text = await self._ended.get()
            try:
                await self._remember(run_id, text)
            except Exception:
                log.exception("a thread is not remembered", extra={"run_id": run_id})
            finally:
                self._ended.task_done()

    async def _remember(self, run_id: str, answer: str) -> None:
        run = await self._store.runs.get(run_id)
        if run.agent is None:
            return  # it ended before anybody was chosen to answer
        memory = await self._memory_of(run.tenant)
        place = of_threads(run.agent)
        asked = (await self._store.runs.load_input(run_id)).text
        known = await memory.aget(place, run.thread_id)
        first = known.value["asked"] if known is not None else _short(asked, _QUESTION)
        value = {
            "status": run.state.value,
            "asked": first,
            "summary": _summary(first, asked, answer),
            "notes": await _notes(memory, run),
            "user": run.user,
            "run": run_id,
        }
        await memory.aput(place, run.thread_id, value, index=["summary", "notes[*]"])
        try:
            await self._store.threads.get(run.thread_id)
        except ThreadNotFound:  # deleted meanwhile, with what was remembered of it until then
            await memory.adelete(place, run.thread_id)


async def _notes(memory: LongTermMemory, run: Run) -> list[str]:
    """What the agent has remembered in this thread."""
    mine: dict[str, Any] = {"thread": run.thread_id}
    found = await memory.asearch(of_agent(run.agent or ""), filter=mine, limit=NOTES)
    return [item.value["note"] for item in sorted(found, key=lambda item: item.created_at)]


def _summary(first: str, last: str, answer: str) -> str:
    asked = _short(last, _QUESTION)
    parts = [f"Asked: {first}", *([f"Then: {asked}"] if asked != first else [])]
    said = _short(answer, _ANSWER)
    return "\n".join([*parts, *([f"Answered: {said}"] if said else [])])


def _short(text: str, length: int) -> str:
    plain = redact(" ".join(text.split()))
    return plain if len(plain) <= length else f"{plain[: length - 1]}…"
