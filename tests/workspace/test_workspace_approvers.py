"""Policies and approvers together: patterns that mean something, people who can decide, rules that agree."""

from __future__ import annotations

from pathlib import Path

import pytest
from workspace.workspace_folder import check, codes
from workspace.workspace_team import HEAD, agent, found, runtime


@pytest.mark.parametrize(
    ("pattern", "head_only", "expected"),
    [
        ("safe", True, []),
        ("sa*", True, []),
        ("saef", True, ["policy-matches-nothing"]),
        ("listed/search", True, []),
        ("listed/delete", True, ["policy-matches-nothing"]),
        ("lited/*", True, ["policy-matches-nothing"]),
        ("saef", False, []),
        ("open/anything", False, []),
        ("listed/delete", False, ["policy-matches-nothing"]),
    ],
)
def test_a_pattern_means_some_tool(
    tmp_path: Path, pattern: str, head_only: bool, expected: list[str]
) -> None:
    """Where only a server knows its tools, any name without a server may be one of them."""
    policy = f"---\nkind: Policy\nname: p\ntools: {{'{pattern}': {{approval: never}}}}\n"
    head = HEAD[: HEAD.index("---\nkind: Tool\nname: open")] if head_only else HEAD
    checked = check(tmp_path, a=head + runtime(), b=agent("tools: [safe, listed]") + policy)
    assert codes(checked) == expected


@pytest.mark.parametrize(
    ("approvers", "rest", "documents", "expected"),
    [
        ("{users: [A, B]}", "", "", []),
        ("{users: [A, B], requester: true}", "", "", []),
        ("{usergroups: [G]}", "", "", []),
        ("{channel_members: true}", "", "", []),
        ("{users: [A]}", "", "", ["quorum-too-large"]),
        ("{requester: true}", "", "", ["quorum-too-large"]),
        ("{users: [A, B]}", "", "approvals: {approvers: {users: [C]}}", ["quorum-too-large"]),
        ("{users: [A, B]}", "", "approvals: {quorum: 3}", ["quorum-too-large"]),
        ("{users: [A, B]}", "", "approvals: {approvers: {users: [C]}, quorum: 1}", []),
    ],
)
def test_enough_people_can_approve(
    tmp_path: Path, approvers: str, rest: str, documents: str, expected: list[str]
) -> None:
    head = runtime(rest, approvers=approvers).replace("approvals: {", "approvals: {quorum: 2, ")
    channel = f"---\nkind: Channel\nchannel: C1\n{documents}\n"
    assert found(tmp_path, agent("tools: [asks]"), channel, head=head) == expected


@pytest.mark.parametrize(
    ("rule", "channel", "expected"),
    [
        ("{quorum: 2, approvers: {users: [A]}}", "", ["quorum-too-large"]),
        ("{quorum: 2, approvers: {users: [A, B]}}", "", []),
        ("{quorum: 2}", "", ["quorum-too-large"]),
        ("{quorum: 2}", "approvals: {approvers: {users: [A, B]}}", []),
        ("{quorum: 1, approvers: {users: [A]}, grants: {allowed: true}}", "", []),
        (
            "{quorum: 2, approvers: {users: [A, B]}, grants: {allowed: true}}",
            "approvals: {quorum: 1}",
            ["grants-beside-quorum"],
        ),
        ("{quorum: 2, approvers: {users: [A, B]}, grants: {allowed: false}}", "", []),
    ],
)
def test_enough_people_can_approve_what_a_policy_asks(
    tmp_path: Path, rule: str, channel: str, expected: list[str]
) -> None:
    policy = f"---\nkind: Policy\nname: p\ntools: {{asks: {rule}}}\n"
    place = f"---\nkind: Channel\nchannel: C1\n{channel}\n"
    assert found(tmp_path, agent("tools: [asks]"), policy, place) == expected


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ("", ["no-approvers", "no-approvers"]),
        ("---\nkind: Channel\nchannel: C1\napprovals: {approvers: {users: [A]}}\n", []),
        ("---\nkind: Policy\nname: p\ntools: {asks: {approvers: {users: [A]}}}\n", ["no-approvers"]),
        (
            (
                "---\nkind: Policy\nname: p\ntools: {asks: {approval: always, approvers: {users: [A]}}, "
                "create: {approvers: {users: [A]}}}\n"
            ),
            [],
        ),
    ],
)
def test_a_tool_that_asks_when_nobody_may_answer_is_a_doubt(
    tmp_path: Path, documents: str, expected: list[str]
) -> None:
    assert found(tmp_path, agent("tools: [asks]"), documents, head=runtime(approvers="{}")) == expected


@pytest.mark.parametrize(
    ("scope", "rule", "expected"),
    [
        ("users: [B, A]", "{approval: never}", ["policy-conflict"]),
        ("users: [B, A]", "{approval: always}", []),
        ("users: [A]", "{approval: never}", []),
        ("users: [A, B]\nchannels: [C1]", "{approval: never}", []),
    ],
)
def test_two_policies_do_not_contradict_each_other(
    tmp_path: Path, scope: str, rule: str, expected: list[str]
) -> None:
    first = "---\nkind: Policy\nname: p\nusers: [A, B]\ntools: {safe: {approval: always}}\n"
    second = f"---\nkind: Policy\nname: q\n{scope}\ntools: {{safe: {rule}}}\n"
    assert found(tmp_path, agent("tools: [safe]"), first, second) == expected
