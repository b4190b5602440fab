"""Events: immutable facts about a run, numbered from 1 without gaps.

A payload is one of a closed union; what an older reader does not know becomes :class:`Unknown`.
The wire form of a payload is a flat JSON object, its name travels beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, get_args

from harness_core.events.approvals import (
    ApprovalDecided,
    ApprovalExpired,
    ApprovalGranted,
    ApprovalReminded,
    ApprovalRequested,
    ApprovalResolved,
    ApprovalRevised,
    ApprovalVoted,
)
from harness_core.events.runs import (
    CancelRequested,
    OutputDelta,
    OutputTakenBack,
    ReasoningDelta,
    RecoveryAttempted,
    RecoveryExhausted,
    RunAmended,
    RunCancelled,
    RunCompleted,
    RunCreated,
    RunFailed,
    RunHeld,
    RunQueued,
    RunResumed,
    RunRouted,
    RunStarted,
    RunSteered,
    StateChanged,
    StepCompleted,
    StepStarted,
    SyntheticFallback,
    ToolCalled,
    ToolRefused,
    ToolResult,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """An event that a newer release wrote."""

    name: ClassVar[str] = "unknown"
    original: str
    data: Mapping[str, Any]


Payload = (
    RunCreated | RunQueued | RunRouted | RunStarted | RunSteered | RunAmended | RunHeld | StateChanged
    | OutputDelta | OutputTakenBack | ReasoningDelta
    | StepStarted | StepCompleted | ToolCalled | ToolResult | ToolRefused | RunResumed | CancelRequested
    | RunCancelled | RunCompleted | RunFailed | SyntheticFallback | RecoveryAttempted | RecoveryExhausted
    | ApprovalRequested | ApprovalVoted | ApprovalRevised | ApprovalDecided | ApprovalExpired
    | ApprovalResolved | ApprovalReminded | ApprovalGranted | Unknown
)  # fmt: skip

_KINDS: dict[str, type[Any]] = {kind.name: kind for kind in get_args(Payload) if kind is not Unknown}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One payload with its place: ``seq`` counts from 1 within the run, ``at`` is milliseconds."""

    run_id: str
    seq: int
    at: int
    payload: Payload


def encode_payload(payload: Payload) -> bytes:
    """The JSON object of a payload, without its name."""
    return json.dumps(asdict(payload), ensure_ascii=False, separators=(",", ":")).encode()


def decode_payload(name: str, data: bytes) -> Payload:
    """The payload of this name; unknown names and fields of newer releases do no harm."""
    values: dict[str, Any] = json.loads(data) if data else {}
    kind = _KINDS.get(name)
    if kind is None:
        return Unknown(original=name, data=values)
    known = {field.name for field in fields(kind)}
    payload: Payload = kind(**{key: value for key, value in values.items() if key in known})
    return payload


__all__ = [
    "ApprovalDecided",
    "ApprovalExpired",
    "ApprovalGranted",
    "ApprovalReminded",
    "ApprovalRequested",
    "ApprovalResolved",
    "ApprovalRevised",
    "ApprovalVoted",
    "CancelRequested",
    "Event",
    "OutputDelta",
    "OutputTakenBack",
    "Payload",
    "ReasoningDelta",
    "RecoveryAttempted",
    "RecoveryExhausted",
    "RunAmended",
    "RunCancelled",
    "RunCompleted",
    "RunCreated",
    "RunFailed",
    "RunHeld",
    "RunQueued",
    "RunResumed",
    "RunRouted",
    "RunStarted",
    "RunSteered",
    "StateChanged",
    "StepCompleted",
    "StepStarted",
    "SyntheticFallback",
    "ToolCalled",
    "ToolRefused",
    "ToolResult",
    "Unknown",
    "decode_payload",
    "encode_payload",
]
