"""The long-term store as LangGraph and tools see it: namespaces of JSON values, searched by meaning or by words.

Whose items they are is not in a namespace: within a run it is the run's tenant, so an agent can neither name nor
reach what another team keeps.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from langgraph.config import get_config
from langgraph.store.base import (
    BaseStore,
    GetOp,
    Item,
    ListNamespacesOp,
    MatchCondition,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
    get_text_at_path,
    tokenize_path,
)
from langgraph.store.base import validate_op_namespace as refuse_bad_labels

from harness_core.models import Fence
from harness_core.runtime.checkpointer import FENCE
from harness_core.runtime.memory.embeddings import BoundEmbeddings
from harness_core.runtime.memory.search import by_meaning, by_words, pack, passes, unpack
from harness_core.runtime.memory.shelf import Shelf
from harness_core.store import ItemName, ItemWrite, Namespace, StoredItem
from harness_core.store.items import PAGE

log = logging.getLogger(__name__)

Index = Literal[False] | list[str] | None
"""Which parts of a value are searched: None means all of its text, False none."""

Queries = dict[str, Sequence[float]]
"""What the queries of one batch mean."""

_AT_ONCE = 64  # texts in one request to an embedding model


@dataclass(frozen=True, slots=True)
class _Hit:
    item: StoredItem
    score: float | None = None


class LongTermMemory(BaseStore):
    """A store over a shelf. ``embeddings`` makes a search find what means the same; without, it finds words.

    A search by words finds only items that say at least one word of the query, and its score is how much of the
    query they say. Items that were written without vectors, or under another embedding model, get theirs when a
    search meets them. ``tenant`` is whose items these are outside of a run.
    """

    supports_ttl = True
    __slots__ = ("_embeddings", "_loop", "_shelf", "_tenant")

    def __init__(
        self, shelf: Shelf, embeddings: BoundEmbeddings | None = None, *, tenant: str = "local"
    ) -> None:
        self._shelf = shelf
        self._embeddings = embeddings
        self._tenant = tenant
        self._loop = asyncio.get_running_loop()

    @property
    def searches_by_meaning(self) -> bool:
        """Whether an embedding model is declared."""
        return self._embeddings is not None

    def of_tenant(self, tenant: str) -> LongTermMemory:
        """The same store, for use outside of runs."""
        return LongTermMemory(self._shelf, self._embeddings, tenant=tenant)

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """For sync code in threads of its own, such as tools.

        :raises RuntimeError: called in the event loop, which it would block for ever.
        """
        listed = list(ops)
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        if here is self._loop:
            raise RuntimeError("in the event loop, use the store's async methods: aget, aput, asearch")
        work = self._run(self._whose(), listed)
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Reads see what was there before; of several writes to one name, the last one counts.

        :raises TypeError: a value is not JSON.
        :raises StoreError: the items cannot be read or written.
        """
        return await self._run(self._whose(), list(ops))

    async def _run(self, tenant: str, ops: Sequence[Op]) -> list[Result]:
        for op in ops:
            refuse_bad_labels(op)
        results: list[Result] = []
        writes: dict[ItemName, PutOp] = {}
        queries: Queries = {}
        for op in ops:
            match op:
                case GetOp():
                    results.append(await self._get(tenant, op))
                case SearchOp():
                    results.append(await self._search(tenant, op, queries))
                case ListNamespacesOp():
                    results.append(await self._namespaces(tenant, op))
                case PutOp():
                    writes[op.namespace, op.key] = op
                    results.append(None)
        if writes:
            await self._write(tenant, list(writes.values()))
        return results

    async def _get(self, tenant: str, op: GetOp) -> Item | None:
        (found,) = await self._shelf.read(tenant, [(op.namespace, op.key)], refresh=op.refresh_ttl)
        return None if found is None else Item(**_fields(found))

    async def _write(self, tenant: str, ops: Sequence[PutOp]) -> None:
        texts = [[] if op.value is None else _texts(op.value, op.index) for op in ops]
        packed = await self._vectors(texts)
        writes = [
            ItemWrite(
                namespace=op.namespace,
                key=op.key,
                value=None if op.value is None else {"value": op.value, "index": op.index},
                vectors=vectors,
                ttl=None if op.ttl is None else op.ttl * 60,
            )
            for op, vectors in zip(ops, packed, strict=True)
        ]
        await self._shelf.write(tenant, writes)

    async def _search(self, tenant: str, op: SearchOp, queries: Queries) -> list[SearchItem]:
        items = [
            item
            for item in await self._below(tenant, op.namespace_prefix)
            if passes(item.value["value"], op.filter)
        ]
        hits = [_Hit(item) for item in items]
        if op.query and items:
            hits = await self._ranked(tenant, op.query, items, queries)
        page = hits[op.offset : op.offset + op.limit]
        mortal = [hit.item.name for hit in page if hit.item.ttl is not None]
        if mortal and op.refresh_ttl:
            await self._shelf.read(tenant, mortal, refresh=True)
        return [SearchItem(**_fields(hit.item), score=hit.score) for hit in page]

    async def _below(self, tenant: str, prefix: Namespace) -> list[StoredItem]:
        names = await self._names(tenant, prefix)
        return [item for item in await self._shelf.read(tenant, names) if item is not None]

    async def _names(self, tenant: str, prefix: Namespace) -> list[ItemName]:
        names: list[ItemName] = []
        while True:
            page = await self._shelf.names(tenant, prefix, after=names[-1] if names else None)
            names += page
            if len(page) < PAGE:
                return names

    async def _ranked(
        self, tenant: str, query: str, items: Sequence[StoredItem], queries: Queries
    ) -> list[_Hit]:
        texts = [_texts(item.value["value"], item.value["index"]) for item in items]
        scores = await self._meanings(tenant, query, items, texts, queries)
        if scores is None:
            # In a thread: a thousand items take some hundred ms, and others stream meanwhile.
            scores = [score or None for score in await asyncio.to_thread(by_words, query, texts)]
        found = [_Hit(item, score) for item, score in zip(items, scores, strict=True) if score is not None]
        return sorted(found, key=lambda hit: -(hit.score or 0.0))

    async def _meanings(
        self,
        tenant: str,
        query: str,
        items: Sequence[StoredItem],
        texts: Sequence[Sequence[str]],
        queries: Queries,
    ) -> list[float | None] | None:
        """A score for each item that has text; None when there is no model, or it does not answer."""
        model = self._embeddings
        if model is None:
            return None
        packed = [item.vectors for item in items]
        known = await asyncio.to_thread(lambda: [unpack(each, model.identity) for each in packed])
        bare = [index for index, vectors in enumerate(known) if vectors is None and texts[index]]
        try:
            if query not in queries:
                queries[query] = await model.model.aembed_query(query)
            made = await self._embed([texts[index] for index in bare])
        except Exception as error:  # noqa: BLE001  # providers raise whatever they like
            log.warning("searching by words: %s does not answer (%s)", model.name, type(error).__name__)
            return None
        for index, vectors in zip(bare, made, strict=True):
            known[index] = vectors
        await self._shelf.add_vectors(
            tenant, [(items[index], pack(known[index] or [], model.identity)) for index in bare]
        )
        wanted = queries[query]
        return await asyncio.to_thread(
            lambda: [by_meaning(wanted, vectors) if vectors else None for vectors in known]
        )

    async def _vectors(self, texts: Sequence[Sequence[str]]) -> list[bytes]:
        """Packed vectors for each item; empty where a search must make them later."""
        if self._embeddings is None:
            return [b"" for _ in texts]
        try:
            made = await self._embed(texts)
        except Exception as error:  # noqa: BLE001  # providers raise whatever they like
            name, kind = self._embeddings.name, type(error).__name__
            log.warning("kept without vectors: %s does not answer (%s)", name, kind)
            return [b"" for _ in texts]
        return [pack(each, self._embeddings.identity) for each in made]

    async def _embed(self, texts: Sequence[Sequence[str]]) -> list[list[Sequence[float]]]:
        if self._embeddings is None:
            return [[] for _ in texts]
        flat = [text for each in texts for text in each]
        vectors: list[Sequence[float]] = []
        for start in range(0, len(flat), _AT_ONCE):
            vectors += await self._embeddings.model.aembed_documents(flat[start : start + _AT_ONCE])
        left = iter(vectors)
        return [[next(left) for _ in each] for each in texts]

    async def _namespaces(self, tenant: str, op: ListNamespacesOp) -> list[Namespace]:
        conditions = op.match_conditions or ()
        found = {
            place[: op.max_depth]
            for place, _ in await self._names(tenant, ())
            if all(_matches(place, condition) for condition in conditions)
        }
        return sorted(found)[op.offset : op.offset + op.limit]

    def _whose(self) -> str:
        try:
            fence = get_config().get("configurable", {}).get(FENCE)
        except RuntimeError:  # outside of a run
            return self._tenant
        return fence.tenant if isinstance(fence, Fence) else self._tenant


def _texts(value: Mapping[str, Any], index: Index) -> list[str]:
    if index is False:
        return []
    if index is None:
        whole = "\n".join(_strings(value))
        return [whole] if whole else []
    return [text for path in index for text in get_text_at_path(value, tokenize_path(path)) if text]


def _strings(value: Any) -> Iterable[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for each in value.values():
                yield from _strings(each)
        case list() | tuple():
            for each in value:
                yield from _strings(each)
        case _:
            return


def _fields(item: StoredItem) -> dict[str, Any]:
    return {
        "namespace": item.namespace,
        "key": item.key,
        "value": item.value["value"],
        "created_at": datetime.fromtimestamp(item.created_at / 1000, UTC),
        "updated_at": datetime.fromtimestamp(item.updated_at / 1000, UTC),
    }


def _matches(place: Namespace, condition: MatchCondition) -> bool:
    path = condition.path
    if len(place) < len(path):
        return False
    part = place[: len(path)] if condition.match_type == "prefix" else place[len(place) - len(path) :]
    return all(want in {"*", label} for want, label in zip(path, part, strict=True))
