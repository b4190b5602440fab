"""Where long-term items lie: in Redis, or in this process for as long as it lives."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol

from harness_core.store import ItemName, ItemWrite, Namespace, StoredItem
from harness_core.store.items import PAGE


class Shelf(Protocol):
    """What :class:`~harness_core.store.ItemRepository` does, as far as searching needs it."""

    async def write(self, tenant: str, writes: Sequence[ItemWrite]) -> None: ...

    async def read(
        self, tenant: str, names: Sequence[ItemName], *, refresh: bool = False
    ) -> list[StoredItem | None]: ...

    async def names(
        self, tenant: str, prefix: Namespace = (), *, after: ItemName | None = None
    ) -> list[ItemName]: ...

    async def add_vectors(self, tenant: str, items: Sequence[tuple[StoredItem, bytes]]) -> None: ...


class ProcessShelf:
    """Items of one process, for programs that use the library by themselves: gone with it, seen by no other."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._items: dict[str, dict[ItemName, tuple[StoredItem, float | None]]] = {}

    async def write(self, tenant: str, writes: Sequence[ItemWrite]) -> None:
        """:raises TypeError: a value is not JSON; nothing of the batch is kept."""
        spelt = [None if each.value is None else json.dumps(each.value) for each in writes]
        for each, value in zip(writes, spelt, strict=True):
            name = (each.namespace, each.key)
            known = self._live(tenant, name)
            if value is None:
                self._of(tenant).pop(name, None)
                continue
            now = round(self._clock() * 1000)
            item = StoredItem(
                namespace=each.namespace,
                key=each.key,
                value=json.loads(value),
                vectors=each.vectors,
                created_at=known.created_at if known else now,
                updated_at=now,
                ttl=each.ttl,
            )
            self._of(tenant)[name] = item, self._due(item)

    async def read(
        self, tenant: str, names: Sequence[ItemName], *, refresh: bool = False
    ) -> list[StoredItem | None]:
        found = [self._live(tenant, name) for name in names]
        for item in found:
            if refresh and item is not None:
                self._of(tenant)[item.name] = item, self._due(item)
        return found

    async def names(
        self, tenant: str, prefix: Namespace = (), *, after: ItemName | None = None
    ) -> list[ItemName]:
        depth = len(prefix)
        held = sorted(name for name in self._of(tenant) if name[0][:depth] == prefix)
        live = (name for name in held if self._live(tenant, name) and (after is None or name > after))
        return [name for name, _ in zip(live, range(PAGE), strict=False)]

    async def add_vectors(self, tenant: str, items: Sequence[tuple[StoredItem, bytes]]) -> None:
        for item, vectors in items:
            known = self._of(tenant).get(item.name)
            if known is not None and known[0].updated_at == item.updated_at:
                self._of(tenant)[item.name] = replace(known[0], vectors=vectors), known[1]

    def forget(self, thread_id: str) -> None:
        """Drops what came from a thread, by its key or by what it says of itself."""
        for held in self._items.values():
            for name, (item, _) in list(held.items()):
                if thread_id in (item.key, *_told(item.value)):
                    del held[name]

    def _of(self, tenant: str) -> dict[ItemName, tuple[StoredItem, float | None]]:
        return self._items.setdefault(tenant, {})

    def _live(self, tenant: str, name: ItemName) -> StoredItem | None:
        item, due = self._of(tenant).get(name, (None, None))
        if due is not None and due <= self._clock():
            del self._of(tenant)[name]
            return None
        return item

    def _due(self, item: StoredItem) -> float | None:
        return None if item.ttl is None else self._clock() + item.ttl


def _told(value: Any) -> Iterator[Any]:
    """A value and all that is in it."""
    yield value
    if isinstance(value, dict):
        for each in value.values():
            yield from _told(each)
