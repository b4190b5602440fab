"""Policies and approvers: that rules are about something, can be satisfied, and do not contradict each other."""

from __future__ import annotations

from collections.abc import Iterator

from harness_core.workspace.checks.asking import asking_by_themselves
from harness_core.workspace.checks.picture import Picture, Seen
from harness_core.workspace.diagnostics import KeyPath, listed, nearest_name
from harness_core.workspace.document import Document
from harness_core.workspace.policy_rules import matches
from harness_core.workspace.schema import (
    Approvals,
    Approvers,
    PolicySpec,
    PolicyToolRule,
    RuntimeSpec,
    ToolObject,
)
from harness_core.workspace.schema.policies import SCOPES
from harness_core.workspace.schema.tools import REST


def check_policies(picture: Picture) -> None:
    for policy in picture.policies.values():
        _check_scope(policy)
        for pattern in policy.spec.tools:
            _check_pattern(policy, pattern, picture)
    _check_conflicts(picture)
    if picture.is_whole("Runtime", "Channel"):
        _check_quorums(picture)
        _check_grants(picture)
        _check_somebody_approves(picture)


def _check_scope(policy: Seen[PolicySpec]) -> None:
    """A list that is absent does not narrow; one that is written and has nothing in it was meant to."""
    for key in SCOPES:
        if policy.document.is_left_empty(key):
            policy.document.report(
                (key,),
                "empty-scope",
                f"“{key}” has no value, and without one the policy would be about all of them",
                allowed=f"some {key}, or no such key for all of them",
            )


def _check_pattern(policy: Seen[PolicySpec], pattern: str, picture: Picture) -> None:
    owner, slash, _ = pattern.rpartition("/")
    known = picture.all_tools()
    sources = [(name, tool.spec.tools) for name, tool in picture.tools.items()]
    if slash and picture.is_whole("Tool"):
        meant = [(name, tools) for name, tools in sources if matches(owner, name, name)]
        complete = all(tools is not None for _, tools in meant)
        found = any(matches(pattern, tool, name) for name, tools in meant for tool in tools or ())
        names = {f"{name}/{tool}" for name, tools in sources for tool in tools or (REST,)}
    else:
        complete = known.complete
        found = any(matches(pattern, tool, "") for tool in known.names)
        names = set(known.names)
    if complete and not found:
        policy.document.report(
            ("tools", pattern),
            "policy-matches-nothing",
            "no tool has such a name, so the rule would guard nothing",
            found=pattern,
            allowed=listed(names),
            nearest=nearest_name(pattern, names),
        )


def _check_conflicts(picture: Picture) -> None:
    first: dict[object, Seen[PolicySpec]] = {}
    for policy in picture.policies.values():
        for pattern, rule in policy.spec.tools.items():
            scope = tuple(
                None if value is None else frozenset(value)
                for value in (
                    policy.spec.agents,
                    policy.spec.users,
                    policy.spec.usergroups,
                    policy.spec.channels,
                )
            )
            earlier = first.setdefault((scope, pattern), policy)
            if earlier is not policy and earlier.spec.tools[pattern] != rule:
                message = (
                    f"the policy “{earlier.spec.name}” at {earlier.document.place('tools', pattern)} says "
                    "something else about the same tools for the same runs"
                )
                policy.document.report(
                    ("tools", pattern), "policy-conflict", message, found=pattern, allowed="one rule"
                )


def _check_quorums(picture: Picture) -> None:
    runtime = picture.runtime.spec if picture.runtime is not None else RuntimeSpec()
    shared = runtime.approvals
    if picture.runtime is not None:
        _compare(picture.runtime.document, ("approvals",), shared.approvers, shared.quorum)
    for channel in picture.channels.values():
        local = channel.spec.approvals
        if local is not None and not local.model_fields_set.isdisjoint(("approvers", "quorum")):
            approvers = local.approvers or shared.approvers
            _compare(channel.document, ("approvals",), approvers, local.quorum or shared.quorum)
    elsewhere = any(
        channel.spec.approvals and channel.spec.approvals.approvers for channel in picture.channels.values()
    )
    for document, path, rule in _rules(picture):
        if rule.approvers is not None:
            _compare(document, path, rule.approvers, rule.quorum or shared.quorum)
        elif rule.quorum is not None and not elsewhere:
            _compare(document, path, shared.approvers, rule.quorum)


def _check_grants(picture: Picture) -> None:
    """Nothing is granted where several people have to approve; a lower quorum elsewhere may mean the same calls."""
    runtime = picture.runtime.spec if picture.runtime is not None else RuntimeSpec()
    channels = (channel.spec.approvals for channel in picture.channels.values())
    rules = [rule.quorum for _, _, rule in _rules(picture)]
    lowered = 1 in rules or any(local is not None and local.quorum == 1 for local in channels)
    for document, path, rule in _rules(picture):
        quorum = rule.quorum or (1 if lowered else runtime.approvals.quorum)
        if quorum > 1 and rule.grants is not None and rule.grants.allowed:
            document.report(
                (*path, "grants", "allowed"),
                "grants-beside-quorum",
                f"nothing can be granted where {quorum} people have to approve",
                allowed="a quorum of 1, or no grants",
                severity="warning",
            )


def _compare(document: Document, path: KeyPath, approvers: Approvers, quorum: int) -> None:
    most = approvers.most
    if most is None or approvers.is_nobody or quorum <= most:
        return
    at = (*path, "quorum") if document.has(*path, "quorum") else (*path, "approvers")
    people = "1 person" if most == 1 else f"{most} people"
    document.report(
        at,
        "quorum-too-large",
        f"asks for {quorum} approvals, and {people} at most can give one",
        found=str(quorum),
        allowed=f"a quorum of at most {most}, or more approvers",
    )


def _check_somebody_approves(picture: Picture) -> None:
    """Where nobody is named at all, a call that asks is refused when it is made."""
    shared = picture.runtime.spec.approvals if picture.runtime is not None else Approvals()
    if not shared.approvers.is_nobody or any(
        channel.spec.approvals and channel.spec.approvals.approvers for channel in picture.channels.values()
    ):
        return
    allowed = "approvals.approvers in the Runtime or a Channel, or approvers in a Policy"
    for document, path, rule in _rules(picture):
        if rule.approval not in (None, "never") and rule.approvers is None:
            message = "asks for an approval that nobody may give"
            document.report((*path, "approval"), "policy-unsatisfiable", message, allowed=allowed)
    for tool in picture.tools.values():
        orphans = [
            name for name in asking_by_themselves(tool.spec) if not _named_by_policy(name, tool.spec, picture)
        ]
        if orphans:
            message = f"nobody may approve {', '.join(orphans)}, so every call will be refused"
            tool.document.report(("approval",), "no-approvers", message, allowed=allowed, severity="warning")


def _named_by_policy(name: str, tool: ToolObject, picture: Picture) -> bool:
    return any(
        rule.approvers is not None and matches(pattern, name, tool.name)
        for policy in picture.policies.values()
        for pattern, rule in policy.spec.tools.items()
    )


def _rules(picture: Picture) -> Iterator[tuple[Document, KeyPath, PolicyToolRule]]:
    for policy in picture.policies.values():
        for pattern, rule in policy.spec.tools.items():
            yield policy.document, ("tools", pattern), rule
