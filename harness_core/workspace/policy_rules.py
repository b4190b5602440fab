"""Policies applied: who may use an agent, and what holds for one tool call. Pure: asks nobody, reads no clock.

A person's groups may be unknown, because whoever keeps them does not answer. Then a policy that names groups neither
admits nor relaxes anything, and where it would restrict, the run or the call is refused with that reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, Literal, TypeAlias, TypeVar

from harness_core.workspace.assembly import Workspace
from harness_core.workspace.schema import Approvers, ChannelApprovals, Grants, PolicySpec, PolicyToolRule
from harness_core.workspace.schema.approvals import ApprovalExcept
from harness_core.workspace.tool_names import model_name

T = TypeVar("T")
Answer: TypeAlias = Literal["yes", "perhaps", "no"]
OneApproval: TypeAlias = Literal["always", "never"] | ApprovalExcept

_RELAXING: Final = frozenset({"use", "approval", "grants"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whose run it is, and where. ``agents`` is the run's agent, and the subagent that acts in it if there is one.

    ``usergroups`` are the groups the person is known to be in; None when they could not be found out. Only those
    of :func:`usergroups_named` matter.
    """

    agents: tuple[str, ...]
    user: str
    channel: str | None = None
    usergroups: frozenset[str] | None = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRule:
    """What policies, the channel and the Runtime say about one tool call. Times are seconds since the question.

    ``denied`` are the reasons why it must not run, as sentences. ``approval`` None leaves the question to the tool
    itself. ``policies`` names those that had a say, the weightiest first.
    """

    denied: tuple[str, ...]
    approval: OneApproval | None
    approvers: Approvers
    quorum: int
    expire_after: float
    remind_after: tuple[float, ...]
    grants: Grants
    policies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Applied:
    policy: PolicySpec
    pattern: str
    rule: PolicyToolRule
    surely: bool

    @property
    def weight(self) -> tuple[bool, int, int, bool, int, str]:
        """Sorts the most specific rule first, and of equally specific ones the stricter."""
        policy, rule = self.policy, self.rule
        wild = sum(map(self.pattern.count, "*?"))
        scope = 4 * _names_people(policy) + 2 * (policy.channels is not None) + (policy.agents is not None)
        return (
            wild > 0,
            wild - len(self.pattern),
            -scope,
            rule.use != "deny",
            -_strictness(rule.approval),
            policy.name,
        )


def usergroups_named(workspace: Workspace) -> frozenset[str]:
    """The groups whose members policies tell apart. Empty: nobody needs to be looked up."""
    return frozenset(group for policy in workspace.policies.values() for group in policy.usergroups or ())


def refusals(workspace: Workspace, caller: Caller) -> tuple[str, ...]:
    """Why this run must not go on, as sentences; empty when it may."""
    reasons = []
    for policy in workspace.policies.values():
        if policy.use == "deny":
            match _applies(policy, caller):
                case "yes":
                    reasons.append(f"The policy “{policy.name}” does not allow this run.")
                case "perhaps":
                    reasons.append(_groups_unknown(policy))
                case "no":
                    pass
    for agent in caller.agents:
        reasons += _reserved(workspace, caller, agent)
    return tuple(dict.fromkeys(reasons))


def call_rule(workspace: Workspace, caller: Caller, tool: str, source: str) -> CallRule:
    """What holds for a call of ``tool``, as its server calls it, which comes from the Tool object ``source``.

    Each field is taken from the most specific rule that has it: by pattern (a whole name before one with wildcards,
    then the one with more letters), then by scope (people before channels before agents). After the policies come
    the channel and the Runtime. Of two equally specific rules the stricter counts.
    """
    found = sorted(_rules(workspace, caller, tool, source), key=lambda applied: applied.weight)
    rules = [applied.rule for applied in found if applied.surely]
    channel = workspace.channels.get(caller.channel) if caller.channel is not None else None
    local = (channel.approvals if channel is not None else None) or ChannelApprovals()
    shared = workspace.runtime.approvals
    expire_after = _first([*(rule.expire_after for rule in rules), local.expire_after], shared.expire_after)
    remind_after = _first([*(rule.remind_after for rule in rules), local.remind_after], shared.remind_after)
    return CallRule(
        denied=_denials(found, tool),
        approval=next((rule.approval for rule in rules if rule.approval is not None), None),
        approvers=_first([*(rule.approvers for rule in rules), local.approvers], shared.approvers),
        quorum=_first([*(rule.quorum for rule in rules), local.quorum], shared.quorum),
        expire_after=expire_after,
        remind_after=tuple(seconds for seconds in remind_after if seconds < expire_after),
        grants=_first([rule.grants for rule in rules], Grants()),
        policies=tuple(dict.fromkeys(applied.policy.name for applied in found)),
    )


def matches(pattern: str, tool: str, source: str) -> bool:
    """Whether a policy's pattern means this tool. ``server/tool`` looks at the Tool object as well as the name.

    A tool of a server has two names, the server's and the models', and either counts.
    """
    owner, slash, name = pattern.rpartition("/")
    if slash and not fnmatchcase(source, owner):
        return False
    return fnmatchcase(tool, name) or fnmatchcase(model_name(tool), name)


def _reserved(workspace: Workspace, caller: Caller, agent: str) -> list[str]:
    reserving = [
        policy
        for policy in workspace.policies.values()
        if policy.use == "allow" and (policy.agents is None or agent in policy.agents)
    ]
    answers = {policy.name: _applies(policy, caller) for policy in reserving}
    if not reserving or "yes" in answers.values():
        return []
    unknown = [policy for policy in reserving if answers[policy.name] == "perhaps"]
    if unknown:
        return [_groups_unknown(policy) for policy in unknown]
    names = ", ".join(f"“{name}”" for name in answers)
    return [f"The agent “{agent}” is kept for others by {names}."]


def _rules(workspace: Workspace, caller: Caller, tool: str, source: str) -> Iterator[_Applied]:
    for policy in workspace.policies.values():
        answer = _applies(policy, caller)
        if answer != "no":
            for pattern, rule in policy.tools.items():
                if matches(pattern, tool, source):
                    yield _Applied(policy, pattern, rule, surely=answer == "yes")


def _denials(found: Iterable[_Applied], tool: str) -> tuple[str, ...]:
    reasons = []
    decided = False
    for applied in found:
        if not applied.surely and not _only_relaxes(applied.rule):
            reasons.append(_groups_unknown(applied.policy))
        elif applied.surely and applied.rule.use is not None and not decided:
            decided = True
            if applied.rule.use == "deny":
                reasons.append(f"The policy “{applied.policy.name}” does not allow “{tool}”.")
    return tuple(dict.fromkeys(reasons))


def _only_relaxes(rule: PolicyToolRule) -> bool:
    return rule.use != "deny" and rule.approval in (None, "never") and rule.model_fields_set <= _RELAXING


def _groups_unknown(policy: PolicySpec) -> str:
    return f"The policy “{policy.name}” depends on groups that cannot be looked up just now. Try again."


def _applies(policy: PolicySpec, caller: Caller) -> Answer:
    if policy.agents is not None and not set(policy.agents) & set(caller.agents):
        return "no"
    if policy.channels is not None and caller.channel not in policy.channels:
        return "no"
    if not _names_people(policy) or caller.user in (policy.users or ()):
        return "yes"
    if policy.usergroups is None:
        return "no"
    if caller.usergroups is None:
        return "perhaps"
    return "yes" if caller.usergroups & set(policy.usergroups) else "no"


def _names_people(policy: PolicySpec) -> bool:
    return policy.users is not None or policy.usergroups is not None


def _strictness(approval: OneApproval | None) -> int:
    match approval:
        case None:
            return 0
        case "never":
            return 1
        case ApprovalExcept():
            return 2
        case "always":
            return 3


def _first(values: Iterable[T | None], last: T) -> T:
    return next((value for value in values if value is not None), last)
