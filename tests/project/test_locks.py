"""The lock files pin everything by hash and name no address."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def text_of(lock: str) -> str:
    return (ROOT / lock).read_text(encoding="utf-8")


def entries(lock: str) -> list[tuple[Requirement, list[str]]]:
    """Each requirement with its hashes; a line goes on after a backslash."""
    logical = text_of(lock).replace("\\\n", " ").splitlines()
    parsed = []
    for line in logical:
        requirement, *hashes = line.split(" --hash=")
        parsed.append((Requirement(requirement), [each.strip() for each in hashes]))
    return parsed


def pins(lock: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for requirement, _ in entries(lock):
        found.setdefault(canonicalize_name(requirement.name), set()).add(str(requirement.specifier))
    return found


@pytest.mark.parametrize("lock", LOCKS)
@pytest.mark.parametrize("word", ["://", "--index", "--extra-index", "--find-links", " @ "])
def test_a_lock_names_no_address(lock: str, word: str) -> None:
    assert word not in text_of(lock)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_pins_one_version_by_hash(lock: str) -> None:
    assert len(entries(lock)) > 50
    for requirement, hashes in entries(lock):
        assert re.fullmatch(r"==[^,]+", str(requirement.specifier)), requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes), requirement


@pytest.mark.parametrize("lock", LOCKS)
def test_every_dependency_of_the_project_is_locked_within_its_range(lock: str) -> None:
    wanted = list(project()["project"]["dependencies"])
    if lock == "requirements-dev.lock":
        wanted += project()["dependency-groups"]["dev"]
    locked = pins(lock)
    for text in wanted:
        requirement = Requirement(text)
        (pin,) = locked[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(Version(pin.removeprefix("=="))), text


def test_what_runs_is_what_was_tested() -> None:
    """The development lock holds the runtime lock, version for version."""
    development = pins("requirements-dev.lock")
    assert {name: development.get(name) for name in pins("requirements.lock")} == pins("requirements.lock")
