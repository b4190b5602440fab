"""Finding and removing all there is of a thread, a person or a tenant.

What belongs to a run or a thread goes with it, by the verbs of retention. Here is what those do not know: whose
threads there are, what only names a run in passing and would expire by itself, and keys of a tenant that hang on no
run. These functions look through many keys; they are for operators, not for request paths.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence

from harness_core.store.connection import Client, store_errors
from harness_core.store.keys import of_tenants
from harness_core.store.scripts import Scripts, texts

KEPT = ("audit", "audit_head")
"""Keys of a tenant that outlive it: they hold ids and hashes, and expire by retention."""

_AT_ONCE = 500


class ErasureRepository:
    """Looks by scanning, so it sees what no index tells of."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    async def threads_of_person(self, tenant: str, user: str) -> list[str]:
        """Threads in which the person wrote something: a message, a reason, an answer, changed arguments."""
        keys = self._scripts.keys(tenant)
        async with store_errors():
            found = await self._client.smembers(keys("threads_user", tenant, user))
        return sorted(texts(list(found)))

    async def threads_of_tenant(self, tenant: str) -> list[str]:
        """Every thread of the tenant, also those that nothing was asked in."""
        keys = self._scripts.keys(tenant)
        found: list[str] = []
        async for page in self._scan(f"{keys('thread', '')}*", kind="hash"):
            async with store_errors():
                pipe = self._client.pipeline(transaction=False)
                for key in page:
                    pipe.hget(key, "tenant")
                owners = await pipe.execute()
            found += [
                key.rpartition(":")[2]
                for key, owner in zip(page, owners, strict=True)
                if owner is not None and owner.decode() == tenant
            ]
        return sorted(found)

    async def runs_of_thread(self, tenant: str, thread_id: str) -> list[str]:
        """Every run of the thread, the oldest first."""
        keys = self._scripts.keys(tenant)
        async with store_errors():
            return texts(await self._client.zrange(keys("thread_runs", thread_id), 0, -1))

    async def is_shown_by_somebody(self, tenant: str) -> bool:
        """Whether somebody ever brought what runs of this tenant say to a platform."""
        keys = self._scripts.keys(tenant)
        async with store_errors():
            return bool(await self._client.exists(keys("owner", tenant)))

    async def lagging(self, tenant: str, run_ids: Collection[str]) -> bool:
        """Whether people have not been shown the end of one of these runs."""
        if not run_ids:
            return False
        keys = self._scripts.keys(tenant)
        async with store_errors():
            scores = await self._client.zmscore(keys("dirty", tenant), list(run_ids))
        return any(score is not None for score in scores)

    async def dismiss_thread(self, tenant: str, thread_id: str) -> None:
        """Nothing is left to do about a thread that is gone with its checkpoints."""
        keys = self._scripts.keys(tenant)
        async with store_errors():
            await self._client.zrem(keys("unpruned"), thread_id)

    async def remove_mentions(self, tenant: str, ids: Collection[str]) -> int:
        """Removes what remembers these ids for a while: names of messages that were taken in, replies to repeats.

        The ids are those of runs and threads that are gone.
        """
        keys = self._scripts.keys(tenant)
        needles = [each.encode() for each in ids]
        gone = 0
        for pattern in (f"{keys('seen', tenant, '')}*", f"{keys('op', '')}*"):
            async for page in self._scan(pattern, kind="string"):
                async with store_errors():
                    values = await self._client.mget(page)
                    named = [
                        key
                        for key, value in zip(page, values, strict=True)
                        if any(needle in key.encode() or needle in (value or b"") for needle in needles)
                    ]
                    gone += await self._client.unlink(*named) if named else 0
        return gone

    async def remove_tenant(self, tenant: str) -> int:
        """Removes every key of the tenant but its audit chain; how many there were. Its runs are gone already."""
        keys = self._scripts.keys(tenant)
        gone = 0
        for name in of_tenants():
            if name not in KEPT:
                gone += await self._remove_keys(keys.of_tenant(name, tenant))
        async with store_errors():
            await self._client.zrem(keys("ready_tenants"), tenant)
        return gone

    async def _remove_keys(self, pattern: str) -> int:
        gone = 0
        if "*" not in pattern:
            async with store_errors():
                return int(await self._client.unlink(pattern))
        async for page in self._scan(pattern):
            async with store_errors():
                gone += int(await self._client.unlink(*page))
        return gone

    async def _scan(self, pattern: str, *, kind: str | None = None) -> AsyncIterator[Sequence[str]]:
        cursor = 0
        while True:
            async with store_errors():
                cursor, found = await self._client.scan(cursor, match=pattern, count=_AT_ONCE, _type=kind)
            if found:
                yield texts(found)
            if not cursor:
                return
