"""How many runs stand where, counted when Prometheus asks."""

from __future__ import annotations

from typing import Final

from bot.metrics import Metrics
from harness_core import Control
from harness_core.models import RunFilter
from harness_core.states import LIVE

_AT_MOST: Final = 1000


class RunCounts:
    """Counts the runs of all teams that are not over, up to a thousand in each team and state."""

    def __init__(self, control: Control, metrics: Metrics) -> None:
        self._control = control
        self._metrics = metrics

    async def measure(self) -> None:
        """:raises StoreUnavailable: nothing was counted."""
        counts = dict.fromkeys(sorted(LIVE), 0)
        for tenant in await self._control.tenants():
            for state in counts:
                page = await self._control.list_runs(tenant, RunFilter(state=state), limit=_AT_MOST)
                counts[state] += len(page.items)
        self._metrics.runs(counts)
