"""The documents of a workspace as objects with kinds and names, whatever else is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from harness_core.workspace.diagnostics import KeyPath, listed, nearest_name
from harness_core.workspace.document import Document
from harness_core.workspace.schema import KINDS

_KEY_OF: Final = {"Channel": "channel"}


class Objects:
    """The documents of known kinds, and the names that references may use."""

    def __init__(self, documents: Sequence[Document], unreadable: Iterable[tuple[str, str]]) -> None:
        self.documents = [document for document in documents if _has_known_kind(document)]
        self._unreadable = list(unreadable)

    def of_kind(self, kind: str) -> Iterator[Document]:
        return (document for document in self.documents if document.kind == kind)

    def names(self, kind: str) -> set[str]:
        """Names of this kind, also of documents whose YAML is broken."""
        written = {document.text("name") for document in self.of_kind(kind)}
        return (written | {name for found, name in self._unreadable if found == kind}) - {""}

    def may_be_unreadable(self, kind: str) -> bool:
        """Whether an object of this kind may stand in a document whose YAML is broken."""
        return any(found in (kind, "") for found, _ in self._unreadable)

    def check_name(self, document: Document, path: KeyPath, kind: str) -> None:
        """That the text at ``path`` names an object of ``kind``; what is no text is the schema's to refuse."""
        name = document.text(*path)
        known = self.names(kind)
        if name and name not in known:
            message = f"there is no {kind} of this name"
            nearest = nearest_name(name, known)
            document.report(path, _unknown(kind), message, allowed=listed(known), nearest=nearest)

    def check_names(
        self, document: Document, path: KeyPath, kind: str, *, repeated: str | None = None
    ) -> None:
        """The same for every item of a list; ``repeated`` is the code of a second mention, where that is a mistake."""
        seen: set[str] = set()
        for index in range(document.length(*path)):
            self.check_name(document, (*path, index), kind)
            name = document.text(*path, index)
            if repeated is not None and name and name in seen:
                message = f"the {kind.lower()} is listed twice"
                document.report((*path, index), repeated, message, allowed=f"each {kind.lower()} once")
            seen.add(name)

    def check_duplicates(self) -> None:
        first: dict[tuple[str, str], Document] = {}
        for document in self.documents:
            kind = document.kind
            key = _KEY_OF.get(kind, "name")
            name = document.text(key)
            if kind == "Runtime":
                key = "kind"
            elif not name:
                continue
            earlier = first.setdefault((kind, name), document)
            if earlier is not document:
                subject = "a second Runtime" if kind == "Runtime" else f"a second {kind} of this {key}"
                code = "duplicate-runtime" if kind == "Runtime" else f"duplicate-{key}"
                message = f"{subject}; the first is at {earlier.place(key)}"
                document.report((key,), code, message, allowed="one")


def _unknown(kind: str) -> str:
    """``EmbeddingModel`` as ``unknown-embedding-model``."""
    words = "".join(f"-{char.lower()}" if char.isupper() else char for char in kind)
    return f"unknown{words}"


def _has_known_kind(document: Document) -> bool:
    kind = document.kind
    if kind in KINDS:
        return True
    if not document.has("kind"):
        document.report(
            (), "missing-kind", "a document says its kind first", found="no kind", allowed=listed(KINDS)
        )
    else:
        nearest = nearest_name(kind, KINDS)
        document.report(
            ("kind",), "unknown-kind", "is not a known kind", allowed=listed(KINDS), nearest=nearest
        )
    return False
