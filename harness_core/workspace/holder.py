"""The workspace in use, and its replacement as a whole: a broken folder leaves the last good one in place.

So does one that reads well and whose agents cannot be built. A process that builds them says with :meth:`adopt` which
workspace it has built; there, what was read since is only ``wanted``.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from harness_core.errors import WorkspaceInvalid
from harness_core.workspace.assembly import Workspace
from harness_core.workspace.diagnostics import Diagnostic
from harness_core.workspace.folder import stamp
from harness_core.workspace.loader import check_workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Reloaded:
    """The new workspace is wanted. ``changed`` is false when the files say what they said before."""

    workspace: Workspace
    changed: bool
    warnings: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadRefused:
    """The files are broken; the workspace from before still holds."""

    findings: tuple[Diagnostic, ...]


ReloadOutcome: TypeAlias = Reloaded | ReloadRefused


class WorkspaceHolder:
    """Holds one workspace at a time. Whoever starts a run takes ``current`` once and keeps that object.

    Reading takes file access: call :meth:`reload` and :meth:`changed_on_disk` from a thread where that matters.

    :raises WorkspaceInvalid: from the constructor, when there is no good workspace to begin with.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._environ = environ
        self._reloading = threading.Lock()
        self._seen = stamp(folder)
        checked = check_workspace(folder, environ)
        if checked.workspace is None:
            raise WorkspaceInvalid(checked.findings)
        self._wanted = self._current = checked.workspace
        self._is_built = False

    @property
    def current(self) -> Workspace:
        """What runs begin with."""
        return self._current

    @property
    def wanted(self) -> Workspace:
        """What the folder said when it was last read without a mistake."""
        return self._wanted

    @property
    def is_built(self) -> bool:
        """Whether the agents of ``current`` are built in this process, so that it is known to work."""
        return self._is_built

    def adopt(self, workspace: Workspace) -> None:
        """The agents of ``workspace`` are built here: it is current until others are."""
        self._current, self._is_built = workspace, True

    def let_go(self) -> None:
        """No agents are built here any more: what is wanted is current."""
        self._current, self._is_built = self._wanted, False

    def reload(self) -> ReloadOutcome:
        """Read the folder again and want what it says, or say why not. Never raises for what the files hold.

        Where no agents are built in this process, it is current at once.
        """
        with self._reloading:
            self._seen = stamp(
                self._folder
            )  # before reading, so that a change while reading is seen next time
            checked = check_workspace(self._folder, self._environ)
            if checked.workspace is None:
                return ReloadRefused(findings=checked.findings)
            changed = checked.workspace.digest != self._wanted.digest
            self._wanted = checked.workspace
            if not self._is_built:
                self._current = checked.workspace
            return Reloaded(workspace=checked.workspace, changed=changed, warnings=checked.findings)

    def changed_on_disk(self) -> bool:
        """Whether a YAML file came, went or changed since the last attempt to read, broken or not. Reads no content."""
        return stamp(self._folder) != self._seen
