"""Outputs of tools that are too long for a model to read whole, kept with the run that made them."""

from __future__ import annotations

from harness_core.errors import StaleFence
from harness_core.models import Fence
from harness_core.store.connection import Client, store_errors
from harness_core.store.scripts import Scripts
from harness_core.store.seal import Seal

PER_RUN = 8 * 1024 * 1024
"""Bytes, sealed, that one run may keep."""

_SEPARATOR = "."


class OutputRepository:
    """Keeps outputs under references, which open only in the thread they were made in."""

    def __init__(self, client: Client, scripts: Scripts, seal: Seal) -> None:
        self._client = client
        self._scripts = scripts
        self._seal = seal

    async def keep(self, fence: Fence, name: str, output: bytes) -> str | None:
        """A reference to ``output``, the same for the same ``name``; None when the run's share is used up.

        :raises StaleFence: the lease is gone; nothing was kept.
        """
        reference = f"{fence.run_id}{_SEPARATOR}{name}"
        sealed = self._seal.seal(output, fence.tenant, fence.thread_id, "output", reference)
        reply = await self._scripts.call(
            "output_put", self._scripts.keys(fence.tenant),
            fence.tenant, fence.conversation, fence.run_id, fence.epoch, reference, sealed, PER_RUN,
        )  # fmt: skip
        if reply[0] == b"fenced":
            raise StaleFence(f"run {fence.run_id}: epoch {fence.epoch} no longer holds the lease")
        return reference if reply[0] == b"kept" else None

    async def read(self, tenant: str, thread_id: str, reference: str) -> bytes | None:
        """The output behind ``reference``; None when there is none, or when its run is past its retention.

        :raises SealBroken: it belongs to another thread.
        """
        run_id = reference.partition(_SEPARATOR)[0]
        async with store_errors():
            sealed = await self._client.hget(self._scripts.keys(tenant)("outputs", run_id), reference)
        return None if sealed is None else self._seal.open(sealed, tenant, thread_id, "output", reference)
