"""Files and functions stay small; every exception to a rule says which rule and why."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from architecture.source_tree import ROOT, python_files

LONGEST_FILE = 350
LONGEST_FUNCTION = 60

#: A code, then a reason of at least two words.
REASONED = re.compile(
    r"#\s*(?:ruff: )?noqa: [A-Z]+\d+(?:, ?[A-Z]+\d+)*\s+(?:[-–—#:]+\s+)?\w+\W+\w+"
    r"|#\s*type: ignore\[[\w, -]+\]\s+(?:[-–—#:]+\s+)?\w+\W+\w+"
)
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")


def sources() -> list[Path]:
    return python_files("bot", "harness_core", "scripts", "tests")


def texts() -> list[Path]:
    kinds = {".py", ".lua", ".md", ".yml", ".yaml", ".toml", ".js", ".css", ".html"}
    folders = ("bot", "harness_core", "scripts", "tests", "workspace", "docs")
    inside = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in kinds]
    return inside + [
        path for path in ROOT.glob("*") if path.suffix in kinds or path.name in {"Makefile", "Procfile"}
    ]


def comments(path: Path) -> Iterator[tuple[int, str]]:
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline)
    return ((token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT)


def test_no_source_file_is_longer_than_350_lines() -> None:
    files = [path for path in texts() if path.suffix in {".py", ".lua", ".js", ".css", ".html"}]
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    long = {str(path.relative_to(ROOT)): length for path, length in lengths.items() if length > LONGEST_FILE}
    assert not long, long


def test_no_function_is_longer_than_60_lines() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION
    }
    assert not long, long


def test_every_waived_rule_names_itself_and_the_reason() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{line} {comment}"
        for path in sources()
        for line, comment in comments(path)
        if re.match(r"#\s*(?:noqa|type: ignore|ruff: noqa|mypy:)", comment) and not REASONED.match(comment)
    ]
    assert not bare, "\n".join(bare)


def test_nothing_is_left_unfinished_in_a_remark() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in texts()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if UNFINISHED.search(line)
    ]
    assert not found, found


def test_the_pattern_for_waived_rules_tells_reasons_from_bare_codes() -> None:
    assert REASONED.match("# noqa: S603 - the command is ours")
    assert REASONED.match("# type: ignore[arg-type]  # the stub is wrong")
    assert not REASONED.match("# noqa: S603")
    assert not REASONED.match("# noqa")
    assert not REASONED.match("# type: ignore[arg-type]")
