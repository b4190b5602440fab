"""Nobody without a live lease writes a checkpoint."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import empty_checkpoint
from runtime.room_leases import Leases
from runtime.room_turns import run
from runtime.room_workspace import agent, workspace

from harness_core.errors import StaleFence
from harness_core.models import Fence
from harness_core.runtime import AgentRuntime, FencedSaver
from harness_core.runtime.checkpointer import engine_saver
from harness_core.store import Seal, Store


def config(fence: Fence | None, thread_id: str | None = None, **more: Any) -> RunnableConfig:
    configurable = {
        "thread_id": thread_id or (fence.thread_id if fence else "t"),
        "checkpoint_ns": "",
        **more,
    }
    return {"configurable": configurable if fence is None else {**configurable, "fence": fence}}


async def refused(saver: FencedSaver, given: RunnableConfig) -> None:
    """Both ways to write are refused, and leave nothing behind."""
    thread_id = given["configurable"]["thread_id"]
    with pytest.raises(StaleFence):
        await saver.aput(given, empty_checkpoint(), {}, {})
    writing: RunnableConfig = {"configurable": {**given["configurable"], "checkpoint_id": "c1"}}
    with pytest.raises(StaleFence):
        await saver.aput_writes(writing, [("messages", "x")], "task")
    assert await saver._checkpoints.ids(thread_id, "") == []
    assert await saver._checkpoints.writes(thread_id, "", "c1") == []


async def test_a_stale_epoch_is_refused_in_aput_and_aput_writes(
    store: Store, seal: Seal, leases: Leases
) -> None:
    fence = await leases.claim()
    await leases.take_over(fence, worker="w2")

    await refused(engine_saver(store.checkpoints, seal), config(fence))


async def test_an_epoch_from_the_future_is_refused_too(store: Store, seal: Seal, leases: Leases) -> None:
    fence = await leases.claim()

    await refused(engine_saver(store.checkpoints, seal), config(replace(fence, epoch=fence.epoch + 1)))


async def test_a_missing_fence_is_refused_in_aput_and_aput_writes(store: Store, seal: Seal) -> None:
    await refused(engine_saver(store.checkpoints, seal), config(None))


@pytest.mark.parametrize("forged", ["", 7, {"epoch": 1}, "fence"])
async def test_what_is_no_fence_is_refused(store: Store, seal: Seal, forged: Any) -> None:
    given: RunnableConfig = {"configurable": {"thread_id": "t", "checkpoint_ns": "", "fence": forged}}

    await refused(engine_saver(store.checkpoints, seal), given)


async def test_the_fence_of_another_thread_is_refused(store: Store, seal: Seal, leases: Leases) -> None:
    fence = await leases.claim()

    await refused(engine_saver(store.checkpoints, seal), config(fence, thread_id="thread_other"))


async def test_the_live_fence_writes(store: Store, seal: Seal, leases: Leases) -> None:
    fence = await leases.claim()
    saver = engine_saver(store.checkpoints, seal)
    checkpoint = empty_checkpoint()

    stored = await saver.aput(config(fence), checkpoint, {"source": "input"}, {})
    await saver.aput_writes(stored, [("messages", "x")], "task")

    found = await saver.aget_tuple(config(fence))
    assert found is not None
    assert found.checkpoint["id"] == checkpoint["id"]
    assert found.pending_writes == [("task", "messages", "x")]


async def test_the_engines_way_to_build_a_saver_cannot_make_an_unfenced_one(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases
) -> None:
    built = engine_saver(store.checkpoints, seal)
    assert built.requires_fence
    assert built.with_allowlist([("a", "b")]).__dict__["_require_fence"] is True
    assert copy.copy(built).requires_fence
    with pytest.raises(AttributeError):
        built.requires_fence = False  # type: ignore[misc]  # that it cannot be set is the point

    # The graphs that the engine runs hold this saver: even called past the runtime, they refuse.
    runtime = AgentRuntime(workspace(tmp_path, agent()), store, seal)
    graph = (await runtime._bindings.get("ops")).graph
    assert isinstance(graph.checkpointer, FencedSaver)
    with pytest.raises(StaleFence):
        await graph.ainvoke({"messages": [("user", "hi")]}, {"configurable": {"thread_id": "t"}})
    assert await store.checkpoints.threads() == []

    fence = await leases.claim()
    await run(runtime, fence, "say 1 word")
    assert await store.checkpoints.threads() == [fence.thread_id]


async def test_a_fenced_saver_copies_no_thread(store: Store, seal: Seal) -> None:
    with pytest.raises(StaleFence):
        await engine_saver(store.checkpoints, seal).acopy_thread("a", "b")
