"""scripts/bootstrap.py: any Python can read it, and it finds the one the project needs."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
BOOTSTRAP = ROOT / "scripts" / "bootstrap.py"

#: Syntax that came after Python 2.7 or 3.5.
YOUNG = (
    *(ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Nonlocal, ast.Starred, ast.YieldFrom, ast.Match),
    *(ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await, ast.MatMult, ast.TryStar),
)


@pytest.fixture
def bootstrap(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module that takes itself for run by an old Python with nothing on PATH."""
    spec = importlib.util.spec_from_file_location("bootstrap", BOOTSTRAP)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "fitness", lambda: module.UNFIT)
    monkeypatch.setenv("PATH", "")
    return module


def executable(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def young_parts(tree: ast.AST) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, YOUNG) or (isinstance(node, ast.Raise) and node.cause is not None):
            found.append(type(node).__name__)
        if isinstance(node, ast.arguments) and (node.kwonlyargs or node.posonlyargs):
            found.append("keyword-only")
        if isinstance(node, ast.FunctionDef) and node.returns is not None:
            found.append("annotation")
        if isinstance(node, ast.arg) and node.annotation is not None:
            found.append("annotation")
        if isinstance(node, ast.ClassDef) and node.keywords:
            found.append("metaclass")
    return found


def test_python_2_and_old_python_3_can_read_the_bootstrap() -> None:
    text = BOOTSTRAP.read_text(encoding="utf-8")
    assert text.isascii()
    assert young_parts(ast.parse(text, feature_version=(3, 7))) == []
    assert "from __future__ import print_function" in text
    assert re.search(r"\d_\d", text) is None


def test_the_check_for_old_syntax_finds_new_syntax() -> None:
    text = "def f(*, a: int) -> str:\n    return f'{a}'\nprint(*x)\nraise A from b\n"
    assert set(young_parts(ast.parse(text))) == {
        "keyword-only",
        "annotation",
        "JoinedStr",
        "Starred",
        "Raise",
    }


def test_an_interpreter_that_fails_or_is_missing_is_passed_over(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shims, good = tmp_path / "shims", tmp_path / "good"
    shims.mkdir()
    good.mkdir()
    executable(shims / "python3.13", "echo 'command not found' >&2; exit 127")
    (shims / "python3.11").mkdir()
    wanted = executable(good / "python3.12", f'exec "{sys.executable}" "$@"')
    executable(good / "python3", "exit 3")
    monkeypatch.setenv("PATH", f"{shims}:{tmp_path / 'none'}:{good}")
    assert bootstrap.choose() == str(wanted)


def test_an_interpreter_that_can_make_environments_is_preferred(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = executable(tmp_path / "python3.13", f"echo {bootstrap.BARE}")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bootstrap.choose() == str(bare)
    fit = executable(tmp_path / "python3.11", f"echo {bootstrap.FIT}")
    assert bootstrap.choose() == str(fit)


def test_no_python_at_all_is_one_sentence_with_what_to_install(bootstrap: ModuleType) -> None:
    with pytest.raises(bootstrap.Refusal) as refused:
        bootstrap.choose()
    sentence = str(refused.value)
    assert "Python 3.11 or newer is needed" in sentence
    assert "sudo apt-get install python3 python3-venv" in sentence
    assert "make setup" in sentence
