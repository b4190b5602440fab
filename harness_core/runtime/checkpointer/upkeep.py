"""Copying and thinning out stored checkpoints without cutting the history of those that stay."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from langgraph.checkpoint.base import WRITES_IDX_MAP
from langgraph.constants import START

from harness_core.runtime.checkpointer.archive import Archive
from harness_core.runtime.checkpointer.record import Header, foundations
from harness_core.store import Idle, Removed

_PAGE = 64  # headers read at once: a chain of deltas is not longer

_QUESTION = next(channel for channel, index in WRITES_IDX_MAP.items() if index == -3)
_SENT = "__pregel_tasks"
_TO_DO = ("branch:to:", START)


async def is_done(root: Archive) -> bool:
    """Whether the graph of a thread is done: nothing of its newest checkpoint is still to run or asks people."""
    newest = await root.latest()
    header = (await root.headers([newest])).get(newest) if newest else None
    if newest is None or header is None:
        return False
    if any(channel.startswith(_TO_DO) for channel in header.stored):
        return False
    if _SENT in header.stored and (await root.blobs([(_SENT, header.versions[_SENT])])).get(_SENT):
        return False
    return all(channel != _QUESTION for _, channel, _ in await root.writes(newest))


def is_of_one_task(ns: str) -> bool:
    """Whether a namespace belongs to one call of a subgraph: LangGraph puts the task's id into such a name."""
    return ":" in ns


async def prune_tree(root: Archive, inner: Sequence[Archive], keep: int, idle: Idle | None = None) -> Removed:
    """Keeps the ``keep`` newest checkpoints of a thread, and nothing of subgraphs that ended.

    The history of one call of a subgraph is needed for as long as the step that called it has not ended. It has when
    the thread is done and the newest checkpoint of the thread is younger; each of the two alone would do, but the
    first rests on how LangGraph names things, and the second on the clocks of workers. A subgraph that goes on where
    it was with each call keeps its history like the thread itself.

    :raises StaleFence: ``idle`` was given and the thread is at work again.
    """
    done, newest = await is_done(root), await root.latest()
    gone = await prune(root, keep, idle)
    for archive in inner:
        last = await archive.latest()
        if is_of_one_task(archive.ns) and done and newest is not None and (last is None or last < newest):
            gone += await archive.drop(idle)
        else:
            gone += await prune(archive, keep, idle)
    return gone


async def prune(archive: Archive, keep: int, idle: Idle | None = None) -> Removed:
    """Keeps the ``keep`` newest checkpoints of a namespace and what their values rest on.

    :raises StaleFence: ``idle`` was given and the thread is at work again.
    """
    # The values before the checkpoints: one that comes later is never taken for an orphan.
    blob_keys = await archive.blob_keys()
    ids = await archive.ids()
    headers = await _standing(archive, ids, keep)
    return await _keep_only(archive, ids, headers, set(ids[:keep]), blob_keys, idle=idle)


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
