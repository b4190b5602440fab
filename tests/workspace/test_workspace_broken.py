"""One file for each kind of mistake. Its first line is the finding, whole, as a person reads it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from architecture.source_tree import ours
from workspace.workspace_folder import GOOD, NO_VARIABLES

from harness_core.workspace import check_workspace

BROKEN = Path(__file__).parent / "broken"
FILES = sorted(BROKEN.glob("*.yaml"))

#: Mistakes that are not in the text of one file, and where they are tested.
ELSEWHERE = {
    "folder-unreadable": "test_workspace_reading",
    "no-agents": "test_workspace_codes",
    "not-a-file": "test_workspace_reading",
    "not-utf-8": "test_workspace_reading",
    "outside-folder": "test_workspace_reading",
    "too-large": "test_workspace_reading",
    "unreadable-file": "test_workspace_reading",
    "condition-never-true": "test_workspace_arguments",
    "condition-on-free-text": "test_workspace_arguments",
    "condition-unknown-argument": "test_workspace_arguments",
    "template-unknown-argument": "test_workspace_arguments",
    "unknown-argument": "test_workspace_arguments",
}

#: Calls that carry a code, and which of their arguments it is.
CARRIERS = {
    "report": 1,
    "_Refused": 1,
    "_refuse": 1,
    "refuse": 0,
    "PydanticCustomError": 0,
    "_matching": 1,
    "_report": 2,
}


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_a_broken_file_has_this_one_finding_with_this_text_and_line(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(BROKEN))
    (tmp_path / "_good.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / file.name).write_bytes(file.read_bytes())
    expected = file.read_text(encoding="utf-8").splitlines()[0]

    checked = check_workspace(tmp_path, NO_VARIABLES)

    assert [f"# {finding.severity}: {finding}" for finding in checked.findings] == [expected]
    assert [finding.code for finding in checked.findings] == [file.stem]
    assert (checked.workspace is None) == expected.startswith("# error")


def test_the_file_beside_the_broken_ones_is_fine(tmp_path: Path) -> None:
    (tmp_path / "_good.yaml").write_text(GOOD, encoding="utf-8")
    assert check_workspace(tmp_path, NO_VARIABLES).findings == ()


def test_there_are_more_than_forty_different_mistakes() -> None:
    assert len({file.stem for file in FILES}) > 80


def codes_in_the_source() -> Iterator[str]:
    for module in ours().values():
        if module.within("harness_core.workspace"):
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Call):
                    yield from codes_of(node)


def codes_of(call: ast.Call) -> Iterator[str]:
    name = getattr(call.func, "id", None) or getattr(call.func, "attr", "")
    places = [keyword.value for keyword in call.keywords if keyword.arg in ("code", "repeated")]
    if name in CARRIERS and len(call.args) > CARRIERS[name]:
        places.append(call.args[CARRIERS[name]])
    for place in places:
        for node in ast.walk(place):
            if isinstance(node, ast.Constant) and re.fullmatch(
                r"[a-z0-9]+(?:[-_][a-z0-9]+)+", str(node.value)
            ):
                yield str(node.value).replace("_", "-")


def test_every_code_in_the_source_has_its_file() -> None:
    known = {file.stem for file in FILES} | ELSEWHERE.keys()
    found = set(codes_in_the_source())
    assert len(found) > 60, "the search must find them"
    assert found <= known, sorted(found - known)


@pytest.mark.parametrize("code", ELSEWHERE)
def test_a_mistake_tested_elsewhere_is_tested_there(code: str) -> None:
    assert f'"{code}"' in (Path(__file__).parent / f"{ELSEWHERE[code]}.py").read_text(encoding="utf-8")
