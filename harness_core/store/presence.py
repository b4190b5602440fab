"""Which workers are alive, for people to see. Leases decide; this does not."""

from __future__ import annotations

import asyncio
import time

from harness_core.store.connection import Client, store_errors
from harness_core.store.scripts import Scripts


class PresenceRepository:
    """Beats of workers, kept in the first partition."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._keys = scripts.all_keys()[0]

    async def beat(self, worker: str, ttl: float) -> None:
        """``worker`` is alive for the next ``ttl`` seconds."""
        async with store_errors():
            pipe = self._client.pipeline(transaction=False)
            pipe.set(self._keys("worker", worker), "1", px=round(ttl * 1000))
            pipe.zadd(self._keys("workers"), {worker: time.time()})
            pipe.zremrangebyrank(self._keys("workers"), 0, -200)
            await pipe.execute()

    async def leave(self, worker: str) -> None:
        """``worker`` stopped on purpose."""
        async with store_errors():
            await self._client.unlink(self._keys("worker", worker))
            await self._client.zrem(self._keys("workers"), worker)

    async def workers(self) -> list[str]:
        """The workers that are alive."""
        async with store_errors():
            known = [each.decode() for each in await self._client.zrange(self._keys("workers"), 0, -1)]
            alive = await asyncio.gather(*(self._client.exists(self._keys("worker", each)) for each in known))
        return [each for each, there in zip(known, alive, strict=True) if there]
