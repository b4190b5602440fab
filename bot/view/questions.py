"""The questions of a run, folded from its events: what is asked, who voted, what was changed, what became of it.

A question is asked once, decided once and resolved once: whatever a take-over or a replay tells again changes
nothing. Who may decide, and whether a decision counts, was settled before its event was written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, get_args

from harness_core.approvals import ApproverRule, GrantTerms, Outcome, QuestionState, Verb
from harness_core.events import (
    ApprovalDecided,
    ApprovalExpired,
    ApprovalReminded,
    ApprovalRequested,
    ApprovalResolved,
    ApprovalRevised,
    ApprovalVoted,
    Event,
)

UNCERTAIN: Final = "uncertain"
_VERBS: Final[Mapping[str, Verb]] = {verb: verb for verb in get_args(Verb)}
_OUTCOMES: Final[Mapping[str, Outcome]] = {outcome: outcome for outcome in get_args(Outcome)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What one person changed at once, or approved before: arguments before and after, secret ones masked."""

    by: str
    at: int
    changes: tuple[tuple[str, Any, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question about one tool call. Times in milliseconds.

    `arguments` is the JSON object of the current revision, secret values masked. `said` is the reason of a
    rejection, or what was answered in the tool's place. `reminded` counts reminders. `also_asked` are people beside
    the run's requester whose request it is. `grants` is what more can be granted with an approval, `granted` whether
    it was.
    """

    approval_id: str
    kind: str
    pause: int
    call: str
    tool: str
    title: str
    arguments: str
    rule: ApproverRule
    quorum: int
    requested_at: int
    expires_at: int
    preview: str | None = None
    reason: str = ""
    destructive: bool = False
    editable: bool = True
    votes: int = 0
    revision: int = 0
    edits: tuple[Edit, ...] = ()
    state: QuestionState = "open"
    decision: Verb | None = None
    by: str | None = None
    at: int | None = None
    said: str = ""
    outcome: Outcome | None = None
    outcome_at: int | None = None
    reminded: int = 0
    also_asked: tuple[str, ...] = ()
    grants: GrantTerms | None = None
    granted: bool = False

    @property
    def is_open(self) -> bool:
        return self.state == "open"

    @property
    def uncertain(self) -> bool:
        """Whether the call may have happened already."""
        return self.kind == UNCERTAIN


def fold_question(questions: dict[str, Question], event: Event) -> Question | None:
    """Takes one event into `questions`, which are by approval id, in the order in which they were asked.

    Returns the question that it changed, if it did.
    """
    match event.payload:
        case ApprovalRequested() as asked if asked.approval not in questions:
            changed = _asked(asked, event.at)
        case ApprovalResolved(approval=approval) if approval in questions:
            changed = _resolved(questions[approval], event)
        case (
            ApprovalVoted(approval=approval)
            | ApprovalRevised(approval=approval)
            | ApprovalDecided(approval=approval)
            | ApprovalExpired(approval=approval)
            | ApprovalReminded(approval=approval)
        ) if approval in questions and questions[approval].is_open:
            changed = _changed(questions[approval], event)
        case _:
            return None
    known = questions.get(changed.approval_id)
    questions[changed.approval_id] = changed
    return changed if changed != known else None


def void(questions: dict[str, Question], at: int) -> None:
    """The run has ended: what is open is asked no more."""
    for question in questions.values():
        if question.is_open:
            questions[question.approval_id] = replace(question, state="void", at=at)


def _asked(asked: ApprovalRequested, at: int) -> Question:
    return Question(
        approval_id=asked.approval,
        kind=asked.kind,
        pause=asked.pause,
        also_asked=_names(asked.also_asked),
        call=asked.call,
        tool=asked.tool,
        title=asked.title,
        arguments=asked.arguments,
        rule=_rule(asked.rule),
        quorum=asked.quorum,
        requested_at=at,
        expires_at=at + asked.expire_after,
        preview=asked.preview,
        reason=asked.reason,
        destructive=asked.destructive,
        editable=asked.editable,
        grants=_terms(asked.grants or {}),
    )


def _resolved(question: Question, event: Event) -> Question:
    match event.payload:
        case ApprovalResolved(outcome=outcome) if question.outcome is None and outcome in _OUTCOMES:
            return replace(question, outcome=_OUTCOMES[outcome], outcome_at=event.at)
        case _:
            return question


def _changed(question: Question, event: Event) -> Question:
    """An open question after something happened to it."""
    match event.payload:
        case ApprovalVoted(votes=votes):
            return replace(question, votes=votes)
        case ApprovalRevised() as revised if revised.revision > question.revision:
            edit = Edit(by=revised.by, at=event.at, changes=_changes(revised.changes))
            return replace(
                question,
                revision=revised.revision,
                title=revised.title,
                arguments=revised.arguments,
                preview=revised.preview,
                votes=0,
                edits=(*question.edits, edit),
            )
        case ApprovalDecided(decision=decision, by=by, reason=said, grant=grant) if decision in _VERBS:
            return replace(
                question,
                state="decided",
                decision=_VERBS[decision],
                by=by,
                at=event.at,
                said=said,
                granted=grant is not None,
            )
        case ApprovalExpired():
            return replace(question, state="expired", at=event.at)
        case ApprovalReminded(number=number):
            return replace(question, reminded=max(number, question.reminded))
        case _:
            return question


def _rule(wire: Mapping[str, Any]) -> ApproverRule:
    """The rule as it was written; what is unreadable names nobody."""
    return ApproverRule(
        users=_names(wire.get("users")),
        usergroups=_names(wire.get("usergroups")),
        channel_members=wire.get("channel_members") is True,
        requester=wire.get("requester") is True,
    )


def _terms(wire: Mapping[str, Any]) -> GrantTerms | None:
    """What was written; what is unreadable grants nothing."""
    match wire:
        case {"lasts": int(lasts), "times": int(times), "same": same}:
            return GrantTerms(lasts=lasts, times=times, same=None if same is None else _names(same))
        case _:
            return None


def _names(wire: Any) -> tuple[str, ...]:
    return tuple(map(str, wire)) if isinstance(wire, list | tuple) else ()


def _changes(wire: Sequence[Sequence[Any]]) -> tuple[tuple[str, Any, Any], ...]:
    return tuple((str(each[0]), each[1], each[2]) for each in wire if len(each) == 3)
