"""What goes into the runtime and what comes out of it, in words that know nothing of LangGraph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from harness_core.approvals import Effect
from harness_core.models import Fence
from harness_core.runtime.company import Company


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What a run asks of an agent. ``text`` None means: go on from the checkpoint, or, with ``more``, from its end,
    since people wrote something to the run that its model has still to read.

    ``context`` reaches tools and middleware and is not kept in checkpoints, so it is given again each time.
    ``user`` asked for the run, ``channel`` is where. ``usergroups`` are those of the user's groups that policies name;
    None when they could not be found out.
    ``company`` knows about other people who write to the run.
    ``left`` is how many seconds the run may still work; None where nothing of its limit is used up.
    ``state`` and ``files`` are laid into the graph's state together with the input.
    """

    fence: Fence
    agent: str
    text: str | None
    user: str
    more: bool = False
    channel: str | None = None
    usergroups: frozenset[str] | None = frozenset()
    company: Company | None = None
    left: float | None = None
    context: Mapping[str, Any] | None = None
    state: Mapping[str, Any] | None = None
    files: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentChunk:
    """Text of the answer. ``message`` names the model message; another one begins a paragraph."""

    text: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBackChunk:
    """What came of these model messages is no part of the answer: the call broke off, and another one took its place."""

    messages: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningChunk:
    text: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepChunk:
    """A model turn or a tool begins or ends. ``step`` of a tool is its call's id. ``label`` is for people."""

    step: str
    label: str
    kind: Literal["model", "tool"]
    phase: Literal["started", "completed"]
    ok: bool = True
    effect: Effect = Effect.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallChunk:
    """The model calls a tool. ``arguments`` is JSON text in which the values of ``masked`` are hidden."""

    call: str
    tool: str
    label: str
    arguments: str
    masked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResultChunk:
    """What the model reads as the outcome of a call, whether the tool ran or not."""

    call: str
    tool: str
    output: str
    is_error: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedChunk:
    """A call that is not made, without asking anybody. ``message`` says why, for people."""

    call: str
    tool: str
    title: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptChunk:
    """The graph waits for people. ``questions`` are approval ids; ``foreign`` says that something else asks, too."""

    questions: tuple[str, ...]
    foreign: bool = False


Chunk: TypeAlias = (
    ContentChunk
    | TakenBackChunk
    | ReasoningChunk
    | StepChunk
    | ToolCallChunk
    | ToolResultChunk
    | RefusedChunk
    | InterruptChunk
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoCheckpoint:
    """The graph has not seen this run: send the input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """There is more to do. ``text`` is this run's answer so far, ``finished_steps`` counts its ended tool calls."""

    text: str
    finished_steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The graph is done with this run; ``text`` is its answer."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """The graph waits for people. The fields are those of :class:`Unfinished`."""

    text: str
    finished_steps: int


GraphPosition: TypeAlias = NoCheckpoint | Unfinished | Finished | Asking


@dataclass(frozen=True, slots=True, kw_only=True)
class HostBinding:
    """An agent that conversations can be routed to."""

    agent: str
    description: str
