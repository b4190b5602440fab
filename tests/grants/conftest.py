from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from engine.conftest import SEAL
from grants.granting_office import GrantingOffice
from store.conftest import Caller

from harness_core.store import Store


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[Store]:
    opened = await Store.open(redis_url, seal=SEAL)
    yield opened
    await opened.close()


@pytest.fixture
def caller(store: Store) -> Caller:
    return Caller(store)


@pytest.fixture
def office(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> GrantingOffice:
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("approval_tools", None)
    return GrantingOffice.write_granting(tmp_path, store)
