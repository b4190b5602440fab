"""Taking secrets out of texts that people or models will read."""

from __future__ import annotations

from collections.abc import Iterable

from harness_core.patterns import Pattern

MASK = "•••"

_SHORTEST = 4  # shorter values would blank out half of any text
_CREDENTIALS = (
    Pattern(r"://([^/\s\pZ:@]+:[^/\s\pZ@]+)@"),
    Pattern(r"bearer ([\w.~+/=-]{8,})"),
    Pattern(r"basic ([\w+/=]{8,})"),
    Pattern(
        r"\b((?:sk|pk|rk|ghp|gho|ghs|glpat|xox[a-z]|xapp|AKIA)[-_]?[\w-]{12,})",
        ignore_case=False,
    ),
    Pattern(r"\b(eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?)", ignore_case=False),
    Pattern(
        r"(?:api[_-]?key|token|secret|password|passwd|authorization|credential)[\"']?"
        r"[\s\pZ]*[=:][\s\pZ]*[\"']?((?:(?:bearer|basic) )?[^\s\pZ\"',;&}]{3,})"
    ),
)
"""What looks like a credential: its first group is one."""


def redact(text: str, known: Iterable[str] = ()) -> str:
    """``text`` without the ``known`` values and without what looks like a credential."""
    for value in sorted({each for each in known if len(each) >= _SHORTEST}, key=len, reverse=True):
        text = text.replace(value, MASK)
    for pattern in _CREDENTIALS:
        text = _masked(text, pattern)
    return text


def _masked(text: str, credential: Pattern) -> str:
    pieces, kept = list[str](), 0
    for start, end in credential.spans(text, group=1):
        pieces += (text[kept:start], MASK)
        kept = end
    return "".join((*pieces, text[kept:]))
