"""Events become a view model.

Folding is a left fold: `fold(fold(view, a), b) == fold(view, a + b)`, and an event that was folded before
(by its sequence number) changes nothing, so a reader may go on from any view that it kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from bot.view.questions import Question, fold_question, void
from bot.view.steps import NOT_STARTED, Step, fold_steps
from harness_core.events import (
    CancelRequested,
    Event,
    OutputDelta,
    OutputTakenBack,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunHeld,
    RunQueued,
    RunResumed,
    RunRouted,
    RunStarted,
    StateChanged,
    SyntheticFallback,
    ToolRefused,
)
from harness_core.models import Run
from harness_core.states import TERMINAL, RunState

WORTH_TELLING: Final = 10_000
"""Milliseconds without a worker above which people are told of the interruption."""


_STATES: Final[frozenset[str]] = frozenset(RunState)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interruption:
    """The run was without a worker from `at` on; `finished_steps` will not run again."""

    at: int
    finished_steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """`reason` is a short code; `sentence` is for people and may be empty."""

    reason: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A call that was not made, and that nobody was asked about; `sentence` says why."""

    call: str
    title: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """Everything a message about a run shows. `seq` is the newest event in it; times in milliseconds.

    `delayed` is set for one that waits for a worker longer than a moment, though no other is before it in its thread;
    `held_since` is set while it waits for somebody to let it go on, after its worker was lost.

    `message` is the model message that `text` ends with; None where the next text starts a paragraph. `ran` and
    `unsure` count, by the journal, tool calls that ran and that may have; None: not known.
    """

    run_id: str
    requester: str
    created_at: int
    agent: str | None = None
    state: RunState = RunState.QUEUED
    position: int = 0
    delayed: bool = False
    text: str = ""
    message: str | None = None
    steps: tuple[Step, ...] = ()
    approvals: tuple[Question, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    ran: int | None = None
    unsure: int | None = None
    interruption: Interruption | None = None
    held_since: int | None = None
    failure: Failure | None = None
    cancel_requested_by: str | None = None
    cancelled_by: str | None = None
    started_at: int | None = None
    ended_at: int | None = None
    seq: int = 0

    @property
    def ended(self) -> bool:
        return self.state in TERMINAL

    @property
    def calls(self) -> tuple[Step, ...]:
        """What the agent did and what it wanted to do, without its thinking."""
        return tuple(step for step in self.steps if step.kind == "tool")

    @property
    def tool_steps(self) -> tuple[Step, ...]:
        """The steps that are counted for people: what the agent did."""
        return tuple(step for step in self.calls if step.state not in NOT_STARTED)

    @property
    def open_questions(self) -> tuple[Question, ...]:
        """What people are asked at this moment."""
        return tuple(question for question in self.approvals if question.is_open)

    @property
    def untouched(self) -> bool:
        """Whether it is proven that the run changed nothing: by the journal, else by what is known of its steps."""
        if self.ran is not None and self.unsure is not None:
            return self.ran == 0 and self.unsure == 0
        acted = any(step.effect != "none" for step in self.tool_steps)
        unsettled = any(
            question.outcome is None and (question.uncertain or question.decision == "approve")
            for question in self.approvals
        )
        return not acted and not unsettled


def start(run: Run) -> RunView:
    """The view of a run before its first event."""
    return RunView(run_id=run.run_id, requester=run.user, created_at=run.created_at, agent=run.agent)


def fold(view: RunView, events: Iterable[Event]) -> RunView:
    """`view` with `events` added, which are in order. What is unknown or was folded before is skipped."""
    draft = _Draft(view)
    for event in events:
        if event.seq > draft.seq:
            draft.seq = event.seq
            question = fold_question(draft.questions, event)
            _fold_state(draft, event)
            _fold_answer(draft, event)
            fold_steps(draft.steps, event, question, draft.questions)
            _fold_refusals(draft, event)
            if draft.state in TERMINAL:
                void(draft.questions, event.at)  # also what a late event would ask
    return draft.view()


@dataclass(slots=True)
class _Draft:
    """A view that may be changed. The text is kept in pieces: joined once, however many deltas came."""

    base: RunView
    seq: int = field(init=False)
    state: RunState = field(init=False)
    pieces: list[str] = field(init=False)
    message: str | None = field(init=False)
    steps: dict[str, Step] = field(init=False)
    questions: dict[str, Question] = field(init=False)
    refusals: dict[str, Refusal] = field(init=False)
    changed: dict[str, object] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        base = self.base
        self.seq, self.state, self.message = base.seq, base.state, base.message
        self.pieces = [base.text] if base.text else []
        self.steps = {step.step: step for step in base.steps}
        self.questions = {question.approval_id: question for question in base.approvals}
        self.refusals = {refusal.call: refusal for refusal in base.refusals}

    def set_state(self, state: RunState, at: int) -> None:
        self.state = state
        if state is RunState.RUNNING and self.base.started_at is None:
            self.changed.setdefault("started_at", at)
        if state in TERMINAL:
            void(self.questions, at)
            if self.base.ended_at is None:
                self.changed.setdefault("ended_at", at)

    def replace_text(self, text: str) -> None:
        self.pieces = [text] if text else []
        self.message = None

    def add_text(self, text: str, message: str) -> None:
        if self.pieces and message != self.message:
            self.pieces.append("\n\n")
        self.pieces.append(text)
        self.message = message

    def view(self) -> RunView:
        fresh: dict[str, object] = {
            **self.changed,
            "seq": self.seq,
            "state": self.state,
            "message": self.message,
            "text": "".join(self.pieces),
            "steps": tuple(self.steps.values()),
            "approvals": tuple(self.questions.values()),
            "refusals": tuple(self.refusals.values()),
        }
        return replace(self.base, **fresh)  # type: ignore[arg-type]  # one dict for fields of several types


def _fold_state(draft: _Draft, event: Event) -> None:
    match event.payload:
        case RunQueued(position=position):
            draft.changed["position"] = position
        case RunRouted(agent=agent):
            draft.changed["agent"] = agent
        case RunStarted():
            draft.set_state(RunState.RUNNING, event.at)
        case StateChanged(target=target) if target in _STATES:
            draft.set_state(RunState(target), event.at)
        case RunHeld(since=since):
            draft.changed["held_since"] = since
        case RunResumed(gap=gap, finished_steps=steps):
            draft.set_state(RunState.RUNNING, event.at)
            draft.changed["held_since"] = None
            if gap > WORTH_TELLING:
                draft.changed["interruption"] = Interruption(at=event.at - gap, finished_steps=steps)
        case _:
            _fold_end(draft, event)


def _fold_end(draft: _Draft, event: Event) -> None:
    match event.payload:
        case CancelRequested(by=by):
            draft.changed["cancel_requested_by"] = by
        case RunCancelled(by=by, ran=ran, unsure=unsure):
            draft.changed |= {"cancelled_by": by, "ran": ran, "unsure": unsure}
            draft.set_state(RunState.CANCELLED, event.at)
        case RunFailed(reason=reason, message=sentence, ran=ran, unsure=unsure):
            failure = Failure(reason=reason, sentence=sentence)
            draft.changed |= {"failure": failure, "ran": ran, "unsure": unsure}
            draft.set_state(RunState.FAILED, event.at)
        case RunCompleted():
            draft.set_state(RunState.COMPLETED, event.at)
        case _:
            pass


def _fold_refusals(draft: _Draft, event: Event) -> None:
    match event.payload:
        case ToolRefused(call=call, title=title, message=sentence):
            draft.refusals.setdefault(call, Refusal(call=call, title=title, sentence=sentence))
        case _:
            pass


def _fold_answer(draft: _Draft, event: Event) -> None:
    match event.payload:
        case OutputDelta(text=text, message=message) if text:
            draft.add_text(text, message)
        case RunResumed(text=text) | OutputTakenBack(text=text) | SyntheticFallback(text=text):
            draft.replace_text(text)
        case RunCompleted(output=text) | RunFailed(output=text) if text:
            draft.replace_text(text)
        case _:
            pass
