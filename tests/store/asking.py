"""Questions as the gate would ask them, without a graph."""

from __future__ import annotations

from dataclasses import replace

from harness_core.approvals import Approval, ApproverRule, Asked, Call, Effect, QuestionKind
from harness_core.events import ApprovalRequested
from harness_core.models import Claim
from harness_core.store import Question, Store

DIGEST = "d" * 64


def a_call(claim: Claim, key: str = "call-1", *, effect: Effect = Effect.ONCE, verdict: str = "ask") -> Call:
    """A call as it is first written down."""
    return Call(
        key=key,
        run_id=claim.run.run_id,
        tool="restart",
        effect=effect,
        verdict="ask" if verdict == "ask" else "deny" if verdict == "deny" else "allow",
        state="opened",
        asked=DIGEST,
    )


def a_question(
    claim: Claim,
    key: str = "call-1",
    *,
    kind: QuestionKind = "call",
    quorum: int = 1,
    expire_after: float = 3600,
) -> Question:
    """A question about that call."""
    about = Approval(
        approval_id=f"appr_{claim.run.run_id[-6:]}_{key}_{kind}",
        kind=kind,
        run_id=claim.run.run_id,
        tenant=claim.run.tenant,
        conversation=claim.run.conversation,
        thread_id=claim.run.thread_id,
        call="c1",
        call_key=key,
        tool="restart",
        agent="ops",
        requester=claim.run.user,
        channel=claim.run.channel,
        pause=1,
        state="open",
        revision=0,
        digest=DIGEST,
        policy="p",
        version="v",
        rule=ApproverRule(users=("U2",)),
        quorum=quorum,
        requested_at=0,
        expires_at=0,
        asked=Asked(title="Restart web?", label="Restarting web", arguments={"service": "web"}),
    )
    requested = ApprovalRequested(
        approval=about.approval_id, kind=kind, pause=1, call="c1", tool="restart", title="Restart web?",
        arguments="{}", rule={}, quorum=quorum, expire_after=round(expire_after * 1000),
    )  # fmt: skip
    return Question(about=about, requested=requested, expire_after=expire_after, remind_after=(600.0,))


async def ask(
    store: Store, claim: Claim, key: str = "call-1", *, quorum: int = 1, expire_after: float = 3600
) -> Approval:
    """An open question about a call of the run."""
    question = a_question(claim, key, quorum=quorum, expire_after=expire_after)
    await store.calls.open(claim.fence, a_call(claim, key), question)
    return await store.approvals.get(claim.run.tenant, question.about.approval_id)


def changed(approval: Approval, **arguments: object) -> Approval:
    """The same question about other arguments."""
    return replace(approval, asked=replace(approval.asked, arguments=arguments), digest="e" * 64)
