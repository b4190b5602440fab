"""Checkpoints of the graph, as bytes: what they mean is the saver's business.

Per thread and namespace: a hash of headers, a zset of ids in the order in which they were written, a hash of
channel values and one hash of pending writes per checkpoint. Everything is written sealed. Nothing here
expires by itself: a value of an old checkpoint may be the current value of a channel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from harness_core.errors import StaleFence
from harness_core.models import Fence
from harness_core.store.connection import Client, store_errors
from harness_core.store.keys import Keys
from harness_core.store.scripts import Scripts, texts


@dataclass(frozen=True, slots=True)
class WriteRow:
    """One pending write; ``overwrite`` for the special ones, of which the latest counts."""

    field: bytes
    value: bytes
    overwrite: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What was removed: checkpoints, and stored values of channels."""

    checkpoints: int = 0
    values: int = 0

    def __add__(self, other: Removed) -> Removed:
        return Removed(checkpoints=self.checkpoints + other.checkpoints, values=self.values + other.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """A thread nobody works on, as it was when it was looked at: any later claim raises ``epoch``."""

    tenant: str
    conversation: str
    epoch: int


BlobKey = tuple[str, str]  # channel, version

_AT_ONCE = 200  # checkpoints or values removed by one call: the server does nothing else meanwhile


class CheckpointRepository:
    """Reads and writes checkpoints. A fence that is given must be the current one.

    Threads of tenants live in the tenant's partition; a thread without a fence, as libraries and tests
    use it, lives in the first one.
    """

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    async def put(
        self,
        thread_id: str,
        ns: str,
        checkpoint_id: str,
        *,
        header: bytes,
        blobs: Mapping[BlobKey, bytes],
        fence: Fence | None,
    ) -> None:
        """:raises StaleFence: the fence is no longer the current one; nothing was written."""
        flat = [item for key, value in blobs.items() for item in (_blob_field(key), value)]
        reply = await self._scripts.call(
            "ck_put", self._keys(fence), *_fence(fence), thread_id, ns, checkpoint_id, header, *flat
        )
        _refuse(fence, reply[0])

    async def put_writes(
        self, thread_id: str, ns: str, checkpoint_id: str, writes: Sequence[WriteRow], fence: Fence | None
    ) -> None:
        """:raises StaleFence: the fence is no longer the current one; nothing was written."""
        flat = [item for row in writes for item in (int(row.overwrite), row.field, row.value)]
        reply = await self._scripts.call(
            "ck_writes", self._keys(fence), *_fence(fence), thread_id, ns, checkpoint_id, *flat
        )
        _refuse(fence, reply[0])

    async def latest(self, thread_id: str, ns: str) -> str | None:
        """The newest checkpoint's id."""
        ids = await self.ids(thread_id, ns, limit=1)
        return ids[0] if ids else None

    async def ids(
        self, thread_id: str, ns: str, *, before: str | None = None, limit: int | None = None
    ) -> list[str]:
        """Checkpoint ids, those written last first, and only those written before ``before``.

        Where ``before`` belongs to another namespace, the times in the ids are compared.
        """
        keys = await self._home(thread_id)
        if before is not None:
            return texts(await self._scripts.call("ck_before", keys, thread_id, ns, before, limit or -1))
        async with store_errors():
            last = limit - 1 if limit else -1
            found: list[bytes] = await self._client.zrange(keys("ck_ids", thread_id, ns), 0, last, desc=True)
        return texts(found)

    async def headers(self, thread_id: str, ns: str, ids: Sequence[str]) -> list[bytes | None]:
        """The headers of these checkpoints, None for those that are not there."""
        return await self._hash(thread_id, "ck_headers", ns, [each.encode() for each in ids])

    async def blobs(self, thread_id: str, ns: str, wanted: Sequence[BlobKey]) -> list[bytes | None]:
        """These channel values, None for those that are not there."""
        return await self._hash(thread_id, "ck_blobs", ns, [_blob_field(key) for key in wanted])

    async def blob_keys(self, thread_id: str, ns: str) -> list[BlobKey]:
        """Which channel values are stored."""
        keys = await self._home(thread_id)
        async with store_errors():
            fields = await self._client.hkeys(keys("ck_blobs", thread_id, ns))
        pairs = (field.decode().split("\0", 1) for field in fields)
        return [(channel, version) for channel, version in pairs]

    async def writes(self, thread_id: str, ns: str, checkpoint_id: str) -> list[tuple[bytes, bytes]]:
        """Pending writes of a checkpoint, ordered by field."""
        keys = await self._home(thread_id)
        async with store_errors():
            rows = await self._client.hgetall(keys("ck_writes", thread_id, ns, checkpoint_id))
        return sorted(rows.items())

    async def namespaces(self, thread_id: str) -> list[str]:
        """The namespaces a thread has checkpoints or writes in."""
        keys = await self._home(thread_id)
        async with store_errors():
            found = await self._client.smembers(keys("ck_namespaces", thread_id))
        return sorted(each.decode() for each in found)

    async def threads(self) -> list[str]:
        """Every thread with a checkpoint. Scans; for maintenance and libraries, not for request paths."""
        found: list[str] = []
        for keys in self._scripts.all_keys():
            prefix = keys("ck_namespaces", "")
            async with store_errors():
                scan = self._client.scan_iter(match=f"{_escaped(prefix)}*", count=500, _type="set")
                found.extend([unquote(key.decode().removeprefix(prefix)) async for key in scan])
        return sorted(found)

    async def idle(self, thread_id: str) -> Idle | None:
        """What must still hold when something of this thread is removed; None while a run of it is not over."""
        for keys in self._scripts.all_keys():
            async with store_errors():
                names = await self._client.hmget(keys("thread", thread_id), "tenant", "conversation")
            if names[0] is None:
                continue
            tenant, conversation = (name.decode() for name in names)
            async with store_errors():
                pipe = self._client.pipeline(transaction=True)
                pipe.hget(keys("conversation", tenant, conversation), "epoch")
                pipe.exists(keys("inbox", tenant, conversation))
                epoch, busy = await pipe.execute()
            if not busy:
                return Idle(tenant=tenant, conversation=conversation, epoch=int(epoch or 0))
        return None

    async def delete_thread(self, thread_id: str) -> Removed:
        """Forgets everything about a thread's checkpoints."""
        keys = await self._home(thread_id)
        removed = Removed()
        for ns in await self.namespaces(thread_id):
            removed += await self.delete_namespace(thread_id, ns)
        async with store_errors():
            await self._client.unlink(keys("ck_namespaces", thread_id))
        return removed

    async def delete_namespace(self, thread_id: str, ns: str, *, idle: Idle | None = None) -> Removed:
        """Forgets everything in one namespace of a thread.

        :raises StaleFence: ``idle`` was given and the thread is at work again; what is left can be read as before.
        """
        ids, blobs = await self.ids(thread_id, ns), await self.blob_keys(thread_id, ns)
        removed = await self.delete_checkpoints(thread_id, ns, ids, blobs, idle=idle)
        if idle is None:
            keys = await self._home(thread_id)
            async with store_errors():
                await self._client.srem(keys("ck_namespaces", thread_id), ns)
        return removed

    async def delete_checkpoints(
        self,
        thread_id: str,
        ns: str,
        ids: Sequence[str],
        blobs: Sequence[BlobKey] = (),
        *,
        idle: Idle | None = None,
    ) -> Removed:
        """Forgets these checkpoints, their writes, and the channel values that only they used.

        :raises StaleFence: ``idle`` was given and the thread is at work again. What is left can be read as before:
            checkpoints go before the values they used.
        """
        fields = [_blob_field(key) for key in blobs]
        removed = Removed()
        for start in range(0, max(1, len(ids)), _AT_ONCE):
            removed += await self._delete(thread_id, ns, ids[start : start + _AT_ONCE], (), idle)
        for start in range(0, len(fields), _AT_ONCE):
            removed += await self._delete(thread_id, ns, (), fields[start : start + _AT_ONCE], idle)
        return removed

    async def _delete(
        self, thread_id: str, ns: str, ids: Sequence[str], fields: Sequence[bytes], idle: Idle | None
    ) -> Removed:
        if idle is not None:
            reply = await self._scripts.call(
                "ck_prune", self._scripts.keys(idle.tenant), idle.tenant, idle.conversation, idle.epoch, thread_id, ns, len(ids), *ids, *fields
            )  # fmt: skip
            if reply[0] == b"busy":
                raise StaleFence(f"thread {thread_id} is at work again: its checkpoints are left alone")
            return Removed(checkpoints=int(reply[1]), values=int(reply[2]))
        keys = await self._home(thread_id)
        async with store_errors():
            pipe = self._client.pipeline(transaction=True)
            for each in ids:
                pipe.hdel(keys("ck_headers", thread_id, ns), each)
                pipe.zrem(keys("ck_ids", thread_id, ns), each)
                pipe.unlink(keys("ck_writes", thread_id, ns, each))
            for field in fields:
                pipe.hdel(keys("ck_blobs", thread_id, ns), field)
            await pipe.execute()
        return Removed(checkpoints=len(ids), values=len(fields))

    async def _hash(self, thread_id: str, name: str, ns: str, fields: Sequence[bytes]) -> list[bytes | None]:
        if not fields:
            return []
        keys = await self._home(thread_id)
        async with store_errors():
            values: list[bytes | None] = await self._client.hmget(keys(name, thread_id, ns), list(fields))
        return values

    def _keys(self, fence: Fence | None) -> Keys:
        return self._scripts.keys(fence.tenant) if fence else self._scripts.all_keys()[0]

    async def _home(self, thread_id: str) -> Keys:
        candidates = self._scripts.all_keys()
        for keys in candidates[1:]:
            async with store_errors():
                if await self._client.exists(keys("ck_namespaces", thread_id)):
                    return keys
        return candidates[0]


def _fence(fence: Fence | None) -> tuple[int, str, str, str, int]:
    if fence is None:
        return 0, "", "", "", 0
    return 1, fence.tenant, fence.conversation, fence.run_id, fence.epoch


def _refuse(fence: Fence | None, code: bytes) -> None:
    if code == b"fenced" and fence is not None:
        raise StaleFence(f"run {fence.run_id}: epoch {fence.epoch} no longer holds the lease")


def _blob_field(key: BlobKey) -> bytes:
    return "\0".join(key).encode()


def _escaped(pattern: str) -> str:
    return "".join(f"\\{char}" if char in "*?[]\\" else char for char in pattern)
