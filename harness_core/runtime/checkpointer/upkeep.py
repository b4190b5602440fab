"""Copying and thinning out stored checkpoints without cutting the history of those that stay."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from langgraph.checkpoint.base import WRITES_IDX_MAP
from langgraph.constants import START

from harness_core.runtime.checkpointer.archive import Archive
from harness_core.runtime.checkpointer.record import Header, foundations

_QUESTION = next(channel for channel, index in WRITES_IDX_MAP.items() if index == -3)
_SENT = "__pregel_tasks"
_TO_DO = ("branch:to:", START)


async def is_idle(root: Archive) -> bool:
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


async def prune_tree(root: Archive, inner: Sequence[Archive], keep: int) -> int:
    """Keeps the ``keep`` newest checkpoints of a thread, and nothing of subgraphs that ended; returns how many went.

    A subgraph's history is needed for as long as the step that called it has not ended. It has when the thread is
    done and the newest checkpoint of the thread is younger; each of the two alone would do, but the first rests on
    how LangGraph names things, and the second on the clocks of workers.
    """
    idle, newest = await is_idle(root), await root.latest()
    gone = await prune_thread(root, keep)
    for archive in inner:
        last = await archive.latest()
        if idle and newest is not None and (last is None or last < newest):
            gone += await archive.drop()
        else:
            gone += await prune_thread(archive, keep)
    return gone


async def prune_thread(archive: Archive, keep: int) -> int:
    """Keeps the ``keep`` newest checkpoints; returns how many went."""
    blob_keys = (
        await archive.blob_keys()
    )  # before the ids: a value that comes later is never taken for an orphan
    ids = await archive.ids()
    headers = await archive.headers(ids)
    return await _keep_only(archive, headers, set(ids[:keep]), blob_keys)


async def delete_runs(archive: Archive, run_ids: frozenset[str]) -> int:
    """Removes the checkpoints of these runs; returns how many went."""
    blob_keys = await archive.blob_keys()
    headers = await archive.headers(await archive.ids())
    kept = {each for each, header in headers.items() if header.metadata.get("run_id") not in run_ids}
    return await _keep_only(archive, headers, kept, blob_keys) if len(kept) < len(headers) else 0


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


async def _keep_only(
    archive: Archive,
    headers: Mapping[str, Header],
    kept: Collection[str],
    blob_keys: Collection[tuple[str, str]],
) -> int:
    staying = {each for each in kept if each in headers}
    staying |= foundations(staying, headers)
    used = {item for each in staying for item in headers[each].versions.items()}
    used |= set(await archive.segment_keys(used & set(blob_keys)))
    going = [each for each in headers if each not in staying]
    await archive.delete(going, [key for key in blob_keys if key not in used])
    return len(going)
