"""The long-term store: what is kept, how it is found, and who sees it. Both kinds behave alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from langgraph.store.base import BaseStore, GetOp, InvalidNamespaceError, PutOp, SearchOp
from openai_stand_in import StandIn, openai_stand_in

from harness_core.runtime.memory import BoundEmbeddings, LongTermMemory, ProcessShelf, Shelf, load_embeddings
from harness_core.store import Store
from harness_core.workspace import EmbeddingModelSpec

HOME = ("notes", "ops")


def embeddings(server: StandIn, model: str = "words") -> BoundEmbeddings:
    given = {"name": "small", "provider": "openai", "model": model}
    where = {"base_url": server.base_url, "api_key": server.api_key, "params": {"max_retries": 0}}
    return load_embeddings(EmbeddingModelSpec.model_validate({**given, **where}))


@pytest.fixture
async def server() -> AsyncIterator[StandIn]:
    async with openai_stand_in() as running:
        yield running


@pytest.fixture(params=["redis", "memory"])
def shelf(request: pytest.FixtureRequest, store: Store) -> Shelf:
    return store.items if request.param == "redis" else ProcessShelf()


async def keep(memory: BaseStore, **notes: str) -> None:
    for key, text in notes.items():
        await memory.aput(HOME, key, {"text": text})


async def found(memory: BaseStore, query: str | None = None, **more: Any) -> list[str]:
    return [item.key for item in await memory.asearch(HOME, query=query, **more)]


async def test_what_is_put_is_got_replaced_and_deleted(shelf: Shelf) -> None:
    memory = LongTermMemory(shelf)
    await keep(memory, a="one")
    first = await memory.aget(HOME, "a")
    await keep(memory, a="two")
    second = await memory.aget(HOME, "a")
    await memory.adelete(HOME, "a")

    assert first is not None
    assert second is not None
    assert (first.value, second.value) == ({"text": "one"}, {"text": "two"})
    assert first.created_at == second.created_at <= second.updated_at
    assert second.updated_at - first.created_at < timedelta(minutes=1)
    assert await memory.aget(HOME, "a") is None


async def test_a_search_lists_a_namespace_and_those_below_page_by_page(shelf: Shelf) -> None:
    memory = LongTermMemory(shelf)
    await keep(memory, **{f"k{number}": "x" for number in range(5)})
    await memory.aput((*HOME, "deep"), "k", {"text": "x"})
    await memory.aput(("notes", "opsy"), "k", {"text": "x"})

    pages = [await found(memory, limit=2, offset=start) for start in (0, 2, 4, 6)]

    assert pages == [["k0", "k1"], ["k2", "k3"], ["k4", "k"], []]


async def test_a_filter_compares_values_nested_ones_and_ranges(shelf: Shelf) -> None:
    memory = LongTermMemory(shelf)
    for number in range(4):
        await memory.aput(HOME, str(number), {"n": number, "who": {"id": f"U{number % 2}"}, "tags": ["a"]})

    assert await found(memory, filter={"who": {"id": "U1"}}) == ["1", "3"]
    assert await found(memory, filter={"n": {"$gte": 1, "$lt": 3}}) == ["1", "2"]
    assert await found(memory, filter={"n": {"$ne": 2}, "tags": ["a"]}) == ["0", "1", "3"]
    assert await found(memory, filter={"n": {"$gt": "text"}}) == []
    with pytest.raises(ValueError, match=r"no operator \$like"):
        await found(memory, filter={"n": {"$like": 1}})


async def test_without_an_embedding_model_words_are_found_and_the_rare_ones_count_most(shelf: Shelf) -> None:
    memory = LongTermMemory(shelf)
    await keep(
        memory,
        deploys="deploys of checkout are frozen on friday",
        fridays="friday is a friday for everyone",
        cats="cats sleep on fridays",
        dogs="dogs bark",
    )

    assert not memory.searches_by_meaning
    assert await found(memory, "is the checkout deployed on friday?") == ["deploys", "fridays", "cats"]
    assert await found(memory, "automobile") == []


async def test_with_an_embedding_model_the_meaning_is_found(shelf: Shelf, server: StandIn) -> None:
    memory = LongTermMemory(shelf, embeddings(server))
    await keep(memory, lunch="we eat pizza at noon", car="the car is in the garage", cat="the cat sleeps")

    hits = await memory.asearch(HOME, query="where is my automobile?", limit=2)

    assert memory.searches_by_meaning
    assert hits[0].key == "car"
    assert (hits[0].score or 0) > (hits[1].score or 0)
    assert await found(memory, "hungry", limit=1) == ["lunch"]


async def test_only_the_parts_named_when_it_was_put_are_searched(shelf: Shelf, server: StandIn) -> None:
    memory = LongTermMemory(shelf, embeddings(server))
    await memory.aput(HOME, "part", {"note": "about a car", "who": "pizza"}, index=["note"])
    await memory.aput(HOME, "none", {"note": "car car car"}, index=False)

    assert server.embedded == ["about a car"]
    assert await found(memory, "automobile") == ["part"]
    assert {item.key for item in await memory.asearch(HOME)} == {"part", "none"}


async def test_items_from_before_the_model_was_declared_get_their_vectors_once(
    shelf: Shelf, server: StandIn
) -> None:
    await keep(LongTermMemory(shelf), car="the car is in the garage", lunch="pizza")
    memory = LongTermMemory(shelf, embeddings(server))

    assert await found(memory, "automobile", limit=1) == ["car"]
    assert await found(memory, "vehicle", limit=1) == ["car"]
    assert sorted(server.embedded) == ["automobile", "pizza", "the car is in the garage", "vehicle"]


async def test_vectors_of_another_model_are_made_anew_not_compared(shelf: Shelf, server: StandIn) -> None:
    await keep(LongTermMemory(shelf, embeddings(server, "old")), car="the car is in the garage")
    server.embedded.clear()

    assert await found(LongTermMemory(shelf, embeddings(server, "new")), "automobile") == ["car"]
    assert sorted(server.embedded) == ["automobile", "the car is in the garage"]


async def test_while_the_model_does_not_answer_nothing_is_lost_and_words_are_found(
    shelf: Shelf, server: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    server.embeds = False
    memory = LongTermMemory(shelf, embeddings(server))
    await keep(memory, car="the car is in the garage", lunch="pizza")

    assert await found(memory, "garage") == ["car"]
    assert "kept without vectors: small does not answer" in caplog.text
    assert "searching by words: small does not answer" in caplog.text
    server.embeds = True
    assert await found(memory, "automobile", limit=1) == ["car"]


async def test_items_expire_and_being_read_keeps_them(store: Store) -> None:
    memory = LongTermMemory(store.items)
    for key in ("read", "searched", "seen", "left"):
        await memory.aput(HOME, key, {"text": key}, ttl=1)

    async def later(seconds: int) -> None:
        await store.client.incrby("harness:{p0}:clock_offset", seconds * 1000)

    await later(40)
    await memory.aget(HOME, "read")
    await memory.asearch(HOME, query="searched")
    await memory.aget(HOME, "seen", refresh_ttl=False)
    await later(40)

    assert await found(memory) == ["read", "searched"]


async def test_namespaces_are_listed_by_beginning_end_and_depth(shelf: Shelf) -> None:
    memory = LongTermMemory(shelf)
    for place in (("a", "b", "c"), ("a", "b", "d"), ("a", "x", "c"), ("z",)):
        await memory.aput(place, "k", {"n": 1})

    assert await memory.alist_namespaces(prefix=("a", "b")) == [("a", "b", "c"), ("a", "b", "d")]
    assert await memory.alist_namespaces(suffix=("c",)) == [("a", "b", "c"), ("a", "x", "c")]
    assert await memory.alist_namespaces(prefix=("a", "*", "c")) == [("a", "b", "c"), ("a", "x", "c")]
    assert await memory.alist_namespaces(max_depth=2) == [("a", "b"), ("a", "x"), ("z",)]
    assert await memory.alist_namespaces(limit=1, offset=1) == [("a", "b", "d")]


async def test_in_a_batch_reads_come_before_writes_and_the_last_write_counts(shelf: Shelf) -> None:
    memory = LongTermMemory(shelf)
    await keep(memory, a="old")

    got, hits, *_ = await memory.abatch(
        [
            GetOp(HOME, "a"),
            SearchOp(HOME),
            PutOp(HOME, "a", {"text": "new"}),
            PutOp(HOME, "a", {"text": "newest"}),
        ]
    )

    assert getattr(got, "value", None) == {"text": "old"}
    assert isinstance(hits, list)
    assert len(hits) == 1
    item = await memory.aget(HOME, "a")
    assert item is not None
    assert item.value == {"text": "newest"}


async def test_tenants_keep_apart_under_the_same_names(shelf: Shelf) -> None:
    mine, theirs = LongTermMemory(shelf, tenant="T1"), LongTermMemory(shelf, tenant="T2")
    await keep(mine, a="mine")

    assert await theirs.aget(HOME, "a") is None
    assert await theirs.asearch(()) == []
    assert await theirs.alist_namespaces() == []
    assert await found(theirs.of_tenant("T1")) == ["a"]


async def test_sync_code_in_a_thread_may_use_it_and_the_event_loop_is_told_not_to(shelf: Shelf) -> None:
    memory = LongTermMemory(shelf)

    def work() -> list[str]:
        memory.put(HOME, "a", {"text": "one"})
        return [item.key for item in memory.search(HOME)]

    assert await asyncio.to_thread(work) == ["a"]
    with pytest.raises(RuntimeError, match="async methods"):
        memory.get(HOME, "a")


async def test_names_that_no_namespace_can_have_are_refused(shelf: Shelf) -> None:
    memory = LongTermMemory(shelf)

    for bad in (("a.b",), ("",), ("a\0b",)):
        with pytest.raises(InvalidNamespaceError):
            await memory.abatch([PutOp(bad, "k", {"n": 1})])
    with pytest.raises(TypeError):
        await memory.aput(HOME, "k", {"n": object()})
