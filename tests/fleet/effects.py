"""The effect counter from the tests' side: what tools really did, whatever the product says about it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

SERVER = Path(__file__).with_name("effects_server.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One effect: on what, under which idempotency key, and when it arrived (Unix time)."""

    name: str
    key: str
    at: float


class Effects:
    """The counter's process and its client; use it as an async context manager."""

    def __init__(self) -> None:
        self._child = subprocess.Popen(
            [sys.executable, str(SERVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._child.stdout is not None
        self.url = self._child.stdout.readline().strip()
        assert self.url, "the effect counter did not start"
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()
        self._child.kill()
        self._child.wait(timeout=10)
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                pipe.close()

    async def of(self, name: str) -> list[Effect]:
        """The effects on ``name``, oldest first."""
        async with self._client.get(f"{self.url}/effects") as answer:
            return [Effect(**each) for each in await answer.json() if each["name"] == name]

    async def hold(self, name: str) -> None:
        """From now on an effect on ``name`` counts, and is not answered."""
        async with self._client.put(f"{self.url}/held/{name}"):
            pass

    async def let_go(self, name: str) -> None:
        """Answers those that wait."""
        async with self._client.delete(f"{self.url}/held/{name}"):
            pass

    @property
    def _client(self) -> aiohttp.ClientSession:
        assert self._session is not None, "use it as a context manager"
        return self._session
