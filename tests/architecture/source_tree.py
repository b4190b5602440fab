"""The project's source as data for the tests beside this file: modules, their imports, their text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("bot", "harness_core")


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One imported name. ``target`` is the module of ours that it reaches, else the dotted name as written."""

    target: str
    name: str | None
    level: int
    line: int
    at_start: bool


@dataclass(frozen=True)
class Module:
    name: str
    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=str(self.path))

    @property
    def where(self) -> str:
        return str(self.path.relative_to(ROOT))

    def within(self, *prefixes: str) -> bool:
        return any(self.name == prefix or self.name.startswith(f"{prefix}.") for prefix in prefixes)

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        return tuple(self._imports())

    def _imports(self) -> Iterator[Import]:
        inside = {
            id(node) for scope in ast.walk(self.tree) if _is_function(scope) for node in ast.walk(scope)
        }
        for node in ast.walk(self.tree):
            at_start = id(node) not in inside
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(target=alias.name, name=None, level=0, line=node.lineno, at_start=at_start)
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    source = node.module or ""
                    target = f"{source}.{alias.name}" if f"{source}.{alias.name}" in ours() else source
                    name = alias.name if target == source else None
                    yield Import(
                        target=target, name=name, level=node.level, line=node.lineno, at_start=at_start
                    )


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)


def python_files(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    assert found, f"no Python files in {folders}"
    return sorted(found)


def ours() -> dict[str, Module]:
    """Every module of the product by its dotted name."""
    if not _modules:
        for path in python_files(*PACKAGES):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            _modules[name] = Module(name=name, path=path)
    return _modules


_modules: dict[str, Module] = {}
