"""Policies applied to a run and to a tool call."""

from __future__ import annotations

from pathlib import Path

import pytest
from workspace.workspace_folder import GOOD, good

from harness_core.workspace import (
    Approvers,
    Caller,
    CallRule,
    Grants,
    Workspace,
    call_rule,
    matches,
    refusals,
    usergroups_named,
)

BASE = """\
kind: Runtime
routing: {default_agent: ops}
tool_packages: [json]
approvals: {approvers: {users: [BOSS]}, expire_after: 4h, remind_after: [1h, 3h]}
---
kind: Agent
name: billing
model: fast
tools: [restart_web, restart_db, tickets]
---
{kind: Tool, name: restart_web, python: "json:loads", approval: never}
---
{kind: Tool, name: restart_db, python: "json:loads", approval: never}
---
kind: Tool
name: tickets
mcp: {transport: http, url: "https://mcp.example.com/mcp", allow: [search, create]}
approval: never
---
{kind: Channel, channel: OPEN}
---
kind: Channel
channel: OPS
approvals: {approvers: {usergroups: [SRE]}, quorum: 3, expire_after: 2h}
---
"""


def policies(folder: Path, text: str) -> Workspace:
    return good(folder, a=GOOD, b=BASE + text)


def caller(
    user: str = "U1",
    *,
    channel: str | None = None,
    agent: str = "billing",
    groups: frozenset[str] | None = frozenset(),
) -> Caller:
    return Caller(agents=(agent,), user=user, channel=channel, usergroups=groups)


def rule(workspace: Workspace, who: Caller, tool: str = "restart_web", source: str | None = None) -> CallRule:
    return call_rule(workspace, who, tool, source or tool)


# Runs


def test_without_a_policy_everybody_may_use_every_agent(tmp_path: Path) -> None:
    workspace = good(tmp_path, a=GOOD)
    assert refusals(workspace, caller(agent="ops")) == ()
    assert usergroups_named(workspace) == frozenset()


def test_a_denied_person_is_refused_there_and_nowhere_else(tmp_path: Path) -> None:
    space = policies(
        tmp_path, "{kind: Policy, name: quiet, use: deny, users: [U1], channels: [OPS], agents: [billing]}"
    )
    assert refusals(space, caller(channel="OPS")) == ("The policy “quiet” does not allow this run.",)
    assert refusals(space, caller(channel="OPEN")) == ()
    assert refusals(space, caller(channel=None)) == ()
    assert refusals(space, caller("U2", channel="OPS")) == ()
    assert refusals(space, caller(channel="OPS", agent="ops")) == ()


RESERVED = """\
{kind: Policy, name: staff, use: allow, agents: [billing], users: [U1], usergroups: [FIN]}
---
{kind: Policy, name: office, use: allow, agents: [billing], channels: [OPS]}
"""


def test_a_reserved_agent_is_for_the_runs_of_any_policy_that_reserves_it(tmp_path: Path) -> None:
    space = policies(tmp_path, RESERVED)
    assert usergroups_named(space) == {"FIN"}
    for who in (
        caller("U1"),
        caller("U2", groups=frozenset({"FIN"})),
        caller("U2", channel="OPS"),
        caller("U2", agent="ops"),
    ):
        assert refusals(space, who) == ()
    assert refusals(space, caller("U2", channel="OPEN", groups=frozenset({"OTHER"}))) == (
        "The agent “billing” is kept for others by “staff”, “office”.",
    )


def test_an_agent_without_a_list_of_agents_reserves_all_of_them(tmp_path: Path) -> None:
    space = policies(tmp_path, "{kind: Policy, name: staff, use: allow, users: [U1]}")
    assert refusals(space, caller("U1", agent="ops")) == ()
    assert refusals(space, caller("U2", agent="ops")) != ()


def test_groups_that_cannot_be_looked_up_admit_nobody(tmp_path: Path) -> None:
    unknown = ("The policy “staff” depends on groups that cannot be looked up just now. Try again.",)
    space = policies(tmp_path, RESERVED)
    assert refusals(space, caller("U2", groups=None)) == unknown
    assert refusals(space, caller("U1", groups=None)) == ()
    assert refusals(space, caller("U2", groups=None, channel="OPS")) == ()
    denied = policies(tmp_path, "{kind: Policy, name: staff, use: deny, usergroups: [X]}")
    assert refusals(denied, caller("U2", groups=None)) == unknown
    assert refusals(denied, caller("U2", groups=frozenset())) == ()


def test_a_subagent_is_looked_at_as_well_as_the_agent_of_the_run(tmp_path: Path) -> None:
    space = policies(tmp_path, "{kind: Policy, name: never, use: deny, agents: [billing]}")
    assert refusals(space, Caller(agents=("ops", "billing"), user="U1")) != ()
    assert refusals(space, Caller(agents=("ops",), user="U1")) == ()


# Calls


def test_without_a_policy_the_channel_comes_before_the_runtime(tmp_path: Path) -> None:
    space = policies(tmp_path, "{kind: Channel, channel: C3, approvals: {quorum: 1}}")
    shared, local, third = (rule(space, caller(channel=name)) for name in ("OPEN", "OPS", "C3"))
    assert (shared.approvers, shared.quorum) == (Approvers(users=("BOSS",)), 1)
    assert (shared.expire_after, shared.remind_after) == (14400.0, (3600.0, 10800.0))
    assert (local.approvers, local.quorum) == (Approvers(usergroups=("SRE",)), 3)
    assert third.approvers == shared.approvers
    assert (local.expire_after, local.remind_after) == (7200.0, (3600.0,))
    assert rule(space, caller()) == shared
    assert (shared.denied, shared.approval, shared.policies) == ((), None, ())
    assert shared.grants == Grants(allowed=False)


WEIGHTS = """\
kind: Policy
name: careful
tools:
  "*": {approval: always, quorum: 1}
  "restart_*": {approvers: {users: [ANA, BEN]}, quorum: 2, expire_after: 10m}
  restart_web: {approval: never}
---
kind: Policy
name: night
channels: [OPS]
tools:
  "restart_*": {approvers: {users: [NIGHT, BEN, CAT]}}
  "*": {grants: {allowed: true, for: 30m, times: 2}}
"""


def test_each_field_is_that_of_the_most_specific_rule_that_has_it(tmp_path: Path) -> None:
    space = policies(tmp_path, WEIGHTS)
    web = rule(space, caller())
    assert (web.approval, web.quorum, web.expire_after) == ("never", 2, 600.0)
    assert web.approvers.users == ("ANA", "BEN")
    assert web.remind_after == ()
    assert rule(space, caller(), "restart_db").approval == "always"
    other = rule(space, caller(), "create", "tickets")
    assert (other.approval, other.approvers.users, other.quorum) == ("always", ("BOSS",), 1)


def test_of_two_rules_with_one_pattern_the_one_for_fewer_runs_counts(tmp_path: Path) -> None:
    space = policies(tmp_path, WEIGHTS)
    found = rule(space, caller(channel="OPS"), "restart_db")
    assert found.approvers.users == ("NIGHT", "BEN", "CAT")
    assert found.quorum == 2
    assert found.grants == Grants.model_validate({"allowed": True, "for": "30m", "times": 2})
    assert found.policies == ("night", "careful")


def test_of_two_rules_as_specific_the_stricter_counts(tmp_path: Path) -> None:
    text = """\
        {kind: Policy, name: a, users: [U1], tools: {restart_web: {approval: never, use: allow}}}
        ---
        {kind: Policy, name: b, users: [U1, U2], tools: {restart_web: {approval: always}}}
        ---
        {kind: Policy, name: c, users: [U1, U3], tools: {restart_web: {use: deny}}}
        """
    space = policies(tmp_path, "\n".join(line.strip() for line in text.splitlines()))
    found = rule(space, caller("U1"))
    assert found.approval == "always"
    assert found.denied == ("The policy “c” does not allow “restart_web”.",)
    assert rule(space, caller("U3")).denied != ()
    assert rule(space, caller("U2")).denied == ()


def test_a_more_specific_rule_allows_what_a_wider_one_denies(tmp_path: Path) -> None:
    text = 'kind: Policy\nname: mostly\ntools:\n  "*": {use: deny}\n  tickets/search: {use: allow}\n'
    space = policies(tmp_path, text)
    assert rule(space, caller(), "search", "tickets").denied == ()
    assert rule(space, caller(), "create", "tickets").denied == (
        "The policy “mostly” does not allow “create”.",
    )


GROUPS = """\
{kind: Policy, name: contractors, usergroups: [EXT], tools: {restart_web: {approval: always}}}
---
{kind: Policy, name: trusted, usergroups: [SRE], tools: {restart_db: {approval: never, grants: {allowed: true}}}}
"""


def test_rules_for_groups_hold_for_their_members(tmp_path: Path) -> None:
    space = policies(tmp_path, GROUPS)
    assert rule(space, caller(groups=frozenset({"EXT"}))).approval == "always"
    assert rule(space, caller(groups=frozenset({"SRE"}))).approval is None
    assert rule(space, caller(groups=frozenset({"SRE"})), "restart_db").approval == "never"


def test_when_groups_are_unknown_a_restricting_rule_refuses_and_a_relaxing_one_is_no_help(
    tmp_path: Path,
) -> None:
    space = policies(tmp_path, GROUPS)
    assert rule(space, caller(groups=None)).denied == (
        "The policy “contractors” depends on groups that cannot be looked up just now. Try again.",
    )
    relaxed = rule(space, caller(groups=None), "restart_db")
    assert (relaxed.denied, relaxed.approval, relaxed.grants.allowed) == ((), None, False)


@pytest.mark.parametrize(
    ("pattern", "tool", "source", "meant"),
    [
        ("restart_web", "restart_web", "restart_web", True),
        ("restart_web", "Restart_web", "restart_web", False),
        ("restart_*", "restart_", "x", True),
        ("restart_?", "restart_web", "x", False),
        ("*", "anything", "x", True),
        ("tickets/create", "create", "tickets", True),
        ("tickets/*", "create", "tickets", True),
        ("tickets/*", "create", "billing", False),
        ("t*/c*", "create", "tickets", True),
        ("tickets/create.issue", "create.issue", "tickets", True),
        ("tickets/create_issue", "create.issue", "tickets", True),
        ("open_a_ticket", "open/a ticket", "tickets", True),
        ("create.issue", "create_issue", "tickets", False),
    ],
)
def test_a_pattern_means_names_and_with_a_slash_their_server(
    pattern: str, tool: str, source: str, meant: bool
) -> None:
    assert matches(pattern, tool, source) is meant
