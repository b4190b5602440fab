"""``package.module:function`` references: their form, and finding what they name without running any of it."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import pkgutil
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path

_FORM = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):([A-Za-z_]\w*)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonReference:
    """A module by its full name and one name inside it."""

    module: str
    attribute: str

    @property
    def package(self) -> str:
        """The top-level module or package, which ``tool_packages`` must name."""
        return self.module.partition(".")[0]


def python_reference(text: str) -> PythonReference | None:
    """The parts of ``package.module:function``; ``None`` when ``text`` has another form."""
    match = _FORM.fullmatch(text)
    return None if match is None else PythonReference(module=match[1], attribute=match[2])


def module_source(module: str) -> Path | None:
    """The file of ``module`` as Python would find it now; ``None`` when there is none, or a folder without code."""
    spec = _locate(module)
    return Path(spec.origin) if spec is not None and spec.has_location and spec.origin else None


def modules_beside(module: str) -> list[str]:
    """Full names of the modules in the package that ``module`` should be in."""
    package = module.rpartition(".")[0]
    spec = _locate(package) if package else None
    if spec is None or spec.submodule_search_locations is None:
        return []
    return [found.name for found in pkgutil.iter_modules(spec.submodule_search_locations, f"{package}.")]


def _locate(module: str) -> ModuleSpec | None:
    """Without importing anything: ``importlib.util.find_spec`` would import the parents of a dotted name."""
    importlib.invalidate_caches()
    top, *parts = module.split(".")
    spec = _top_level(top)
    name = top
    for part in parts:
        if spec is None or spec.submodule_search_locations is None:
            return None
        name = f"{name}.{part}"
        spec = _within(name, spec.submodule_search_locations)
    return spec


def _within(name: str, locations: Iterable[str]) -> ModuleSpec | None:
    """The module of this name in one of the folders of its package, else the folders that together are a namespace.

    ``PathFinder`` would look for the parent of a namespace among the imported modules.
    """
    namespace = ModuleSpec(name, None, is_package=True)
    portions: list[str] = []
    for location in locations:
        finder = pkgutil.get_importer(location)
        spec = finder.find_spec(name) if finder is not None else None
        if spec is not None and spec.loader is not None:
            return spec
        portions += (spec.submodule_search_locations or ()) if spec is not None else ()
    namespace.submodule_search_locations = portions
    return namespace if portions else None


def _top_level(name: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except (ImportError, ValueError):  # ValueError: a loaded module without a spec, such as __main__
        return None


def defined_names(source: Path) -> frozenset[str] | None:
    """The names that the module in ``source`` defines at its top level.

    ``None`` when that cannot be told from its text: no Python text, a star import, a module ``__getattr__``.
    """
    if source.suffix != ".py":
        return None
    try:
        tree = ast.parse(source.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, SystemError):
        # SystemError: Python 3.11 miscounts its depth when garbage is collected while it parses (gh-106905).
        return None
    names: set[str] = set()
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.alias(name=name, asname=alias):
                names.add(alias or name.partition(".")[0])
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.Lambda() | ast.ImportFrom(module="__future__"):
                pass
            case _:
                pending.extend(ast.iter_child_nodes(node))
    return None if {"*", "__getattr__"} & names else frozenset(names)
