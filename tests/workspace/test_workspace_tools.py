"""Tool objects: one function, or a server with many tools, and what holds for each of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from workspace.workspace_folder import GOOD, good

from harness_core.errors import UnknownAgent
from harness_core.workspace import McpOverHttp, McpOverStdio, ToolSpec, Workspace, agents_reached, tool_of

SECRET = "sk-tell-nobody-4711"

FOLDER = """\
kind: Runtime
routing: {default_agent: more}
tool_packages: [json]
approvals: {approvers: {users: [U1]}}
---
kind: Tool
name: load
python: json:loads
title: Load {s}
approval: never
arguments: {s: {secret: true}}
---
kind: Tool
name: tickets
mcp: {transport: http, url: "https://mcp.example.com/mcp", headers: {X-Team: "${KEY}"}, allow: [search, create, close]}
approval: {create: always, "*": {except_when: {argument: env, equals: staging}}}
idempotent: {search: true}
destructive: {close: true}
title: {create: "Open a ticket: {title}"}
---
kind: Tool
name: files
mcp: {transport: stdio, command: npx, args: [server, --root, "${ROOT:-docs}"], env: {TOKEN: "${KEY}"}}
approval: {write: always}
---
kind: Agent
name: more
model: fast
tools: [load, tickets, files]
middleware:
  - {type: shell, execution_policy: {type: docker}, approval: never}
  - {type: todo_list}
subagents: [ops]
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return good(tmp_path, {"KEY": SECRET}, a=GOOD, b=FOLDER)


def test_what_a_map_says_holds_for_one_tool_and_the_rest_has_the_star(workspace: Workspace) -> None:
    tickets = workspace.tools["tickets"]
    create, search, close = (tickets.for_tool(name) for name in ("create", "search", "close"))
    assert (create.approval, create.idempotent, create.destructive) == ("always", False, False)
    assert (search.idempotent, close.destructive) == (True, True)
    assert search.approval == close.approval != "always"
    assert (create.name, create.server, create.source) == ("create", "tickets", "tickets")
    assert create.title_for({"title": "down"}) == "Open a ticket: down"
    assert search.title_for({}) == "search"


def test_a_tool_that_no_map_names_and_no_star_covers_runs_without_asking(workspace: Workspace) -> None:
    files = workspace.tools["files"]
    assert files.tools is None
    assert files.for_tool("read").approval == "never"
    assert files.for_tool("write").approval == "always"
    assert not files.for_tool("read").idempotent


def test_a_python_tool_is_its_own_only_tool(workspace: Workspace) -> None:
    load = workspace.tools["load"]
    assert load.tools == ("load",)
    assert load.for_tool() == load.for_tool("other")
    assert load.for_tool().title_for({"s": "x"}) == "Load •••"
    assert isinstance(load.for_tool(), ToolSpec)


def test_a_server_is_described_whole_and_its_secrets_do_not_show(workspace: Workspace) -> None:
    http, stdio = workspace.tools["tickets"].mcp, workspace.tools["files"].mcp
    assert isinstance(http, McpOverHttp)
    assert isinstance(stdio, McpOverStdio)
    assert http.headers["X-Team"].get_secret_value() == SECRET
    assert stdio.args == ("server", "--root", "docs")
    for thing in (http, stdio, http.headers, stdio.env, workspace.tools["files"]):
        assert SECRET not in f"{thing!r} {thing}"


@pytest.mark.parametrize(
    ("tool", "source"),
    [
        ("load", "load"),
        ("create", "tickets"),
        ("anything", "files"),
        ("shell", "shell"),
        ("write_todos", "write_todos"),
    ],
)
def test_a_tool_is_found_by_the_name_the_model_knows(workspace: Workspace, tool: str, source: str) -> None:
    found = tool_of(workspace, "more", tool)
    assert found is not None
    assert (found.name, found.source) == (tool, source)


def test_a_tool_that_an_agent_does_not_have_is_not_found(workspace: Workspace) -> None:
    assert tool_of(workspace, "ops", "load") is None
    with pytest.raises(UnknownAgent):
        tool_of(workspace, "opps", "load")


def test_a_shell_command_runs_once_and_asks_as_its_middleware_says(workspace: Workspace) -> None:
    shell = tool_of(workspace, "more", "shell")
    assert shell is not None
    assert (shell.approval, shell.idempotent, shell.destructive) == ("never", False, True)
    assert shell.label_for({"command": "ls"}) == "Running ls"


def test_an_agent_reaches_its_subagents(workspace: Workspace) -> None:
    assert set(agents_reached(workspace, "more")) == {"more", "ops"}
    assert set(agents_reached(workspace, "ops")) == {"ops"}
