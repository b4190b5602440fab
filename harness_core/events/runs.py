"""What is told about a run, its answer, its steps and its calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal


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
class RunSteered:
    """Somebody wrote to a run at work; its agent reads it before the next model call.

    ``kind`` is ``message``, or ``correction`` of what the agent has read already.
    """

    name: ClassVar[str] = "run.steered"
    message: str
    by: str
    kind: str = "message"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAmended:
    """The author changed the message before an agent read it."""

    name: ClassVar[str] = "run.amended"
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHeld:
    """Its worker was lost at ``since`` (milliseconds), and the workspace wants a person to let it go on."""

    name: ClassVar[str] = "run.held"
    since: int


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
class OutputTakenBack:
    """A model call broke off and was made again. ``text`` is the answer without it: a reader replaces its text."""

    name: ClassVar[str] = "output.taken_back"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningDelta:
    name: ClassVar[str] = "reasoning.delta"
    text: str
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted:
    """``step`` is unique in the run; for a tool step it is the tool call's id. ``label`` is for people.

    A tool step starts when the tool does, after every question about it was answered. ``effect`` is that of
    :class:`~harness_core.approvals.Effect`.
    """

    name: ClassVar[str] = "step.started"
    step: str
    label: str
    kind: Literal["model", "tool"] = "tool"
    effect: str = "once"


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
class ToolRefused:
    """A call was not made, and nobody was asked. ``message`` says why, for people."""

    name: ClassVar[str] = "tool.refused"
    call: str
    tool: str
    title: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequested:
    """Somebody pressed Stop while the run was going; the run itself ends a moment later."""

    name: ClassVar[str] = "run.cancel.requested"
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCancelled:
    """``ran`` and ``unsure`` count, by the journal, tool calls that ran and that may have; None: not known."""

    name: ClassVar[str] = "run.cancelled"
    by: str
    ran: int | None = None
    unsure: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCompleted:
    """``output`` is the whole answer; it replaces what was streamed."""

    name: ClassVar[str] = "run.completed"
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFailed:
    """``reason`` is a short code, ``message`` a sentence for people; ``output`` what there was of an answer.

    ``ran`` and ``unsure`` as in :class:`RunCancelled`.
    """

    name: ClassVar[str] = "run.failed"
    reason: str
    message: str = ""
    output: str = ""
    ran: int | None = None
    unsure: int | None = None


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
