"""Questions as the store gives them, and how a worker asks them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from front_end.slack_bodies import CAST, new_ts

from harness_core import Store
from harness_core.approvals import Approval, ApproverRule, Asked, Call, Effect
from harness_core.arguments import shown_arguments
from harness_core.events import ApprovalRequested
from harness_core.models import Accepted, Claim, Delivery, Submission
from harness_core.store import Budget, Question

WORKER = "asker"

_numbers = itertools.count(1)

SCHEMA = {
    "type": "object",
    "properties": {
        "service": {"type": "string"},
        "count": {"type": "integer"},
        "force": {"type": "boolean"},
        "env": {"enum": ["staging", "prod"]},
        "hosts": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["service"],
}

_PLAIN = Approval(
    approval_id=f"appr_{0:032x}",
    kind="call",
    run_id="run_01HZZZZZZZZZZZZZZZZZZZZZZZ",
    tenant=CAST.team,
    conversation="c",
    thread_id="t",
    call="call_1",
    call_key="key",
    tool="restart",
    agent="ops",
    requester=CAST.requester,
    channel=CAST.general,
    pause=1,
    state="open",
    revision=1,
    digest="d",
    policy="p",
    version="v",
    rule=ApproverRule(users=(CAST.approver,)),
    quorum=1,
    requested_at=0,
    expires_at=10_000,
    asked=Asked(
        title="Restart checkout",
        label="Restarting checkout",
        arguments={"service": "checkout", "count": 1},
        schema=SCHEMA,
    ),
)


def question(**changes: Any) -> Approval:
    """An open one about a call in the general channel, with ``changes``."""
    return replace(_PLAIN, **changes)


async def ask(store: Store, *, count: int = 1, hold: bool = False, **changes: Any) -> list[Approval]:
    """A run that waits for ``count`` questions which differ from the plain one by ``changes``.

    With ``hold`` the run is still at work, as while a call that needs no approval runs beside.
    """
    claim = await begun(store, **changes)
    asked = [_about(claim, **changes) for _ in range(count)]
    for each in asked:
        await _open(store, claim, each, expire_after=changes.get("expires_at", 3_600_000) / 1000)
    if not hold:
        await store.runs.park(claim.fence)
    return [await store.approvals.get(each.tenant, each.approval_id) for each in asked]


async def begun(store: Store, **changes: Any) -> Claim:
    """A run in its agent's hands."""
    number, plain = next(_numbers), question(**changes)
    channel, ts = plain.channel, new_ts()
    accepted = await store.runs.accept(
        Submission(
            tenant=plain.tenant,
            conversation=f"{channel}:{ts}",
            user=plain.requester,
            text="restart it",
            dedupe=(f"question:{number}",),
            target={"channel": channel, "ts": ts, "thread_ts": ts} if channel else {},
            channel=channel,
        )
    )
    assert isinstance(accepted, Accepted)
    claims = await store.runs.claim(WORKER, want=50, per_tenant=1000, per_user=1000, lease=600)
    (claim,) = [each for each in claims if each.run.run_id == accepted.run_id]
    return claim


def _about(claim: Claim, **changes: Any) -> Approval:
    number = next(_numbers)
    here = {
        "approval_id": f"appr_{number:032x}",
        "run_id": claim.run.run_id,
        "conversation": claim.run.conversation,
        "thread_id": claim.run.thread_id,
        "call": f"call_{number}",
        "call_key": f"key_{number}",
    }
    return question(**changes | here)


async def _open(store: Store, claim: Claim, about: Approval, *, expire_after: float) -> None:
    call = Call(
        key=about.call_key,
        run_id=about.run_id,
        tool=about.tool,
        effect=Effect.ONCE,
        verdict="ask",
        state="opened",
        asked=about.digest,
    )
    requested = ApprovalRequested(
        approval=about.approval_id,
        kind=about.kind,
        pause=about.pause,
        call=about.call,
        tool=about.tool,
        title=about.asked.title,
        arguments=shown_arguments(about.asked.arguments, frozenset(about.asked.secret)),
        rule={"users": list(about.rule.users), "usergroups": list(about.rule.usergroups)},
        quorum=about.quorum,
        expire_after=round(expire_after * 1000),
    )
    await store.calls.open(
        claim.fence, call, Question(about=about, requested=requested, expire_after=expire_after)
    )


async def show(store: Store, asked: Sequence[Approval], *, ts: str | None = None) -> str:
    """The card of these questions is in its channel; its ts. With an empty ``ts`` nobody knows yet where."""
    about, shown = asked[0], new_ts() if ts is None else ts
    part = f"ask:{about.pause}" if about.kind == "call" else f"doubt:{about.approval_id}"
    record = Delivery(run_id=about.run_id, part=part, state="pending", nonce="n", external_id=None)
    ownership = await store.deliveries.own(about.tenant, WORKER, 600)
    assert ownership is not None
    budget = Budget(per_minute=10_000, burst=10_000)
    await store.deliveries.begin(ownership, record, method="chat.postMessage", room=None, budget=budget)
    if shown:
        posted = replace(record, state="shown", external_id=shown)
        await store.deliveries.done(ownership, posted, complete=True)
    return shown
