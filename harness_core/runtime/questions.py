"""Questions to people about a tool call, with everything they need to decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from harness_core.approvals import Approval, Asked, GrantTerms
from harness_core.arguments import scope_of, shown_arguments
from harness_core.canonical import digest
from harness_core.events import ApprovalRequested
from harness_core.policy import Ask, grant_terms
from harness_core.runtime.call_facts import CallFacts
from harness_core.store import Question


def approval_id(run_id: str, call_key: str, number: int = 0) -> str:
    """The id of a question: the same whenever the same is asked again after a crash.

    ``number`` is 0 for whether to make the call, and counts the doubts about its outcome from 1.
    """
    return f"appr_{digest(run_id, call_key, str(number))[:32]}"


def question(
    facts: CallFacts,
    ask: Ask,
    *,
    stands_for: str,
    pause: int,
    preview: str | None,
    workspace: str = "",
    doubt: int = 0,
    arguments: Mapping[str, Any] | None = None,
) -> Question:
    """What to ask; with ``doubt`` it is whether the call happened. ``arguments`` are those a person put in.

    ``workspace`` stands for how the run's agent is configured: whatever is granted with an approval is bound to it.
    """
    spec, shown = facts.tool.spec, facts.arguments if arguments is None else dict(arguments)
    asked = Asked(
        title=facts.tool.title(shown),
        label=facts.tool.label(shown),
        arguments=shown,
        schema=facts.schema.schema,
        secret=tuple(sorted(spec.secret_arguments)),
        preview=preview,
        reason=facts.reason,
        destructive=spec.destructive,
    )
    about = Approval(
        approval_id=approval_id(facts.fence.run_id, facts.key, doubt),
        kind="uncertain" if doubt else "call",
        run_id=facts.fence.run_id,
        tenant=facts.fence.tenant,
        conversation=facts.fence.conversation,
        thread_id=facts.fence.thread_id,
        call=facts.call,
        call_key=facts.key,
        tool=spec.name,
        agent=facts.site.acting or facts.site.agent,
        requester=facts.site.requester,
        also_asked=tuple(sorted(facts.site.requesters - {facts.site.requester})),
        grants=None if doubt else _terms(facts, ask),
        channel=facts.site.channel,
        pause=pause,
        state="open",
        revision=0,
        digest=stands_for,
        policy=ask.digest,
        version=facts.schema.version,
        rule=ask.rule,
        quorum=ask.quorum,
        requested_at=0,
        expires_at=0,
        asked=asked,
    )
    return Question(
        about=about,
        requested=_requested(about, ask),
        expire_after=ask.expire_after,
        remind_after=ask.remind_after,
        scope=_scope(about, facts.site.agent, workspace),
    )


def _terms(facts: CallFacts, ask: Ask) -> GrantTerms | None:
    if ask.offer is None:
        return None
    return grant_terms(ask.offer, facts.schema.schema, facts.tool.spec.secret_arguments)


def _scope(about: Approval, agent: str, workspace: str) -> str:
    return "" if about.grants is None else scope_of(about, about.grants, agent=agent, workspace=workspace)


def _requested(about: Approval, ask: Ask) -> ApprovalRequested:
    asked = about.asked
    return ApprovalRequested(
        approval=about.approval_id,
        kind=about.kind,
        pause=about.pause,
        call=about.call,
        tool=about.tool,
        title=asked.title,
        arguments=shown_arguments(asked.arguments, frozenset(asked.secret)),
        rule=asdict(about.rule),
        also_asked=about.also_asked,
        quorum=about.quorum,
        expire_after=round(ask.expire_after * 1000),
        preview=asked.preview,
        reason=asked.reason,
        destructive=asked.destructive,
        grants=asdict(about.grants) if about.grants is not None else None,
        editable=about.kind == "call" and bool(asked.schema.get("properties")),
    )
