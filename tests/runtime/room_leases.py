"""Runs that really hold a lease."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

from harness_core.events import RunCompleted
from harness_core.models import Accepted, Fence, Submission
from harness_core.states import RunState
from harness_core.store import Store

TENANT = "T1"


@dataclass
class Leases:
    """Accepts and claims runs, one after the other in each conversation."""

    store: Store
    _numbers: count[int] = field(default_factory=count)

    async def claim(self, *, conversation: str = "C1", worker: str = "w1", lease: float = 30.0) -> Fence:
        """A run of ``conversation`` that ``worker`` holds."""
        accepted = await self.store.runs.accept(
            Submission(
                tenant=TENANT,
                conversation=conversation,
                user="U1",
                text="hello",
                dedupe=(f"message-{next(self._numbers)}",),
                target={},
            )
        )
        assert isinstance(accepted, Accepted)
        return await self.take(accepted.run_id, worker=worker, lease=lease)

    async def take(self, run_id: str, *, worker: str, lease: float = 30.0) -> Fence:
        """The lease of a run that is ready."""
        claims = await self.store.runs.claim(worker, want=10, per_tenant=10, per_user=10, lease=lease)
        return next(claim.fence for claim in claims if claim.run.run_id == run_id)

    async def take_over(self, fence: Fence, *, worker: str) -> Fence:
        """What another worker holds after the first one's lease was handed on."""
        await self.store.runs.release(fence)
        return await self.take(fence.run_id, worker=worker)

    async def finish(self, fence: Fence) -> None:
        """Ends a run, so that the next one of its conversation may begin."""
        await self.store.runs.finish(fence, RunState.COMPLETED, RunCompleted(output=""))
