"""The half that does the work: executes runs, and brings what they say to Slack.

Importing this module imports LangChain, which takes seconds; a process that only faces Slack does not.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog

from bot.admission import Admission, Memberships
from bot.delivery.owner import Lease, OutputOwner
from bot.metrics import Metrics
from bot.startup import Core, Team
from bot.tasks import LongTasks
from harness_core import Worker, WorkspaceHolder
from harness_core.errors import StoreError
from harness_core.events import Event

log = structlog.get_logger(__name__)

DRAIN_WITHIN: Final = 20.0
SHOW_WITHIN: Final = 3.0
_LOOK_EVERY: Final = 0.1


class Back:
    """A worker and, if this process gets the lease, the owner of the team's output."""

    def __init__(self, core: Core, team: Team, holder: WorkspaceHolder, metrics: Metrics) -> None:
        self._core = core
        self._worker = Worker(
            core.store,
            holder,
            seal=core.seal,
            admission=Admission(team.people),
            groups_of=Memberships(team.people),
            upkept=metrics.upkept,
        )
        self._owner = OutputOwner(
            core.store,
            team.api,
            worker=self._worker.name,
            lease=Lease.lasting(holder.current.runtime.recovery.lease),
            team_url=team.installation.url,
        )
        self._worker.bus.subscribe(self._nudge)
        self.tasks = LongTasks()

    def start(self) -> None:
        """Begin to work. The agents are compiled first."""
        self.tasks.start(self._owner.run(), "output owner")
        self.tasks.start(self._worker.run(), "worker")

    async def drain(self) -> None:
        """Takes no more work, ends or hands over what runs, and shows what there is to show."""
        log.info("draining", runs=self._worker.held)
        await self._worker.drain(limit=DRAIN_WITHIN)
        self._owner.nudge()
        try:
            async with asyncio.timeout(SHOW_WITHIN):
                while await self._lags():  # noqa: ASYNC110 - the store tells nobody when it has nothing left
                    await asyncio.sleep(_LOOK_EVERY)
        except (TimeoutError, StoreError):
            log.info("not everything is shown yet: the next worker goes on")

    async def _lags(self) -> bool:
        tenants = await self._core.control.tenants()
        return any([await self._core.store.deliveries.dirty(tenant, limit=1) for tenant in tenants])

    def _nudge(self, _event: Event) -> None:
        self._owner.nudge()


@asynccontextmanager
async def open_back(core: Core, team: Team, holder: WorkspaceHolder, metrics: Metrics) -> AsyncIterator[Back]:
    """Works within the block."""
    back = Back(core, team, holder, metrics)
    back.start()
    try:
        yield back
    finally:
        await back.tasks.close()
