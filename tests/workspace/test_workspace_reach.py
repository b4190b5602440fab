"""The digest of one agent: it covers what that agent reaches, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from workspace.workspace_folder import good

from harness_core.errors import UnknownAgent
from harness_core.workspace import agent_digest

FOLDER = """\
kind: Runtime
routing: {default_agent: ops}
tool_packages: [json]
---
{kind: Model, name: fast, provider: demo, model: demo}
---
{kind: Model, name: slow, provider: demo, model: demo, api_key: "${KEY:-}"}
---
{kind: Tool, name: load, python: "json:loads", approval: never, idempotent: true}
---
{kind: Tool, name: dump, python: "json:dumps", approval: never, idempotent: true}
---
{kind: Model, name: spare, provider: demo, model: demo}
---
{kind: Middleware, name: again, type: model_fallback, models: [spare]}
---
{kind: Middleware, name: other, type: todo_list}
---
{kind: Policy, name: shared, users: [U9], tools: {load: {use: allow}}}
---
{kind: Policy, name: theirs, agents: [guide], tools: {dump: {use: deny}}}
---
{kind: Agent, name: inner, model: fast, tools: [dump]}
---
{kind: Agent, name: ops, model: slow, tools: [load], middleware: [again], subagents: []}
---
{kind: Agent, name: guide, model: fast, tools: [dump]}
"""


def digest(folder: Path, agent: str, *changes: tuple[str, str], key: str = "first") -> str:
    text = FOLDER
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return agent_digest(good(folder, {"KEY": key}, all=text), agent)


REACHED = [
    ("name: ops, model: slow", "name: ops, model: fast"),
    ("name: ops, model: slow", "name: ops, instructions: Be kind, model: slow"),
    ("tools: [load]", "tools: [load, dump]"),
    ('python: "json:loads"', 'python: "json:load"'),
    ("name: slow, provider: demo, model: demo", "name: slow, provider: demo, model: demo2"),
    ("kind: Runtime", "kind: Runtime\napprovals: {quorum: 2}"),
    ("kind: Runtime", "kind: Runtime\ncheckpointer: {kind: memory}"),
    (
        "name: again, type: model_fallback, models: [spare]",
        "name: again, type: model_fallback, models: [fast]",
    ),
    ("name: spare, provider: demo, model: demo", "name: spare, provider: demo, model: demo2"),
    ("middleware: [again]", "middleware: [again, other]"),
    ("subagents: []", "subagents: [inner]"),
    ("users: [U9]", "users: [U8]"),
    ("name: theirs, agents: [guide]", "name: theirs, agents: [guide, ops]"),
    ("kind: Runtime", "kind: Runtime\nlimits: {tool_call: 1s}"),
]

ELSEWHERE = [
    (
        "{kind: Middleware, name: other, type: todo_list}",
        "{kind: Middleware, name: other, type: file_search, root_path: .}",
    ),
    ("name: theirs, agents: [guide], tools: {dump: {use: deny}}", "name: theirs, agents: [guide], use: deny"),
    ("subagents: []", "description: ''"),
    ("name: guide, model: fast", "name: guide, model: slow"),
    ('python: "json:dumps"', 'python: "json:dump"'),
    ("name: fast, provider: demo, model: demo", "name: fast, provider: demo, model: demo2"),
    ("kind: Runtime", "kind: Runtime\nconcurrency: {per_user: 1}"),
    ("kind: Runtime", "kind: Runtime\nadmins: [U1]"),
    ("kind: Runtime", "kind: Runtime\nlimits: {run: 15m}"),
    ("{kind: Agent, name: guide", "{kind: Channel, channel: C1}\n---\n{kind: Agent, name: guide"),
]


@pytest.mark.parametrize("change", REACHED)
def test_a_change_of_what_the_agent_reaches_changes_its_digest(
    tmp_path: Path, change: tuple[str, str]
) -> None:
    assert digest(tmp_path, "ops") != digest(tmp_path, "ops", change)


@pytest.mark.parametrize("change", ELSEWHERE)
def test_a_change_elsewhere_leaves_the_digest_as_it_is(tmp_path: Path, change: tuple[str, str]) -> None:
    assert digest(tmp_path, "ops") == digest(tmp_path, "ops", change)


def test_a_rotated_key_leaves_the_digest_as_it_is(tmp_path: Path) -> None:
    assert digest(tmp_path, "ops") == digest(tmp_path, "ops", key="second")


def test_a_change_of_a_subagent_changes_the_digest_of_who_hands_work_to_it(tmp_path: Path) -> None:
    inner = ("subagents: []", "subagents: [inner]")
    changed = ("name: inner, model: fast", "name: inner, instructions: Be brief, model: fast")
    assert digest(tmp_path, "ops", inner) != digest(tmp_path, "ops", inner, changed)


def test_an_agent_that_is_not_there_has_no_digest(tmp_path: Path) -> None:
    with pytest.raises(UnknownAgent):
        digest(tmp_path, "opps")
