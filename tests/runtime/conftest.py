"""An open store, and runs that really hold a lease in it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from runtime import room_tools
from runtime.room_leases import Leases

from harness_core.store import Seal, Store


@pytest.fixture
def seal() -> Seal:
    return Seal(bytes(range(32)))


@pytest.fixture
async def store(redis_url: str, seal: Seal) -> AsyncIterator[Store]:
    opened = await Store.open(redis_url, seal=seal)
    yield opened
    await opened.close()


@pytest.fixture
def leases(store: Store) -> Leases:
    return Leases(store)


@pytest.fixture(autouse=True)
def _nothing_ran_yet() -> None:
    room_tools.forget()
