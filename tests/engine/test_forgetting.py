"""Forgetting what is remembered: all of it that is meant, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from harness_core import Seal, Store
from harness_core.engine.forgetting import forget_person, forget_team, forget_thread
from harness_core.memory_places import files_of, for_everybody, of_person, of_threads
from harness_core.runtime import LongTermMemory


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[Store]:
    opened = await Store.open(redis_url, seal=Seal(b"k" * 32))
    yield opened
    await opened.close()


async def fill(store: Store, tenant: str) -> LongTermMemory:
    memory = LongTermMemory(store.items, tenant=tenant)
    for user, thread in (("U1", "t1"), ("U1", "t2"), ("U2", "t3")):
        note = {"note": "x", "by": user, "thread": thread}
        await memory.aput(of_person("ops", user), f"{thread}-own", note)
        await memory.aput(for_everybody("ops"), f"{thread}-team", note)
        await memory.aput(of_threads("ops"), thread, {"summary": "x", "user": user})
    await memory.aput(files_of("ops"), "/a.md", {"content": "x", "encoding": "utf-8"})
    await memory.aput(("tools", "own"), "k", {"by": "U1"})
    return memory


async def keys(memory: LongTermMemory) -> set[str]:
    return {item.key for item in await memory.asearch((), limit=100)}


OF_U2 = {"t3-own", "t3-team", "t3"}
OF_TEAM = {"/a.md", "k"}


async def test_a_person_is_forgotten_and_others_are_not(store: Store) -> None:
    here, there = await fill(store, "T1"), await fill(store, "T2")
    before = await keys(there)

    assert await forget_person(store, "T1", "U1") == 6
    assert await keys(here) == OF_U2 | OF_TEAM
    assert await keys(there) == before


async def test_a_thread_is_forgotten_with_its_notes(store: Store) -> None:
    memory = await fill(store, "T1")

    assert await forget_thread(store, "T1", "t1") == 3
    assert await keys(memory) == {"t2-own", "t2-team", "t2"} | OF_U2 | OF_TEAM


async def test_of_a_team_nothing_is_left_not_even_a_key(store: Store) -> None:
    await fill(store, "T1")

    assert await forget_team(store, "T1") == 11
    assert [key for key in await store.client.keys("*") if b":items:" in key] == []
