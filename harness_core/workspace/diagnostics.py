"""What a check of the workspace folder finds: one record per mistake, written for the person who mends it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]
"""Where a value stands inside its document: keys, and indexes of lists."""

SHOWN_LENGTH = 80
"""Found values are cut to this many characters, so that a finding stays one readable line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One mistake (or doubt) and where it is.

    ``file`` is relative to the workspace folder, ``line`` counts from 1 (0: the folder or file as a whole),
    ``path`` is a key path such as ``limits.run`` or ``tools[1]``. Neither ``found`` nor ``message`` ever
    holds a value that came from the environment or stands under a key that looks like a secret's.
    """

    severity: Literal["error", "warning"] = "error"
    code: str
    file: str
    line: int
    path: str = ""
    message: str
    found: str = ""
    allowed: str = ""
    nearest: str | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        subject = f"{self.path}: " if self.path else ""
        details = [
            f"found {self.found}" if self.found else "",
            f"allowed {self.allowed}" if self.allowed else "",
            f"did you mean {self.nearest}?" if self.nearest else "",
        ]
        joined = "; ".join(detail for detail in details if detail)
        return f"{place}: {subject}{self.message}" + (f" ({joined})" if joined else "")


class Findings:
    """Collects diagnostics of one check; nothing stops at the first mistake."""

    def __init__(self) -> None:
        self._found: dict[Diagnostic, None] = {}

    def add(self, diagnostic: Diagnostic) -> None:
        self._found[diagnostic] = None

    @property
    def has_errors(self) -> bool:
        return any(finding.severity == "error" for finding in self._found)

    def in_order(self) -> tuple[Diagnostic, ...]:
        """By file and line, as an editor walks through them."""
        return tuple(sorted(self._found, key=lambda finding: (finding.file, finding.line)))


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """The known name that ``name`` was most likely meant to be, in any case; ``None`` when none is close."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    close = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def listed(names: Iterable[str]) -> str:
    """Names as an ``allowed`` text: sorted, comma-separated."""
    return ", ".join(sorted(names)) or "none"


def path_text(path: KeyPath) -> str:
    """``("rules", 0, "when")`` as ``rules[0].when``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def on_one_line(text: str) -> str:
    """``text`` without line breaks and control characters, cut to :data:`SHOWN_LENGTH`."""
    flat = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return flat if len(flat) <= SHOWN_LENGTH else flat[: SHOWN_LENGTH - 1] + "…"
