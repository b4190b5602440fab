"""LangChain's search in files, with patterns that cannot run for ever and an end to every search."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, cast

from langchain.agents.middleware import FilesystemFileSearchMiddleware
from langchain_core.tools import BaseTool, StructuredTool

from harness_core.daemon_thread import in_daemon_thread
from harness_core.patterns import Pattern, pattern_problem

SECONDS = 20.0
"""How long a search through files may go on."""

_CHOICES = 16
"""File patterns that one with braces may stand for."""

_Found = dict[str, list[tuple[int, str]]]


class FileSearch(FilesystemFileSearchMiddleware[Any, Any]):
    """``seconds`` is how long a search may go on; models read that it took too long."""

    def __init__(
        self, *, root_path: str, use_ripgrep: bool, max_file_size_mb: int, seconds: float = SECONDS
    ) -> None:
        super().__init__(root_path=root_path, use_ripgrep=use_ripgrep, max_file_size_mb=max_file_size_mb)
        self._seconds = seconds
        glob, grep = cast("list[StructuredTool]", self.tools)
        self.tools: list[BaseTool] = [_guarded(glob, _glob_problem), _guarded(grep, _grep_problem)]

    @property
    def name(self) -> str:
        return FilesystemFileSearchMiddleware.__name__

    def _python_search(self, pattern: str, base_path: str, include: str | None) -> _Found:
        """What the library does where there is no ripgrep: it would run the pattern by backtracking.

        :raises TimeoutError: it took too long.
        """
        end = time.monotonic() + self._seconds
        wanted = Pattern(pattern, ignore_case=False)
        found: _Found = {}
        for file in self._files(base_path, include):
            lines = []
            for number, line in enumerate(_lines(file, self.max_file_size_bytes), 1):
                if time.monotonic() > end:
                    raise TimeoutError(f"the search took longer than {self._seconds:g} s: search less")
                if wanted.found_in(line):
                    lines.append((number, line))
            if lines:
                found[f"/{file.relative_to(self.root_path)}"] = lines
        return found

    def _files(self, base_path: str, include: str | None) -> Iterator[Path]:
        try:
            base = self._validate_and_resolve_path(base_path)
        except ValueError:
            return
        for folder, _, names in os.walk(base, followlinks=False):
            for name in names:
                file = Path(folder, name)
                wanted = include is None or any(fnmatch(name, each) for each in _spelled_out(include))
                # A link may lead out of the folder.
                if wanted and file.is_file() and file.resolve().is_relative_to(self.root_path):
                    yield file


def _lines(file: Path, limit: int) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines() if file.stat().st_size <= limit else []
    except (UnicodeDecodeError, OSError):
        return []


def _guarded(tool: StructuredTool, problem: Callable[..., str | None]) -> StructuredTool:
    """``tool`` off the event loop, and only where there is no ``problem`` with its arguments."""
    search = cast("Callable[..., str]", tool.func)

    async def serve(**arguments: Any) -> str:
        said = problem(**arguments)
        return said or cast("str", await in_daemon_thread(lambda: search(**arguments), name="search"))

    return tool.model_copy(update={"func": None, "coroutine": serve})


def _glob_problem(pattern: str, path: str = "/") -> str | None:
    del path
    # Each one goes through every folder below those that the one before it came to.
    return "Invalid glob pattern: ** may stand in it twice" if pattern.count("**") > 2 else None


def _grep_problem(pattern: str, include: str | None = None, **_: Any) -> str | None:
    problem = pattern_problem(pattern)
    if problem is not None:
        return f"Invalid regex pattern: {problem}"
    return "Invalid include pattern" if include and not _spelled_out(include) else None


def _spelled_out(include: str) -> list[str]:
    """The patterns that one with braces, such as ``*.{ts,tsx}``, stands for; none where they are too many."""
    pieces = re.split(r"\{([^{}]*)\}", include)
    found = [""]
    for index, piece in enumerate(pieces):
        found = [f"{begun}{more}" for begun in found for more in (piece.split(",") if index % 2 else [piece])]
        if len(found) > _CHOICES:
            return []
    return found
