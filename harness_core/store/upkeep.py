"""What keeps the store from growing for ever: who looks after it, what is over, and verbs that remove it whole.

======================  =====  =================================================================
key                     type   content
======================  =====  =================================================================
upkeep                  hash   which worker does it at the moment, and when it is due again
unpruned                zset   threads whose checkpoints are to be thinned out or forgotten
======================  =====  =================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ulid import ULID

from harness_core.errors import RunNotFound, StoreUnavailable
from harness_core.store.connection import Client, store_errors
from harness_core.store.scripts import Scripts, texts

_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What went with some runs: how many of them, the keys they had, and the threads of which nothing is left."""

    runs: int = 0
    keys: int = 0
    threads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleThread:
    """A thread that fell idle at ``since``. ``tenant`` None: the thread is gone, its checkpoints may be left.

    One without ``runs`` was begun and nothing was ever asked in it.
    """

    thread_id: str
    since: int
    tenant: str | None
    runs: bool


class UpkeepRepository:
    """Finds and removes what is over."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    @property
    def partitions(self) -> int:
        """How many parts the store has; lists of what is over are kept for each."""
        return self._scripts.partitions

    async def begin(self, worker: str, lease: float) -> float:
        """Takes or keeps the right to do it for ``lease`` seconds: 0; else the seconds until it is worth asking."""
        reply = await self._scripts.call("upkeep_begin", self._scripts.all_keys()[0], worker, _ms(lease))
        return 0.0 if reply[0] == b"ours" else int(reply[1]) / 1000

    async def end(self, worker: str, again: float) -> None:
        """Gives the right back; it is due again in ``again`` seconds."""
        await self._scripts.call("upkeep_end", self._scripts.all_keys()[0], worker, _ms(again))

    async def old_runs(self, tenant: str, before: int, *, after: str = "", limit: int) -> list[str]:
        """Runs that were made before ``before`` (ms), the oldest first: those after the run ``after``."""
        keys = self._scripts.keys(tenant)
        newest = f"(run_{ULID.from_timestamp(max(0, before) / 1000)!s:.10}"
        start = f"({after}" if after else "-"
        async with store_errors():
            found = await self._client.zrange(
                keys("runs", tenant), start, newest, bylex=True, offset=0, num=limit
            )
        return texts(found)

    async def forget_runs(
        self, tenant: str, run_ids: Sequence[str], *, before: int | None = None
    ) -> Forgotten:
        """Removes those that are over, and ended before ``before`` (ms), each with all it has, and threads left empty."""
        runs = gone = 0
        threads: list[str] = []
        calls = [(run_id, "" if before is None else before) for run_id in run_ids]
        for reply in await self._scripts.call_all("forget_run", self._scripts.keys(tenant), calls):
            if isinstance(reply, StoreUnavailable):
                raise reply
            match texts(reply):
                case ["forgotten", keys, thread]:
                    runs, gone = runs + 1, gone + int(keys)
                    threads += [thread] if thread else []
        return Forgotten(runs=runs, keys=gone, threads=tuple(threads))

    async def detach(self, tenant: str, thread_id: str) -> None:
        """What is said in the thread's conversation from now on begins another thread."""
        await self._scripts.call("detach", self._scripts.keys(tenant), thread_id)

    async def forget_thread(self, tenant: str, thread_id: str) -> Forgotten:
        """Removes a thread that has no runs; with runs it stays."""
        match texts(await self._scripts.call("forget_thread", self._scripts.keys(tenant), thread_id)):
            case ["forgotten", keys]:
                return Forgotten(keys=int(keys), threads=(thread_id,))
        return Forgotten()

    async def evict(self, tenant: str, run_id: str, by: str) -> Literal["ended", "finished"]:
        """Ends a run whatever its worker does.

        :raises RunNotFound: there is no such run.
        """
        match texts(await self._scripts.call("evict", self._scripts.keys(tenant), run_id, by)):
            case ["ended"]:
                return "ended"
            case ["finished", _]:
                return "finished"
        raise RunNotFound(run_id)

    async def idle_threads(self, partition: int, *, limit: int, skip: int = 0) -> list[IdleThread]:
        """Threads whose checkpoints nobody has looked at since they fell idle, the first of them first."""
        keys = self._scripts.all_keys()[partition]
        async with store_errors():
            rows = await self._client.zrange(keys("unpruned"), skip, skip + limit - 1, withscores=True)
            pipe = self._client.pipeline(transaction=False)
            for thread_id, _ in rows:
                pipe.hget(keys("thread", thread_id.decode()), "tenant")
                pipe.exists(keys("thread_runs", thread_id.decode()))
            known = await pipe.execute()
        return [
            IdleThread(
                thread_id=thread_id.decode(),
                since=int(since),
                tenant=tenant.decode() if tenant is not None else None,
                runs=bool(runs),
            )
            for (thread_id, since), tenant, runs in zip(rows, known[::2], known[1::2], strict=True)
        ]

    async def keeps_fewer(self, keep: int) -> bool:
        """Notes how many checkpoints threads keep; whether those that were looked at before were left more."""
        keys = self._scripts.all_keys()[0]
        async with store_errors():
            pipe = self._client.pipeline(transaction=True)
            pipe.hget(keys("upkeep"), "keep")
            pipe.hset(keys("upkeep"), "keep", keep)
            before, _ = await pipe.execute()
        return before is not None and int(before) > keep

    async def look_at(self, thread_ids: Sequence[str]) -> None:
        """Puts threads that are not on the list on it."""
        for keys in self._scripts.all_keys():
            for start in range(0, len(thread_ids), _AT_ONCE):
                some = thread_ids[start : start + _AT_ONCE]
                async with store_errors():
                    pipe = self._client.pipeline(transaction=False)
                    for thread_id in some:
                        pipe.exists(keys("thread", thread_id))
                    here = await pipe.execute()
                    marks = {each: 0 for each, there in zip(some, here, strict=True) if there}
                    if marks:
                        await self._client.zadd(keys("unpruned"), marks, nx=True)

    async def looked_after(self, thread: IdleThread) -> None:
        """Takes the thread off the list, unless it was busy since."""
        for keys in self._scripts.all_keys():
            await self._scripts.call("upkeep_seen", keys, thread.thread_id, thread.since)

    async def trim_audit(self, tenant: str, before: int, *, limit: int) -> int:
        """Cuts links that were written before ``before`` (ms) off the beginning; how many."""
        reply = await self._scripts.call("audit_trim", self._scripts.keys(tenant), tenant, before, limit)
        return int(reply[0])


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
