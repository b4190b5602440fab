from __future__ import annotations

import sys
from pathlib import Path

import pytest
from approvals.approval_office import ApprovalOffice

from harness_core.store import Store


@pytest.fixture
def office(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> ApprovalOffice:
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("approval_tools", None)
    return ApprovalOffice.write(tmp_path, store)
