"""A question as the store gives it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from front_end.slack_bodies import CAST

from harness_core.approvals import Approval, ApproverRule, Asked

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
