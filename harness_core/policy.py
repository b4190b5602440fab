"""What a tool call needs before it may run. A pure decision over the workspace and what is known about the call.

The most specific rule about who may decide replaces the others: the channel's before that of the whole workspace.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from harness_core.approvals import ApproverRule
from harness_core.canonical import digest_of
from harness_core.workspace import ApprovalExcept, Approvers, ToolSpec, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSite:
    """Where a call comes from: who asked for the run, where, and which agent makes it.

    ``also_asked`` are those who retried the run, or wrote to it while it was at work.
    """

    requester: str
    channel: str | None = None
    agent: str = ""
    also_asked: frozenset[str] = frozenset()

    @property
    def requesters(self) -> frozenset[str]:
        return self.also_asked | {self.requester}


@dataclass(frozen=True, slots=True)
class Allow:
    """It may run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """People decide. Durations are in seconds; ``quorum`` is how many different people have to approve."""

    rule: ApproverRule
    quorum: int
    expire_after: float
    remind_after: tuple[float, ...]

    @property
    def digest(self) -> str:
        """Stands for who may decide, and how many have to."""
        return digest_of({"rule": asdict(self.rule), "quorum": self.quorum})


@dataclass(frozen=True, slots=True, kw_only=True)
class Deny:
    """It may not run; ``reason`` is a sentence for the model and for people."""

    reason: str


Verdict = Allow | Ask | Deny


def judge(workspace: Workspace, tool: ToolSpec, arguments: Mapping[str, Any], site: CallSite) -> Verdict:
    """What ``workspace`` says about one call of ``tool``. A question that nobody could answer is a refusal."""
    if not _asks(tool, arguments):
        return Allow()
    ask = _ask(workspace, site)
    if not can_be_decided(ask, site.requesters):
        title = tool.title_for(arguments)
        return Deny(
            reason="Nobody here can approve this, so it did not run. "
            f"Ask an admin to name approvers for “{title}”."
        )
    return ask


def ask_about_outcome(workspace: Workspace, site: CallSite) -> Ask:
    """Who says what became of a call that broke off: those who could have allowed it.

    A call that needed nobody's word may have nobody to ask; then it is the person who asked for the run.
    """
    ask = _ask(workspace, site)
    if can_be_decided(ask, site.requesters):
        return ask
    return replace(ask, rule=ApproverRule(requester=True), quorum=1)


def approver_rule(approvers: Approvers) -> ApproverRule:
    """The rule as a record."""
    return ApproverRule(
        users=approvers.users,
        usergroups=approvers.usergroups,
        channel_members=approvers.channel_members,
        requester=approvers.requester,
    )


def can_be_decided(ask: Ask, requesters: frozenset[str]) -> bool:
    """Whether enough people could decide, as far as names tell: groups and channels are taken to have members."""
    if ask.rule.usergroups or ask.rule.channel_members:
        return True
    named = frozenset(ask.rule.users)
    people = named | requesters if ask.rule.requester else named - requesters
    return len(people) >= ask.quorum


def _ask(workspace: Workspace, site: CallSite) -> Ask:
    runtime = workspace.runtime.approvals
    return Ask(
        rule=approver_rule(_approvers(workspace, site.channel)),
        quorum=runtime.quorum,
        expire_after=runtime.expire_after,
        remind_after=tuple(each for each in runtime.remind_after if each < runtime.expire_after),
    )


def _asks(tool: ToolSpec, arguments: Mapping[str, Any]) -> bool:
    match tool.approval:
        case "never":
            return False
        case ApprovalExcept(except_when=condition):
            found = arguments.get(condition.argument)
            # A flag equals no number: in Python True == 1, and 1 would slip through as True.
            return not (type(found) is type(condition.equals) and found == condition.equals)
        case _:
            return True


def _approvers(workspace: Workspace, channel: str | None) -> Approvers:
    spec = workspace.channels.get(channel) if channel else None
    if spec is not None and spec.approvals is not None and spec.approvals.approvers is not None:
        return spec.approvals.approvers
    return workspace.runtime.approvals.approvers
