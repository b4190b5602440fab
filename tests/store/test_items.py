"""Long-term items in Redis: kept sealed, listed by namespace, apart for each tenant."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from sealing import SEAL

from harness_core.errors import SealBroken
from harness_core.store import ItemWrite, Store, StoredItem
from harness_core.store.items import PAGE

if TYPE_CHECKING:
    from store.conftest import Caller

HOME = ("notes", "ops")


def put(key: str, text: str = "x", *, at: tuple[str, ...] = HOME, **more: Any) -> ItemWrite:
    return ItemWrite(namespace=at, key=key, value={"text": text}, **more)


async def read(
    store: Store, key: str, *, at: tuple[str, ...] = HOME, refresh: bool = False
) -> StoredItem | None:
    (item,) = await store.items.read("T1", [(at, key)], refresh=refresh)
    return item


async def test_an_item_is_read_back_as_it_was_written(store: Store) -> None:
    await store.items.write("T1", [put("a", "hello", vectors=b"\x00\x01")])

    item = await read(store, "a")

    assert item is not None
    assert (item.namespace, item.key, item.value, item.vectors, item.ttl) == (
        *(HOME, "a", {"text": "hello"}),
        *(b"\x00\x01", None),
    )
    assert item.created_at == item.updated_at
    assert await read(store, "b") is None


async def test_written_again_it_keeps_the_time_it_was_created(store: Store, caller: Caller) -> None:
    await store.items.write("T1", [put("a", "one")])
    first = await read(store, "a")
    await caller.later(5)
    await store.items.write("T1", [put("a", "two")])

    second = await read(store, "a")

    assert first is not None
    assert second is not None
    assert second.value == {"text": "two"}
    assert second.created_at == first.created_at
    assert second.updated_at >= first.updated_at + 5000


async def test_nothing_of_a_value_is_readable_in_redis_and_it_opens_nowhere_else(store: Store) -> None:
    await store.items.write("T1", [put("a", "the password is plover"), put("b", "other", vectors=b"plover")])

    raw = await store.client.hgetall("harness:{p0}:items:T1:item:notes%00ops%00%00a")
    for key in await store.client.keys("*"):
        kind = (await store.client.type(key)).decode()
        if kind == "hash":
            assert b"plover" not in b"".join((await store.client.hgetall(key)).values())
    await store.client.hset("harness:{p0}:items:T1:item:notes%00ops%00%00b", "value", raw[b"value"])
    with pytest.raises(SealBroken):
        await read(store, "b")


async def test_a_namespace_lists_itself_and_what_is_below_and_nothing_beside(store: Store) -> None:
    places = [("a",), ("a", "b"), ("ab",), ("a\x01",), ("a!",), ("b",)]
    await store.items.write("T1", [put("k", at=place) for place in places])

    assert await store.items.names("T1", ("a",)) == [(("a",), "k"), (("a", "b"), "k")]
    assert await store.items.names("T1", ("a", "b")) == [(("a", "b"), "k")]
    assert {place for place, _ in await store.items.names("T1")} == set(places)


async def test_keys_may_hold_any_character(store: Store) -> None:
    odd = ["/deep/path.md", "", "\0\0x", "ünï", "a:b{c}"]
    await store.items.write("T1", [put(key) for key in odd])

    assert sorted(key for _, key in await store.items.names("T1", HOME)) == sorted(odd)
    assert all([await read(store, key) for key in odd])


async def test_a_long_list_goes_on_after_its_last_name(store: Store) -> None:
    await store.items.write("T1", [put(f"{number:05}") for number in range(PAGE + 5)])

    first = await store.items.names("T1", HOME)
    rest = await store.items.names("T1", HOME, after=first[-1])

    assert (len(first), [key for _, key in rest]) == (PAGE, [f"{PAGE + each:05}" for each in range(5)])


async def test_tenants_never_see_each_other(store: Store) -> None:
    await store.items.write("T1", [put("a", "mine")])
    await store.items.write("T2", [put("a", "theirs")])

    await store.items.write("T1", [ItemWrite(namespace=HOME, key="a", value=None)])
    assert await store.items.names("T1") == []
    (theirs,) = await store.items.read("T2", [(HOME, "a")])
    assert theirs is not None
    assert theirs.value == {"text": "theirs"}


async def test_an_item_is_gone_when_its_time_is_over_and_leaves_no_name_behind(
    store: Store, caller: Caller
) -> None:
    await store.items.write("T1", [put("short", ttl=60.0), put("long")])
    await caller.later(59)
    assert await read(store, "short") is not None
    await caller.later(2)

    assert await read(store, "short") is None
    assert await store.items.names("T1", HOME) == [(HOME, "long")]
    assert await store.client.exists("harness:{p0}:items:T1:item:notes%00ops%00%00short") == 0


async def test_reading_with_refresh_starts_its_time_anew_and_reading_without_does_not(
    store: Store, caller: Caller
) -> None:
    await store.items.write("T1", [put("a", ttl=60.0), put("b", ttl=60.0)])
    await caller.later(50)
    await read(store, "a", refresh=True)
    await read(store, "b")
    await caller.later(50)

    assert await read(store, "a") is not None
    assert await read(store, "b") is None


async def test_an_item_written_after_it_expired_is_a_new_one(store: Store, caller: Caller) -> None:
    await store.items.write("T1", [put("a", ttl=60.0)])
    await caller.later(100)
    await store.items.write("T1", [put("a", "new")])

    item = await read(store, "a")

    assert item is not None
    assert item.created_at == item.updated_at
    await caller.later(100)
    assert await read(store, "a") is not None


async def test_vectors_added_later_stay_away_from_an_item_that_was_written_meanwhile(
    store: Store, caller: Caller
) -> None:
    await store.items.write("T1", [put("same"), put("changed")])
    same, changed = await store.items.read("T1", [(HOME, "same"), (HOME, "changed")])
    assert same is not None
    assert changed is not None
    await caller.later(1)
    await store.items.write("T1", [put("changed", "new words")])

    await store.items.add_vectors("T1", [(same, b"old"), (changed, b"old")])

    found = await store.items.read("T1", [(HOME, "same"), (HOME, "changed")])
    assert [item.vectors for item in found if item is not None] == [b"old", b""]


async def test_writers_at_the_same_time_leave_one_whole_item(store: Store) -> None:
    await asyncio.gather(
        *(store.items.write("T1", [put("a", str(each)), put("b", str(each))]) for each in range(20))
    )

    a, b = await store.items.read("T1", [(HOME, "a"), (HOME, "b")])

    assert a is not None
    assert b is not None
    assert a.value == b.value


async def test_what_is_no_json_is_refused_and_nothing_of_the_batch_is_kept(store: Store) -> None:
    with pytest.raises(TypeError, match="JSON"):
        await store.items.write("T1", [put("a"), ItemWrite(namespace=HOME, key="b", value={"x": object()})])

    assert await store.items.names("T1") == []


async def test_items_live_in_the_partition_of_their_tenant(redis_url: str) -> None:
    store = await Store.open(redis_url, seal=SEAL, partitions=8)
    for tenant in ("T1", "T2", "T3"):
        await store.items.write(tenant, [put("a", tenant)])

    roots = {key.decode().split(":items")[0] for key in await store.client.keys("*:items:*")}

    assert len(roots) > 1
    assert [len(await store.items.names(tenant)) for tenant in ("T1", "T2", "T3")] == [1, 1, 1]
    await store.close()
