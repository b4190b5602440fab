"""Keeping the store from growing for ever: folds logs, thins out checkpoints, removes what is past its retention.

Every worker offers to do it and one at a time does, in small portions and within a time budget. Nothing of it stops
a run: a thread that somebody works on, or that waits for people, is left alone, and that is checked by the scripts
that remove something, not before.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from harness_core.engine.runtimes import Runtimes
from harness_core.errors import RunNotFound, StaleFence, StoreError, StoreUnavailable
from harness_core.models import Upkept
from harness_core.store import IdleThread, Removed, Store
from harness_core.workspace import WorkspaceHolder

log = logging.getLogger(__name__)

LEASE = 60.0
"""Seconds for which the right to do it is taken; it is renewed between portions."""

LOOK = 30.0
"""Seconds between two looks at whose turn it is, at most."""

SHARE = 8.0
"""Seconds that each kind of work may take in one pass; what is left over is for the next, which comes soon then."""

SOON = 5.0
"""Seconds until that next pass."""

PAUSE = 0.01
"""Seconds between two portions, in which runs have the process and Redis for themselves."""

AUDIT_KEPT = 365 * 86400.0
"""Seconds for which links of the audit chain are kept."""

UNSHOWN = 86400.0
"""Seconds after which a log is folded though nobody showed the end of it: programs that use the library never do."""

_PORTION = 50  # runs or links looked at in one portion


class Maintenance:
    """The loop of one worker. ``told`` hears of every pass that this worker made."""

    def __init__(
        self,
        store: Store,
        holder: WorkspaceHolder,
        runtimes: Runtimes,
        *,
        worker: str,
        told: Callable[[Upkept], None] | None = None,
    ) -> None:
        self._store = store
        self._holder = holder
        self._runtimes = runtimes
        self._worker = worker
        self._told = told
        self._done = Upkept()
        self._renewed = 0.0
        # Where the look at threads was cut off: the partition, and how many threads at its front have to wait.
        self._reached = (0, 0)

    async def run(self) -> None:
        """Does its turns until cancelled."""
        while True:
            pause = LOOK
            try:
                pause = await self._turn()
            except StoreError as error:
                log.warning("no maintenance: %s", error)
            except Exception:
                # It is logged whole; a worker whose other loops are sound must not stop for it.
                log.exception("maintenance failed")
            await asyncio.sleep(pause)

    async def _turn(self) -> float:
        """A pass, if it is due and nobody else makes it; the seconds until the next look."""
        wait = await self._store.upkeep.begin(self._worker, LEASE)
        if wait > 0:
            return min(wait, LOOK)
        done = await self.sweep()
        every = self._holder.current.runtime.maintenance.every
        again = every if done.complete else min(every, SOON)
        await self._store.upkeep.end(self._worker, again)
        return min(again, LOOK)

    async def sweep(self) -> Upkept:
        """One pass, whoever's turn it is."""
        began = self._renewed = time.monotonic()
        self._done = Upkept()
        for work in (self._fold, self._remove_runs, self._look_after_threads, self._trim_audit):
            await self._within_its_share(work())
        self._done = done = replace(self._done, seconds=round(time.monotonic() - began, 3))
        log.info(
            "maintenance",
            extra={name: getattr(done, name) for name in Upkept.__slots__ if getattr(done, name)},
        )
        if self._told is not None:
            self._told(done)
        return done

    async def _within_its_share(self, work: AsyncIterator[None]) -> None:
        deadline = time.monotonic() + SHARE
        async for _ in work:
            if time.monotonic() > deadline or not await self._is_still_ours():
                self._count(complete=False)
                return
            await asyncio.sleep(PAUSE)

    async def _is_still_ours(self) -> bool:
        if time.monotonic() - self._renewed < LEASE / 4:
            return True
        self._renewed = time.monotonic()
        return await self._store.upkeep.begin(self._worker, LEASE) == 0

    async def _fold(self) -> AsyncIterator[None]:
        """Logs of runs that are over and that people have been shown."""
        now = await self._store.now()
        for partition in range(self._store.upkeep.partitions):
            left = 0
            while rows := await self._store.events.unfolded(partition, limit=_PORTION, skip=left):
                for run_id, ended in rows:
                    left += not await self._fold_log(run_id, lagging=now - ended > UNSHOWN * 1000)
                yield

    async def _fold_log(self, run_id: str, *, lagging: bool) -> bool:
        """Whether there is nothing left to do about it."""
        try:
            outcome = await self._store.events.fold(run_id, lagging=lagging)
        except StoreUnavailable:
            raise
        except (StoreError, RunNotFound):
            self._count(unreadable=1)
            return False
        self._count(folded=outcome == "folded")
        return outcome in ("folded", "missing")

    async def _remove_runs(self) -> AsyncIterator[None]:
        """Runs that ended long ago, with all they have, and threads that have no other."""
        kept_for = self._holder.current.runtime.maintenance.finished_runs_for
        before = await self._store.now() - round(kept_for * 1000)
        for tenant in await self._store.lists.tenants():
            last = ""
            while run_ids := await self._store.upkeep.old_runs(tenant, before, after=last, limit=_PORTION):
                last = run_ids[-1]
                gone = await self._store.upkeep.forget_runs(tenant, run_ids, before=before)
                self._count(runs=gone.runs, keys=gone.keys, threads=len(gone.threads))
                yield

    async def _look_after_threads(self) -> AsyncIterator[None]:
        """Checkpoints of threads that nobody works on and of threads that are gone; threads that never were used.

        A pass goes on where the last one was cut off: threads that wait must not keep those behind them waiting.
        """
        settings = self._holder.current.runtime.maintenance
        before = await self._store.now() - round(settings.finished_runs_for * 1000)
        if await self._store.upkeep.keeps_fewer(settings.keep_checkpoints):
            await self._store.upkeep.look_at(await self._store.checkpoints.threads())
        first, left = self._reached
        for partition in range(first, self._store.upkeep.partitions):
            while threads := await self._store.upkeep.idle_threads(partition, limit=_PORTION, skip=left):
                for thread in threads:
                    left += not await self._look_after(thread, settings.keep_checkpoints, before)
                    self._reached = partition, left
                    yield
            left = 0
        self._reached = (0, 0)

    async def _look_after(self, thread: IdleThread, keep: int, before: int) -> bool:
        """Whether there is nothing left to do about the thread."""
        if thread.tenant is not None and not thread.runs and thread.since < before:
            gone = await self._store.upkeep.forget_thread(thread.tenant, thread.thread_id)
            self._count(threads=len(gone.threads), keys=gone.keys)
            if gone.threads:
                thread = replace(thread, tenant=None)
        try:
            removed = await self._thinned_out(thread, keep)
        except StaleFence:
            removed = None
        except StoreUnavailable:
            raise
        except StoreError:
            self._count(unreadable=1)
            removed = None
        if removed is None:
            return False
        self._count(checkpoints=removed.checkpoints, values=removed.values)
        await self._store.upkeep.looked_after(thread)
        return True

    async def _thinned_out(self, thread: IdleThread, keep: int) -> Removed | None:
        """None where it has to wait.

        :raises StaleFence: the thread is at work again.
        """
        if thread.tenant is None:
            await self._runtimes.forget(thread.thread_id)
            return await self._store.checkpoints.delete_thread(thread.thread_id)
        idle = await self._store.checkpoints.idle(thread.thread_id)
        if idle is None or not thread.runs:
            return None
        _, runtime = await self._runtimes.current()
        return await runtime.prune(thread.tenant, thread.thread_id, keep=keep, idle=idle)

    async def _trim_audit(self) -> AsyncIterator[None]:
        before = await self._store.now() - round(AUDIT_KEPT * 1000)
        for tenant in await self._store.lists.tenants():
            while links := await self._store.upkeep.trim_audit(tenant, before, limit=_PORTION):
                self._count(links=links)
                yield

    def _count(self, *, complete: bool = True, **more: int) -> None:
        added = {name: getattr(self._done, name) + count for name, count in more.items()}
        self._done = replace(self._done, complete=self._done.complete and complete, **added)
