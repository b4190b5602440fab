"""The bot's processes, as the supervisor above the playground tells of them, and what it can be asked to do.

Both ways run JSON lines. News come on standard input: `{"news": "started", "at": …}` and so on, see `News`.
Orders go to standard output: `{"order": "hold"}` keeps the bot's worker still (a real SIGSTOP), and
`{"order": "kill", "away": S}` is a real SIGKILL to all of the bot, which stays away for S seconds. A playground
that nobody supervises takes no orders.
"""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, TypeAdapter, ValidationError

from bot.playground.errors import Impossible

STEP_WITHIN = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The bot's processes run; `again` unless it was the first time."""

    again: bool
    pids: tuple[int, ...]
    news: Literal["started"] = "started"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The bot takes messages."""

    news: Literal["ready"] = "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The worker stands still."""

    news: Literal["held"] = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """All of the bot's processes are gone. `how` is `SIGKILL` or another signal, or the exit status as text."""

    how: str
    news: Literal["ended"] = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class CannotStart:
    """The bot ended before it was ready; `why` is its own sentence. It is tried again."""

    why: str
    news: Literal["cannot_start"] = "cannot_start"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceRead:
    """The folder was read again; with `findings`, one sentence each, the last good one stays in use."""

    findings: tuple[str, ...] = ()
    news: Literal["workspace"] = "workspace"


News: TypeAlias = Annotated[
    Started | Ready | Held | Ended | CannotStart | WorkspaceRead, Field(discriminator="news")
]
_NEWS: TypeAdapter[News] = TypeAdapter(News)


@dataclass(slots=True)
class Processes:
    """What is known of the bot's processes. `order` writes one line to the supervisor; None: there is none."""

    order: Callable[[str], None] | None = None
    ready: bool = False
    restarts: int = 0
    pids: tuple[int, ...] = ()
    problem: str = ""
    findings: tuple[str, ...] = ()
    read_at: float | None = None
    _listeners: list[Callable[[News], None]] = field(default_factory=list)
    _waiting: set[asyncio.Future[None]] = field(default_factory=set)

    @property
    def supervised(self) -> bool:
        return self.order is not None

    def subscribe(self, listener: Callable[[News], None]) -> None:
        self._listeners.append(listener)

    def hear(self, line: str) -> None:
        """Takes a line of news; what is none is passed over."""
        try:
            news = _NEWS.validate_json(line)
        except ValidationError:
            return
        self._note(news)
        for listener in self._listeners:
            listener(news)
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    async def hold(self) -> None:
        """Returns when the worker stands still."""
        await self._ordered({"order": "hold"}, Held)

    async def kill(self, *, away: float = 0.0) -> None:
        """Returns when every process of the bot is gone; it comes back after `away` seconds."""
        await self._ordered({"order": "kill", "away": away}, Ended)

    async def back(self) -> None:
        """Waits until the bot takes messages."""
        while not self.ready:
            await self._next()

    async def _ordered(self, order: dict[str, object], done: type[Held | Ended]) -> None:
        if self.order is None:
            raise Impossible("Only `make run` can do that: no process of a bot belongs to this playground.")
        heard = asyncio.get_running_loop().create_future()

        def listen(news: News) -> None:
            if isinstance(news, done) and not heard.done():
                heard.set_result(None)

        self._listeners.append(listen)
        try:
            self.order(json.dumps(order))
            async with asyncio.timeout(STEP_WITHIN):
                await heard
        finally:
            self._listeners.remove(listen)

    async def _next(self) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        try:
            await waiter
        finally:
            self._waiting.discard(waiter)

    def _note(self, news: News) -> None:
        match news:
            case Started(again=again, pids=pids):
                self.restarts += again
                self.pids = pids
            case Ready():
                # It reads its folder when it starts, so nothing is wrong with that any more.
                self.ready, self.problem, self.findings = True, "", ()
            case Ended():
                self.ready, self.pids = False, ()
            case CannotStart(why=why):
                self.problem = why
            case WorkspaceRead(findings=findings):
                self.findings, self.read_at = findings, time.time()
            case Held():
                pass
