"""Search in the example team's runbooks: the Markdown files in ``data/runbooks``."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

_MOST = 2
_TOO_COMMON = frozenset(
    re.findall(r"\w+", "a an and are do for how in is it my of on or the to what when why with you")
)


@cache
def _runbooks() -> dict[str, str]:
    folder = Path(__file__).parent / "data" / "runbooks"
    return {path.stem: path.read_text(encoding="utf-8").strip() for path in sorted(folder.glob("*.md"))}


def search_runbooks(
    query: Annotated[str, Field(description="A few words, such as: checkout slow connection pool.")],
) -> str:
    """Find the team's runbooks about something: symptoms, causes, and what to do. Returns the best ones in full."""
    words = _words(query)
    scores = {name: _score(words, name, text) for name, text in _runbooks().items()}
    highest = max(scores.values(), default=0)
    if not highest:
        return f"No runbook mentions “{query}”. There are: {', '.join(_runbooks())}."
    good = [name for name in scores if scores[name] * 2 > highest]
    best = sorted(good, key=lambda name: -scores[name])[:_MOST]
    return "\n\n".join(f"{_runbooks()[name]}\n(runbook: {name})" for name in best)


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", text.lower())) - _TOO_COMMON


def _score(words: set[str], name: str, text: str) -> int:
    """Distinct words in the text, those of the name counting three times."""
    return len(words & _words(text)) + 2 * len(words & _words(name))
