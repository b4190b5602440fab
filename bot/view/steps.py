"""What an agent did, and what it wanted to do: its steps, folded from events and from the questions about them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Literal

from bot.view.questions import Question
from harness_core.events import (
    ApprovalGranted,
    Event,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunHeld,
    RunResumed,
    StepCompleted,
    StepStarted,
    ToolRefused,
)


class StepState(StrEnum):
    WAITING = "waiting for approval"
    APPROVED = "approved"  # it has not started since
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"  # the worker went away, or the run ended, before its outcome was known
    UNSURE = "may have happened"  # people are asked
    REJECTED = "rejected"
    EXPIRED = "expired"
    REFUSED = "refused"  # nobody was asked
    SKIPPED = "skipped"  # it may have happened, and is not repeated
    NOT_RUN = "not run"  # the run ended before it could start


NOT_STARTED: Final = frozenset(
    {
        StepState.WAITING,
        StepState.APPROVED,
        StepState.REJECTED,
        StepState.EXPIRED,
        StepState.REFUSED,
        StepState.NOT_RUN,
    }
)
"""The states of a call that has done nothing."""


_ENDED: Final = frozenset(
    {StepState.DONE, StepState.FAILED, StepState.REJECTED, StepState.EXPIRED, StepState.REFUSED}
)
_STATE_AFTER: Final = {"ran": StepState.DONE, "failed": StepState.FAILED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What let a call through in the place of an approval: use number `used` of `times` of a grant of `by`."""

    by: str
    used: int
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing the agent did, or wanted to do. Times in milliseconds; `effect` as in `StepStarted`."""

    step: str
    label: str
    kind: Literal["model", "tool"]
    started_at: int
    state: StepState = StepState.RUNNING
    ended_at: int | None = None
    effect: str = "once"
    allowed: Allowance | None = None


def fold_steps(
    steps: dict[str, Step], event: Event, asked: Question | None, questions: Mapping[str, Question]
) -> None:
    """Takes one event into `steps`, which are by id, in order. `asked` is the question that it changed."""
    if asked is not None:
        _fold_question(steps, asked)
        return
    match event.payload:
        case StepStarted(step=step, label=label, kind=kind, effect=effect):
            begun = Step(step=step, label=label or step, kind=kind, started_at=event.at, effect=effect)
            _add(steps, replace(begun, allowed=_allowed(steps.get(step))))
        case ApprovalGranted(call=call, tool=tool, by=by, used=used, times=times):
            let_through = Step(
                step=call, label=tool, kind="tool", started_at=event.at, state=StepState.APPROVED
            )
            _add(steps, replace(let_through, allowed=Allowance(by=by, used=used, times=times)))
        case StepCompleted(step=step, ok=ok):
            _set(steps, step, StepState.DONE if ok else StepState.FAILED, event.at)
        case ToolRefused(call=call, title=title):
            refused = Step(step=call, label=title, kind="tool", started_at=event.at, ended_at=event.at)
            _add(steps, replace(refused, state=StepState.REFUSED, effect="none"))
        case RunResumed() | RunHeld():
            _interrupt(steps, event.at, questions)
        case RunCompleted() | RunFailed() | RunCancelled():
            _interrupt(steps, event.at, questions)
            _end(steps, event.at)
        case _:
            pass


def _fold_question(steps: dict[str, Step], asked: Question) -> None:
    """A call that waits for people is a step before it starts."""
    match asked.state, asked.decision:
        case "open", _ if asked.uncertain and asked.call in steps:
            _set(steps, asked.call, StepState.UNSURE, None)
        case "open", _ if not asked.edits and not asked.votes and not asked.reminded:
            state = StepState.UNSURE if asked.uncertain else StepState.WAITING
            step = Step(step=asked.call, label=asked.title, kind="tool", started_at=asked.requested_at)
            _add(steps, replace(step, state=state))
        case "open", _ if asked.call in steps and not asked.uncertain:
            steps[asked.call] = replace(steps[asked.call], label=asked.title)
        case "expired", _:
            state = StepState.SKIPPED if asked.uncertain else StepState.EXPIRED
            _set(steps, asked.call, state, asked.at)
        case "decided", ("approve" | "again"):
            if asked.outcome is None:
                _set(steps, asked.call, StepState.APPROVED, None)
        case "decided", "done":
            _set(steps, asked.call, StepState.DONE, asked.at)
        case "decided", "skip":
            _set(steps, asked.call, StepState.SKIPPED, asked.at)
        case "decided", _:
            _set(steps, asked.call, StepState.REJECTED, asked.at)
        case _:
            pass


def _set(steps: dict[str, Step], step: str, state: StepState, at: int | None) -> None:
    """`at` is when it ended, None while it goes on."""
    if step in steps:
        steps[step] = replace(steps[step], state=state, ended_at=at)


def _allowed(before: Step | None) -> Allowance | None:
    """What let the call through that begins now, or begins again."""
    return before.allowed if before is not None and before.state not in _ENDED else None


def _add(steps: dict[str, Step], step: Step) -> None:
    """A step that is told again stands in its own place; another call under the same id, beside it.

    Some models number their calls anew in every message.
    """
    found = steps.get(step.step)
    if found is not None and found.state in _ENDED and step.effect != "none":
        number = sum(each.startswith(f"{step.step}#") for each in steps)
        earlier = replace(found, step=f"{step.step}#{number + 1}")
        kept = [earlier if each is found else each for each in steps.values()]
        steps.clear()
        steps |= {each.step: each for each in kept}
    steps[step.step] = step


def _interrupt(steps: dict[str, Step], at: int, questions: Mapping[str, Question]) -> None:
    """No worker is at work on what was going on. Where it was asked about, it is known how it ended."""
    outcomes = {question.call: question.outcome for question in questions.values()}
    for step in list(steps.values()):
        known = _STATE_AFTER.get(outcomes.get(step.step) or "")
        if step.state is StepState.RUNNING or (step.state is StepState.APPROVED and known):
            _set(steps, step.step, known or StepState.INTERRUPTED, at)


def _end(steps: dict[str, Step], at: int) -> None:
    """The run is over: what has not started never will."""
    for step in list(steps.values()):
        if step.state in {StepState.WAITING, StepState.APPROVED}:
            _set(steps, step.step, StepState.NOT_RUN, at)
        elif step.state is StepState.UNSURE:
            _set(steps, step.step, StepState.INTERRUPTED, at)
