"""Chat models by provider and name. Provider packages are imported when a model first needs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from langchain.chat_models import init_chat_model
from langchain_core.language_models.chat_models import BaseChatModel
from pydantic import ValidationError

from harness_core.redaction import redact
from harness_core.runtime.demo import DemoChatModel
from harness_core.workspace import EmbeddingModelSpec, ModelSpec

_CLIENT_RETRIES = 2  # what the clients of OpenAI and Anthropic do when nothing else is said


class ModelUnusable(Exception):
    """A model that cannot be built; says why and what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundModel:
    """A chat model, and how many requests its client makes before it gives up."""

    name: str
    model: BaseChatModel
    tries: int


def load_model(spec: ModelSpec) -> BoundModel:
    """The chat model that ``spec`` describes. Sends nothing.

    :raises ModelUnusable: the provider is unknown, its package or key is missing, or it refuses a parameter.
    """
    build: Callable[[ModelSpec], BaseChatModel] = _demo if spec.provider == "demo" else _provided
    try:
        model = build(spec)
    except ModelUnusable:
        raise
    except Exception as error:
        # Providers raise whatever they like for a missing key or a wrong parameter.
        raise ModelUnusable(explain_refusal(spec, error)) from error
    retries = getattr(model, "max_retries", None)
    tries = 1 if isinstance(model, DemoChatModel) else 1 + (_CLIENT_RETRIES if retries is None else retries)
    return BoundModel(name=spec.name, model=model, tries=tries)


def _demo(spec: ModelSpec) -> BaseChatModel:
    return DemoChatModel(model=spec.model, **spec.clear_params())


def _provided(spec: ModelSpec) -> BaseChatModel:
    given: dict[str, Any] = spec.clear_params()
    if spec.provider == "openai":
        # Left alone, the client picks its protocol by model name and parameters.
        given.setdefault("use_responses_api", False)
    if spec.base_url is not None:
        given["base_url"] = spec.base_url
    if spec.api_key is not None:
        given["api_key"] = spec.api_key.get_secret_value()
    model: BaseChatModel = init_chat_model(spec.model, model_provider=spec.provider, **given)
    return model


def explain_refusal(spec: ModelSpec | EmbeddingModelSpec, error: Exception) -> str:
    """Why a provider's client could not be built, without the key."""
    secrets = [spec.api_key.get_secret_value()] if spec.api_key else []
    said = redact(str(error).split("\n")[0], secrets)
    match error:
        case ImportError():
            return f"the package for provider {spec.provider} is not installed: {said}"
        case ValidationError():
            wrong = "; ".join(
                f"{'.'.join(map(str, each['loc'])) or 'params'}: {each['msg']}"
                for each in error.errors(include_input=False)
            )
            return f"provider {spec.provider} does not accept this model: {redact(wrong, secrets)}"
        case _ if spec.api_key is None and _is_about_a_key(error):
            return f"provider {spec.provider} needs a key: give the model an api_key, such as ${{API_KEY}}"
        case _:
            return f"provider {spec.provider} does not accept this model: {said}"


def _is_about_a_key(error: Exception) -> bool:
    text = str(error).casefold()
    return any(word in text for word in ("api_key", "api key", "credential", "token"))
