"""Deliveries: what of a run is shown where, and who may write it.

One worker at a time owns a tenant's output. It books every call before it makes it (``begin``) and stores
the outcome after (``done``); a delivery that is still pending belongs to a call whose outcome nobody knows.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from harness_core.errors import RunNotFound
from harness_core.models import NOT_DELIVERED, UNDELIVERABLE, Delivery, Dirty, Ownership
from harness_core.store.connection import Client, store_errors
from harness_core.store.runs import RunRepository
from harness_core.store.scripts import Scripts

_FRONT = 10**13  # as FRONT in lua/prelude.lua


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How often a method may be called. ``keep`` calls are left for more urgent ones.

    ``room_interval`` is the least time in seconds between two calls in one room.
    """

    per_minute: int
    burst: int
    keep: int = 0
    room_interval: float = 0.0


@dataclass(frozen=True, slots=True)
class Begun:
    """The call is booked and its delivery stored as pending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """The budget is used up; ``seconds`` until it is worth asking again. Nothing was stored."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Stored:
    """The outcome of the call is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A message stands for this post already, ``external_id``: a former owner's call came through after all.

    Nothing was stored.
    """

    external_id: str


@dataclass(frozen=True, slots=True)
class Lost:
    """Another worker owns the output. Nothing was stored.

    ``extra``: the call brought a message beside the one that the new owner knows, and whoever made it removes it.
    """

    extra: bool = False


class DeliveryRepository:
    """The outbox of every tenant."""

    def __init__(self, client: Client, scripts: Scripts, runs: RunRepository) -> None:
        self._client = client
        self._scripts = scripts
        self._runs = runs

    async def own(self, tenant: str, worker: str, ttl: float) -> Ownership | None:
        """Takes or renews the right to write for ``ttl`` seconds; None while another worker has it."""
        reply = await self._scripts.call("own", self._scripts.keys(tenant), tenant, worker, round(ttl * 1000))
        if reply[0] != b"owned":
            return None
        return Ownership(tenant=tenant, worker=worker, epoch=int(reply[1]))

    async def disown(self, ownership: Ownership) -> None:
        """Lets another worker take over at once."""
        await self._scripts.call(
            "disown",
            self._scripts.keys(ownership.tenant),
            ownership.tenant,
            ownership.worker,
            ownership.epoch,
        )

    async def dirty(self, tenant: str, *, limit: int = 100) -> list[Dirty]:
        """Runs whose messages lag behind: ended ones first, then by their oldest unseen event."""
        keys = self._scripts.keys(tenant)
        async with store_errors():
            rows = await self._client.zrange(keys("dirty", tenant), 0, limit - 1, withscores=True)
        return [
            Dirty(run_id=run.decode(), since=int(score if score > 0 else score + _FRONT), final=score < 0)
            for run, score in rows
        ]

    async def of_run(self, run_id: str) -> dict[str, Delivery]:
        """Every delivery of a run, by part."""
        keys = await self._runs.locate(run_id)
        async with store_errors():
            rows = await self._client.hgetall(keys("deliveries", run_id))
        return {part.decode(): _decode(run_id, part.decode(), data) for part, data in rows.items()}

    async def begin(
        self, ownership: Ownership, delivery: Delivery, *, method: str, room: str | None, budget: Budget
    ) -> Begun | Wait | Known | Lost:
        """Books one call of ``method`` and stores ``delivery`` (pending) before the call is made."""
        reply = await self._scripts.call(
            "out_begin", *self._place(ownership, delivery), method, room or "", budget.per_minute,
            budget.burst, budget.keep, round(budget.room_interval * 1_000_000),
        )  # fmt: skip
        match reply:
            case [b"begun"]:
                return Begun()
            case [b"wait", ms]:
                return Wait(seconds=int(ms) / 1000)
            case [b"known", name]:
                return Known(external_id=name.decode())
            case _:
                return Lost()

    async def done(
        self, ownership: Ownership, delivery: Delivery, *, complete: bool
    ) -> Stored | Known | Lost:
        """Stores the outcome of a call. ``complete``: every part shows everything up to ``shown``.

        When another worker owns the output by now, the run is marked as lagging for it.
        """
        reply = await self._scripts.call(
            "out_done", *self._place(ownership, delivery), delivery.shown, int(complete)
        )
        match reply:
            case [b"ok"]:
                return Stored()
            case [b"known", name]:
                return Known(external_id=name.decode())
            case _:
                return Lost(extra=reply[1] == b"1")

    async def close_method(self, tenant: str, method: str, seconds: float) -> None:
        """The platform refused ``method``: nobody calls it again before ``seconds`` are over."""
        keys = self._scripts.keys(tenant)
        async with store_errors():
            await self._client.set(keys("closed", tenant, method), "1", px=max(1, round(seconds * 1000)))

    async def mark_dirty(self, run_id: str) -> None:
        """Asks for the run's messages to be looked at again.

        :raises RunNotFound: there is no such run.
        """
        reply = await self._scripts.call("mark_dirty", await self._runs.locate(run_id), run_id)
        if reply[0] == b"missing":
            raise RunNotFound(run_id)

    async def undeliverable(self, tenant: str, run_id: str, why: str) -> None:
        """The place of the run is closed for good, the platform calls it ``why``: notes that, and ends the run.

        One that a worker is at ends once that has stopped. A run that is over stays as it is, but for the note.
        """
        keys = self._scripts.keys(tenant)
        await self._scripts.call("undeliverable", keys, run_id, why, UNDELIVERABLE, NOT_DELIVERED)

    def _place(self, ownership: Ownership, delivery: Delivery) -> tuple[Any, ...]:
        record = asdict(delivery)
        del record["run_id"], record["part"]
        return (
            self._scripts.keys(ownership.tenant), ownership.tenant, ownership.worker, ownership.epoch,
            delivery.run_id, delivery.part, json.dumps(record),
        )  # fmt: skip


def _decode(run_id: str, part: str, data: bytes) -> Delivery:
    known = Delivery.__slots__
    values = {name: value for name, value in json.loads(data).items() if name in known}
    return Delivery(run_id=run_id, part=part, **values)
