"""LangChain's search for personal data, with patterns that cannot hold it up and a refusal that people can read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from langchain.agents.middleware import PIIMiddleware, hook_config
from langchain.agents.middleware.pii import PIIDetectionError, PIIMatch
from langgraph.runtime import Runtime

from harness_core.errors import PolicyBlocked
from harness_core.patterns import Pattern

Detector: TypeAlias = Callable[[str], list[PIIMatch]]


class Pii(PIIMiddleware[Any, Any]):
    """Blocked text ends the run as a policy's refusal, which says what was found and not where."""

    @property
    def name(self) -> str:
        return f"{PIIMiddleware.__name__}[{self.pii_type}]"

    @hook_config(can_jump_to=["end"])
    def before_model(self, state: Any, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """:raises PolicyBlocked: the data is there, and the strategy is ``block``."""
        try:
            return super().before_model(state, runtime)
        except PIIDetectionError:
            kind = self.pii_type.replace("_", " ")
            raise PolicyBlocked(
                [f"The conversation holds data that must not reach the model ({kind})."]
            ) from None


def detector(pii_type: str, pattern: str | None) -> Detector | None:
    """What finds ``pattern``, in RE2 syntax and with regard to case; None leaves it to LangChain's own detector."""
    if pattern is None:
        return None
    compiled = Pattern(pattern, ignore_case=False)

    def find(text: str) -> list[PIIMatch]:
        return [
            PIIMatch(type=pii_type, value=text[start:end], start=start, end=end)
            for start, end in compiled.spans(text)
        ]

    return find
