"""What is stored: in order, sealed to its place, whole or an error."""

from __future__ import annotations

import dataclasses
from typing import Any
from uuid import UUID

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import Checkpoint, empty_checkpoint
from langgraph.types import Interrupt, Send

from harness_core.errors import SealBroken, StoreError
from harness_core.runtime import FencedSaver
from harness_core.runtime.checkpointer.envelope import Envelope, strict_serde
from harness_core.store import Seal, Store, WriteRow


@dataclasses.dataclass
class Surprise:
    """A type that no list knows."""

    value: str = "arg"


@pytest.fixture
def saver(store: Store, seal: Seal) -> FencedSaver:
    return FencedSaver(store.checkpoints, seal, require_fence=False, tenant="T1")


def config(thread_id: str = "t", **more: Any) -> RunnableConfig:
    return {"configurable": {"thread_id": thread_id, "checkpoint_ns": "", **more}}


def checkpoint(saver: FencedSaver, **values: Any) -> Checkpoint:
    versions = {channel: saver.get_next_version(None, None) for channel in values}
    return {**empty_checkpoint(), "channel_values": values, "channel_versions": dict(versions)}


async def put(saver: FencedSaver, thread_id: str = "t", **values: Any) -> RunnableConfig:
    made = checkpoint(saver, **values)
    return await saver.aput(config(thread_id), made, {"source": "loop"}, made["channel_versions"])


async def test_writes_come_back_by_path_task_and_index_whatever_order_they_came_in(
    saver: FencedSaver,
) -> None:
    stored = await put(saver, n=1)
    paths = [
        "~__pregel_pull, b",
        "~__pregel_pull, a",
        "",
        "~__pregel_push, 0000000010",
        "~__pregel_push, 0000000002",
    ]
    for path in paths:
        for task in ("t2", "t1"):
            await saver.aput_writes(
                stored, [("ch", f"{path}|{task}|{index}") for index in range(12)], task, path
            )

    found = await saver.aget_tuple(config())

    assert found is not None
    expected = [
        f"{path}|{task}|{index}" for path in sorted(paths) for task in ("t1", "t2") for index in range(12)
    ]
    assert [value for _, _, value in found.pending_writes or []] == expected


async def test_special_writes_are_replaced_and_ordinary_ones_stay_as_first_written(
    saver: FencedSaver,
) -> None:
    stored = await put(saver, n=1)
    for value in ("first", "second"):
        await saver.aput_writes(
            stored, [("ch", value), ("__error__", value), ("__interrupt__", value)], "task"
        )

    found = await saver.aget_tuple(config())

    assert found is not None
    assert set(found.pending_writes or []) == {
        ("task", "__interrupt__", "second"),
        ("task", "__error__", "second"),
        ("task", "ch", "first"),
    }


async def test_nothing_readable_reaches_the_server(saver: FencedSaver, store: Store) -> None:
    stored = await put(saver, messages=[HumanMessage("the launch code is 0000")])
    await saver.aput_writes(stored, [("messages", AIMessage("the launch code is 0000"))], "task")

    seen = [await store.client.dump(key) for key in await store.client.keys("*ck:*")]

    assert len(seen) == 5
    assert all(b"launch" not in data and b"HumanMessage" not in data for data in seen)


@pytest.mark.parametrize("kind", ["ck_headers", "ck_blobs", "ck_writes"])
async def test_a_changed_byte_is_an_error_and_never_an_empty_history(
    saver: FencedSaver, store: Store, kind: str
) -> None:
    stored = await put(saver, messages=["x"])
    await saver.aput_writes(stored, [("messages", "y")], "task")
    key = _key(saver, kind, stored)
    ((field, value),) = (await store.client.hgetall(key)).items()
    await store.client.hset(key, field, value[:-1] + bytes([value[-1] ^ 1]))

    with pytest.raises(SealBroken):
        await saver.aget_tuple(config())


@pytest.mark.parametrize("kind", ["ck_headers", "ck_blobs", "ck_writes"])
async def test_another_threads_bytes_do_not_open_here(saver: FencedSaver, store: Store, kind: str) -> None:
    mine, other = await put(saver, "mine", messages=["mine"]), await put(saver, "other", messages=["other"])
    for stored in (mine, other):
        await saver.aput_writes(stored, [("messages", "y")], "task")
    ((_, foreign),) = (await store.client.hgetall(_key(saver, kind, other))).items()
    ((field, _),) = (await store.client.hgetall(_key(saver, kind, mine))).items()

    await store.client.hset(_key(saver, kind, mine), field, foreign)

    with pytest.raises(SealBroken):
        await saver.aget_tuple(config("mine"))


async def test_another_tenants_thread_of_the_same_name_does_not_open(
    saver: FencedSaver, store: Store, seal: Seal
) -> None:
    await put(saver, messages=["x"])

    with pytest.raises(SealBroken):
        await FencedSaver(store.checkpoints, seal, require_fence=False, tenant="T2").aget_tuple(config())


async def test_unsealed_bytes_are_refused_even_if_they_are_well_formed(
    saver: FencedSaver, store: Store
) -> None:
    stored = await put(saver, messages=["x"])
    tag, data = strict_serde().dumps_typed(["forged"])
    key = _key(saver, "ck_blobs", stored)
    (field,) = await store.client.hkeys(key)
    await store.client.hset(key, field, tag.encode() + b"\0" + data)

    with pytest.raises(SealBroken):
        await saver.aget_tuple(config())


@pytest.mark.parametrize("kind", ["ck_headers", "ck_blobs"])
async def test_a_value_that_is_gone_is_an_error_and_never_an_empty_history(
    saver: FencedSaver, store: Store, kind: str
) -> None:
    stored = await put(saver, messages=["x"])
    await store.client.unlink(_key(saver, kind, stored))

    with pytest.raises(StoreError, match="missing"):
        await saver.aget_tuple(config())


async def test_a_type_that_could_not_be_read_back_is_refused_before_it_is_stored(saver: FencedSaver) -> None:
    with pytest.raises(StoreError, match="Surprise"):
        await put(saver, state={"deep": [Surprise()]})
    stored = await put(saver, n=1)
    with pytest.raises(StoreError, match="plain JSON"):
        await saver.aput_writes(stored, [("state", Surprise())], "task")

    found = await saver.aget_tuple(config())
    assert found is not None
    assert found.pending_writes == []


async def test_a_blocked_type_that_was_stored_raises_and_does_not_decay(store: Store, seal: Seal) -> None:
    saver = FencedSaver(store.checkpoints, seal, require_fence=False)
    stored = await put(saver, n=1)
    checkpoint_id = stored["configurable"]["checkpoint_id"]
    place = ("", "t", "", "write", checkpoint_id, "", "task", "0")
    tag, data = strict_serde().dumps_typed(("state", Surprise()))
    sealed = Envelope(seal, strict_serde()).seal(tag, data, *place)
    field = b"\0task\0" + b"00000004"
    await store.checkpoints.put_writes("t", "", checkpoint_id, [WriteRow(field, sealed)], None)

    with pytest.raises(StoreError, match="Surprise"):
        await saver.aget_tuple(config())


async def test_the_types_of_a_graph_come_back_as_themselves(saver: FencedSaver) -> None:
    values: dict[str, Any] = {
        "messages": [HumanMessage("a", id="1"), AIMessage("b", id="2")],
        "sends": [Send("tools", [{"name": "x", "args": {}, "id": "c"}])],
        "asked": Interrupt(value={"q": 1}, id="i" * 32),
        "id": UUID(int=7),
        "plain": {"a": [1, None, True, 1.5, "é"], "raw": b"\0\1"},
        "nothing": None,
    }
    await put(saver, **values)

    found = await saver.aget_tuple(config())

    assert found is not None
    assert found.checkpoint["channel_values"] == values


def test_two_branches_from_one_version_never_share_a_stored_value(saver: FencedSaver) -> None:
    current = saver.get_next_version(None, None)

    following = {saver.get_next_version(current, None) for _ in range(100)}

    assert len(following) == 100
    assert all(each > current for each in following)
    assert saver.get_next_version(9, None) < saver.get_next_version(10, None)


def _key(saver: FencedSaver, kind: str, stored: RunnableConfig) -> str:
    keys = saver._checkpoints._scripts.all_keys()[0]
    thread_id, checkpoint_id = stored["configurable"]["thread_id"], stored["configurable"]["checkpoint_id"]
    return keys(kind, thread_id, "", *([checkpoint_id] if kind == "ck_writes" else []))
