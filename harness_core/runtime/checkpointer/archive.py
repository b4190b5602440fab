"""The checkpoints of one thread and namespace: sealed on the way in, opened and checked on the way out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langgraph.checkpoint.base import PendingWrite

from harness_core.errors import StoreError
from harness_core.models import Fence
from harness_core.runtime.checkpointer import snapshots
from harness_core.runtime.checkpointer.envelope import Envelope
from harness_core.runtime.checkpointer.record import Header, parse_write_field, write_field, write_index
from harness_core.store import CheckpointRepository, Idle, Removed, WriteRow

BlobKey = tuple[str, str]

_AT_ONCE = 8  # write hashes read side by side, a small part of the connection pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """Typed access to the stored checkpoints of ``thread_id`` in namespace ``ns``."""

    checkpoints: CheckpointRepository
    envelope: Envelope
    tenant: str
    thread_id: str
    ns: str

    async def latest(self) -> str | None:
        return await self.checkpoints.latest(self.thread_id, self.ns)

    async def ids(self, *, before: str | None = None, limit: int | None = None) -> list[str]:
        """Newest first."""
        return await self.checkpoints.ids(self.thread_id, self.ns, before=before, limit=limit)

    async def headers(self, ids: Sequence[str]) -> dict[str, Header]:
        """The headers among ``ids`` that exist."""
        found = await self.checkpoints.headers(self.thread_id, self.ns, ids)
        return {
            each: Header.from_plain(self.envelope.unpack(data, *self._place("checkpoint", each)))
            for each, data in zip(ids, found, strict=True)
            if data is not None
        }

    async def values(self, header: Header) -> dict[str, Any]:
        """The channel values of a checkpoint.

        :raises StoreError: one that was stored is gone.
        """
        wanted = list(header.versions.items())
        found = await self.blobs(wanted)
        lost = [channel for channel, version in wanted if channel in header.stored - found.keys()]
        if lost:
            raise StoreError(f"thread {self.thread_id}: the stored value of {', '.join(lost)} is missing")
        return found

    async def blobs(self, keys: Sequence[BlobKey]) -> dict[str, Any]:
        """The values stored under these keys, by channel."""
        sealed = await self.checkpoints.blobs(self.thread_id, self.ns, keys)
        return {
            channel: await self._opened(channel, version, data)
            for (channel, version), data in zip(keys, sealed, strict=True)
            if data is not None
        }

    async def blob_keys(self) -> list[BlobKey]:
        return await self.checkpoints.blob_keys(self.thread_id, self.ns)

    async def segment_keys(self, keys: Iterable[BlobKey]) -> list[BlobKey]:
        """The segments that the snapshots among ``keys`` are made of."""
        wanted = [key for key in keys if not snapshots.is_segment(key[1])]
        sealed = await self.checkpoints.blobs(self.thread_id, self.ns, wanted)
        found: list[BlobKey] = []
        for (channel, version), data in zip(wanted, sealed, strict=True):
            if data is not None:
                tag, opened = self.envelope.open(data, *self._place("blob", channel, version))
                if tag == snapshots.TAG:
                    names, _ = self.envelope.load("msgpack", opened)
                    found.extend((channel, name) for name in names)
        return found

    async def raw_blobs(self, keys: Sequence[BlobKey]) -> dict[BlobKey, tuple[str, bytes]]:
        """Type tags and bytes, for sealing them elsewhere."""
        sealed = await self.checkpoints.blobs(self.thread_id, self.ns, keys)
        return {
            key: self.envelope.open(data, *self._place("blob", *key))
            for key, data in zip(keys, sealed, strict=True)
            if data is not None
        }

    async def writes(self, checkpoint_id: str) -> list[PendingWrite]:
        """Pending writes in the order the graph applied them."""
        return [(task_id, channel, value) for _, task_id, _, channel, value in await self.rows(checkpoint_id)]

    async def rows(self, checkpoint_id: str) -> list[tuple[str, str, int, str, Any]]:
        """Pending writes with path, task and index."""
        opened = []
        for field, data in await self.checkpoints.writes(self.thread_id, self.ns, checkpoint_id):
            path, task_id, index = parse_write_field(field)
            place = self._place("write", checkpoint_id, path, task_id, str(index))
            channel, value = self.envelope.unpack(data, *place)
            opened.append((path, task_id, index, channel, value))
        return opened

    async def writes_of(self, ids: Sequence[str]) -> list[list[PendingWrite]]:
        """The pending writes of several checkpoints, in their order."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def read(checkpoint_id: str) -> list[PendingWrite]:
            async with gate:
                return await self.writes(checkpoint_id)

        return list(await asyncio.gather(*map(read, ids)))

    async def put(
        self, checkpoint_id: str, header: Header, values: Mapping[BlobKey, Any], fence: Fence | None
    ) -> None:
        """Stores a checkpoint and the channel values it brings, in one step.

        :raises StaleFence: the fence is no longer the current one; nothing was written.
        """
        blobs: dict[BlobKey, tuple[str, bytes]] = {}
        for (channel, version), value in values.items():
            if snapshots.is_long(value):
                blobs |= await self._cut(channel, version, value)
            else:
                blobs[channel, version] = self.envelope.dump(value, *self._place("blob", channel, version))
        await self.put_raw(checkpoint_id, header, blobs, fence)

    async def put_raw(
        self,
        checkpoint_id: str,
        header: Header,
        blobs: Mapping[BlobKey, tuple[str, bytes]],
        fence: Fence | None,
    ) -> None:
        """As :meth:`put`, with values that are type tags and bytes already."""
        await self.checkpoints.put(
            self.thread_id,
            self.ns,
            checkpoint_id,
            header=self.envelope.pack(header.to_plain(), *self._place("checkpoint", checkpoint_id)),
            blobs={
                key: self.envelope.seal(tag, data, *self._place("blob", *key))
                for key, (tag, data) in blobs.items()
            },
            fence=fence,
        )

    async def put_writes(
        self,
        checkpoint_id: str,
        writes: Sequence[tuple[str, Any]],
        task_path: str,
        task_id: str,
        fence: Fence | None,
    ) -> None:
        """Stores what one task wrote.

        :raises StaleFence: the fence is no longer the current one; nothing was written.
        """
        rows = [
            (task_path, task_id, *write_index(channel, position), channel, value)
            for position, (channel, value) in enumerate(writes)
        ]
        await self.put_rows(checkpoint_id, rows, fence)

    async def put_rows(
        self, checkpoint_id: str, rows: Sequence[tuple[str, str, int, bool, str, Any]], fence: Fence | None
    ) -> None:
        """Stores writes by path, task, index, whether they replace, channel and value."""
        packed = [
            WriteRow(
                write_field(path, task_id, index),
                self.envelope.pack(
                    (channel, value), *self._place("write", checkpoint_id, path, task_id, str(index))
                ),
                replaces,
            )
            for path, task_id, index, replaces, channel, value in rows
        ]
        if packed:
            await self.checkpoints.put_writes(self.thread_id, self.ns, checkpoint_id, packed, fence)

    async def drop(self, idle: Idle | None = None) -> Removed:
        """Forgets the whole namespace.

        :raises StaleFence: ``idle`` was given and the thread is at work again.
        """
        return await self.checkpoints.delete_namespace(self.thread_id, self.ns, idle=idle)

    async def delete(self, ids: Sequence[str], blobs: Sequence[BlobKey], idle: Idle | None = None) -> Removed:
        """Removes checkpoints, then values.

        :raises StaleFence: ``idle`` was given and the thread is at work again.
        """
        return await self.checkpoints.delete_checkpoints(self.thread_id, self.ns, ids, blobs, idle=idle)

    async def _cut(self, channel: str, version: str, value: Any) -> dict[BlobKey, tuple[str, bytes]]:
        full, rest = snapshots.cut(value)
        place = self._place("blob", channel, version)
        segments = [snapshots.named(*self.envelope.dump(items, *place)) for items in full]
        known = set(await self.blob_keys())
        manifest = self.envelope.dump(([each.name for each in segments], rest), *place)
        fresh = {
            (channel, each.name): (each.tag, each.data)
            for each in segments
            if (channel, each.name) not in known
        }
        return {(channel, version): (snapshots.TAG, manifest[1])} | fresh

    async def _opened(self, channel: str, version: str, sealed: bytes) -> Any:
        place = self._place("blob", channel, version)
        tag, data = self.envelope.open(sealed, *place)
        if tag != snapshots.TAG:
            return self.envelope.load(tag, data, *place)
        names, rest = self.envelope.load("msgpack", data, *place)
        keys = [(channel, name) for name in names]
        parts = await self.checkpoints.blobs(self.thread_id, self.ns, keys)
        if None in parts:
            raise StoreError(f"thread {self.thread_id}: a part of the stored value of {channel} is missing")
        return snapshots.join(
            [
                self.envelope.unpack(part, *self._place("blob", *key))
                for key, part in zip(keys, parts, strict=True)
                if part is not None
            ],
            rest,
        )

    def _place(self, kind: str, *key: str) -> tuple[str, ...]:
        return self.tenant, self.thread_id, self.ns, kind, *key
