"""``${NAME}`` and ``${NAME:-default}`` in the text values of a document, from a mapping of variables that is given.

- ``${NAME}`` of an unset variable is an error; ``${NAME:-default}`` takes the default when it is unset or empty.
- A value that comes out empty counts as absent, as does YAML's own empty value (except below ``params``, where it is
  passed on). Lists that narrow something must not come out so: a check refuses that.
- ``$${`` stands for a literal ``${``.
- ``kind`` and ``name`` are written out: other findings show them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Self

from harness_core.workspace.diagnostics import KeyPath, nearest_name
from harness_core.workspace.document import Document, Entry, Fields, Items, Node, Scalar

_VARIABLE = re.compile(
    r"(?P<literal>\$\$\{)|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}|(?P<broken>\$\{)"
)
_WRITTEN_OUT: frozenset[KeyPath] = frozenset({("kind",), ("name",)})


class Substituted(str):
    """Text that came from a variable: usable as text, but its repr is what the file says."""

    __slots__ = ("written",)
    written: str

    def __new__(cls, text: str, written: str) -> Self:
        made = super().__new__(cls, text)
        made.written = written
        return made

    def __repr__(self) -> str:
        return repr(self.written)


def substitute(document: Document, environ: Mapping[str, str]) -> None:
    """Replace variables in ``document``; an unset or malformed one is reported, and its value is muted."""
    document.root = _Substitution(document, environ).fields(document.root, ())


class _Substitution:
    def __init__(self, document: Document, environ: Mapping[str, str]) -> None:
        self._document = document
        self._environ = environ

    def fields(self, fields: Fields, path: KeyPath) -> Fields:
        entries = {}
        for key, entry in fields.entries.items():
            node = self._node(entry.node, (*path, key))
            if node is None:
                self._document.leave_out((*path, key), entry.line)
            else:
                entries[key] = Entry(entry.line, node)
        return replace(fields, entries=entries)

    def _node(self, node: Node, path: KeyPath) -> Node | None:
        """The node with its variables replaced; ``None`` when it counts as absent."""
        match node:
            case Fields():
                return self.fields(node, path)
            case Items(nodes=nodes):
                children = (self._node(child, (*path, index)) for index, child in enumerate(nodes))
                return replace(node, nodes=tuple(child for child in children if child is not None))
            case Scalar(value=None):
                return node if "params" in path else None
            case Scalar(value=str() as text):
                made = self._scalar(node, text, path) if "${" in text else node
                self._check_unicode(made, path)
                return made
            case Scalar():
                return node

    def _check_unicode(self, scalar: Scalar | None, path: KeyPath) -> None:
        """Half characters (a lone surrogate, a variable that is not UTF-8) cannot be stored or sent."""
        if scalar is not None and any("\ud800" <= char <= "\udfff" for char in scalar.value):
            self._refuse(
                path, "not-unicode", "the text has broken characters", found=None, allowed="valid Unicode"
            )

    def _scalar(self, scalar: Scalar, text: str, path: KeyPath) -> Scalar | None:
        found = list(_VARIABLE.finditer(text))
        names = [match for match in found if match["name"]]
        shown = _VARIABLE.sub(lambda match: f"${{{match['name']}}}" if match["name"] else match[0], text)
        if path in _WRITTEN_OUT and names:
            self._refuse(
                path, "variable-in-name", "a kind or name is written out", found=shown, allowed="plain text"
            )
            return replace(scalar, shown=shown)
        if any(match["broken"] for match in found):
            allowed = "${NAME}, ${NAME:-default}, or $${ for a literal ${"
            self._refuse(
                path,
                "malformed-variable",
                "a variable is not written correctly",
                found="${…",
                allowed=allowed,
            )
            return replace(scalar, shown="${…")
        unset = sorted({match["name"] for match in names if match["default"] is None} - self._environ.keys())
        for name in unset:
            self._unset(path, name)
        if unset:
            self._document.mute(path)
        value = _VARIABLE.sub(self._value, text)
        if not names:
            return replace(scalar, shown=value, value=value)
        return Scalar(scalar.line, shown, Substituted(value, shown)) if value or unset else None

    def _value(self, match: re.Match[str]) -> str:
        if match["literal"]:
            return "${"
        value = self._environ.get(match["name"], "")
        return value if match["default"] is None else value or match["default"]

    def _unset(self, path: KeyPath, name: str) -> None:
        self._document.report(
            path,
            "unset-variable",
            f"the environment variable {name} is not set",
            found=f"${{{name}}}",
            allowed=f"set {name}, or write ${{{name}:-default}}",
            nearest=nearest_name(name, self._environ),
        )

    def _refuse(self, path: KeyPath, code: str, message: str, *, found: str | None, allowed: str) -> None:
        self._document.report(path, code, message, found=found, allowed=allowed)
        self._document.mute(path)
