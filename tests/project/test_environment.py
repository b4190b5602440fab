"""scripts/environment.py on a small lock with real pip: made once, redone when broken, every failure a sentence."""

from __future__ import annotations

import hashlib
import json
import os
import runpy
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def write_wheel(folder: Path) -> Path:
    """The smallest package that pip installs."""
    wheel = folder / "tiny-1.0-py3-none-any.whl"
    info = "tiny-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny.py", "ANSWER = 42\n")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"tiny.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return wheel


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    root: Path
    wheel: Path

    @property
    def python(self) -> Path:
        return self.root / ".venv" / "bin" / "python"

    @property
    def stamp(self) -> Path:
        return self.root / ".venv" / "setup-stamp.json"

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.wheel.read_bytes()).hexdigest()

    def answer(self) -> str:
        program = "import tiny; print(tiny.ANSWER)"
        return subprocess.run([self.python, "-c", program], capture_output=True, check=True, text=True).stdout

    def lock(self, digest: str) -> None:
        text = f"tiny==1.0 \\\n    --hash=sha256:{digest}\n"
        (self.root / "requirements-dev.lock").write_text(text, encoding="utf-8")

    def start(self, **environ: str) -> subprocess.Popen[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        # Only the folder with the wheel is asked, and no setting of this machine counts.
        offline = {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheel.parent),
        }
        return subprocess.Popen(
            [sys.executable, "scripts/bootstrap.py"],
            cwd=self.root,
            env=kept | (dict(environ) or offline),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, **environ: str) -> tuple[int, str, str]:
        child = self.start(**environ)
        out, err = child.communicate(timeout=60)
        return child.returncode, out, err


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    root, wheels = tmp_path / "checkout", tmp_path / "wheels"
    wheels.mkdir()
    shutil.copytree(ROOT / "scripts", root / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    made = Checkout(root=root, wheel=write_wheel(wheels))
    made.lock(made.digest)
    return made


@pytest.fixture(scope="module")
def environment() -> Mapping[str, Any]:
    return runpy.run_path(str(ROOT / "scripts" / "environment.py"))


@pytest.mark.soak
def test_two_at_once_make_one_environment_which_is_redone_after_a_refused_package(checkout: Checkout) -> None:
    first = checkout.start()
    assert first.stdout is not None
    assert first.stdout.readline().startswith("setup: making .venv")
    waiting = "setup: another set-up of this checkout is at work; waiting for it.\n"
    assert checkout.run() == (0, waiting, "")
    out, err = first.communicate(timeout=60)
    assert (first.returncode, err) == (0, "")
    assert "installing 1 packages from requirements-dev.lock" in out
    assert checkout.answer() == "42\n"
    assert set(json.loads(checkout.stamp.read_text(encoding="utf-8"))) == {"lock", "profile", "python"}
    assert checkout.run() == (0, "", ""), "a set-up that is there is left alone"

    (checkout.root / ".venv" / "remains").touch()
    checkout.lock("0" * 64)
    code, _, err = checkout.run()
    assert code == 1
    assert err.startswith("setup: What was downloaded for tiny is not what requirements-dev.lock names")
    assert err.endswith("then run `make setup` again.\n")
    assert err.count("\n") == 1
    assert not checkout.stamp.exists()

    checkout.lock(checkout.digest)
    code, out, err = checkout.run()
    assert (code, err) == (0, "")
    assert "making .venv" in out
    assert checkout.answer() == "42\n"
    assert not (checkout.root / ".venv" / "remains").exists()


def test_an_index_out_of_reach_is_told_as_that(checkout: Checkout) -> None:
    # Port 1 of this machine: nothing listens there, and the connection is refused at once.
    closed = "http://127.0.0.1:1/simple"
    code, _, err = checkout.run(
        PIP_CONFIG_FILE=os.devnull, PIP_INDEX_URL=closed, PIP_RETRIES="1", no_proxy="*"
    )
    assert code == 1
    assert err.startswith("setup: The package index could not be reached. Check the network, the proxy")
    assert err.count("\n") == 1


def test_a_missing_lock_is_told_by_name(checkout: Checkout) -> None:
    (checkout.root / "requirements-dev.lock").unlink()
    code, out, err = checkout.run()
    assert (code, out) == (1, "")
    assert "requirements-dev.lock is missing: restore it from the repository" in err


def test_a_link_in_the_place_of_the_environment_is_left_alone(checkout: Checkout, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.mkdir()
    (checkout.root / ".venv").symlink_to(target)
    code, _, err = checkout.run()
    assert code == 1
    assert "is a link: remove it" in err
    assert target.exists()


@pytest.mark.parametrize(
    ("modules", "command", "names"),
    [
        ({"ensurepip", "venv", "pip"}, None, ["venv", "venv and this Python's pip"]),
        ({"virtualenv", "venv"}, None, ["virtualenv"]),
        ({"venv"}, "/usr/bin/virtualenv", ["virtualenv"]),
        ({"venv", "pip"}, None, ["venv and this Python's pip"]),
        ({"venv"}, None, []),
    ],
)
def test_without_ensurepip_the_next_way_is_taken(
    environment: Mapping[str, Any], modules: set[str], command: str | None, names: list[str]
) -> None:
    assert [way.name for way in environment["ways"](modules.__contains__, command)] == names


def test_with_no_way_the_package_to_install_is_named(environment: Mapping[str, Any]) -> None:
    sentence = environment["no_way"]()
    assert sys.executable in sentence
    assert "-venv`" in sentence
    assert "sudo apt-get install python3" in sentence


@pytest.mark.parametrize(
    ("output", "beginning"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n",
            "The disk is full",
        ),
        (
            "WARNING: Retrying ... NewConnectionError(...)\nERROR: [Errno 28] No space left on device\n",
            "The disk is full",
        ),
        (
            "ERROR: No matching distribution found for hiredis==3.4.2\n",
            "No ready-made hiredis for Python",
        ),
        ("ERROR: Invalid requirement: 'aiohttp=3'\n", "requirements.lock is damaged"),
        ("error: [Errno 13] Permission denied: '/x/.venv'\n", "/"),
        (
            "Error: Command '['/x/python', '-m', 'ensurepip']' returned non-zero exit status 1.\n",
            sys.executable,
        ),
        ("one\n\ntwo\n\n", "It ended with “two”"),
        ("", "It ended with “no output”"),
    ],
)
def test_what_pip_says_becomes_a_sentence_with_what_to_do(
    environment: Mapping[str, Any], output: str, beginning: str
) -> None:
    sentence = environment["explain"](output, lock="requirements.lock")
    assert sentence.startswith(beginning)
    assert "make setup" in sentence or "right to" in sentence
