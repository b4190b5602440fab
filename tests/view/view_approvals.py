"""Questions for the tests of the view: told by hand, or generated."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

from hypothesis import strategies as st
from view.view_events import RUN_ID, T0, names

from harness_core.approvals import Approval, ApproverRule, Asked, GrantTerms
from harness_core.events import (
    ApprovalDecided,
    ApprovalExpired,
    ApprovalGranted,
    ApprovalReminded,
    ApprovalRequested,
    ApprovalResolved,
    ApprovalRevised,
    ApprovalVoted,
    Payload,
    StateChanged,
    ToolRefused,
)
from harness_core.grants import Grant, grant_id

REQUESTER: Final = "U012ABCDEF"
APPROVER: Final = "U067MNOPQR"
WAITING: Final = StateChanged(source="running", target="waiting_for_approval")
SCHEMA: Final = {
    "type": "object",
    "properties": {"service": {"type": "string"}, "env": {"enum": ["prod", "staging"]}},
    "required": ["service", "env"],
}


def appr(number: int) -> str:
    return f"appr_{number:032x}"


def asked(number: int = 0, **changes: Any) -> ApprovalRequested:
    usual = ApprovalRequested(
        approval=appr(number),
        kind="call",
        pause=1,
        call=f"call_{number}",
        tool="restart_service",
        title="Restart checkout in prod",
        arguments='{"service": "checkout", "env": "prod"}',
        rule={"users": [APPROVER], "usergroups": [], "channel_members": False, "requester": False},
        quorum=1,
        expire_after=4 * 3_600_000,
        preview="Restarts 20 pods.",
        reason="The pool only grows back after a restart.",
    )
    return replace(usual, **changes)


def decided(decision: str = "approve", number: int = 0, **changes: Any) -> ApprovalDecided:
    return replace(ApprovalDecided(approval=appr(number), decision=decision, by=APPROVER), **changes)


def resolved(outcome: str, number: int = 0) -> ApprovalResolved:
    return ApprovalResolved(approval=appr(number), outcome=outcome)


def revised(number: int = 0, **changes: Any) -> ApprovalRevised:
    usual = ApprovalRevised(
        approval=appr(number),
        revision=1,
        by="U045GHIJKL",
        title="Restart search in prod",
        arguments='{"service": "search", "env": "prod"}',
        changes=[["service", "checkout", "search"]],
        preview="Restarts 3 pods.",
    )
    return replace(usual, **changes)


def approval(arguments: dict[str, Any] | None = None, **changes: Any) -> Approval:
    """The record of the same question. What `Asked` has goes there."""
    about = Asked(
        title="Restart checkout in prod",
        label="Restarting checkout",
        arguments={"service": "checkout", "env": "prod"} if arguments is None else arguments,
        schema=SCHEMA,
        preview="Restarts 20 pods.",
        reason="The pool only grows back after a restart.",
    )
    inner = {name: changes.pop(name) for name in list(changes) if name in Asked.__slots__}
    usual = Approval(
        approval_id=appr(0),
        kind="call",
        run_id=RUN_ID,
        tenant="T1",
        conversation="C1:1.1",
        thread_id="thread_01KE0000000000000000000001",
        call="call_0",
        call_key="key",
        tool="restart_service",
        agent="ops",
        requester=REQUESTER,
        channel="C1",
        pause=1,
        state="open",
        revision=0,
        digest="d1gest",
        policy="",
        version="1",
        rule=ApproverRule(users=(APPROVER,)),
        quorum=1,
        requested_at=T0,
        expires_at=T0 + 4 * 3_600_000,
        asked=replace(about, **inner),
    )
    return replace(usual, **changes)


def grant(told: Approval | None = None, **changes: Any) -> Grant:
    """What was granted with `told`."""
    about = told or approval()
    usual = Grant(
        grant_id=grant_id(about.approval_id),
        approval=about,
        terms=GrantTerms(lasts=3_600_000, times=5),
        scope="s",
        given_by=APPROVER,
        given_at=T0,
        source="message",
        expires_at=T0 + 3_600_000,
        used=2,
    )
    return replace(usual, **changes)


_long = st.one_of(names, st.just("&" * 5_000), st.just("`*~_" * 900), st.just("\u202e<!channel>\n" * 300))
_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), _long),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=6,
)
arguments = st.dictionaries(names, _values, max_size=6)
_people = st.lists(st.one_of(st.just(APPROVER), st.just(REQUESTER), _long), max_size=12)
_numbers = st.integers(0, 7)
_ids = _numbers.map(appr)
_calls = _numbers.map(lambda number: f"call_{number}")

rules = st.fixed_dictionaries(
    {
        "users": _people,
        "usergroups": st.lists(st.one_of(st.just("S0PS"), _long), max_size=3),
        "channel_members": st.booleans(),
        "requester": st.booleans(),
    }
)

payloads: st.SearchStrategy[Payload] = st.one_of(
    st.builds(
        ApprovalRequested,
        approval=_ids,
        kind=st.sampled_from(["call", "call", "uncertain"]),
        pause=st.integers(1, 2),
        call=_calls,
        tool=_long,
        title=_long,
        arguments=st.one_of(arguments.map(json.dumps), _long),
        rule=rules,
        quorum=st.integers(1, 3),
        expire_after=st.integers(0, 10**9),
        preview=st.one_of(st.none(), _long),
        reason=_long,
        destructive=st.booleans(),
        editable=st.booleans(),
        grants=st.one_of(
            st.none(),
            st.just({"lasts": 5_400_000, "times": 3, "same": None}),
            st.just({"lasts": "for ever", "times": 3}),
        ),
    ),
    st.builds(ApprovalVoted, approval=_ids, by=_long, votes=st.integers(1, 3)),
    st.builds(
        ApprovalRevised,
        approval=_ids,
        revision=st.integers(0, 4),
        by=_long,
        title=_long,
        arguments=arguments.map(json.dumps),
        changes=st.lists(st.tuples(_long, _values, _values), max_size=5),
        preview=st.one_of(st.none(), _long),
    ),
    st.builds(
        ApprovalDecided,
        approval=_ids,
        decision=st.sampled_from(["approve", "reject", "respond", "done", "again", "skip", "teleport"]),
        by=_long,
        reason=_long,
        grant=st.one_of(st.none(), _long),
    ),
    st.builds(
        ApprovalGranted,
        grant=_long,
        call=_calls,
        tool=_long,
        by=_long,
        used=st.integers(1, 3),
        times=st.integers(1, 3),
    ),
    st.builds(ApprovalExpired, approval=_ids),
    st.builds(
        ApprovalResolved,
        approval=_ids,
        outcome=st.sampled_from(["ran", "failed", "refused", "answered", "confirmed", "skipped", "melted"]),
    ),
    st.builds(ApprovalReminded, approval=_ids, number=st.integers(1, 3)),
    st.builds(ToolRefused, call=_calls, tool=_long, title=_long, message=_long),
)

_specs = st.recursive(
    st.one_of(
        st.sampled_from(["string", "integer", "number", "boolean", "object", "array", "null"]).map(
            lambda kind: {"type": kind}
        ),
        st.lists(st.one_of(st.text(max_size=80), st.integers(), st.none()), max_size=4).map(
            lambda values: {"enum": values}
        ),
        st.just({}),
        st.just({"$ref": "#/$defs/Nowhere"}),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda forms: {"anyOf": forms}),
        inner.map(lambda items: {"type": "array", "items": items}),
    ),
    max_leaves=4,
)
records = st.builds(
    lambda told, specs, needed, reason, described: approval(
        told,
        schema={
            "type": "object",
            "properties": {name: spec | {"description": described} for name, spec in specs.items()},
            "required": needed,
        },
        secret=tuple(told)[:1],
        reason=reason,
        title=reason,
        preview=reason,
        before=told,
    ),
    arguments,
    st.dictionaries(st.text(max_size=6), _specs, max_size=4),
    st.lists(st.text(max_size=6), max_size=3),
    st.one_of(st.text(), st.just("\u202e&" * 3_000)),
    st.text(max_size=50),
)
