"""How many runs stand where, and how many questions wait, counted when Prometheus asks."""

from __future__ import annotations

from typing import Final

from bot.metrics import Metrics
from bot.startup import Core
from harness_core.models import RunFilter
from harness_core.states import LIVE

_AT_MOST: Final = 1000


class RunCounts:
    """Counts what is not over in all teams, up to a thousand in each team and state."""

    def __init__(self, core: Core, metrics: Metrics) -> None:
        self._core = core
        self._metrics = metrics

    async def measure(self) -> None:
        """:raises StoreUnavailable: nothing was counted."""
        counts, pending = dict.fromkeys(sorted(LIVE), 0), 0
        for tenant in await self._core.control.tenants():
            for state in counts:
                page = await self._core.control.list_runs(tenant, RunFilter(state=state), limit=_AT_MOST)
                counts[state] += len(page.items)
            asked = await self._core.store.approvals.page(tenant, open_only=True, limit=_AT_MOST)
            pending += len(asked.items)
        self._metrics.runs(counts)
        self._metrics.approvals(pending)
