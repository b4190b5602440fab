"""The page of parts names modules and tests that exist, and every row has both."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROOF = r"`tests/[\w/]+\.py::(?:Test\w+::)?test_\w+`"


def rows() -> list[list[str]]:
    """The cells of every row, heads left out."""
    page = (ROOT / "docs" / "harness.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for row in cells if row != ["part", "where", "proved by"] and set(row[0]) != {"-"}]


@cache
def functions_of(file: str) -> frozenset[str]:
    """The functions of a file by what pytest calls them: those of a class after its name."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    places = [("", tree.body)]
    places += [(f"{node.name}::", node.body) for node in tree.body if isinstance(node, ast.ClassDef)]
    return frozenset(
        f"{place}{node.name}"
        for place, body in places
        for node in body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def test_every_row_names_a_module_and_a_test() -> None:
    assert len(rows()) > 150
    for row in rows():
        assert len(row) == 3, row
        part, where, proof = row
        assert part
        assert re.fullmatch(r"`[\w./]+`(?:, `[\w./]+`)*", where), row
        assert re.fullmatch(rf"{PROOF}(?:, {PROOF})*", proof), row


def test_every_module_of_a_row_exists() -> None:
    named = {path for row in rows() for path in re.findall(r"`([^`]+)`", row[1])}
    assert {path for path in named if not (ROOT / path).exists()} == set()


def test_every_test_of_a_row_exists() -> None:
    named = {proof for row in rows() for proof in re.findall(r"`([^`]+)`", row[2])}
    gone = set()
    for proof in named:
        file, _, name = proof.partition("::")
        if not (ROOT / file).is_file() or name not in functions_of(file):
            gone.add(proof)
    assert gone == set()


def test_no_part_is_named_twice_in_a_section() -> None:
    page = (ROOT / "docs" / "harness.md").read_text(encoding="utf-8")
    for section in page.split("\n## ")[1:]:
        parts = re.findall(r"^\| (.+?) \| `", section, re.MULTILINE)
        assert len(parts) == len(set(parts)), section.partition("\n")[0]
