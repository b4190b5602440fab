"""Forgetting what is remembered beyond conversations: of a person, of a thread, of a whole team."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness_core.memory_places import NOTES, THREADS, Place
from harness_core.store import Store, StoredItem

_VALUE = "value"  # where the long-term store keeps what it was given, beside what is searched of it


async def forget_person(store: Store, tenant: str, user: str) -> int:
    """Every note made for or by a person, and what their conversations came to; returns how many items went.

    Files that deep agents keep in the store are the team's, and stay.
    """
    notes = await _forget(store, tenant, NOTES, lambda value: value.get("by") == user)
    return notes + await _forget(store, tenant, THREADS, lambda value: value.get("user") == user)


async def forget_thread(store: Store, tenant: str, thread_id: str) -> int:
    """What a thread came to, and the notes made in it; returns how many items went."""
    notes = await _forget(store, tenant, NOTES, lambda value: value.get("thread") == thread_id)
    return notes + await store.items.forget(tenant, THREADS, lambda item: item.key == thread_id)


async def forget_team(store: Store, tenant: str) -> int:
    """Everything that agents of a team keep in the store, tools' own items and files included."""
    return await store.items.forget(tenant)


async def _forget(
    store: Store, tenant: str, place: Place, unwanted: Callable[[Mapping[str, Any]], bool]
) -> int:
    def test(item: StoredItem) -> bool:
        value = item.value.get(_VALUE)
        return isinstance(value, Mapping) and unwanted(value)

    return await store.items.forget(tenant, place, test)
