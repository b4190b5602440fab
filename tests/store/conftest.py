from __future__ import annotations

import pytest

from harness_core.models import Claim, Submission
from harness_core.store import Store


class Caller:
    """Submits and claims with the values a test does not care about filled in."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._posts = 0

    def message(self, text: str = "hello", **values: object) -> Submission:
        self._posts += 1
        filled: dict[str, object] = {
            "tenant": "T1",
            "conversation": "C1:1.0",
            "user": "U1",
            "dedupe": (f"event-{self._posts}", f"post-{self._posts}"),
            "target": {"channel": "C1"},
        }
        return Submission(text=text, **{**filled, **values})  # type: ignore[arg-type]  # values are named by the tests

    async def claim(self, worker: str = "w1", *, lease: float = 10.0, want: int = 10) -> list[Claim]:
        return await self.store.runs.claim(worker, want=want, per_tenant=20, per_user=5, lease=lease)

    async def running(self, **values: object) -> Claim:
        await self.store.runs.accept(self.message(**values))  # type: ignore[arg-type]  # as above
        (claim,) = await self.claim()
        return claim

    async def later(self, seconds: float) -> None:
        """Moves the store's clock on: leases and deadlines are judged by it alone."""
        await self.store.client.incrby("harness:{p0}:clock_offset", round(seconds * 1000))


@pytest.fixture
def caller(store: Store) -> Caller:
    return Caller(store)
