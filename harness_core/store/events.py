"""The event log of a run: a list, one entry an event, its sequence number is its index + 1."""

from __future__ import annotations

from collections.abc import Mapping

from harness_core.errors import RunNotFound
from harness_core.events import Event, decode_payload
from harness_core.store.connection import Client, store_errors
from harness_core.store.runs import RunRepository
from harness_core.store.seal import Seal


class EventRepository:
    """Reads events; they are written by the verbs that make them true."""

    def __init__(self, client: Client, runs: RunRepository, seal: Seal) -> None:
        self._client = client
        self._runs = runs
        self._seal = seal

    async def read(self, run_id: str, *, after: int = 0, limit: int | None = None) -> list[Event]:
        """The events after sequence number ``after``, in order.

        :raises RunNotFound: there is no such run.
        """
        keys = await self._runs.locate(run_id)
        stop = -1 if limit is None else after + limit - 1
        async with store_errors():
            pipe = self._client.pipeline(transaction=False)
            pipe.hget(keys("run", run_id), "tenant")
            pipe.lrange(keys("events", run_id), after, stop)
            tenant, entries = await pipe.execute()
        if tenant is None:
            raise RunNotFound(run_id)
        return [
            self._decode(tenant.decode(), run_id, after + index + 1, entry)
            for index, entry in enumerate(entries)
        ]

    async def names(self, after: Mapping[str, int]) -> dict[str, list[str]]:
        """The names of the events of each run after a sequence number: one round trip, and none is opened.

        The runs are of one tenant. Of one that is gone there are no events.
        """
        if not after:
            return {}
        keys = await self._runs.locate(next(iter(after)))
        async with store_errors():
            pipe = self._client.pipeline(transaction=False)
            for run_id, seq in after.items():
                pipe.lrange(keys("events", run_id), seq, -1)
            found = await pipe.execute()
        return {
            run_id: [entry.split(b"|", 3)[2].decode() for entry in entries]
            for run_id, entries in zip(after, found, strict=True)
        }

    def _decode(self, tenant: str, run_id: str, seq: int, entry: bytes) -> Event:
        at, flag, raw_name, data = entry.split(b"|", 3)
        name = raw_name.decode()
        if flag == b"S":
            data = self._seal.open(data, tenant, run_id, "event", name)
        return Event(run_id=run_id, seq=seq, at=int(at), payload=decode_payload(name, data))
