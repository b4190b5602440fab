"""Outputs of tools that are too long to read whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness_core.errors import SealBroken, StaleFence
from harness_core.store import Store
from harness_core.store.outputs import PER_RUN

if TYPE_CHECKING:
    from store.conftest import Caller


async def test_an_output_is_found_by_its_reference_and_kept_sealed(store: Store, caller: Caller) -> None:
    fence = (await caller.running()).fence
    reference = await store.outputs.keep(fence, "call-1", b"plover" * 100)

    assert reference == f"{fence.run_id}.call-1"
    assert await store.outputs.read(fence.tenant, fence.thread_id, reference) == b"plover" * 100
    raw = await store.client.hgetall(f"harness:{{p0}}:run:{fence.run_id}:outputs")
    assert b"plover" not in b"".join(raw.values())
    assert await store.outputs.read(fence.tenant, fence.thread_id, f"{fence.run_id}.other") is None


async def test_kept_again_under_its_name_it_takes_no_more_room(store: Store, caller: Caller) -> None:
    fence = (await caller.running()).fence
    big = b"x" * (PER_RUN // 2 + 1)

    references = {await store.outputs.keep(fence, "call-1", big) for _ in range(3)}

    assert references == {f"{fence.run_id}.call-1"}


async def test_a_run_keeps_only_its_share(store: Store, caller: Caller) -> None:
    fence = (await caller.running()).fence
    big = b"x" * (PER_RUN // 2 + 1)

    assert await store.outputs.keep(fence, "call-1", big) is not None
    assert await store.outputs.keep(fence, "call-2", big) is None
    assert await store.outputs.keep(fence, "call-3", b"small") is not None


async def test_a_reference_opens_in_no_other_thread(store: Store, caller: Caller) -> None:
    fence = (await caller.running()).fence
    reference = await store.outputs.keep(fence, "call-1", b"secret")

    assert reference is not None
    with pytest.raises(SealBroken):
        await store.outputs.read(fence.tenant, "thread_other", reference)


async def test_a_worker_without_its_lease_keeps_nothing(store: Store, caller: Caller) -> None:
    fence = (await caller.running()).fence
    await store.runs.release(fence)

    with pytest.raises(StaleFence):
        await store.outputs.keep(fence, "call-1", b"late")
