"""How the objects of a workspace name each other: kinds, names that stand once, references that lead somewhere.

Works on raw values and on every document that has a kind, whatever else is wrong with it: a mistake inside an agent
does not make the agent unknown to those who name it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from harness_core.workspace.availability import UNAVAILABLE_KINDS
from harness_core.workspace.diagnostics import KeyPath, listed, nearest_name
from harness_core.workspace.document import Document
from harness_core.workspace.python_reference import (
    PythonReference,
    defined_names,
    module_source,
    modules_beside,
    python_reference,
)
from harness_core.workspace.schema import SPECS

_KEY_OF: Final = {"Channel": "channel"}


class Objects:
    """The documents of supported kinds, and the names that references may use."""

    def __init__(self, documents: Sequence[Document], unreadable: Iterable[tuple[str, str]]) -> None:
        self.documents = [document for document in documents if _has_supported_kind(document)]
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


def check_references(objects: Objects) -> None:
    """Report duplicates and references that lead nowhere, each at the place that is to be mended."""
    _check_duplicates(objects)
    for agent in objects.of_kind("Agent"):
        _check_name(agent, ("model",), "Model", objects)
        _check_tools(agent, objects)
    for channel in objects.of_kind("Channel"):
        _check_name(channel, ("agent",), "Agent", objects)
    for runtime in objects.of_kind("Runtime"):
        _check_name(runtime, ("routing", "default_agent"), "Agent", objects)
        for index in range(runtime.length("routing", "rules")):
            _check_name(runtime, ("routing", "rules", index, "agent"), "Agent", objects)
    _check_python(objects)


def _has_supported_kind(document: Document) -> bool:
    kind = document.kind
    if kind in SPECS:
        return True
    if kind in UNAVAILABLE_KINDS:
        code, message = UNAVAILABLE_KINDS[kind]
        document.report(("kind",), code, message, allowed=listed(SPECS))
    elif not document.has("kind"):
        document.report(
            (), "missing-kind", "a document says its kind first", found="no kind", allowed=listed(SPECS)
        )
    else:
        nearest = nearest_name(kind, [*SPECS, *UNAVAILABLE_KINDS])
        document.report(
            ("kind",), "unknown-kind", "is not a known kind", allowed=listed(SPECS), nearest=nearest
        )
    return False


def _check_duplicates(objects: Objects) -> None:
    first: dict[tuple[str, str], Document] = {}
    for document in objects.documents:
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


def _check_name(document: Document, path: KeyPath, kind: str, objects: Objects) -> None:
    """That the text at ``path`` names an object of ``kind``; what is no text is the schema's to refuse."""
    name = document.text(*path)
    known = objects.names(kind)
    if name and name not in known:
        message = f"there is no {kind} of this name"
        nearest = nearest_name(name, known)
        document.report(path, f"unknown-{kind.lower()}", message, allowed=listed(known), nearest=nearest)


def _check_tools(agent: Document, objects: Objects) -> None:
    seen: set[str] = set()
    for index in range(agent.length("tools")):
        path = ("tools", index)
        _check_name(agent, path, "Tool", objects)
        name = agent.text(*path)
        if name and name in seen:
            agent.report(path, "repeated-tool", "the tool is listed twice", allowed="each tool once")
        seen.add(name)


def _check_python(objects: Objects) -> None:
    packages: dict[str, str] = {}
    for runtime in objects.of_kind("Runtime"):
        for index in range(runtime.length("tool_packages")):
            path = ("tool_packages", index)
            packages[runtime.text(*path)] = runtime.shown(*path)
    list_is_known = not objects.may_be_unreadable("Runtime")
    for tool in objects.of_kind("Tool"):
        for key in ("python", "preview"):
            reference = python_reference(tool.text(key))
            if reference is None:
                continue
            if reference.package in packages or not list_is_known:
                _check_target(tool, key, reference)
            else:
                _refuse_package(tool, key, reference, packages)


def _refuse_package(tool: Document, key: str, reference: PythonReference, packages: dict[str, str]) -> None:
    tool.report(
        (key,),
        "python-not-allowed",
        "the package is not in tool_packages of the Runtime",
        allowed=listed(packages.values()),
        nearest=nearest_name(reference.package, packages.values()),
    )


def _check_target(tool: Document, key: str, reference: PythonReference) -> None:
    source = module_source(reference.module)
    if source is None:
        known = modules_beside(reference.module)
        tool.report(
            (key,),
            "module-not-found",
            f"there is no Python module {reference.module}",
            allowed=listed(known) if known else "a module on Python's path",
            nearest=nearest_name(reference.module, known),
        )
        return
    names = defined_names(source)
    if names is not None and reference.attribute not in names:
        public = [name for name in names if not name.startswith("_")]
        tool.report(
            (key,),
            "function-not-found",
            f"the module {reference.module} does not define {reference.attribute}",
            allowed=listed(public),
            nearest=nearest_name(reference.attribute, public),
        )
