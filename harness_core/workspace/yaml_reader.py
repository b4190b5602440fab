"""YAML text to document trees with line numbers, under limits, building nothing but text, numbers and booleans.

Built on the events of PyYAML's safe parser instead of its composer: nesting and aliases are bounded while the text is
read, duplicate keys are seen, and no constructor of an arbitrary tag exists to be called.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from harness_core.workspace.diagnostics import Diagnostic, Findings, KeyPath, on_one_line, path_text
from harness_core.workspace.document import Document, Entry, Fields, Items, Node, Scalar

MAX_DEPTH = 20
MAX_ALIASES = 50
MAX_NODES = 20_000
"""Values in one document once every alias is written out."""

_TAG = "tag:yaml.org,2002:"
_TYPED = frozenset(_TAG + name for name in ("int", "float", "bool", "null"))
_AS_TEXT = frozenset(_TAG + name for name in ("str", "timestamp", "merge", "value"))
_COLLECTIONS = frozenset({None, "!", _TAG + "map", _TAG + "seq"})

# YAML 1.1 §9.1.3: `---` at the start of a line is a document marker wherever it stands, block scalars included,
# so documents can be read one by one and a broken one leaves its neighbours readable.
_DOCUMENT_START = re.compile(r"^(?:%[^\n]*\n)*---(?=\s|\Z)", re.MULTILINE)
_IDENTITY = re.compile(r"^(kind|name)[ \t]*:[ \t]*['\"]?([\w-]+)", re.MULTILINE)


_IN_QUOTES = '"${NAME}" in quotes inside [ ] and { }'


@dataclass(slots=True)
class Reading:
    """What a file held: its documents, and (kind, name) of those whose YAML is broken.

    The latter keep references to a broken document from being called unknown as well.
    """

    documents: list[Document] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)


class _Refused(Exception):
    def __init__(self, line: int, code: str, message: str, allowed: str) -> None:
        self.line, self.code, self.message, self.allowed = line, code, message, allowed


def read_documents(text: str, file: str, findings: Findings) -> Reading:
    """Every document of ``text``; mistakes go to ``findings`` and cost only the document they are in."""
    reading = Reading()
    for offset, chunk in _chunks(text):
        try:
            for root in _Composer(chunk, offset, file, findings).documents():
                _keep(root, file, findings, reading)
        except _Refused as refused:
            code, line, allowed = refused.code, refused.line, refused.allowed
            findings.add(
                Diagnostic(code=code, file=file, line=line, message=refused.message, allowed=allowed)
            )
            reading.unreadable.append(_identity(chunk))
        except yaml.YAMLError as error:
            line, problem = _syntax_problem(error, chunk, offset)
            message = f"the YAML cannot be read: {problem}"
            near = chunk.split("\n")[line - 1 : line]
            allowed = _IN_QUOTES if any("${" in text for text in near) else ""
            code, line = "yaml-syntax", offset + line
            findings.add(Diagnostic(code=code, file=file, line=line, message=message, allowed=allowed))
            reading.unreadable.append(_identity(chunk))
    return reading


def _chunks(text: str) -> Iterator[tuple[int, str]]:
    """Each document's text and the number of lines before it."""
    starts = [0, *(match.start() for match in _DOCUMENT_START.finditer(text) if match.start() > 0)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        yield text.count("\n", 0, start), text[start:end]


def _keep(root: Node, file: str, findings: Findings, reading: Reading) -> None:
    match root:
        case Fields():
            reading.documents.append(Document(file, root, findings))
        case Scalar(value=None):
            pass  # nothing between two markers
        case _:
            message = "a document is a mapping of keys to values"
            found = "a list" if isinstance(root, Items) else "a single value"
            findings.add(
                Diagnostic(
                    code="not-a-mapping",
                    file=file,
                    line=root.line,
                    message=message,
                    found=found,
                    allowed="kind: …",
                )
            )


def _identity(chunk: str) -> tuple[str, str]:
    said = dict(reversed(_IDENTITY.findall(chunk)))
    return said.get("kind", ""), said.get("name", "")


def _syntax_problem(error: yaml.YAMLError, chunk: str, offset: int) -> tuple[int, str]:
    match error:
        case yaml.MarkedYAMLError(problem_mark=mark, problem=problem) if mark is not None:
            begun = error.context_mark
            where = f", in what begins in line {offset + begun.line + 1}" if begun is not None else ""
            return mark.line + 1, f"{on_one_line(problem or 'unknown problem')}{where}"
        case yaml.reader.ReaderError(position=position):
            return chunk.count("\n", 0, position) + 1, "a character that YAML does not allow"
        case _:
            return 1, "unknown problem"


class _Composer:
    """Builds the trees of one chunk from parser events. Recursion is bounded by :data:`MAX_DEPTH`."""

    def __init__(self, text: str, offset: int, file: str, findings: Findings) -> None:
        self._loader = yaml.SafeLoader(text)
        self._offset = offset
        self._file = file
        self._findings = findings
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._aliases = 0
        self._nodes = 0

    def documents(self) -> Iterator[Node]:
        self._next()  # the stream's start
        while not self._loader.check_event(yaml.StreamEndEvent):
            self._next()  # the document's start
            self._anchors.clear()
            self._aliases = self._nodes = 0
            yield self._node(())
            self._next()  # the document's end

    def _next(self) -> Any:
        return self._loader.get_event()  # type: ignore[no-untyped-call]  # PyYAML's stub leaves it open

    def _line(self, event: Any) -> int:
        return self._offset + int(event.start_mark.line) + 1

    def _node(self, path: KeyPath) -> Node:
        event = self._next()
        line = self._line(event)
        if isinstance(event, yaml.AliasEvent):
            return self._aliased(event.anchor or "", line)
        if len(path) > MAX_DEPTH:
            raise _Refused(line, "too-deep", "values are nested too deeply", f"{MAX_DEPTH} levels")
        before = self._nodes
        self._count(1, line)
        node: Node
        match event:
            case yaml.ScalarEvent():
                node = self._scalar(event, line, path)
            case yaml.SequenceStartEvent():
                node = self._sequence(event, line, path)
            case _:
                node = self._mapping(event, line, path)
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, self._nodes - before)
        return node

    def _count(self, nodes: int, line: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise _Refused(
                line, "too-many-values", "the document holds too many values", f"{MAX_NODES:,} values"
            )

    def _aliased(self, anchor: str, line: int) -> Node:
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            raise _Refused(
                line, "too-many-aliases", "the document uses too many aliases", f"{MAX_ALIASES} aliases"
            )
        if anchor not in self._anchors:
            message = f"alias *{on_one_line(anchor)} names nothing that ends before it"
            raise _Refused(
                line, "unknown-alias", message, "an anchor (&…) that stands earlier in this document"
            )
        node, size = self._anchors[anchor]
        self._count(size, line)
        return node

    def _scalar(self, event: yaml.ScalarEvent, line: int, path: KeyPath) -> Scalar:
        tag = event.tag
        if tag is None or tag == "!":
            tag = self._loader.resolve(yaml.ScalarNode, event.value, event.implicit)  # type: ignore[no-untyped-call]  # as above
        if tag not in _TYPED:
            if tag not in _AS_TEXT:
                self._refuse_tag(tag, line, path)
            return Scalar(line, event.value, event.value)
        try:
            value = self._loader.construct_object(yaml.ScalarNode(tag, event.value))
        except (ValueError, KeyError):
            value = (
                event.value
            )  # `!!int x`, or more digits than Python converts: text, for the schema to refuse
        if isinstance(value, float) and not math.isfinite(value):
            value = event.value
        return Scalar(line, event.value, value)

    def _sequence(self, event: yaml.SequenceStartEvent, line: int, path: KeyPath) -> Items:
        if event.tag not in _COLLECTIONS:
            self._refuse_tag(event.tag, line, path)
        nodes: list[Node] = []
        while not self._loader.check_event(yaml.SequenceEndEvent):
            nodes.append(self._node((*path, len(nodes))))
        self._next()
        return Items(line, tuple(nodes))

    def _mapping(self, event: yaml.MappingStartEvent, line: int, path: KeyPath) -> Fields:
        if event.tag not in _COLLECTIONS:
            self._refuse_tag(event.tag, line, path)
        entries: dict[str, Entry] = {}
        while not self._loader.check_event(yaml.MappingEndEvent):
            key = self._node((*path, "?"))
            name = key.value if isinstance(key, Scalar) else None
            value = self._node((*path, name if isinstance(name, str) else "?"))
            if not isinstance(name, str) or not name.isprintable():
                found = on_one_line(key.shown) if isinstance(key, Scalar) else "a list or mapping"
                message = "a key is printable text; numbers, dates and words such as on stand in quotes"
                self._report(key.line, path, "bad-key", message, found=found, allowed="text")
            elif name in entries:
                message = f"the key “{on_one_line(name)}” stands twice, first in line {entries[name].line}"
                self._report(
                    key.line, (*path, name), "duplicate-key", message, found=on_one_line(name), allowed="once"
                )
            else:
                entries[name] = Entry(key.line, value)
        self._next()
        return Fields(line, entries)

    def _refuse_tag(self, tag: str | None, line: int, path: KeyPath) -> None:
        found = on_one_line((tag or "").replace(_TAG, "!!"))
        message = "tags that build objects are refused"
        self._report(
            line, path, "tag-not-allowed", message, found=found, allowed="text, numbers, lists, mappings"
        )

    def _report(self, line: int, path: KeyPath, code: str, message: str, *, found: str, allowed: str) -> None:
        self._findings.add(
            Diagnostic(
                code=code,
                file=self._file,
                line=line,
                path=on_one_line(path_text(path)),
                message=message,
                found=found,
                allowed=allowed,
            )
        )
