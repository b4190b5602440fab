"""What a run and each of its tool calls need before they may go on. Pure decisions over the workspace and the facts.

The most specific rule replaces the others: a policy's rule for the tool, then the channel's, then the workspace's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from harness_core.approvals import ApproverRule, GrantTerms
from harness_core.canonical import digest_of
from harness_core.workspace import (
    TASK,
    ApprovalExcept,
    Approvers,
    Caller,
    CallRule,
    ToolSpec,
    Workspace,
    agents_reached,
    call_rule,
    possible_values,
    refusals,
)


@dataclass(frozen=True, slots=True)
class Asker:
    """A person whose request a run is besides its requester's. ``usergroups`` as of :class:`CallSite`."""

    user: str
    usergroups: frozenset[str] | None = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSite:
    """Where a call comes from: who asked for the run, where, and which agent was asked.

    ``acting`` is the agent that makes the call, where it is a subagent of ``agent``. ``usergroups`` are the groups of
    the requester that policies name; None when they could not be found out. ``also_asked`` are those who retried the
    run, or wrote to it while it was at work: what it does is their request, too.
    """

    requester: str
    channel: str | None = None
    agent: str = ""
    acting: str = ""
    usergroups: frozenset[str] | None = frozenset()
    also_asked: tuple[Asker, ...] = ()

    @property
    def requesters(self) -> frozenset[str]:
        return frozenset({self.requester, *(asker.user for asker in self.also_asked)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """The tool of a call: what the workspace says about it, its own name, and the object it comes from."""

    spec: ToolSpec
    name: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether a run may go on; the reasons are sentences for people."""

    allowed: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Allow:
    """It may run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An approver may grant ``times`` more calls like the approved one within ``lasts`` seconds.

    ``exact``: calls with the very same arguments; else only those with few possible values must be the same.
    """

    lasts: float
    times: int
    exact: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """People decide. Durations are in seconds; ``quorum`` is how many different people have to approve.

    ``offer`` is what may be granted with an approval. Where several people have to approve, one of them cannot grant
    anything, so there it is always None.
    """

    rule: ApproverRule
    quorum: int
    expire_after: float
    remind_after: tuple[float, ...]
    offer: Offer | None = None

    @property
    def digest(self) -> str:
        """Stands for who may decide, and how many have to."""
        return digest_of({"rule": asdict(self.rule), "quorum": self.quorum})


@dataclass(frozen=True, slots=True, kw_only=True)
class Deny:
    """It may not run; ``reason`` is a sentence for the model and for people."""

    reason: str


Verdict = Allow | Ask | Deny


def evaluate(workspace: Workspace, site: CallSite) -> Decision:
    """Whether the person may have this agent run, here."""
    reasons = refusals(workspace, _caller(site))
    return Decision(allowed=not reasons, reasons=reasons)


def judge(workspace: Workspace, tool: Called, arguments: Mapping[str, Any], site: CallSite) -> Verdict:
    """What ``workspace`` says about one call of ``tool``. A question that nobody could answer is a refusal.

    Where several people asked, it must be allowed to each of them, and the strictest question is asked. Who may not
    use an agent may not use it as a subagent either: neither is it called, nor does it call anything.
    """
    barred = _barred(workspace, tool, arguments, site)
    if barred:
        return Deny(reason=" ".join(barred))
    asks = []
    for rule in _rules(workspace, tool, site):
        if rule.denied:
            return Deny(reason=" ".join(rule.denied))
        if _asks(tool.spec.approval if rule.approval is None else rule.approval, arguments):
            asks.append(_ask(rule))
    if not asks:
        return Allow()
    if not _can_wait(workspace, site):
        return Deny(
            reason="This needs an approval, and the agent keeps no checkpoints, so nothing can wait for one. "
            "It did not run. Ask an admin to give the agent a checkpointer."
        )
    ask = replace(max(asks, key=lambda each: each.quorum), offer=_narrowest([each.offer for each in asks]))
    if not can_be_decided(ask, site.requesters):
        title = tool.spec.title_for(arguments)
        return Deny(
            reason="Nobody here can approve this, so it did not run. "
            f"Ask an admin to name approvers for “{title}”."
        )
    return ask


def ask_about_outcome(workspace: Workspace, tool: Called, site: CallSite) -> Ask:
    """Who says what became of a call that broke off: those who could have allowed it.

    A call that needed nobody's word may have nobody to ask; then it is the person who asked for the run.
    """
    ask = max(map(_ask, _rules(workspace, tool, site)), key=lambda each: each.quorum)
    if can_be_decided(ask, site.requesters):
        return ask
    return replace(ask, rule=ApproverRule(requester=True), quorum=1)


def grant_terms(offer: Offer, schema: Mapping[str, Any], secret: Collection[str]) -> GrantTerms:
    """What ``offer`` means for a tool whose arguments ``schema`` describes. Where none of them has few values, all count."""
    chosen = [name for name in schema.get("properties", {}) if possible_values(schema, name) is not None]
    same = None if offer.exact or not chosen else tuple(sorted({*chosen, *secret}))
    return GrantTerms(lasts=round(offer.lasts * 1000), times=offer.times, same=same)


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


def _can_wait(workspace: Workspace, site: CallSite) -> bool:
    """Whether a call made here can be gone on with after people have answered: not where no history is kept of it."""
    host = workspace.agents.get(site.agent)
    if host is None:
        return True
    forgetful = [
        name
        for name, spec in agents_reached(workspace, site.agent).items()
        if spec.checkpointer is not None and spec.checkpointer.kind is False
    ]
    if workspace.checkpointer_of(host).kind is False:
        return False
    return not any(site.acting in agents_reached(workspace, name) for name in forgetful)


def _caller(site: CallSite) -> Caller:
    acting = (site.acting,) if site.acting and site.acting != site.agent else ()
    return Caller(
        agents=(site.agent, *acting), user=site.requester, channel=site.channel, usergroups=site.usergroups
    )


def _barred(
    workspace: Workspace, tool: Called, arguments: Mapping[str, Any], site: CallSite
) -> tuple[str, ...]:
    """Why the subagent that makes the call, or the one that it calls, must not act in this run."""
    called = arguments.get("subagent_type") if tool.name == TASK and not tool.source else None
    others = [each for each in (site.acting, called) if isinstance(each, str) and each != site.agent]
    inner = [each for each in others if each in workspace.agents]
    if not inner:
        return ()
    whole = [replace(caller, agents=(site.agent, *inner)) for caller in _callers(site)]
    return tuple(dict.fromkeys(reason for each in whole for reason in refusals(workspace, each)))


def _rules(workspace: Workspace, tool: Called, site: CallSite) -> list[CallRule]:
    """What holds for the call by each of those who asked, the requester first."""
    return [call_rule(workspace, each, tool.name, tool.source) for each in _callers(site)]


def _callers(site: CallSite) -> list[Caller]:
    caller = _caller(site)
    others = [replace(caller, user=each.user, usergroups=each.usergroups) for each in site.also_asked]
    return [caller, *others]


def _ask(rule: CallRule) -> Ask:
    grants = rule.grants
    offered = grants.allowed and rule.quorum == 1
    return Ask(
        rule=approver_rule(rule.approvers),
        quorum=rule.quorum,
        expire_after=rule.expire_after,
        remind_after=rule.remind_after,
        offer=Offer(lasts=grants.lasts, times=grants.times, exact=grants.arguments == "exact")
        if offered
        else None,
    )


def _narrowest(offers: Sequence[Offer | None]) -> Offer | None:
    """What holds for each of those who asked; nothing where one of them has none."""
    known = [offer for offer in offers if offer is not None]
    if len(known) < len(offers):
        return None
    return Offer(
        lasts=min(offer.lasts for offer in known),
        times=min(offer.times for offer in known),
        exact=any(offer.exact for offer in known),
    )


def _asks(approval: object, arguments: Mapping[str, Any]) -> bool:
    match approval:
        case "never":
            return False
        case ApprovalExcept(except_when=condition):
            found = arguments.get(condition.argument)
            # A flag equals no number: in Python True == 1, and 1 would slip through as True.
            return not (type(found) is type(condition.equals) and found == condition.equals)
        case _:
            return True
