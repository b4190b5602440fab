"""The page about the workspace: its examples load together, and it names every finding and every type."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from workspace.test_workspace_broken import ELSEWHERE, FILES

from harness_core.workspace import check_workspace
from harness_core.workspace.schema import KINDS, MIDDLEWARE_TYPES

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "workspace.md").read_text(encoding="utf-8")
VARIABLES = {"OPENAI_API_KEY": "k", "TICKETS_TOKEN": "t"}


def test_the_examples_of_the_page_are_a_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "page_tools").mkdir()
    (tmp_path / "page_tools" / "services.py").write_text("def restart_service(service, env): ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    first, *blocks = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert "yaml-language-server" in first
    assert len(blocks) == len(KINDS) - 1, "models of both kinds stand in one block"
    (tmp_path / "all.yaml").write_text(
        "---\n".join(blocks).replace("acme_tools", "page_tools"), encoding="utf-8"
    )
    checked = check_workspace(tmp_path, VARIABLES)
    assert [str(finding) for finding in checked.findings] == []
    assert checked.workspace is not None


def test_every_finding_is_on_the_page_and_no_other() -> None:
    table = PAGE[PAGE.index("## What a check can find") :]
    named = re.findall(r"`([a-z0-9-]+)`", table)
    assert sorted(named) == sorted({file.stem for file in FILES} | ELSEWHERE.keys())


def test_every_type_of_middleware_is_on_the_page() -> None:
    table = PAGE[PAGE.index("| type | what it does") : PAGE.index("`tool_retry`, `tool_error` and")]
    named = {
        name
        for row in table.splitlines()
        for name in re.findall(r"`([a-z_]+)`", row.split("|")[1:2][0] if "|" in row else "")
    }
    assert named == MIDDLEWARE_TYPES.keys()


def test_the_schema_that_the_page_names_is_there() -> None:
    (named,) = re.findall(r"\$schema=\.\./(\S+)", PAGE)
    assert (ROOT / named).is_file()
