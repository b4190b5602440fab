"""Finding personal data: what counts as some, and that no text holds the search up."""

from __future__ import annotations

import time
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from harness_core.runtime.middleware.pii import Pii, detector

SIZE = 32_000
HOSTILE = ("a.", "a-", "a@", "a@b.", "a.b/ ", "http://a.b ", "1.", "4111 1111 1111 1111 ", "aa:")


def redacted(kind: str, text: str) -> str:
    """``text`` as the model gets it."""
    looking: Any = Pii(kind, strategy="redact", detector=detector(kind, None))
    changed = looking.before_model({"messages": [HumanMessage(text)]}, None)
    return text if changed is None else str(changed["messages"][0].content)


@pytest.mark.parametrize("kind", ["email", "credit_card", "ip", "mac_address", "url"])
def test_no_text_holds_the_search_up(kind: str) -> None:
    began = time.perf_counter()
    for piece in HOSTILE:
        redacted(kind, piece * (SIZE // len(piece)))
    assert time.perf_counter() - began < 3.0


@pytest.mark.parametrize(
    ("kind", "text", "seen"),
    [
        ("email", "ask Jo.Doe+x@mail.example.org, or not", "ask [REDACTED_EMAIL], or not"),
        ("email", "half \ud800 jo@example.org", "half \ud800 [REDACTED_EMAIL]"),
        ("email", "jo@home and @jo", "jo@home and @jo"),
        ("url", "see https://example.org/a?b=c now", "see [REDACTED_URL] now"),
        ("url", "see example.org/a and www.example.org.", "see [REDACTED_URL] and [REDACTED_URL]."),
        ("url", "see example.org, v1.2", "see example.org, v1.2"),
        ("url", "http://a.b c.d/e http://f.g", "[REDACTED_URL] [REDACTED_URL] [REDACTED_URL]"),
        ("ip", "from 10.0.0.1 to 300.1.1.1", "from [REDACTED_IP] to 300.1.1.1"),
    ],
)
def test_what_counts_as_personal_data(kind: str, text: str, seen: str) -> None:
    assert redacted(kind, text) == seen
