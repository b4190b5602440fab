"""What the page about the library shows works as it is shown."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
from sealing import SEAL

from harness_core import Harness, Listeners, RunState, Store, WorkspaceHolder, approvals
from harness_core.events import Event
from harness_core.grants import Revoked

ROOT = Path(__file__).resolve().parents[2]


def blocks() -> dict[str, str]:
    """The examples by their first comment; the YAML by its language."""
    page = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for language, code in re.findall(r"^```(\w+)\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        name = code.partition("\n")[0].removeprefix("# ") if language == "python" else language
        found[name] = code
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (workspace / "desk.yaml").write_text(blocks()["yaml"], encoding="utf-8")
    (workspace / "desk_tools.py").write_text(blocks()["workspace/desk_tools.py"], encoding="utf-8")
    monkeypatch.syspath_prepend(str(workspace))
    return tmp_path


@pytest.fixture
async def harness(folder: Path, redis_url: str) -> AsyncIterator[Harness]:
    store = await Store.open(redis_url, seal=SEAL)
    async with Harness(store, WorkspaceHolder(folder / "workspace", {}), seal=SEAL) as harness:
        yield harness
    await store.close()


async def perform(name: str, harness: Harness) -> dict[str, Any]:
    """Runs an example and returns the names it left behind."""
    names: dict[str, Any] = {
        "Event": Event,
        "Listeners": Listeners,
        "approvals": approvals,
        "harness": harness,
        "seen": [],
        "words": [],
    }
    source = f"async def example():\n{indent(blocks()[name], '    ')}\n    return locals()\n"
    exec(compile(source, f"docs/library.md#{name}", "exec"), names)  # the page is ours
    left: dict[str, Any] = await names["example"]()
    return names | left


@pytest.mark.parametrize(("word", "said"), [("yes", "web was restarted"), ("no", "rejected")])
def test_the_terminal_program_asks_and_does_as_it_is_told(folder: Path, word: str, said: str) -> None:
    program = blocks()["desk.py"]
    (folder / "desk.py").write_text(program, encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "desk.py", 'call restart {"service": "web"}'],
        cwd=folder, input=f"{word}\n", capture_output=True, text=True, timeout=60, check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "Restart web? {'service': 'web'}" in done.stdout
    assert said in done.stdout
    assert len([line for line in program.splitlines() if line.strip()]) <= 30


def test_the_terminal_program_that_was_killed_at_its_question_asks_it_again(folder: Path) -> None:
    (folder / "desk.py").write_text(blocks()["desk.py"], encoding="utf-8")
    environ = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    first = subprocess.Popen(
        [sys.executable, "-u", "desk.py", 'call restart {"service": "web"}'],
        cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ,
    )  # fmt: skip
    with first:
        assert first.stdout is not None
        asked = next(line for line in first.stdout if "?" in line)
        first.kill()

    second = subprocess.run(
        [sys.executable, "desk.py", "say 2 words"],
        cwd=folder, input="yes\n", capture_output=True, text=True, timeout=60, check=False, env=environ,
    )  # fmt: skip

    assert second.returncode == 0, second.stderr
    assert asked in second.stdout
    assert "web was restarted" in second.stdout


async def test_the_listener_gets_every_event(harness: Harness) -> None:
    left = await perform("listening", harness)
    assert (
        len([line for line in blocks()["listening"].splitlines() if line and not line.startswith("#")]) <= 6
    )
    assert left["seen"][0] == "run.created"
    assert left["seen"][-1] == "run.completed"


@pytest.mark.parametrize("name", ["callbacks", "streaming"])
async def test_the_words_arrive(harness: Harness, name: str) -> None:
    left = await perform(name, harness)
    assert len("".join(left["words"]).split()) == 3


async def test_an_approval_with_other_arguments_runs_those(harness: Harness) -> None:
    left = await perform("approving", harness)
    assert left["paused"].state is RunState.WAITING
    assert left["done"].state is RunState.COMPLETED
    assert "db was restarted" in left["done"].output


async def test_what_was_granted_runs_in_the_thread_without_a_question_and_is_revoked(
    harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    left = await perform("granting", harness)
    assert left["paused"].state is RunState.WAITING
    assert left["done"].state is RunState.COMPLETED
    assert "web was restarted" in left["done"].output
    assert capsys.readouterr().out == "4 of 5 left, given by ana\n"
    assert isinstance(left["revoked"], Revoked)
    asked_again = await harness.run('call restart {"service": "web"}', thread_id=left["paused"].thread_id)
    assert asked_again.state is RunState.WAITING
