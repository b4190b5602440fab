"""Rebuilding channels that keep only deltas: the walk from a checkpoint back to where each was stored whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langgraph.checkpoint.base import DeltaChannelHistory, PendingWrite

from harness_core.errors import StoreError
from harness_core.runtime.checkpointer.archive import Archive
from harness_core.runtime.checkpointer.record import Header

_PAGE = 128  # headers read at once, unless the target says how many there are


async def delta_history(
    archive: Archive, checkpoint_id: str | None, channels: Sequence[str]
) -> dict[str, DeltaChannelHistory]:
    """Per channel the writes of the ancestors, oldest first, and the whole value they start from.

    :raises StoreError: an ancestor on the way is gone.
    """
    target_id, target = await _target(archive, checkpoint_id)
    path = await _ancestors(archive, target_id, target, set(channels))
    writes = await _applied_writes(archive, target, path, channels)
    history: dict[str, DeltaChannelHistory] = {}
    for channel in channels:
        reach = _reach(path, channel)
        collected: list[PendingWrite] = [
            write
            for ancestor, _ in reversed(path[:reach])
            for write in writes.get(ancestor, ())
            if write[1] == channel
        ]
        history[channel] = {"writes": collected}
        seed = await _seed(archive, path[reach - 1][1], channel) if reach else {}
        if channel in seed:
            history[channel]["seed"] = seed[channel]
    return history


async def _target(archive: Archive, checkpoint_id: str | None) -> tuple[str, Header]:
    target_id = checkpoint_id or await archive.latest()
    if target_id is None:
        raise StoreError(f"thread {archive.thread_id}: there is no checkpoint to read")
    found = await archive.headers([target_id])
    if target_id not in found:
        raise StoreError(f"thread {archive.thread_id}: checkpoint {target_id} is missing")
    return target_id, found[target_id]


async def _ancestors(
    archive: Archive, target_id: str, target: Header, missing: set[str]
) -> list[tuple[str, Header]]:
    """The parents, grandparents and so on, until each channel was stored whole in one of them."""
    path: list[tuple[str, Header]] = []
    known: dict[str, Header] = {}
    cursor, page = target.parent, target.steps_since_stored(missing) or _PAGE
    while cursor is not None and missing:
        if cursor not in known:
            ids = await archive.ids(before=path[-1][0] if path else target_id, limit=page)
            known |= await archive.headers([each for each in ids if each not in known])
            page = _PAGE
        if cursor not in known:
            raise StoreError(
                f"thread {archive.thread_id}: checkpoint {cursor} is missing, its history is cut"
            )
        path.append((cursor, known[cursor]))
        missing -= known[cursor].stored
        cursor = known[cursor].parent
    return path


async def _applied_writes(
    archive: Archive, target: Header, path: Sequence[tuple[str, Header]], channels: Sequence[str]
) -> dict[str, list[PendingWrite]]:
    """The writes of those ancestors after which one of the channels had another version."""
    changed: list[str] = []
    child = target
    for ancestor, header in path:
        if any(header.versions.get(channel) != child.versions.get(channel) for channel in channels):
            changed.append(ancestor)
        child = header
    return dict(zip(changed, await archive.writes_of(changed), strict=True))


def _reach(path: Sequence[tuple[str, Header]], channel: str) -> int:
    """How many ancestors count for ``channel``: up to the one that stored it, or all."""
    for index, (_, header) in enumerate(path):
        if channel in header.stored:
            return index + 1
    return len(path)


async def _seed(archive: Archive, header: Header, channel: str) -> dict[str, Any]:
    if channel not in header.stored:
        return {}
    found = await archive.blobs([(channel, header.versions[channel])])
    if channel not in found:
        raise StoreError(f"thread {archive.thread_id}: the stored value of {channel} is missing")
    return found
