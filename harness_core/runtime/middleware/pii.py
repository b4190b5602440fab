"""LangChain's search for personal data, with patterns that cannot hold it up and a refusal that people can read."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias
from urllib.parse import urlparse

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
    """What finds ``pattern``, in RE2 syntax and with regard to case, or without one what ``pii_type`` is about.

    None leaves it to LangChain's own detector, where that looks at no more than a few characters for each.
    """
    match pattern, pii_type:
        case str(), _:
            return _finder(pii_type, Pattern(pattern, ignore_case=False).spans)
        case None, "email":
            return _finder(pii_type, _EMAIL.spans)
        case None, "url":
            return _finder(pii_type, _urls)
        case _:
            return None


def _finder(pii_type: str, spans: Callable[[str], Iterable[tuple[int, int]]]) -> Detector:
    def find(text: str) -> list[PIIMatch]:
        return [
            PIIMatch(type=pii_type, value=text[start:end], start=start, end=end) for start, end in spans(text)
        ]

    return find


_EMAIL = Pattern(r"\b[a-z0-9._%+-]+@[a-z0-9.-]+\.[a-z]{2,}\b")
_URL = Pattern(r"https?://[^\s\pZ<>\"{}|\\^`\[\]]+", ignore_case=False)
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_BARE = Pattern(rf"\b(?:www\.)?{_LABEL}(?:\.{_LABEL})+(?:/[^\s\pZ]*)?")


def _urls(text: str) -> Iterator[tuple[int, int]]:
    """Addresses with a scheme, and those without one that begin with www or have a path: other names are prose."""
    whole = [(start, end) for start, end in _URL.spans(text) if _is_address(text[start:end])]
    yield from whole
    starts = [start for start, _ in whole]
    for start, end in _BARE.spans(text):
        bare = text[start:end]
        before, within = bisect_right(starts, start), bisect_left(starts, end)
        taken = (before and start < whole[before - 1][1]) or (within and end <= whole[within - 1][1])
        if not taken and ("/" in bare or bare.startswith("www.")):
            yield start, end


def _is_address(url: str) -> bool:
    try:
        return bool(urlparse(url).netloc)
    except ValueError:  # a host that cannot be one may still tell something
        return True
