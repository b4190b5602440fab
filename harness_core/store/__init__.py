"""Persistence in Redis. Nothing outside this package speaks to it.

:class:`Store` opens the connections and holds one repository per noun; the atomic verbs are in ``lua/``.
"""

from __future__ import annotations

from typing import Self

from harness_core.store.approvals import ApprovalRepository, Due
from harness_core.store.audit import AuditRepository, verify_chain
from harness_core.store.calls import CallRepository, Question, Standing, Unstarted
from harness_core.store.checkpoints import CheckpointRepository, Idle, Removed, WriteRow
from harness_core.store.connection import Patience, connect, pin_meta, store_errors, verify
from harness_core.store.deliveries import Begun, Budget, DeliveryRepository, Known, Lost, Stored, Wait
from harness_core.store.erasure import ErasureRepository
from harness_core.store.events import PATIENCE, EventRepository
from harness_core.store.grants import GrantRepository
from harness_core.store.items import ItemName, ItemRepository, ItemWrite, Namespace, StoredItem
from harness_core.store.keys import Keys
from harness_core.store.listing import RunList, ThreadRepository
from harness_core.store.messages import MessageRepository, Moved, Restart
from harness_core.store.outputs import OutputRepository
from harness_core.store.presence import PresenceRepository
from harness_core.store.run_answers import Appended, Parked, Reaped
from harness_core.store.runs import RunRepository
from harness_core.store.scripts import Scripts
from harness_core.store.seal import Seal
from harness_core.store.switches import SwitchRepository
from harness_core.store.upkeep import Forgotten, IdleThread, UpkeepRepository


class Store:
    """An open store. Lives as long as the process; close it last."""

    def __init__(self, url: str, *, seal: Seal, partitions: int) -> None:
        self.client = connect(url)
        self._heartbeat = connect(url, retries=1, connections=2)
        scripts = Scripts(self.client, partitions)
        self.runs = RunRepository(self.client, self._heartbeat, scripts, seal)
        self.messages = MessageRepository(self.client, scripts, seal)
        self.switches = SwitchRepository(self.client, scripts)
        self.calls = CallRepository(self.client, scripts, seal)
        self.approvals = ApprovalRepository(self.client, scripts, self.runs, seal)
        self.grants = GrantRepository(self.client, scripts, self.approvals)
        self.audit = AuditRepository(self.client, scripts)
        self.lists = RunList(self.client, scripts)
        self.threads = ThreadRepository(self.client, scripts, seal)
        self.events = EventRepository(self.client, scripts, self.runs, seal)
        self.deliveries = DeliveryRepository(self.client, scripts, self.runs)
        self.checkpoints = CheckpointRepository(self.client, scripts)
        self.items = ItemRepository(self.client, scripts, seal)
        self.outputs = OutputRepository(self.client, scripts, seal)
        self.erasure = ErasureRepository(self.client, scripts)
        self.upkeep = UpkeepRepository(self.client, scripts)
        self.presence = PresenceRepository(self.client, scripts)

    @classmethod
    async def open(cls, url: str, *, seal: Seal, partitions: int = 1) -> Self:
        """Connects, refuses servers that must not be used, and pins the number of partitions.

        :raises StoreUnavailable: no server answers at ``url``.
        :raises StoreMisconfigured: the server is too old or evicts data.
        :raises SchemaTooNew: the data belongs to a newer release.
        """
        probe = connect(url, retries=1, connections=1)
        try:
            async with store_errors():
                await verify(probe)
                pinned = await pin_meta(probe, partitions)
        finally:
            await probe.aclose()
        return cls(url, seal=seal, partitions=pinned)

    async def ping(self) -> None:
        """:raises StoreUnavailable: Redis does not answer within a second."""
        async with store_errors(limit=1.0):
            await self.client.ping()

    async def now(self) -> int:
        """Milliseconds since the epoch by the clock that the scripts read."""
        async with store_errors():
            pipe = self.client.pipeline(transaction=False)
            pipe.time()
            pipe.get(Keys(0)("clock_offset"))
            (seconds, micros), offset = await pipe.execute()
        return int(seconds) * 1000 + int(micros) // 1000 + int(offset or 0)

    async def close(self) -> None:
        """Closes every connection."""
        await self.client.aclose()
        await self._heartbeat.aclose()


__all__ = [
    "PATIENCE",
    "Appended",
    "ApprovalRepository",
    "AuditRepository",
    "Begun",
    "Budget",
    "CallRepository",
    "CheckpointRepository",
    "DeliveryRepository",
    "Due",
    "ErasureRepository",
    "EventRepository",
    "Forgotten",
    "GrantRepository",
    "Idle",
    "IdleThread",
    "ItemName",
    "ItemRepository",
    "ItemWrite",
    "Known",
    "Lost",
    "MessageRepository",
    "Moved",
    "Namespace",
    "OutputRepository",
    "Parked",
    "Patience",
    "PresenceRepository",
    "Question",
    "Reaped",
    "Removed",
    "Restart",
    "RunList",
    "RunRepository",
    "Seal",
    "Standing",
    "Store",
    "Stored",
    "StoredItem",
    "SwitchRepository",
    "ThreadRepository",
    "Unstarted",
    "UpkeepRepository",
    "Wait",
    "WriteRow",
    "verify_chain",
]
