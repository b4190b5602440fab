"""Small workspace folders for tests: a good one to spoil, and a check of what was spoiled."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

from harness_core.workspace import Checked, Diagnostic, Workspace, check_workspace

NO_VARIABLES: Mapping[str, str] = {}

MODEL = """\
kind: Model
name: fast
provider: demo
model: demo
"""

AGENT = """\
kind: Agent
name: ops
model: fast
"""

GOOD = f"{MODEL}---\n{AGENT}"


def write(folder: Path, **files: str) -> Path:
    """Files by stem, dedented, as ``stem.yaml``."""
    for stem, text in files.items():
        (folder / f"{stem}.yaml").write_text(textwrap.dedent(text), encoding="utf-8")
    return folder


def check(folder: Path, environ: Mapping[str, str] = NO_VARIABLES, **files: str) -> Checked:
    return check_workspace(write(folder, **files), environ)


def good(folder: Path, environ: Mapping[str, str] = NO_VARIABLES, **files: str) -> Workspace:
    checked = check(folder, environ, **files)
    assert checked.workspace is not None, "\n".join(map(str, checked.findings))
    return checked.workspace


def only(checked: Checked, severity: str = "error") -> Diagnostic:
    """The one finding there is."""
    matching = [finding for finding in checked.findings if finding.severity == severity]
    assert len(matching) == 1, "\n".join(map(str, checked.findings))
    return matching[0]


def codes(checked: Checked) -> list[str]:
    return [finding.code for finding in checked.findings]
