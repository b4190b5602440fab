"""What the documents name exists, and what exists is named."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "docs/agents.md",
    "docs/dependencies.md",
    "docs/library.md",
    "docs/harness.md",
]

#: Made while working, so absent from a fresh checkout.
MADE = (".venv", ".harness", ".env")
ENDING = re.compile(r"\.(?:py|md|toml|lock|lua|ya?ml)$")


def read(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def paths_in(text: str) -> set[str]:
    """Link targets, and code spans that look like a path of the checkout."""
    links = {target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target}
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    spans = {
        span for span in re.findall(r"`([^`\n]+)`", prose) if re.fullmatch(r"[\w.*-]+(?:/[\w.*-]+)*/?", span)
    }
    looks = {
        span
        for span in spans
        if "/" in span or ENDING.search(span) or span in {"Makefile", "Procfile", "LICENSE"}
    }
    return {path for path in links | looks if path and not path.startswith(MADE)}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_a_document_names_exists(document: str) -> None:
    paths = paths_in(read(document))
    assert paths
    base = ROOT / document
    missing = [path for path in paths if not list(ROOT.glob(path)) and not list(base.parent.glob(path))]
    assert not missing


def test_every_package_folder_is_owned_by_a_line_of_the_architecture() -> None:
    text = read("ARCHITECTURE.md")
    rooms = [path for package in ("bot", "harness_core") for path in (ROOT / package).iterdir()]
    names = {
        f"`{path.parent.name}/{path.name}/`" for path in rooms if path.is_dir() and any(path.rglob("*.py"))
    }
    assert len(names) > 6
    assert {name for name in names if name not in text} == set()


def test_every_direct_dependency_has_its_line_of_why_and_no_other_has() -> None:
    project = tomllib.loads(read("pyproject.toml"))
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    named = re.findall(r"^\| `([a-z0-9-]+)` \| \S.{10,} \|$", read("docs/dependencies.md"), re.MULTILINE)
    assert sorted(named) == sorted(Requirement(text).name for text in wanted)


def test_the_readme_lists_exactly_the_variables_that_settings_reads() -> None:
    pattern = r"(?:SLACK|HARNESS|LOG|REDIS)_[A-Z_]+|HOST|PORT"
    read_by_settings = set(re.findall(rf'"({pattern})"', read("bot/settings.py"))) - {
        "SLACK_VERIFICATION_TOKEN"
    }
    listed = set(re.findall(rf"^\| `({pattern})` \|", read("README.md"), re.MULTILINE))
    assert read_by_settings
    assert listed == read_by_settings


def test_the_licence_is_mit() -> None:
    text = read("LICENSE")
    assert text.startswith("MIT License\n")
    assert "The slack-agent-harness authors" in text


def test_make_describes_every_target_and_the_readme_speaks_only_of_those() -> None:
    makefile = read("Makefile")
    targets = set(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE))
    assert targets == set(re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[0].split())
    for document in DOCUMENTS:
        assert set(re.findall(r"\bmake ([a-z]+)`", read(document))) <= targets, document


def test_the_processes_of_the_procfile_are_commands_of_the_bot() -> None:
    lines = dict(line.split(": ", 1) for line in read("Procfile").splitlines())
    assert lines == {name: f".venv/bin/python -m bot {name}" for name in ("web", "worker")}
