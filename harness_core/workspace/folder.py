"""The files of a workspace folder: which ones count, reading them within limits, and noticing that one changed."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from harness_core.workspace.diagnostics import Diagnostic, Findings
from harness_core.workspace.yaml_reader import Reading, read_documents

MAX_BYTES = 256 * 1024
_SUFFIXES = frozenset({".yaml", ".yml"})

Stamp: TypeAlias = tuple[tuple[str, int, int], ...]
"""Name, modification time in ns and size of every YAML file."""


def read_folder(folder: Path, findings: Findings) -> Reading:
    """Every document of every ``*.yaml`` and ``*.yml`` file directly in ``folder``, by file name.

    Sub-folders belong to tool packages and their data. Hidden files are editors' own.
    """
    whole = Reading()
    try:
        paths = _yaml_files(folder)
    except OSError as error:
        message = f"the workspace folder cannot be read: {error.strerror}"
        findings.add(
            Diagnostic(code="folder-unreadable", file=".", line=0, message=message, found=str(folder))
        )
        return whole
    for path in paths:
        text = _read(path, folder, findings)
        if text is not None:
            reading = read_documents(text, path.name, findings)
            whole.documents += reading.documents
            whole.unreadable += reading.unreadable
    return whole


def stamp(folder: Path) -> Stamp:
    """A cheap picture of the folder: two of them differ when a YAML file came, went or changed."""
    try:
        paths = _yaml_files(folder)
    except OSError:
        return ()
    seen = []
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue  # gone between listing and looking: the next picture shows it
        seen.append((path.name, status.st_mtime_ns, status.st_size))
    return tuple(seen)


def _yaml_files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in _SUFFIXES and not path.name.startswith(".")
    )


def is_inside(path: Path, folder: Path) -> bool:
    """Whether ``path``, links followed, lies in ``folder``."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # RuntimeError: links in a circle, before Python 3.13
        return False


def _read(path: Path, folder: Path, findings: Findings) -> str | None:
    def refuse(code: str, message: str, *, found: str = "", allowed: str = "") -> None:
        findings.add(
            Diagnostic(code=code, file=path.name, line=0, message=message, found=found, allowed=allowed)
        )

    # A link that stays inside is how mounted configuration folders swap their files at once.
    if not is_inside(path, folder):
        refuse(
            "outside-folder",
            "the file is a link that leaves the workspace folder",
            allowed="a file in the folder",
        )
        return None
    if not path.is_file():
        refuse("not-a-file", "only regular files are read", allowed="a file")
        return None
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        refuse("unreadable-file", f"the file cannot be read: {error.strerror}", allowed="a readable file")
        return None
    if len(raw) > MAX_BYTES:
        size = f"{path.stat().st_size:,} bytes"
        refuse("too-large", "the file is too large; split it", found=size, allowed=f"{MAX_BYTES:,} bytes")
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        refuse("not-utf-8", f"the file is not UTF-8 (line {line})", allowed="UTF-8 text")
        return None
