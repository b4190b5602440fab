"""Taking secrets out of texts that people or models will read."""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = "•••"

_SHORTEST = 4  # shorter values would blank out half of any text
_PATTERNS = (
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),
    re.compile(r"(?i)(?<=bearer )[\w.~+/=-]{8,}"),
    re.compile(r"(?i)(?<=basic )[\w+/=]{8,}"),
    re.compile(r"\b(?:sk|pk|rk|ghp|gho|ghs|glpat|xox[a-z]|xapp|AKIA)[-_]?[\w-]{12,}"),
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"),
    re.compile(
        r"""(?i)(?<=[\w-])?(?:api[_-]?key|token|secret|password|passwd|authorization|credential)["']?\s*[=:]\s*["']?((?:(?:bearer|basic) )?[^\s"',;&}]{3,})"""
    ),
)


def redact(text: str, known: Iterable[str] = ()) -> str:
    """``text`` without the ``known`` values and without what looks like a credential."""
    for value in sorted({each for each in known if len(each) >= _SHORTEST}, key=len, reverse=True):
        text = text.replace(value, MASK)
    for pattern in _PATTERNS:
        text = pattern.sub(_masked, text)
    return text


def _masked(match: re.Match[str]) -> str:
    if not match.re.groups or match[1] == MASK:
        return match[0] if match.re.groups else MASK
    start, end = match.start(1) - match.start(), match.end(1) - match.start()
    return match[0][:start] + MASK + match[0][end:]
