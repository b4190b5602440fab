"""What objects say together: subagents, histories, middleware, paths. One rule, its variants."""

from __future__ import annotations

from pathlib import Path

import pytest
from workspace.workspace_folder import MODEL, good
from workspace.workspace_team import MCP, agent, found, runtime


def asking_policy(pattern: str, scope: str = "") -> str:
    return f"---\nkind: Policy\nname: p\n{scope}tools: {{{pattern}: {{approval: always}}}}\n"


# Who answers


def test_the_only_host_is_the_default_and_subagents_do_not_count(tmp_path: Path) -> None:
    two = agent("subagents: [inner]") + agent("", name="inner")
    workspace = good(tmp_path, a=MODEL + two)
    assert workspace.hosts == ("ops",)
    assert workspace.runtime.routing.default_agent == "ops"


# Subagents


@pytest.mark.parametrize(
    ("subagents", "expected"),
    [
        ({"ops": "[a, b]", "a": "[b]", "b": "[]"}, []),
        ({"ops": "[a]", "a": "[ops]"}, ["subagent-cycle"]),
        ({"ops": "[a]", "a": "[a]"}, ["subagent-itself"]),
        ({"ops": "[a, b]", "a": "[b]", "b": "[a]"}, ["subagent-cycle"]),
        ({"ops": "[a, b]", "a": "[a]", "b": "[b]"}, ["subagent-itself", "subagent-itself"]),
    ],
)
def test_subagents_end_somewhere(tmp_path: Path, subagents: dict[str, str], expected: list[str]) -> None:
    documents = [agent(f"subagents: {names}", name) for name, names in subagents.items()]
    assert found(tmp_path, *documents) == expected


def test_many_ways_to_the_same_subagents_take_no_time(tmp_path: Path) -> None:
    layers = [
        agent(f"subagents: [l{depth + 1}a, l{depth + 1}b]" if depth < 40 else "", f"l{depth}{side}")
        for depth in range(1, 41)
        for side in "ab"
    ]
    assert found(tmp_path, agent("subagents: [l1a, l1b]"), *layers) == []


# Histories


@pytest.mark.parametrize(
    ("documents", "rest", "expected"),
    [
        ((agent("tools: [safe]\ncheckpointer: false"),), "", []),
        ((agent("tools: [asks]\ncheckpointer: false"),), "", ["asks-without-checkpointer"]),
        ((agent("tools: [listed]\ncheckpointer: {kind: false}"),), "", ["asks-without-checkpointer"]),
        ((agent("tools: [open]\ncheckpointer: false"),), "", []),
        ((agent("tools: [asks]"),), "checkpointer: false\n", ["asks-without-checkpointer"]),
        ((agent("tools: [asks]\ncheckpointer: {kind: memory}"),), "checkpointer: false\n", []),
        (
            (agent("subagents: [inner]\ncheckpointer: false"), agent("tools: [asks]", "inner")),
            "",
            ["asks-without-checkpointer"],
        ),
        (
            (
                agent("tools: [safe]\ncheckpointer: false"),
                "---\nkind: Policy\nname: p\ntools: {safe: {approval: always}}\n",
            ),
            "",
            ["asks-without-checkpointer"],
        ),
        (
            (
                agent("tools: [safe]\ncheckpointer: false"),
                "---\nkind: Policy\nname: p\nagents: [other]\ntools: {safe: {approval: always}}\n",
                agent("", "other"),
            ),
            "",
            [],
        ),
        # A policy may be about the tools that agents have anyway, about the one that has the work done, or about
        # tools that only their server knows.
        (
            (agent("mode: deepagent\ncheckpointer: false"), asking_policy("write_file")),
            "",
            ["asks-without-checkpointer"],
        ),
        (
            (
                agent("subagents: [inner]\ncheckpointer: false"),
                agent("", "inner"),
                asking_policy("task"),
            ),
            "",
            ["asks-without-checkpointer"],
        ),
        (
            (
                agent("subagents: [inner]\ncheckpointer: false"),
                agent("tools: [safe]", "inner"),
                asking_policy("safe", "agents: [ops]\n"),
            ),
            "",
            ["asks-without-checkpointer"],
        ),
        (
            (
                agent("subagents: [inner]"),
                agent("tools: [safe]\ncheckpointer: false", "inner"),
                asking_policy("safe", "agents: [ops]\n"),
            ),
            "",
            ["asks-without-checkpointer"],
        ),
        (
            (agent("tools: [open]\ncheckpointer: false"), asking_policy("open/delete")),
            "",
            ["asks-without-checkpointer"],
        ),
        (
            (agent("tools: [open]\ncheckpointer: false"), asking_policy("del*")),
            "",
            ["asks-without-checkpointer"],
        ),
        ((agent("tools: [open]\ncheckpointer: false"), asking_policy("calm/*")), "", []),
        ((agent("tools: [open]\ncheckpointer: false"), asking_policy("asks")), "", []),
        (
            (agent("checkpointer: false\nmiddleware: [{type: shell, execution_policy: {type: docker}}]"),),
            "",
            ["asks-without-checkpointer"],
        ),
        ((agent("subagents: [inner]"), agent("checkpointer: true", "inner")), "", []),
        ((agent(""),), "checkpointer: true\n", ["checkpointer-without-parent"]),
    ],
)
def test_what_may_wait_for_people_keeps_a_history(
    tmp_path: Path, documents: tuple[str, ...], rest: str, expected: list[str]
) -> None:
    assert found(tmp_path, *documents, head=runtime(rest)) == expected


# Middleware


@pytest.mark.parametrize(
    ("middleware", "expected"),
    [
        ("[{type: tool_error}, {type: tool_retry}]", []),
        ("[{type: tool_retry}, {type: tool_error}]", ["middleware-order"]),
        ("[{type: tool_error}, {type: tool_retry, on_failure: continue}]", ["middleware-order"]),
        ("[{type: llm_tool_emulator, tests_only: true}, {type: tool_retry}]", ["middleware-order"]),
        ("[{type: model_retry}, {type: model_fallback, models: [fast]}]", []),
        ("[{type: model_fallback, models: [fast]}, {type: model_retry}]", []),
        (
            "[{type: model_fallback, models: [fast]}, {type: model_retry, on_failure: continue}]",
            ["middleware-order"],
        ),
        ("[{type: summarization, trigger: {tokens: 9}}, {type: pii, pii_type: url}]", ["middleware-order"]),
        ("[{type: pii, pii_type: url}, {type: pii, pii_type: email}]", []),
        ("[{type: pii, pii_type: url}, {type: pii, pii_type: url}]", ["duplicate-middleware"]),
        (
            "[{type: tool_call_limit, run_limit: 1}, {type: tool_call_limit, tool_name: safe, run_limit: 1}]",
            [],
        ),
        (
            (
                "[{type: tool_call_limit, tool_name: safe, run_limit: 2}, "
                "{type: tool_call_limit, tool_name: safe, run_limit: 1}]"
            ),
            ["duplicate-middleware"],
        ),
        ("[again, {type: model_retry}]", ["duplicate-middleware"]),
        ("[{type: tool_call_limit, tool_name: saef, run_limit: 1}]", ["unknown-tool"]),
        ("[{type: llm_tool_selector, always_include: [saef]}]", ["unknown-tool"]),
        ("[{type: tool_error, tools: [write_todos]}, {type: todo_list}]", []),
        (
            "[{type: context_editing, edits: [{type: clear_tool_uses, exclude_tools: [ls]}]}]",
            ["unknown-tool"],
        ),
    ],
)
def test_middleware_works_together(tmp_path: Path, middleware: str, expected: list[str]) -> None:
    again = "---\nkind: Middleware\nname: again\ntype: model_retry\n"
    assert found(tmp_path, agent(f"tools: [safe]\nmiddleware: {middleware}"), again) == expected


def test_tools_of_a_deep_agent_and_of_its_subagents_are_known(tmp_path: Path) -> None:
    deep = agent(
        "mode: deepagent\nmiddleware: [{type: tool_call_limit, tool_name: task, run_limit: 3}, "
        "{type: context_editing, edits: [{type: clear_tool_uses, exclude_tools: [ls, write_file]}]}]"
    )
    assert found(tmp_path, deep) == []


@pytest.mark.parametrize(
    ("tools", "retry", "expected"),
    [
        ("[safe]", "{type: tool_retry}", []),
        ("[safe, asks]", "{type: tool_retry}", ["retry-on-once-tool"]),
        ("[safe, asks]", "{type: tool_retry, tools: [safe]}", []),
        ("[listed]", "{type: tool_retry}", ["retry-on-once-tool"]),
        ("[listed]", "{type: tool_retry, tools: [search]}", []),
        ("[listed]", "{type: tool_retry, tools: [create]}", ["retry-on-once-tool"]),
        ("[open]", "{type: tool_retry}", ["retry-on-once-tool"]),
        ("[open]", "{type: tool_retry, tools: [search]}", []),
        ("[open]", "{type: tool_retry, tools: [other]}", ["retry-on-once-tool"]),
        ("[calm]", "{type: tool_retry}", []),
    ],
)
def test_only_what_may_run_twice_is_retried(
    tmp_path: Path, tools: str, retry: str, expected: list[str]
) -> None:
    assert found(tmp_path, agent(f"tools: {tools}\nmiddleware: [{retry}]")) == expected


def test_a_shell_is_not_retried(tmp_path: Path) -> None:
    both = "[{type: shell, execution_policy: {type: docker}}, {type: tool_retry}]"
    assert found(tmp_path, agent(f"middleware: {both}")) == ["retry-on-once-tool"]


@pytest.mark.parametrize(
    ("rest", "clashes"),
    [
        ("tools: [listed, open]", 0),
        ("tools: [listed, twin]", 1),
        ("tools: [todo]\nmiddleware: [{type: todo_list}]", 0),
        ("tools: [write_todos]\nmiddleware: [{type: todo_list}]", 1),
    ],
)
def test_a_model_can_tell_its_tools_apart(tmp_path: Path, rest: str, clashes: int) -> None:
    more = (
        f"---\nkind: Tool\nname: twin\n{MCP}, allow: [create]}}\napproval: never\n"
        "---\nkind: Tool\nname: write_todos\npython: json:loads\napproval: never\n"
        "---\nkind: Tool\nname: todo\npython: json:loads\napproval: never\n"
    )
    assert found(tmp_path, agent(rest), more) == ["tool-name-clash"] * clashes


# Paths


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (agent("middleware: [{type: file_search, root_path: inside}]"), []),
        (agent("middleware: [{type: file_search, root_path: to_inside}]"), []),
        (agent("middleware: [{type: file_search, root_path: to_outside}]"), ["path-outside"]),
        (agent("middleware: [{type: file_search, root_path: to_outside/deeper}]"), ["path-outside"]),
        (agent("middleware: [{type: file_search, root_path: nowhere}]"), ["no-such-folder"]),
        (agent("middleware: [{type: file_search, root_path: a.yaml}]"), ["no-such-folder"]),
        (
            agent(
                "middleware: [{type: shell, execution_policy: {type: docker}, workspace_root: to_outside}]"
            ),
            ["path-outside"],
        ),
        (agent("mode: deepagent\nbackend: {kind: folder, root: not_yet}"), []),
        (agent("mode: deepagent\nbackend: {kind: folder, root: to_outside}"), ["path-outside"]),
        (
            agent("")
            + "---\nkind: Tool\nname: t\napproval: never\n"
            + "mcp: {transport: stdio, command: x, cwd: to_outside}\n",
            ["path-outside"],
        ),
    ],
)
def test_a_path_stays_in_the_folder_also_when_links_are_followed(
    tmp_path: Path, document: str, expected: list[str]
) -> None:
    folder = tmp_path / "workspace"
    (folder / "inside").mkdir(parents=True)
    (folder / "to_inside").symlink_to("inside")
    (folder / "to_outside").symlink_to(tmp_path)
    (tmp_path / "deeper").mkdir()
    assert found(folder, document) == expected


def test_a_broken_object_takes_no_part_so_that_one_mistake_is_told_once(tmp_path: Path) -> None:
    broken = "---\nkind: Tool\nname: safe2\npython: json:loads\nidempotent: perhaps\napproval: never\n"
    retry = agent("tools: [safe2]\nmiddleware: [{type: tool_retry, tools: [safe2]}]")
    assert found(tmp_path, retry, broken) == ["wrong-type"]
