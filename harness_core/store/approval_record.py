"""An approval's hash in Redis, read into :class:`~harness_core.approvals.Approval`, and its sealed content."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final, get_args

from harness_core.approvals import Approval, ApproverRule, Asked, GrantTerms, QuestionState, Verb, Vote
from harness_core.store.seal import Seal

CONTENT: Final = (
    "thread_id", "call", "agent", "requester", "channel", "pause", "digest", "policy", "version", "quorum",
)  # fmt: skip
"""Fields of an approval that the caller writes as they are; the others belong to the scripts."""

FIELDS: Final = (
    *CONTENT, "tenant", "conversation", "run_id", "kind", "call_key", "tool", "state", "revision", "rule",
    "requested_at", "expires_at", "decision", "decided_by", "decided_at", "asked", "words", "also_asked",
    "grants",
)  # fmt: skip
"""What a record is read from."""

_STATES: Final[dict[str, QuestionState]] = {state: state for state in get_args(QuestionState)}
VERBS: Final[dict[str, Verb]] = {verb: verb for verb in get_args(Verb)}
"""What a stored word of a decision means."""


def seal_content(about: Approval, seal: Seal) -> bytes:
    """What people see of the question, sealed for its place."""
    return seal.seal(
        json.dumps(asdict(about.asked)).encode(), *_place(about.tenant, about.approval_id, "asked")
    )


def seal_words(seal: Seal, tenant: str, approval_id: str, *, reason: str, response: str) -> bytes:
    """What a person wrote with a decision; empty when there is nothing."""
    if not (reason or response):
        return b""
    words = json.dumps({"reason": reason, "response": response}).encode()
    return seal.seal(words, *_place(tenant, approval_id, "words"))


def decode_approval(
    approval_id: str, values: Sequence[bytes | None], votes: Mapping[bytes, bytes], seal: Seal
) -> Approval | None:
    """The approval in ``values`` (in the order of :data:`FIELDS`), or None when the hash is not there."""
    raw = {name: value for name, value in zip(FIELDS, values, strict=True) if value}
    if "state" not in raw or "asked" not in raw:
        return None
    sealed = {name: raw.pop(name) for name in ("asked", "words") if name in raw}
    text = {name: value.decode() for name, value in raw.items()}
    tenant = text["tenant"]
    words = _open(seal, sealed.get("words"), tenant, approval_id, "words")
    return Approval(
        approval_id=approval_id,
        kind="uncertain" if text["kind"] == "uncertain" else "call",
        run_id=text["run_id"],
        tenant=tenant,
        conversation=text["conversation"],
        thread_id=text.get("thread_id", ""),
        call=text.get("call", ""),
        call_key=text["call_key"],
        tool=text["tool"],
        agent=text.get("agent", ""),
        requester=text.get("requester", ""),
        also_asked=tuple(json.loads(text.get("also_asked", "[]"))),
        channel=text.get("channel"),
        pause=int(text.get("pause", 1)),
        state=_STATES.get(text["state"], "void"),
        revision=int(text["revision"]),
        digest=text["digest"],
        policy=text.get("policy", ""),
        version=text.get("version", ""),
        rule=_rule(text.get("rule", "{}")),
        quorum=int(text.get("quorum", 1)),
        requested_at=int(text["requested_at"]),
        expires_at=int(text["expires_at"]),
        grants=_terms(text.get("grants", "")),
        asked=_asked(_open(seal, sealed["asked"], tenant, approval_id, "asked")),
        votes=tuple(sorted(map(_vote, votes.items()), key=lambda vote: vote.at)),
        decision=VERBS.get(text.get("decision", "")),
        decided_by=text.get("decided_by"),
        decided_at=int(text["decided_at"]) if "decided_at" in text else None,
        reason=words.get("reason", ""),
        response=words.get("response", ""),
    )


def _asked(content: Mapping[str, Any]) -> Asked:
    known = Asked.__slots__
    values = {name: value for name, value in content.items() if name in known}
    return Asked(**{**values, "secret": tuple(values.get("secret", ()))})


def _rule(text: str) -> ApproverRule:
    found = json.loads(text)
    return ApproverRule(
        users=tuple(found.get("users", ())),
        usergroups=tuple(found.get("usergroups", ())),
        channel_members=found.get("channel_members") is True,
        requester=found.get("requester") is True,
    )


def _terms(text: str) -> GrantTerms | None:
    if not text:
        return None
    found = json.loads(text)
    same = found["same"]
    return GrantTerms(
        lasts=found["lasts"], times=found["times"], same=tuple(same) if same is not None else None
    )


def _vote(row: tuple[bytes, bytes]) -> Vote:
    at, _, source = row[1].decode().partition("|")
    return Vote(by=row[0].decode(), at=int(at), source=source)


def _open(seal: Seal, sealed: bytes | None, tenant: str, approval_id: str, part: str) -> dict[str, Any]:
    if not sealed:
        return {}
    opened: dict[str, Any] = json.loads(seal.open(sealed, *_place(tenant, approval_id, part)))
    return opened


def _place(tenant: str, approval_id: str, part: str) -> tuple[str, ...]:
    return tenant, "approval", approval_id, part
