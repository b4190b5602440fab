"""Reading YAML: what is refused before any meaning, and what hostile files cannot do."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workspace.workspace_folder import GOOD, check, codes, good, only

from harness_core.workspace import check_workspace
from harness_core.workspace.diagnostics import Findings
from harness_core.workspace.yaml_reader import read_documents


def test_objects_come_from_any_number_of_documents_and_files_of_both_suffixes(tmp_path: Path) -> None:
    (tmp_path / "b.yml").write_text("kind: Channel\nchannel: C1\n")
    (tmp_path / "c.yaml").write_text("# nothing but a comment\n---\n---\n")
    (tmp_path / ".hidden.yaml").write_text("][")
    (tmp_path / "notes.txt").write_text("][")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "d.yaml").write_text("][")
    workspace = good(tmp_path, a=GOOD)
    assert list(workspace.channels) == ["C1"]
    assert list(workspace.agents) == ["ops"]


def test_a_missing_folder_is_one_finding(tmp_path: Path) -> None:
    checked = check_workspace(tmp_path / "nowhere", {})
    assert codes(checked) == ["folder-unreadable", "no-agents"]


def test_a_file_above_256_kib_is_refused(tmp_path: Path) -> None:
    (tmp_path / "big.yaml").write_text("# " + "x" * (256 * 1024))
    finding = only(check(tmp_path, a=GOOD))
    assert (finding.code, finding.file, finding.allowed) == ("too-large", "big.yaml", "262,144 bytes")


def test_a_file_of_exactly_256_kib_is_read(tmp_path: Path) -> None:
    (tmp_path / "big.yaml").write_text("#" + "x" * (256 * 1024 - 1))
    good(tmp_path, a=GOOD)


def test_a_link_out_of_the_folder_is_refused_and_its_content_not_shown(tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text("kind: Sesame\n")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link.yaml").symlink_to(outside)
    finding = only(check(folder, a=GOOD))
    assert (finding.code, finding.file) == ("outside-folder", "link.yaml")
    assert "Sesame" not in str(finding)


def test_a_link_that_stays_inside_is_read_as_in_mounted_configuration(tmp_path: Path) -> None:
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "a.yaml").write_text(GOOD)
    (tmp_path / "a.yaml").symlink_to("..data/a.yaml")
    assert list(good(tmp_path).agents) == ["ops"]


def test_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").symlink_to("c.yaml")
    (tmp_path / "c.yaml").symlink_to("b.yaml")
    assert set(codes(check(tmp_path, a=GOOD))) <= {"outside-folder", "not-a-file"}
    assert len(codes(check(tmp_path, a=GOOD))) == 2


def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert only(check(tmp_path, a=GOOD)).code == "not-a-file"


def test_a_file_that_cannot_be_read_is_told_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken_disk(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    check(tmp_path, a=GOOD)
    monkeypatch.setattr(Path, "open", broken_disk)
    findings = check_workspace(tmp_path, {}).findings
    told = {finding.code: str(finding) for finding in findings}
    assert told["unreadable-file"].startswith("a.yaml: the file cannot be read: Input/output error")


def test_bytes_that_are_not_utf_8_are_refused_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_bytes(b"# ok\nkind: \xff\n")
    finding = only(check(tmp_path, a=GOOD))
    assert finding.code == "not-utf-8"
    assert "line 2" in finding.message


def test_an_alias_bomb_is_refused_with_its_line(tmp_path: Path) -> None:
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 9))
    finding = only(check(tmp_path, a=GOOD, b=f"kind: Runtime\nl0: &l0 [lol]\n{levels}\n"))
    assert finding.code in ("too-many-aliases", "too-many-values")
    assert finding.file == "b.yaml"
    assert finding.line > 2


def test_few_aliases_that_grow_exponentially_are_refused(tmp_path: Path) -> None:
    levels = "\n".join(f"l{n}: &l{n} [*l{n - 1}, *l{n - 1}]" for n in range(1, 24))
    finding = only(check(tmp_path, a=GOOD, b=f"kind: Runtime\nl0: &l0 [lol]\n{levels}\n"))
    assert (finding.code, finding.allowed) == ("too-many-values", "20,000 values")


@pytest.mark.parametrize("alias", ["a: &x [*x]", "a: *nowhere"])
def test_an_alias_to_itself_or_to_nothing_is_refused(tmp_path: Path, alias: str) -> None:
    finding = only(check(tmp_path, a=GOOD, b=f"kind: Runtime\n{alias}\n"))
    assert (finding.code, finding.line) == ("unknown-alias", 2)


def test_an_anchor_can_be_used_again(tmp_path: Path) -> None:
    workspace = good(
        tmp_path, a=GOOD, b="kind: Runtime\nadmins: &us [U1]\napprovals: {approvers: {users: *us}}\n"
    )
    assert workspace.runtime.approvals.approvers.users == ("U1",)


@pytest.mark.parametrize("text", ["[" * 5000, "{a: " * 5000, "\n".join(" " * n + "a:" for n in range(400))])
def test_deep_nesting_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    assert only(check(tmp_path, a=GOOD, b=text)).code == "too-deep"


@pytest.mark.parametrize(
    "value",
    [
        "!!python/object/apply:os.system ['true']",
        "!!python/object:os.X {}",
        "!!binary aGk=",
        "!mine x",
        "!!set {a}",
    ],
)
def test_a_tag_builds_nothing(tmp_path: Path, value: str) -> None:
    checked = check(tmp_path, a=GOOD, b=f"kind: Channel\nchannel: C1\nagent: {value}\n")
    assert "tag-not-allowed" in codes(checked)
    assert all(finding.line == 3 for finding in checked.findings)


def test_a_broken_document_in_the_middle_leaves_its_neighbours(tmp_path: Path) -> None:
    text = "kind: Channel\nchannel: C1\nfollow: x\n---\nkind: ]\n--- # third\nkind: Channel\nchannel: C2\nfollow: y\n"
    checked = check(tmp_path, a=GOOD, b=text)
    assert [(f.code, f.line) for f in checked.findings] == [
        ("unknown-value", 3),
        ("yaml-syntax", 5),
        ("unknown-value", 9),
    ]


def test_a_version_line_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(f"%YAML 1.1\n---\n{GOOD}".replace("\n", "\r\n").encode("utf-8-sig"))
    assert list(good(tmp_path).agents) == ["ops"]


def test_text_with_half_a_character_is_refused(tmp_path: Path) -> None:
    finding = only(check(tmp_path, a=GOOD + 'description: "\\ud800"\n'))
    assert (finding.code, finding.path) == ("not-unicode", "description")


def test_words_like_on_and_figures_that_overflow_are_refused_and_not_guessed(tmp_path: Path) -> None:
    assert only(check(tmp_path, a=GOOD + "description: on\n")).found == "on"
    digits = "9" * 5000
    finding = only(check(tmp_path, a=GOOD, b=f"kind: Runtime\nconcurrency: {{per_user: {digits}}}\n"))
    assert finding.code == "wrong-type"
    assert len(finding.found) == 80


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_no_text_makes_the_reader_raise(text: str) -> None:
    read_documents(text, "any.yaml", Findings())


@given(st.text("[]{}&*a:-?|>'\"!%#, \n\t", max_size=80))
def test_no_yaml_punctuation_makes_the_reader_raise(text: str) -> None:
    read_documents(text, "any.yaml", Findings())
