"""Doing a thing once, although word of it may come several times, also at the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Final

_REMEMBERED: Final = 4096


class Once:
    """One attempt per key at a time; what succeeded is not repeated while it is remembered.

    Remembers in this process alone, which is enough for deeds that may be repeated without harm.
    """

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._remembered = remembered
        self._attempts: dict[Hashable, asyncio.Task[None]] = {}

    async def do(self, key: Hashable, deed: Callable[[], Awaitable[None]]) -> bool:
        """Whether this call was the one that did it. All callers of a failed attempt get its error."""
        attempt = self._attempts.get(key)
        mine = attempt is None
        if attempt is None:
            attempt = asyncio.ensure_future(_run(deed))
            self._attempts[key] = attempt
            self._forget_oldest()
        try:
            # Shielded: one caller's time limit must not undo what another one waits for.
            await asyncio.shield(attempt)
        except Exception:
            if self._attempts.get(key) is attempt:
                del self._attempts[key]
            raise
        return mine

    def _forget_oldest(self) -> None:
        while len(self._attempts) > self._remembered:
            del self._attempts[next(iter(self._attempts))]


async def _run(deed: Callable[[], Awaitable[None]]) -> None:
    await deed()
