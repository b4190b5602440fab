"""Long-term items: what agents keep beyond a conversation, by namespace and key, apart for each tenant.

======================  =====  ================================================================
key                     type   content
======================  =====  ================================================================
items:<tenant>          zset   names, so that a namespace is a range of them
items:<tenant>:due      zset   names of those that expire, by when
items:<tenant>:item:<>  hash   value and vectors sealed; created, updated, time to live
======================  =====  ================================================================

Names are in the clear, values are not. Labels of a namespace hold no NUL and are not empty, so in a name two of
them end the namespace.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from harness_core.store.connection import Client
from harness_core.store.scripts import Argument, Scripts
from harness_core.store.seal import Seal

Namespace: TypeAlias = tuple[str, ...]
ItemName: TypeAlias = tuple[Namespace, str]
"""Namespace and key."""

PAGE = 1000
"""Names that one listing returns at most."""

_AT_ONCE = 100  # items in one call: the server does nothing else meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredItem:
    """One item. Times are milliseconds by the store's clock; ``ttl`` is seconds, None for good."""

    namespace: Namespace
    key: str
    value: Mapping[str, Any]
    created_at: int
    updated_at: int
    vectors: bytes = b""
    ttl: float | None = None

    @property
    def name(self) -> ItemName:
        return self.namespace, self.key


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemWrite:
    """What to keep under a name; ``value`` None forgets it. ``value`` is JSON, ``vectors`` opaque."""

    namespace: Namespace
    key: str
    value: Mapping[str, Any] | None
    vectors: bytes = b""
    ttl: float | None = None


class ItemRepository:
    """Reads and writes the items of every tenant."""

    def __init__(self, client: Client, scripts: Scripts, seal: Seal) -> None:
        self._client = client
        self._scripts = scripts
        self._seal = seal

    async def write(self, tenant: str, writes: Sequence[ItemWrite]) -> None:
        """Keeps and forgets items, all or none.

        :raises TypeError: a value is not JSON.
        :raises StoreUnavailable: Redis does not answer.
        """
        flat: list[Argument] = []
        for each in writes:
            name = _name(each.namespace, each.key)
            if each.value is None:
                flat += ["forget", name, "", "", ""]
                continue
            value = self._seal.seal(json.dumps(each.value).encode(), tenant, "item", name)
            vectors = self._seal.seal(each.vectors, tenant, "vectors", name) if each.vectors else b""
            flat += ["put", name, value, vectors, "" if each.ttl is None else max(1, round(each.ttl * 1000))]
        if flat:
            await self._scripts.call("item_write", self._scripts.keys(tenant), tenant, *flat)

    async def read(
        self, tenant: str, names: Sequence[ItemName], *, refresh: bool = False
    ) -> list[StoredItem | None]:
        """The items under these names. ``refresh`` starts the time to live of those that expire anew.

        :raises SealBroken: a stored value is not ours.
        """
        keys, found = self._scripts.keys(tenant), list[StoredItem | None]()
        for start in range(0, len(names), _AT_ONCE):
            some = names[start : start + _AT_ONCE]
            spelt = [_name(*each) for each in some]
            rows = await self._scripts.call("item_read", keys, tenant, int(refresh), *spelt)
            found += [self._item(tenant, name, row) for name, row in zip(some, rows, strict=True)]
        return found

    async def names(
        self, tenant: str, prefix: Namespace = (), *, after: ItemName | None = None
    ) -> list[ItemName]:
        """Up to :data:`PAGE` names in and below the namespace ``prefix``, in order, after ``after``."""
        start = "".join(f"{label}\0" for label in prefix)
        lowest = f"({_name(*after)}" if after else f"[{start}"
        # A label may begin with any character, so the range ends before the first name of another namespace.
        highest = f"({start[:-1]}\x01" if start else "+"
        keys = self._scripts.keys(tenant)
        found = await self._scripts.call("item_list", keys, tenant, lowest, highest, PAGE)
        return [_parsed(each.decode()) for each in found]

    async def add_vectors(self, tenant: str, items: Sequence[tuple[StoredItem, bytes]]) -> None:
        """Keeps vectors for items that were read without; one that was written meanwhile is left alone."""
        flat: list[Argument] = []
        for item, vectors in items:
            name = _name(item.namespace, item.key)
            flat += [name, item.updated_at, self._seal.seal(vectors, tenant, "vectors", name)]
        if flat:
            await self._scripts.call("item_index", self._scripts.keys(tenant), tenant, *flat)

    async def forget(
        self, tenant: str, prefix: Namespace = (), unwanted: Callable[[StoredItem], bool] | None = None
    ) -> int:
        """Forgets what is in and below ``prefix``, or what of it is ``unwanted``; returns how many items that were."""
        count, last = 0, None
        while names := await self.names(tenant, prefix, after=last):
            last = names[-1]
            for start in range(0, len(names), _AT_ONCE):
                going = names[start : start + _AT_ONCE]
                if unwanted is not None:
                    items = await self.read(tenant, going)
                    going = [item.name for item in items if item is not None and unwanted(item)]
                await self.write(tenant, [ItemWrite(namespace=at, key=key, value=None) for at, key in going])
                count += len(going)
        return count

    def _item(self, tenant: str, name: ItemName, row: Sequence[bytes | None]) -> StoredItem | None:
        if not row or row[0] is None:
            return None
        value, vectors, created, updated, ttl = (each or b"" for each in row)
        spelt = _name(*name)
        return StoredItem(
            namespace=name[0],
            key=name[1],
            value=json.loads(self._seal.open(value, tenant, "item", spelt)),
            created_at=int(created),
            updated_at=int(updated),
            vectors=self._seal.open(vectors, tenant, "vectors", spelt) if vectors else b"",
            ttl=int(ttl) / 1000 if ttl else None,
        )


def _name(namespace: Namespace, key: str) -> str:
    return "".join(f"{label}\0" for label in namespace) + f"\0{key}"


def _parsed(name: str) -> ItemName:
    labels, _, key = name.partition("\0\0") if not name.startswith("\0") else ("", "", name[1:])
    return tuple(labels.split("\0")) if labels else (), key
