"""Models of others, by provider and name: for chats, and for embeddings."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr

from harness_core.workspace.fields import Name, Text, Url, reveal_secrets, wrap_secrets
from harness_core.workspace.schema.base import Spec


class ProvidedModel(Spec):
    """What a provider needs to be told. :meth:`clear_params` gives the parameters as they are passed on."""

    name: Name
    provider: Text
    model: Text
    base_url: Url | None = None
    api_key: SecretStr | None = None
    params: Annotated[dict[str, Any], AfterValidator(wrap_secrets)] = Field(default_factory=dict)

    def clear_params(self) -> dict[str, Any]:
        """``params`` with secrets readable, for the model's constructor only."""
        revealed: dict[str, Any] = reveal_secrets(self.params)
        return revealed


class ModelSpec(ProvidedModel):
    """A chat model: anything that LangChain's ``init_chat_model`` knows, or ``demo``."""

    kind: Literal["Model"] = "Model"


class EmbeddingModelSpec(ProvidedModel):
    """A model that turns text into vectors, so that the store is searched by meaning."""

    kind: Literal["EmbeddingModel"] = "EmbeddingModel"
