"""Events: immutable facts about a run, numbered from 1 without gaps.

A payload is one of a closed union; what an older reader does not know becomes :class:`Unknown`.
The wire form of a payload is a flat JSON object, its name travels beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCreated:
    name: ClassVar[str] = "run.created"
    user: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunQueued:
    """``position`` is the number of runs before this one in its conversation."""

    name: ClassVar[str] = "run.queued"
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRouted:
    """``step`` names the rule that chose the agent."""

    name: ClassVar[str] = "run.routed"
    agent: str
    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    name: ClassVar[str] = "run.started"
    worker: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChanged:
    name: ClassVar[str] = "run.state.changed"
    source: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputDelta:
    """Text of the answer. ``message`` names the model message it belongs to; another one starts a paragraph."""

    name: ClassVar[str] = "output.delta"
    text: str
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningDelta:
    name: ClassVar[str] = "reasoning.delta"
    text: str
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted:
    """``step`` is unique in the run; for a tool step it is the tool call's id. ``label`` is for people."""

    name: ClassVar[str] = "step.started"
    step: str
    label: str
    kind: Literal["model", "tool"] = "tool"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCompleted:
    name: ClassVar[str] = "step.completed"
    step: str
    ok: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCalled:
    """``arguments`` is JSON text with secret arguments masked."""

    name: ClassVar[str] = "tool.called"
    call: str
    tool: str
    label: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """``output`` is capped for screens; the checkpoint has the whole."""

    name: ClassVar[str] = "tool.result"
    call: str
    tool: str
    output: str
    is_error: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResumed:
    """The run goes on after a take-over or a decision.

    ``text`` is the answer as far as the checkpoint knows it: what was streamed beyond it was not saved
    and will be streamed again, so a reader replaces its text with this. ``gap`` is the time without a
    worker in milliseconds; ``finished_steps`` counts those that will not run again.
    """

    name: ClassVar[str] = "run.resumed"
    resume_kind: Literal["approval", "startup-recovery", "takeover", "handover"]
    text: str = ""
    gap: int = 0
    finished_steps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequested:
    """Somebody pressed Stop while the run was going; the run itself ends a moment later."""

    name: ClassVar[str] = "run.cancel.requested"
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCancelled:
    name: ClassVar[str] = "run.cancelled"
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCompleted:
    """``output`` is the whole answer; it replaces what was streamed."""

    name: ClassVar[str] = "run.completed"
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFailed:
    """``reason`` is a short code, ``message`` a sentence for people; ``output`` what there was of an answer."""

    name: ClassVar[str] = "run.failed"
    reason: str
    message: str = ""
    output: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticFallback:
    """A person saw this text in place of a model's answer."""

    name: ClassVar[str] = "runtime.synthetic_fallback"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryAttempted:
    name: ClassVar[str] = "recovery.attempted"
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryExhausted:
    name: ClassVar[str] = "recovery.exhausted"
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """An event that a newer release wrote."""

    name: ClassVar[str] = "unknown"
    original: str
    data: Mapping[str, Any]


Payload = (
    RunCreated | RunQueued | RunRouted | RunStarted | StateChanged | OutputDelta | ReasoningDelta
    | StepStarted | StepCompleted | ToolCalled | ToolResult | RunResumed | CancelRequested | RunCancelled
    | RunCompleted | RunFailed | SyntheticFallback | RecoveryAttempted | RecoveryExhausted | Unknown
)  # fmt: skip

_KINDS: dict[str, type[Any]] = {
    kind.name: kind
    for kind in (
        RunCreated, RunQueued, RunRouted, RunStarted, StateChanged, OutputDelta, ReasoningDelta,
        StepStarted, StepCompleted, ToolCalled, ToolResult, RunResumed, CancelRequested, RunCancelled,
        RunCompleted, RunFailed, SyntheticFallback, RecoveryAttempted, RecoveryExhausted,
    )
}  # fmt: skip


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
