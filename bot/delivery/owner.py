"""The output owner: of all worker processes, the one that writes to a team's Slack.

Every worker runs an :class:`OutputOwner`. For each team with something to show it takes a lease on that team's
output, or leaves it to the worker that has it. A lease is renewed while there is work and lapses after it.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Final, Self

import structlog

from bot.delivery.outbox import Outbox
from bot.delivery.scheduler import Pace, Scheduler
from bot.delivery.web_api import WebApi
from harness_core import Store
from harness_core.errors import StoreUnavailable
from harness_core.models import Ownership

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_MOST_DIRTY: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """How the right to write is held; all in seconds. ``grace`` is for calls in flight at the end."""

    ttl: float = 10.0
    renew: float = 3.0
    contend: float = 1.0
    idle_poll: float = 0.25
    discover: float = 0.5
    grace: float = 5.0

    @classmethod
    def lasting(cls, seconds: float) -> Self:
        """A lease that another worker may take after ``seconds`` of silence, renewed well before."""
        return cls(ttl=seconds, renew=seconds * 0.3, contend=seconds * 0.1)


class OutputOwner:
    """Shows the runs of every team it can get hold of.

    ``worker`` must be unique to this process; ``team_url`` is the team's own address in Slack, for links.
    """

    def __init__(
        self,
        store: Store,
        api: WebApi,
        *,
        worker: str,
        pace: Pace | None = None,
        lease: Lease | None = None,
        team_url: str = "",
    ) -> None:
        self._store = store
        self._api = api
        self._team_url = team_url
        self._worker = worker
        self._pace = pace or Pace()
        self._lease = lease or Lease()
        self._teams: dict[str, TeamOutput] = {}
        self._nudged = asyncio.Event()

    def nudge(self) -> None:
        """Something happened in this process that may have to be shown: look now."""
        self._nudged.set()
        for team in self._teams.values():
            team.nudge()

    @property
    def owned(self) -> frozenset[str]:
        """The teams whose output this process holds the lease on, as far as it knows."""
        return frozenset(tenant for tenant, team in self._teams.items() if team.owns)

    async def run(self) -> None:
        """Works until cancelled; then waits for the calls in flight and gives the leases back."""
        self._teams.clear()
        async with asyncio.TaskGroup() as group:
            while True:
                _heed_cancellation()
                for tenant in await self._new_tenants():
                    team = TeamOutput(
                        self._store,
                        self._api,
                        tenant=tenant,
                        worker=self._worker,
                        pace=self._pace,
                        lease=self._lease,
                        team_url=self._team_url,
                    )
                    self._teams[tenant] = team
                    group.create_task(team.run())
                await _wait(self._nudged, self._lease.discover)

    async def _new_tenants(self) -> list[str]:
        try:
            tenants = await self._store.lists.tenants()
        except StoreUnavailable:
            return []  # the teams that are known say so in the log
        return [tenant for tenant in tenants if tenant not in self._teams]


class TeamOutput:
    """The loop of one team: look for what lags, hold the lease, let the scheduler speak."""

    def __init__(
        self,
        store: Store,
        api: WebApi,
        *,
        tenant: str,
        worker: str,
        pace: Pace,
        lease: Lease,
        team_url: str,
    ) -> None:
        self._store = store
        self._tenant = tenant
        self._worker = worker
        self._pace = pace
        self._lease = lease
        self._nudged = asyncio.Event()
        outbox = Outbox(store, api, settle=pace.settle)
        self._scheduler = Scheduler(store, outbox, pace, self.nudge, team_url=team_url)
        self._ownership: Ownership | None = None
        self._owned_at = 0.0

    @property
    def owns(self) -> bool:
        """Whether the lease is held, or was when it was last needed."""
        return self._ownership is not None

    def nudge(self) -> None:
        self._nudged.set()

    async def run(self) -> None:
        """Works until cancelled. No fault of one team's output ends it, or reaches another's."""
        failures = 0
        try:
            while True:
                _heed_cancellation()
                try:
                    pause = await self._turn()
                    failures = 0
                except StoreUnavailable as error:
                    failures += 1
                    pause = self._after_fault(failures)
                    if failures == 1:
                        _log.warning("delivery.store_unavailable", team_id=self._tenant, error=str(error))
                except Exception:  # noqa: BLE001 - it is logged whole, and the other runs must still be shown
                    failures += 1
                    pause = self._after_fault(failures)
                    _log.exception("delivery.fault", team_id=self._tenant)
                if failures:
                    await asyncio.sleep(pause)
                else:
                    await _wait(self._nudged, pause)
        finally:
            await self._leave()

    async def _turn(self) -> float:
        """One look; returns the seconds until the next."""
        dirty = await self._store.deliveries.dirty(self._tenant, limit=_MOST_DIRTY)
        if not dirty and not self._scheduler.busy:
            return self._lease.idle_poll
        ownership = await self._hold()
        if ownership is None:
            return self._lease.contend
        await self._scheduler.turn(ownership, dirty, until=self._owned_at + self._lease.ttl)
        return self._pace.poll

    async def _hold(self) -> Ownership | None:
        """The lease, taken or renewed; None while another worker has it."""
        now = time.monotonic()
        held = self._ownership
        if held is not None and not self._scheduler.lost and now - self._owned_at < self._lease.renew:
            return held
        self._ownership = await self._store.deliveries.own(self._tenant, self._worker, self._lease.ttl)
        self._owned_at = now
        if self._ownership != held or self._scheduler.lost:
            self._scheduler.reset()
            if self._ownership is not None and self._ownership != held:
                _log.info("delivery.owned", team_id=self._tenant, epoch=self._ownership.epoch)
        return self._ownership

    async def _leave(self) -> None:
        """Gives the lease back, unless a call of unknown outcome is on its way: then it must run out first."""
        settled = await self._scheduler.drain(self._lease.grace)
        if settled and self._ownership is not None:
            try:
                await self._store.deliveries.disown(self._ownership)
            except StoreUnavailable:
                _log.info("delivery.lease_left_to_lapse", team_id=self._tenant)

    def _after_fault(self, failures: int) -> float:
        return min(self._pace.backoff * 2.0 ** min(failures - 1, 16), self._lease.ttl / 2)


def _heed_cancellation() -> None:
    """Raises a cancellation that got lost on the way.

    The Redis client writes under ``asyncio.wait_for``, which before Python 3.12 swallows a cancellation that
    comes as the write completes: https://github.com/python/cpython/issues/86296
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _wait(nudged: asyncio.Event, seconds: float) -> None:
    """Until ``nudged``, at most ``seconds``."""
    try:
        async with asyncio.timeout(seconds):
            await nudged.wait()
    except TimeoutError:
        return
    nudged.clear()
