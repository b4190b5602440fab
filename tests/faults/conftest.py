"""One fleet for each file: its processes are started once and killed by its tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from faults.stories import Measured, Told, tell_undisturbed
from fleet import Fleet, start_fleet


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet() -> AsyncIterator[Fleet]:
    """Separate web and worker processes with short leases."""
    async with start_fleet() as running:
        await running.start("web", "worker")
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(fleet: Fleet) -> Told:
    """What the runs of this file say when nothing is killed."""
    return await tell_undisturbed(fleet)


@pytest.fixture
def measured(record_property: Callable[[str, object], None]) -> Measured:
    """Takes a figure for the summary at the end of the test run."""

    def take(figure: str) -> None:
        print(f"\n  {figure}")
        record_property("figure", figure)

    return take
