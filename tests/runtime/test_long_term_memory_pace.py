"""How fast the long-term store is."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest
from langchain_core.embeddings import Embeddings

from harness_core.runtime.memory import BoundEmbeddings, LongTermMemory
from harness_core.store import Store

ITEMS = 1000
SIZE = 384


class Dice(Embeddings):
    """Vectors that mean nothing, at no cost."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[random.gauss(0, 1) for _ in range(SIZE)] for _ in texts]

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        return self.embed_documents(texts)

    async def aembed_query(self, text: str) -> list[float]:
        return self.embed_query(text)


@pytest.mark.bench
async def test_searching_a_thousand_items(
    store: Store, record_property: Callable[[str, object], None]
) -> None:
    meaning = LongTermMemory(store.items, BoundEmbeddings(name="dice", model=Dice(), identity="dice"))
    for number in range(ITEMS):
        await meaning.aput(("notes",), str(number), {"note": "some words about nothing " * 8})
    taken = {}
    for name, memory in (("meaning", meaning), ("words", LongTermMemory(store.items))):
        begun = time.perf_counter()
        assert len(await memory.asearch(("notes",), query="words", limit=5)) == 5
        taken[name] = (time.perf_counter() - begun) * 1000

    figure = ", ".join(f"by {name} {ms:.0f} ms" for name, ms in taken.items())
    record_property("figure", f"{ITEMS} items of {SIZE} numbers searched: {figure}")
