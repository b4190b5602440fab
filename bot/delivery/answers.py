"""What became of a Web API call: a closed union, so that every caller says what it does about each case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from slack_sdk.errors import SlackApiError


@dataclass(frozen=True, slots=True)
class Done:
    """It happened. ``data`` is the answer's body."""

    data: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RateLimited:
    """Nothing happened; this method of this team is closed for ``seconds``."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing happened. ``error`` is Slack's name for why, ``details`` what it adds for developers."""

    error: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unclear:
    """It may have happened or not. With ``sent`` false no connection was made, so it did not.

    ``answered`` is set when an answer came that does not say what became of it, such as a 500.
    """

    cause: str
    sent: bool = True
    answered: bool = False


Answer = Done | RateLimited | Refused | Unclear

_WITHOUT_RETRY_AFTER: Final = 5.0
_TOO_MANY: Final = frozenset({"ratelimited", "rate_limited"})
_CATASTROPHES: Final = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})
"""Slack's docs: "It's possible some aspect of the operation succeeded before the error was raised"."""


def read_refusal(raised: SlackApiError) -> Answer:
    """The answer behind an exception of the SDK, whichever of its two response types it carries."""
    response: Any = raised.response
    status: int = getattr(response, "status_code", 0) or getattr(response, "status", 0)
    body = getattr(response, "data", None)
    body = body if isinstance(body, Mapping) else {}
    error = str(body.get("error") or "")
    if status == 429 or error in _TOO_MANY:
        return RateLimited(_retry_after(getattr(response, "headers", None) or {}))
    if not error or status >= 500 or error in _CATASTROPHES:
        return Unclear(error or f"http_{status}", answered=True)
    metadata = body.get("response_metadata") or {}
    return Refused(error, tuple(str(message) for message in metadata.get("messages") or ()))


def _retry_after(headers: Mapping[str, str]) -> float:
    try:
        return max(1.0, float(headers.get("Retry-After", _WITHOUT_RETRY_AFTER)))
    except ValueError:
        return _WITHOUT_RETRY_AFTER
