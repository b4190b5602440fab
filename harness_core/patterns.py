"""Regular expressions that run in time linear in the text, whatever the pattern: RE2. Nothing that a stranger writes,
pattern or text, can hold a worker up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import re2  # type: ignore[import-untyped]  # it ships no types

MEMORY = 1 << 20
"""Bytes that a compiled pattern may take: RE2 refuses what would take more."""


def _options(*, ignore_case: bool) -> Any:
    options = re2.Options()
    options.max_mem = MEMORY
    options.log_errors = False
    options.case_sensitive = not ignore_case
    return options


def pattern_problem(pattern: str) -> str | None:
    """Why RE2 refuses ``pattern``, in its own words; None when it is fine."""
    try:
        re2.compile(_readable(pattern), _options(ignore_case=True))
    except re2.error as error:
        said = error.args[0] if error.args else "not readable"
        return said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    return None


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that :func:`pattern_problem` found nothing wrong with, compiled once."""

    text: str
    ignore_case: bool = True
    _compiled: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        compiled = re2.compile(_readable(self.text), _options(ignore_case=self.ignore_case))
        object.__setattr__(self, "_compiled", compiled)

    def found_in(self, text: str) -> bool:
        """Whether any part of ``text`` matches."""
        return self._compiled.search(_readable(text)) is not None

    def spans(self, text: str, group: int = 0) -> Iterator[tuple[int, int]]:
        """Begin and end of every match that is not empty, or of that group of it, counted in characters."""
        for match in self._compiled.finditer(_readable(text)):
            if match.end(group) > match.start(group):
                yield match.span(group)


def _readable(text: str) -> str:
    """``text`` as RE2 can read it: half a character (a lone surrogate) is a question mark to it."""
    return text.encode(errors="replace").decode()
