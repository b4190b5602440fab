"""Whether this process should get traffic: a probe for each thing it cannot work without."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from bot.delivery.answers import Done, RateLimited
from bot.delivery.web_api import WebApi

Probe = Callable[[], Awaitable[None]]
"""Returns when all is well and raises otherwise."""

PROBE_WITHIN: Final = 2.0
TOKEN_FRESH: Final = 5.0


class NotReady(Exception):
    """A probe's way to say no."""


class Readiness:
    """Asks every probe at once. ``draining`` makes it say no whatever they answer."""

    def __init__(self, probes: Mapping[str, Probe]) -> None:
        self._probes = dict(probes)
        self.draining = False

    async def failing(self) -> list[str]:
        """The names of what is not fine; empty when the process is ready."""
        names = list(self._probes)
        fine = await asyncio.gather(*(self._fine(self._probes[name]) for name in names))
        failed = [name for name, ok in zip(names, fine, strict=True) if not ok]
        return [*failed, "draining"] if self.draining else failed

    @staticmethod
    async def _fine(probe: Probe) -> bool:
        try:
            async with asyncio.timeout(PROBE_WITHIN):
                await probe()
        except Exception:  # noqa: BLE001 - whatever it raises, it is not fine
            return False
        return True


class TokenProbe:
    """``auth.test``, asked at most every few seconds however often readiness is."""

    def __init__(self, api: WebApi, team: str, *, fresh: float = TOKEN_FRESH) -> None:
        self._api = api
        self._team = team
        self._fresh = fresh
        self._asked_at = float("-inf")
        self._error: str | None = None
        self._asking = asyncio.Lock()

    async def __call__(self) -> None:
        """:raises NotReady: the token did not work when it was last tried."""
        loop = asyncio.get_running_loop()
        async with self._asking:
            if loop.time() - self._asked_at > self._fresh:
                match await self._api.auth_test(self._team):
                    case Done():
                        self._error = None
                    case RateLimited():
                        pass  # says nothing about the token
                    case other:
                        self._error = repr(other)
                self._asked_at = loop.time()
        if self._error is not None:
            raise NotReady(self._error)
