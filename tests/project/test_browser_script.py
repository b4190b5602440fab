"""scripts/browser.py: a Chromium where one may be installed, else one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "browser.py"


def run(path: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT],
        env={"PATH": str(path), **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def executable(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def test_with_a_chromium_nothing_is_said_or_done(tmp_path: Path) -> None:
    executable(tmp_path / "chromium", "echo Chromium 1")
    executable(tmp_path / "apt-get", f"echo called >> {tmp_path}/apt")
    done = run(tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (tmp_path / "apt").exists()


@pytest.mark.parametrize(("ci", "fate"), [("", "are skipped"), ("true", "fail")])
def test_without_one_and_without_a_way_to_get_one_it_says_what_becomes_of_the_tests_in_one_line(
    tmp_path: Path, ci: str, fate: str
) -> None:
    executable(tmp_path / "chromium", "exit 1")
    done = run(tmp_path, CI=ci)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith(f"Browser tests {fate}: there is no Chromium")
    assert done.stderr.count("\n") == 1
    assert "apt-get install chromium" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs anything")
def test_as_root_with_apt_it_is_installed_quietly(tmp_path: Path) -> None:
    making = f"printf '#!/bin/sh\\n' > {tmp_path}/chromium && /bin/chmod +x {tmp_path}/chromium"
    executable(tmp_path / "apt-get", f'echo "$@" >> {tmp_path}/apt\ncase "$*" in *install*) {making};; esac')
    done = run(tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    update, install = (tmp_path / "apt").read_text().splitlines()
    assert update == "-qq update"
    assert "install -y --no-install-recommends chromium" in install


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs anything")
def test_an_installation_that_fails_is_one_line_with_the_reason(tmp_path: Path) -> None:
    executable(tmp_path / "apt-get", "echo progress; echo 'E: no network' >&2; exit 100")
    done = run(tmp_path)
    assert done.returncode == 0
    assert "apt-get update failed: E: no network" in done.stderr
    assert done.stderr.count("\n") == 1
