"""A folder of YAML to a :class:`Workspace`, or to everything that is wrong with it.

The passes share raw documents rather than feeding each other, so all mistakes show at once: read (limits, syntax,
duplicate keys) → substitute variables → fit the schema → follow references → what objects say together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness_core.errors import WorkspaceInvalid
from harness_core.workspace.assembly import Workspace, assemble
from harness_core.workspace.checks import check_together
from harness_core.workspace.diagnostics import Diagnostic, Findings
from harness_core.workspace.fitting import fit
from harness_core.workspace.folder import read_folder
from harness_core.workspace.objects import Objects
from harness_core.workspace.references import check_references
from harness_core.workspace.substitution import substitute


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """``workspace`` is there exactly when no finding is an error."""

    workspace: Workspace | None
    findings: tuple[Diagnostic, ...]


def load_workspace(folder: Path, environ: Mapping[str, str]) -> Workspace:
    """The workspace in ``folder``, its variables taken from ``environ``.

    :raises WorkspaceInvalid: with every finding, warnings included, in order of file and line.
    """
    checked = check_workspace(folder, environ)
    if checked.workspace is None:
        raise WorkspaceInvalid(checked.findings)
    return checked.workspace


def check_workspace(folder: Path, environ: Mapping[str, str]) -> Checked:
    """Like :func:`load_workspace`, but what is wrong is part of the answer; content never raises."""
    findings = Findings()
    reading = read_folder(folder, findings)
    for document in reading.documents:
        substitute(document, environ)
    objects = Objects(reading.documents, reading.unreadable)
    fitted = [found for document in objects.documents if (found := fit(document)) is not None]
    check_references(objects)
    check_together(objects, fitted, folder, findings)
    workspace = None if findings.has_errors else assemble([found.spec for found in fitted], folder)
    return Checked(workspace=workspace, findings=findings.in_order())
