"""What declared middleware is built from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from langchain_core.language_models.chat_models import BaseChatModel

from harness_core.runtime.tools import BoundTool


class MiddlewareUnusable(Exception):
    """A declaration that cannot become middleware; says why and what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """``models`` gives the chat model of a name, ``model`` is the agent's own; ``tools`` are those of its model, by
    name; ``folder`` is the workspace's.
    """

    model: BaseChatModel
    models: Callable[[str], BaseChatModel]
    tools: Mapping[str, BoundTool]
    folder: Path

    def chat_model(self, name: str | None) -> BaseChatModel:
        """The named model, or the agent's own."""
        return self.model if name is None else self.models(name)
