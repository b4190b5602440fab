from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from approvals.approval_office import ApprovalOffice
from sealing import SEAL
from store.conftest import Caller

from harness_core.engine.maintenance import Maintenance
from harness_core.engine.runtimes import Runtimes
from harness_core.models import Upkept
from harness_core.store import Store

Sweep = Callable[..., Maintenance]


@pytest.fixture
def caller(store: Store) -> Caller:
    return Caller(store)


@pytest.fixture
def office(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> ApprovalOffice:
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("approval_tools", None)
    return ApprovalOffice.write(tmp_path, store)


@pytest.fixture
def short_chains(monkeypatch: pytest.MonkeyPatch) -> None:
    """Histories are stored whole every seventh step instead of every fiftieth: more to remove, in less time."""
    monkeypatch.setattr("langgraph.pregel._checkpoint.DELTA_MAX_SUPERSTEPS_SINCE_SNAPSHOT", 7)


@pytest.fixture
def passes() -> list[Upkept]:
    """What maintenance said it did."""
    return []


@pytest.fixture
async def keeper(office: ApprovalOffice, passes: list[Upkept]) -> AsyncIterator[Callable[..., Maintenance]]:
    """A maintenance loop of a worker of this name, under these settings."""
    opened: list[Runtimes] = []

    def made(worker: str = "w1", **settings: str | int) -> Maintenance:
        lines = ", ".join(f"{name}: {value}" for name, value in settings.items())
        text = (office.folder / "workspace.yaml").read_text(encoding="utf-8")
        kept = [line for line in text.splitlines() if not line.startswith("maintenance:")]
        kept.insert(1 + kept.index("kind: Runtime"), f"maintenance: {{{lines}}}")
        (office.folder / "workspace.yaml").write_text("\n".join(kept), encoding="utf-8")
        holder = office.holder
        runtimes = Runtimes(office.store, holder, SEAL)
        opened.append(runtimes)
        return Maintenance(office.store, holder, runtimes, worker=worker, told=passes.append)

    yield made
    for runtimes in opened:
        await runtimes.aclose()
