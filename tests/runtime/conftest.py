"""An open store, and runs that really hold a lease in it."""

from __future__ import annotations

import pytest
from runtime import room_tools
from runtime.room_leases import Leases

from harness_core.store import Seal, Store


@pytest.fixture
def seal() -> Seal:
    return Seal(bytes(range(32)))


@pytest.fixture
def leases(store: Store) -> Leases:
    return Leases(store)


@pytest.fixture(autouse=True)
def _nothing_ran_yet() -> None:
    room_tools.forget()
