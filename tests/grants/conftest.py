from __future__ import annotations

import sys
from pathlib import Path

import pytest
from grants.granting_office import GrantingOffice
from store.conftest import Caller

from harness_core.store import Store


@pytest.fixture
def caller(store: Store) -> Caller:
    return Caller(store)


@pytest.fixture
def office(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> GrantingOffice:
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("approval_tools", None)
    return GrantingOffice.write_granting(tmp_path, store)
