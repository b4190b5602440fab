"""The answer of a run while it grows: texts of its model messages, joined by blank lines."""

from __future__ import annotations


class Answer:
    """Starts from what a checkpoint already knew, and takes text message by message."""

    def __init__(self, known: str = "") -> None:
        self._parts = [known] if known else []
        self._message: str | None = None

    def add(self, text: str, message: str) -> None:
        """Text of ``message``; another message than the last one starts a paragraph."""
        if self._message != message and self._parts:
            self._parts.append("\n\n")
        self._message = message
        self._parts.append(text)

    @property
    def text(self) -> str:
        """Everything so far."""
        return "".join(self._parts).strip()
