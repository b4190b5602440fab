"""One YAML document as a tree that remembers its lines, and how checks report on a place in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from harness_core.workspace.diagnostics import Diagnostic, Findings, KeyPath, on_one_line, path_text

HIDDEN = "(hidden)"
SECRET_KEY = re.compile(
    r"api[_-]?key|token(?!s)|secret|passw|authorization|credential|private[_-]?key|cookie", re.IGNORECASE
)
"""Keys whose values are never shown. ``max_tokens`` and the like are figures, not secrets."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A leaf. ``shown`` is its text as written in the file, with ``${NAME}`` in place of what it stands for."""

    line: int
    shown: str
    value: Any


@dataclass(frozen=True, slots=True)
class Items:
    """A YAML sequence."""

    line: int
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A key's line and its value."""

    line: int
    node: Node


@dataclass(frozen=True, slots=True)
class Fields:
    """A YAML mapping; keys are text and unique."""

    line: int
    entries: Mapping[str, Entry]


Node: TypeAlias = Scalar | Items | Fields


def plain(node: Node) -> Any:
    """The tree as dicts, lists and scalars."""
    match node:
        case Scalar(value=value):
            return value
        case Items(nodes=nodes):
            return [plain(child) for child in nodes]
        case Fields(entries=entries):
            return {key: plain(entry.node) for key, entry in entries.items()}


class Document:
    """A workspace object as written: its values, their lines, and the parts already found to be wrong.

    Later checks look at the same raw values, so that one mistake does not hide another; what an earlier check
    has reported is muted, so that one mistake is not told twice.
    """

    def __init__(self, file: str, root: Fields, findings: Findings) -> None:
        self.file = file
        self.root = root
        self._findings = findings
        self._muted: set[KeyPath] = set()
        self._empty: dict[KeyPath, int] = {}

    @property
    def kind(self) -> str:
        return self.text("kind")

    def text(self, *path: str | int) -> str:
        """The text at ``path``; empty when there is none or it is something else."""
        value = self.value(*path)
        return value if isinstance(value, str) else ""

    def value(self, *path: str | int) -> Any:
        """The plain value at ``path``; ``None`` when there is none."""
        node = self._node(path)
        return None if node is None else plain(node)

    def data(self) -> dict[str, Any]:
        """The whole document as plain data."""
        return {key: plain(entry.node) for key, entry in self.root.entries.items()}

    def has(self, *path: str | int) -> bool:
        return self._node(path) is not None

    def length(self, *path: str | int) -> int:
        """How many items the list at ``path`` has; 0 when it is no list."""
        node = self._node(path)
        return len(node.nodes) if isinstance(node, Items) else 0

    def shown(self, *path: str | int) -> str:
        """What stands at ``path``, as it may be shown to a person: on one line and without secrets."""
        keys = [part for part in path if isinstance(part, str)]
        match self._node(path):
            case None:
                return "nothing"
            case Fields():
                return "a mapping"
            case Items():
                return "a list"
            case Scalar() if keys and SECRET_KEY.search(keys[-1]):
                return HIDDEN
            case Scalar(shown=shown):
                return on_one_line(shown) or "an empty value"

    def line(self, *path: str | int) -> int:
        """The line of the key or item at ``path``, or of the closest thing around it that exists."""
        if path in self._empty:
            return self._empty[path]
        node: Node = self.root
        line = self.root.line
        for part in path:
            match node:
                case Fields(entries=entries) if isinstance(part, str) and part in entries:
                    line, node = entries[part].line, entries[part].node
                case Items(nodes=nodes) if isinstance(part, int) and part < len(nodes):
                    node = nodes[part]
                    line = node.line
                case _:
                    break
        return line

    def leave_out(self, path: KeyPath, line: int) -> None:
        """Take note of a key in this line that has no value and so counts as absent."""
        self._empty[path] = line

    def is_left_empty(self, *path: str | int) -> bool:
        """Whether the key at ``path`` is written and counts as absent, because it has no value."""
        return path in self._empty

    def place(self, *path: str | int) -> str:
        """``file:line`` of ``path``, for texts that name a second place."""
        return f"{self.file}:{self.line(*path)}"

    def mute(self, path: KeyPath) -> None:
        """Report nothing more at or below ``path``."""
        self._muted.add(path)

    def report(
        self,
        path: KeyPath,
        code: str,
        message: str,
        *,
        found: str | None = None,
        allowed: str = "",
        nearest: str | None = None,
        severity: Literal["error", "warning"] = "error",
    ) -> None:
        """Add a finding about ``path``; ``found`` is what stands there unless given."""
        if any(path[: len(muted)] == muted for muted in self._muted):
            return
        self._findings.add(
            Diagnostic(
                severity=severity,
                code=code,
                file=self.file,
                line=self.line(*path),
                path=path_text(path),
                message=message,
                found=self.shown(*path) if found is None else found,
                allowed=allowed,
                nearest=nearest,
            )
        )

    def _node(self, path: KeyPath) -> Node | None:
        node: Node = self.root
        for part in path:
            match node:
                case Fields(entries=entries) if isinstance(part, str) and part in entries:
                    node = entries[part].node
                case Items(nodes=nodes) if isinstance(part, int) and part < len(nodes):
                    node = nodes[part]
                case _:
                    return None
        return node
