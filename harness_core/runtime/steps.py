"""What the gate and the model say on a graph's custom stream about the work they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness_core.approvals import Effect


@dataclass(frozen=True, slots=True)
class ModelStep:
    """A model call. ``step`` stays the same when it is repeated."""

    step: str
    phase: Literal["started", "completed"]
    ok: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStep:
    """A tool that really runs, or ended. ``call`` is the tool call's id."""

    call: str
    label: str
    effect: Effect
    phase: Literal["started", "completed"]
    ok: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRefused:
    """A call that is not made, without asking anybody. ``message`` is for people."""

    call: str
    tool: str
    title: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Words that middleware puts in the model's place. ``message`` is the id of the message in the state."""

    message: str
    text: str


GraphNews = ModelStep | ToolStep | CallRefused | Said
