"""Reloading swaps the whole workspace or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from workspace.workspace_folder import GOOD, NO_VARIABLES, write

from harness_core.errors import WorkspaceInvalid
from harness_core.workspace import Reloaded, ReloadRefused, WorkspaceHolder


def test_a_good_reload_replaces_the_workspace_and_leaves_the_old_object_as_it_was(tmp_path: Path) -> None:
    holder = WorkspaceHolder(write(tmp_path, a=GOOD), NO_VARIABLES)
    before = holder.current
    write(tmp_path, a=GOOD + "description: New\n")
    outcome = holder.reload()
    assert isinstance(outcome, Reloaded)
    assert outcome.changed
    assert holder.current is outcome.workspace
    assert holder.current.agents["ops"].description == "New"
    assert before.agents["ops"].description == ""


def test_a_broken_reload_keeps_the_last_good_workspace_and_says_why(tmp_path: Path) -> None:
    holder = WorkspaceHolder(write(tmp_path, a=GOOD), NO_VARIABLES)
    before = holder.current
    write(tmp_path, a=GOOD + "modle: fast\n", b="kind: [")
    outcome = holder.reload()
    assert isinstance(outcome, ReloadRefused)
    assert [finding.code for finding in outcome.findings] == ["unknown-key", "yaml-syntax"]
    assert holder.current is before
    (tmp_path / "b.yaml").unlink()
    write(tmp_path, a=GOOD)
    mended = holder.reload()
    assert isinstance(mended, Reloaded)
    assert not mended.changed
    assert holder.current.digest == before.digest


def test_a_vanished_folder_keeps_the_last_good_workspace(tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    folder.mkdir()
    holder = WorkspaceHolder(write(folder, a=GOOD), NO_VARIABLES)
    (folder / "a.yaml").unlink()
    folder.rmdir()
    assert holder.changed_on_disk()
    assert isinstance(holder.reload(), ReloadRefused)
    assert list(holder.current.agents) == ["ops"]


def test_a_change_on_disk_is_noticed_until_it_was_read_even_when_it_is_broken(tmp_path: Path) -> None:
    holder = WorkspaceHolder(write(tmp_path, a=GOOD), NO_VARIABLES)
    assert not holder.changed_on_disk()
    write(tmp_path, b="kind: [")
    assert holder.changed_on_disk()
    holder.reload()
    assert not holder.changed_on_disk()
    (tmp_path / "b.yaml").unlink()
    assert holder.changed_on_disk()


def test_there_is_no_holder_without_a_good_workspace(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceInvalid, match="no Agent"):
        WorkspaceHolder(tmp_path, NO_VARIABLES)
