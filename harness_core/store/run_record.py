"""A run's hash in Redis, read into :class:`~harness_core.models.Run`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from harness_core.models import Run, RunInput
from harness_core.states import RunState

FIELDS = (
    "version", "tenant", "conversation", "thread_id", "user", "state", "created_at", "agent", "channel",
    "target", "started_at", "ended_at", "epoch", "attempts", "takeovers", "reason", "cancelled_by",
    "workspace", "traceparent", "retry_of", "left_at", "left", "pause", "intent", "requesters", "held",
    "folded", "worked",
)  # fmt: skip
"""What a record is read from: everything but the sealed input and output."""


_INTENTS: Final[Mapping[str, Literal["run-input", "approval-decision"]]] = {
    "run-input": "run-input",
    "approval-decision": "approval-decision",
}


def decode_run(run_id: str, values: Sequence[bytes | None], events: int = 0) -> Run | None:
    """The run in ``values`` (in the order of :data:`FIELDS`), or None when the hash is not there.

    ``events`` is the length of its list of events, read in the same transaction.
    """
    raw = {name: value.decode() for name, value in zip(FIELDS, values, strict=True) if value}
    if "state" not in raw:
        return None
    return Run(
        run_id=run_id,
        tenant=raw["tenant"],
        conversation=raw["conversation"],
        thread_id=raw["thread_id"],
        user=raw["user"],
        state=RunState(raw["state"]),
        created_at=int(raw["created_at"]),
        agent=raw.get("agent"),
        channel=raw.get("channel"),
        target=json.loads(raw.get("target", "{}")),
        started_at=_number(raw, "started_at"),
        ended_at=_number(raw, "ended_at"),
        epoch=int(raw.get("epoch", 0)),
        attempts=int(raw.get("attempts", 0)),
        takeovers=int(raw.get("takeovers", 0)),
        reason=raw.get("reason"),
        cancelled_by=raw.get("cancelled_by"),
        cancel_requested="cancelled_by" in raw,
        workspace=raw.get("workspace"),
        traceparent=raw.get("traceparent"),
        events=int(raw.get("folded", 0)) + events,
        retry_of=raw.get("retry_of"),
        left_at=_number(raw, "left_at"),
        handed_over=raw.get("left") == "handover",
        decided=raw.get("left") == "decided",
        pause=int(raw.get("pause", 1)),
        intent=_INTENTS.get(raw.get("intent", "")),
        requesters=tuple(json.loads(raw["requesters"])) if "requesters" in raw else (raw["user"],),
        held="held" in raw,
        worked=int(raw.get("worked", 0)),
        version=int(raw.get("version", 1)),
    )


def decode_input(stored: str | None) -> RunInput:
    """What :meth:`RunRepository.accept` stored of a submission."""
    asked = json.loads(stored or '{"text": ""}')
    known = RunInput.__slots__
    return RunInput(**{name: value for name, value in asked.items() if name in known})


def _number(raw: Mapping[str, str], name: str) -> int | None:
    return int(float(raw[name])) if name in raw else None
