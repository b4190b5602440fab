"""The playground's side of the effect counter: what happened so far, what happens now, and the hold."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

import aiohttp
from pydantic import TypeAdapter

from bot.playground.effects.counter import Effect

_EFFECTS = TypeAdapter(list[Effect])
_PAUSE = 0.5
_LONG = 20


class Effects:
    """Follows a counter at `url`; without one, nothing ever happens and nothing can be held."""

    def __init__(self, url: str | None) -> None:
        self._url = url.rstrip("/") if url else None
        self._listeners: list[Callable[[Effect], None]] = []
        self._session: aiohttp.ClientSession | None = None
        self._following: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self.seen: list[Effect] = []

    @property
    def counted(self) -> bool:
        """Whether there is a counter at all."""
        return self._url is not None

    def subscribe(self, listener: Callable[[Effect], None]) -> None:
        self._listeners.append(listener)

    def start(self) -> Self:
        """Begin to follow; needs a running loop."""
        if self._url is not None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_LONG + 10))
            self._following = asyncio.create_task(self._follow(), name="effects")
        return self

    async def close(self) -> None:
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError):
                await self._following
        if self._session is not None:
            await self._session.close()

    async def catch_up(self) -> None:
        """Everything that the counter knows by now is in `seen` when this returns."""
        if self._url is not None:
            self._take(await self._ask("GET", f"effects?after={len(self.seen)}"))

    async def hold(self) -> None:
        """The next effect happens, and its tool is not told."""
        await self._ask("POST", "hold")

    async def release(self) -> None:
        """Tell whoever was not told, and hold no more."""
        await self._ask("POST", "release")

    async def held_after(self, number: int) -> Effect:
        """Waits for an effect above that number whose answer is held back."""
        while True:
            self._news.clear()
            for effect in self.seen[number:]:
                if effect.held:
                    return effect
            await self._news.wait()

    async def _follow(self) -> None:
        while True:
            try:
                self._take(await self._ask("GET", f"effects?after={len(self.seen)}&within={_LONG}"))
            except (aiohttp.ClientError, TimeoutError, ValueError):
                await asyncio.sleep(_PAUSE)

    def _take(self, answer: Any) -> None:
        for effect in _EFFECTS.validate_python(answer):
            if effect.number == len(self.seen) + 1:  # two questions may have been under way at once
                self.seen.append(effect)
                for listener in self._listeners:
                    listener(effect)
        self._news.set()

    async def _ask(self, verb: str, path: str) -> Any:
        assert self._session is not None  # noqa: S101 - a programmer's mistake
        async with self._session.request(verb, f"{self._url}/{path}", raise_for_status=True) as answer:
            return await answer.json()
