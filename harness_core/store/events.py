"""The event log of a run. A sequence number is an event's place in it, counted from 1.

======================  ======  =================================================================
key                     type    content
======================  ======  =================================================================
run:<id>:events         list    one entry an event: time, whether sealed, name, payload
run:<id>:folded         string  the first events of a run that is over, compressed and sealed
unfolded                zset    runs that are over and whose events are a list still
======================  ======  =================================================================

A run that is over and was shown to people is read rarely, and a list of small sealed entries is a costly way to
keep it: maintenance folds it into one record. Readers see no difference.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Literal, NamedTuple

from harness_core.errors import RunNotFound, StoreError
from harness_core.events import Event, decode_payload
from harness_core.models import Run
from harness_core.states import LIVE, RunState
from harness_core.store.connection import Client, Patience, store_errors
from harness_core.store.keys import Keys
from harness_core.store.paging import check_limit
from harness_core.store.runs import RunRepository
from harness_core.store.scripts import Scripts, texts
from harness_core.store.seal import Seal

LOOK = 0.1
"""Seconds between two looks at a log that is followed."""

PATIENCE = 60.0
"""Seconds for which a follower waits for Redis to come back."""

_PART = "events"

Folding = Literal["folded", "live", "lagging", "changed", "missing"]
"""What became of a log: folded; left alone, since it grows, is not shown yet or just changed; or gone."""


class _Row(NamedTuple):
    at: int
    name: str
    payload: str


class EventRepository:
    """Reads events; they are written by the verbs that make them true."""

    def __init__(self, client: Client, scripts: Scripts, runs: RunRepository, seal: Seal) -> None:
        self._client = client
        self._scripts = scripts
        self._runs = runs
        self._seal = seal

    async def read(self, run_id: str, *, after: int = 0, limit: int | None = None) -> list[Event]:
        """The events after sequence number ``after``, in order.

        :raises RunNotFound: there is no such run.
        :raises ValueError: ``limit`` is less than 1.
        """
        check_limit(limit)
        keys = await self._runs.locate(run_id)
        stop = -1 if limit is None else after + limit - 1
        async with store_errors():
            pipe = self._client.pipeline(transaction=True)
            pipe.hmget(keys("run", run_id), "tenant", "folded")
            pipe.lrange(keys("events", run_id), after, stop)
            (tenant, folded), entries = await pipe.execute()
        if tenant is None:
            raise RunNotFound(run_id)
        if folded is None:
            rows = [self._row(tenant.decode(), run_id, entry) for entry in entries]
        else:
            rows = await self._whole(keys, run_id)
            rows = rows[after : None if limit is None else after + limit]
        return [
            Event(run_id=run_id, seq=after + number, at=at, payload=decode_payload(name, payload.encode()))
            for number, (at, name, payload) in enumerate(rows, start=1)
        ]

    async def names(self, after: Mapping[str, int]) -> dict[str, list[str]]:
        """The names of the events of each run after a sequence number: one round trip, and none is opened, but for
        those of a log that was folded.

        The runs are of one tenant. Of one that is gone there are no events.
        """
        if not after:
            return {}
        keys = await self._runs.locate(next(iter(after)))
        async with store_errors():
            pipe = self._client.pipeline(transaction=True)
            for run_id, seq in after.items():
                pipe.hget(keys("run", run_id), "folded")
                pipe.lrange(keys("events", run_id), seq, -1)
            found = await pipe.execute()
        return {
            run_id: [entry.split(b"|", 3)[2].decode() for entry in entries]
            if folded is None
            else [name for _, name, _ in (await self._whole(keys, run_id))[seq:]]
            for (run_id, seq), folded, entries in zip(after.items(), found[::2], found[1::2], strict=True)
        }

    async def follow(
        self, run_id: str, *, after: int = 0, while_waiting: bool = False, patience: float = PATIENCE
    ) -> AsyncIterator[Event]:
        """Every event after ``after``, as they come, until the run is over or, unless ``while_waiting``, asks people.

        Reads the log, so it works from any process, and after an outage it goes on where it was.

        :raises RunNotFound: there is no such run, or not any more.
        :raises StoreUnavailable: Redis was away for longer than ``patience`` seconds.
        """
        patient = Patience(patience)
        seen = after
        while True:
            run = await patient(partial(self._runs.get, run_id))
            # A server that lost the end of its data writes those numbers anew.
            seen = min(seen, run.events) if seen > after else seen
            if run.events > seen:
                for event in await patient(partial(self.read, run_id, after=seen)):
                    seen = event.seq
                    yield event
            elif _is_still(run, while_waiting=while_waiting):
                return
            else:
                await asyncio.sleep(LOOK)

    async def unfolded(self, partition: int, *, limit: int, skip: int = 0) -> list[tuple[str, int]]:
        """Runs that are over and whose events are a list still, with when they ended, the oldest first."""
        keys = self._scripts.all_keys()[partition]
        async with store_errors():
            rows = await self._client.zrange(keys("unfolded"), skip, skip + limit - 1, withscores=True)
        return [(run_id.decode(), int(at)) for run_id, at in rows]

    async def fold(self, run_id: str, *, lagging: bool = False) -> Folding:
        """Puts one record in the place of the list; ``lagging``: also if people have not been shown the end of it."""
        keys = await self._runs.locate(run_id)
        async with store_errors():
            pipe = self._client.pipeline(transaction=True)
            pipe.hget(keys("run", run_id), "tenant")
            pipe.lrange(keys("events", run_id), 0, -1)
            pipe.get(keys("folded", run_id))
            tenant, entries, record = await pipe.execute()
        rows: list[_Row] = []
        packed = b""
        if tenant is not None:
            rows, packed = await asyncio.to_thread(self._packed, tenant.decode(), run_id, record, entries)
        reply = await self._scripts.call("fold", keys, run_id, len(entries), len(rows), packed, int(lagging))
        match texts(reply):
            case ["folded" | "live" | "lagging" | "changed" | "missing" as outcome]:
                return outcome
            case other:
                raise StoreError(f"fold answered {other}")

    async def _whole(self, keys: Keys, run_id: str) -> list[_Row]:
        """All of a log that was folded, and what came after."""
        async with store_errors():
            pipe = self._client.pipeline(transaction=True)
            pipe.hget(keys("run", run_id), "tenant")
            pipe.lrange(keys("events", run_id), 0, -1)
            pipe.get(keys("folded", run_id))
            tenant, entries, record = await pipe.execute()
        if tenant is None:
            raise RunNotFound(run_id)
        return await asyncio.to_thread(self._rows, tenant.decode(), run_id, record, entries)

    def _packed(
        self, tenant: str, run_id: str, record: bytes | None, entries: Sequence[bytes]
    ) -> tuple[list[_Row], bytes]:
        rows = self._rows(tenant, run_id, record, entries)
        text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
        return rows, self._seal.seal(zlib.compress(text.encode()), tenant, run_id, _PART)

    def _rows(self, tenant: str, run_id: str, record: bytes | None, entries: Sequence[bytes]) -> list[_Row]:
        folded: list[_Row] = []
        if record is not None:
            text = zlib.decompress(self._seal.open(record, tenant, run_id, _PART))
            folded = [_Row(*row) for row in json.loads(text)]
        return [*folded, *(self._row(tenant, run_id, entry) for entry in entries)]

    def _row(self, tenant: str, run_id: str, entry: bytes) -> _Row:
        at, flag, raw_name, data = entry.split(b"|", 3)
        name = raw_name.decode()
        if flag == b"S":
            data = self._seal.open(data, tenant, run_id, "event", name)
        return _Row(int(at), name, data.decode())


def _is_still(run: Run, *, while_waiting: bool) -> bool:
    """Whether nothing more is going to happen, or not before people decide."""
    return run.state not in LIVE or (run.state is RunState.WAITING and not while_waiting)
