"""What only a loaded tool or a built middleware shows to be wrong, before a run meets it."""

from __future__ import annotations

from pathlib import Path

import pytest
from runtime.room_leases import Leases
from runtime.room_turns import run
from runtime.room_workspace import agent, tool, workspace

from harness_core.errors import WorkspaceInvalid
from harness_core.runtime import AgentRuntime, check_runtime
from harness_core.store import Seal, Store
from harness_core.workspace import Diagnostic, Workspace

ON_FREE_TEXT = "approval: {except_when: {argument: service, equals: web}}\nidempotent: true\n"
ON_ENUM = "approval: {except_when: {argument: env, equals: staging}}\nidempotent: true\n"
SAFE = "approval: never\nidempotent: true\n"


def deploys(rest: str) -> str:
    return f"kind: Tool\nname: deploys\npython: runtime.room_tools:deploys\n{rest}"


def space(folder: Path, *documents: str) -> Workspace:
    head = "kind: Channel\nchannel: C9\napprovals: {approvers: {users: [U2]}}\n"
    return workspace(folder, head, *documents)


def told(checked: Workspace) -> list[tuple[str, str]]:
    return [(finding.code, finding.severity) for finding in check_runtime(checked)]


def test_a_condition_on_an_enum_is_fine(tmp_path: Path) -> None:
    assert told(space(tmp_path, deploys(ON_ENUM), agent("deploys"))) == []


def test_a_condition_on_free_text_is_found_by_the_check(tmp_path: Path) -> None:
    checked = space(tmp_path, deploys(ON_FREE_TEXT), agent("deploys"))
    assert told(checked) == [("condition-on-free-text", "error")]


@pytest.mark.parametrize("attribute", ["status", "as_langchain_tool"])
def test_a_misspelt_secret_argument_is_found_by_the_check(tmp_path: Path, attribute: str) -> None:
    checked = space(
        tmp_path, tool("status", attribute, "arguments: {servce: {secret: true}}\n"), agent("status")
    )
    (found,) = check_runtime(checked)
    assert (found.code, found.severity, found.found) == ("unknown-argument", "error", "servce")
    assert (found.allowed, found.nearest) == ("service", "service")


async def test_a_tool_whose_secret_argument_is_misspelt_is_not_used_where_nobody_checked(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases
) -> None:
    misspelt = "arguments: {servce: {secret: true}}\n"
    runtime = AgentRuntime(space(tmp_path, tool("status", extra=misspelt), agent("status")), store, seal)
    with pytest.raises(WorkspaceInvalid, match="has no such argument"):
        await run(runtime, await leases.claim(), 'call status {"service": "web"}')


async def test_a_tool_with_a_condition_on_free_text_is_not_used_where_nobody_checked(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases
) -> None:
    runtime = AgentRuntime(space(tmp_path, deploys(ON_FREE_TEXT), agent("deploys")), store, seal)
    with pytest.raises(WorkspaceInvalid, match="fails open"):
        await run(runtime, await leases.claim(), 'call deploys {"service": "web"}')


def test_a_title_with_a_misspelled_argument_is_a_doubt_and_hides_nothing_else(tmp_path: Path) -> None:
    broken = "middleware:\n  - {type: custom, python: 'runtime.room_middleware:NoMiddleware'}\n"
    checked = space(
        tmp_path, deploys(f"{SAFE}title: 'Deploys of {{servce}}'\n"), agent("deploys", extra=broken)
    )
    assert told(checked) == [("template-unknown-argument", "warning"), ("middleware-unusable", "error")]


FILES = "mode: deepagent\nbackend: {kind: state}\n"


@pytest.mark.parametrize(
    ("name", "extra"),
    [("read_file", FILES), ("task", FILES), ("task", "subagents: [aide]\n"), ("read_stored_output", "")],
)
def test_a_tool_and_one_that_every_such_agent_has_cannot_share_a_name(
    tmp_path: Path, name: str, extra: str
) -> None:
    with pytest.raises(WorkspaceInvalid, match=f"two tools called {name}") as refused:
        space(tmp_path, tool(name, "status"), agent(name, extra=extra), agent(name="aide"))
    assert [each.code for each in refused.value.findings if isinstance(each, Diagnostic)] == [
        "tool-name-clash"
    ]


@pytest.mark.parametrize("name", ["read_file", "execute"])
def test_only_agents_that_have_a_tool_anyway_cannot_have_one_of_that_name(tmp_path: Path, name: str) -> None:
    checked = space(tmp_path, tool(name, "status"), agent(name))
    assert told(checked) == []


def test_a_tool_and_one_that_a_sandbox_brings_cannot_share_a_name(tmp_path: Path) -> None:
    box = "mode: deepagent\nbackend: {kind: python, python: 'runtime.room_backends:sandbox'}\n"
    checked = space(tmp_path, tool("execute", "status"), agent("execute", extra=box))
    assert told(checked) == [("tool-name-clash", "error")]


def test_a_tool_and_one_that_middleware_brings_cannot_share_a_name(tmp_path: Path) -> None:
    twice = "middleware:\n  - {type: custom, python: 'runtime.room_middleware:Upper', params: {suffix: s}}\n"
    checked = space(tmp_path, tool("brought", "status"), agent("brought", extra=twice))
    assert told(checked) == [("tool-name-clash", "error")]
