"""What has to be done about runs that nobody holds: lost workers, deadlines, answers, a changed configuration."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from harness_core.engine.approvals import Approvals
from harness_core.errors import RunNotFound, StoreError
from harness_core.models import RunFilter
from harness_core.states import RunState
from harness_core.store import Store
from harness_core.workspace import WorkspaceHolder

log = logging.getLogger(__name__)

LONGEST_PAUSE = 2.5
"""Seconds between two sweeps, at most; a quarter of the lease where that is less."""

_PAGE = 100


class Sweep:
    """Every worker sweeps; each thing is one script, so it does not matter who comes first.

    ``touched`` is told of runs that have new events.
    """

    def __init__(self, store: Store, holder: WorkspaceHolder, touched: Callable[[str], None]) -> None:
        self._store = store
        self._holder = holder
        self._approvals = Approvals(store, holder)
        self._touched = touched
        self._checked: str | None = None

    async def run(self, started: int) -> None:
        """Sweeps until cancelled. ``started`` is when this worker did, in milliseconds by the store's clock."""
        while True:
            try:
                await self._once(started)
            except StoreError as error:
                log.warning("no sweep: %s", error)
            await asyncio.sleep(min(self._holder.current.runtime.recovery.lease / 4, LONGEST_PAUSE))

    async def _once(self, started: int) -> None:
        recovery = self._holder.current.runtime.recovery
        reaped = await self._store.runs.reap(
            max_attempts=recovery.max_recovery_attempts if recovery.enabled else 0,
            # What is lost while workers are there goes on in any case: the setting is about what they find.
            hold_before=None if recovery.resume_resuming_runs_on_startup else started,
        )
        lost = (*reaped.taken, *reaped.dead, *reaped.held)
        for run_id in lost:
            log.warning("worker of this run was lost", extra={"run_id": run_id})
        due = await self._store.approvals.expire()
        stirred = await self._store.approvals.stir()
        for run_id in (*lost, *due.expired, *due.reminded, *stirred):
            self._touched(run_id)
        await self._drop_outdated()

    async def _drop_outdated(self) -> None:
        """Once for each version of the workspace: questions about agents that are no longer what they were."""
        digest = self._holder.current.digest
        if digest == self._checked:
            return
        for tenant in await self._store.lists.tenants():
            cursor: str | None = None
            while True:
                wanted = RunFilter(state=RunState.WAITING)
                page = await self._store.lists.page(tenant, wanted, cursor=cursor, limit=_PAGE)
                for run in page.items:
                    try:
                        dropped = await self._approvals.drop_outdated(run)
                    except RunNotFound:
                        continue
                    if dropped:
                        log.warning("configuration changed under a waiting run", extra={"run_id": run.run_id})
                        self._touched(run.run_id)
                cursor = page.cursor
                if cursor is None:
                    break
        self._checked = digest
