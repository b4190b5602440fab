"""The answer of a run while it grows: texts of its model messages, joined by blank lines."""

from __future__ import annotations

from collections.abc import Collection


class Answer:
    """Starts from what a checkpoint already knew, and takes text message by message."""

    def __init__(self, known: str = "") -> None:
        self._parts: list[tuple[str | None, str]] = [(None, known)] if known else []

    def add(self, text: str, message: str) -> None:
        """Text of ``message``; another message than the last one starts a paragraph."""
        if self._parts and self._parts[-1][0] != message:
            self._parts.append((message, "\n\n"))
        self._parts.append((message, text))

    def take_back(self, messages: Collection[str]) -> None:
        """Forgets what came of these messages."""
        self._parts = [part for part in self._parts if part[0] not in messages]

    @property
    def text(self) -> str:
        """Everything so far."""
        return "".join(text for _, text in self._parts).strip()
