"""Copying and thinning out stored checkpoints without cutting the history of those that stay."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from harness_core.runtime.checkpointer.archive import Archive
from harness_core.runtime.checkpointer.record import Header, foundations
from harness_core.store import Idle, Removed

_PAGE = 64  # headers read at once: a chain of deltas is not longer


async def prune(archive: Archive, keep: int, idle: Idle | None = None) -> Removed:
    """Keeps the ``keep`` newest checkpoints and what their values rest on.

    :raises StaleFence: ``idle`` was given and the thread is at work again.
    """
    # The values before the checkpoints: one that comes later is never taken for an orphan.
    blob_keys = await archive.blob_keys()
    ids = await archive.ids()
    headers = await _standing(archive, ids, keep)
    return await _keep_only(archive, ids, headers, set(ids[:keep]), blob_keys, idle=idle)


async def prune_nested(archive: Archive, oldest: str | None, idle: Idle | None = None) -> Removed:
    """Forgets what a single call of a subgraph stored, unless a checkpoint of the whole graph that stays is as old.

    A subgraph that is called by a task writes under that task's name and reads it again only if that task is
    continued; such a name is never used again. ``oldest`` is the oldest checkpoint of the whole graph that stays.

    :raises StaleFence: ``idle`` was given and the thread is at work again.
    """
    newest = await archive.latest()
    if newest is None or oldest is None or newest >= oldest:
        return Removed()
    return await archive.delete(await archive.ids(), await archive.blob_keys(), idle)


def is_of_one_task(ns: str) -> bool:
    """Whether a namespace belongs to one call of a subgraph: LangGraph puts the task's id into such a name."""
    return ":" in ns


async def delete_runs(archive: Archive, run_ids: frozenset[str]) -> int:
    """Removes the checkpoints of these runs; returns how many went."""
    blob_keys = await archive.blob_keys()
    ids = await archive.ids()
    headers = await archive.headers(ids)
    kept = {each for each, header in headers.items() if header.metadata.get("run_id") not in run_ids}
    if len(kept) == len(headers):
        return 0
    return (await _keep_only(archive, ids, headers, kept, blob_keys)).checkpoints


async def copy_thread(source: Archive, target: Archive) -> None:
    """Copies the whole chain, oldest first, so that every parent is there before its child."""
    ids = list(reversed(await source.ids()))
    headers = await source.headers(ids)
    left = set(await source.blob_keys())
    for checkpoint_id in ids:
        header = headers[checkpoint_id]
        brought = {key for key in left if key in header.versions.items()}
        brought |= set(await source.segment_keys(brought)) & left
        left -= brought
        await target.put_raw(checkpoint_id, header, await source.raw_blobs(sorted(brought)), None)
        rows = [
            (path, task_id, index, index < 0, channel, value)
            for path, task_id, index, channel, value in await source.rows(checkpoint_id)
        ]
        await target.put_rows(checkpoint_id, rows, None)


async def _standing(archive: Archive, ids: Sequence[str], keep: int) -> dict[str, Header]:
    """The headers of the ``keep`` newest, and of the ancestors their values rest on."""
    headers = await archive.headers(ids[:keep])
    newest = list(headers)
    places = {checkpoint_id: place for place, checkpoint_id in enumerate(ids)}
    asked = set(ids[:keep])
    while True:
        _, unread = foundations(newest, headers)
        further = [places[each] for each in unread - asked if each in places]
        if not further:
            return headers
        page = ids[min(further) : min(further) + _PAGE]
        asked |= set(page)
        headers |= await archive.headers(page)


async def _keep_only(
    archive: Archive,
    ids: Sequence[str],
    headers: Mapping[str, Header],
    kept: Collection[str],
    blob_keys: Collection[tuple[str, str]],
    *,
    idle: Idle | None = None,
) -> Removed:
    staying = {each for each in kept if each in headers}
    staying |= foundations(staying, headers)[0]
    used = {item for each in staying for item in headers[each].versions.items()}
    used |= set(await archive.segment_keys(used & set(blob_keys)))
    going = [each for each in ids if each not in staying]
    return await archive.delete(going, [key for key in blob_keys if key not in used], idle)
