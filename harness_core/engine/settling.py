"""Decisions of a program: words and exceptions in the place of records and outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from harness_core.approvals import (
    AlreadyDecided,
    Approval,
    Approve,
    Decision,
    DecisionOutcome,
    Invalid,
    ItIsDone,
    Outdated,
    Reject,
    Respond,
    Revised,
    RevisionOutcome,
    RunAgain,
    RunOver,
    Skip,
    Stale,
    Tallied,
    TooLate,
    Won,
)
from harness_core.engine.approvals import Approvals
from harness_core.errors import ApprovalAlreadyDecided, DecisionRefused

DecisionWord = Literal["approve", "edit", "reject", "respond", "done", "again", "skip"]

SOURCE = "library"


async def settle(
    approvals: Approvals,
    approval: Approval,
    word: DecisionWord,
    *,
    by: str,
    edited_input: Mapping[str, Any] | None,
    reason: str,
) -> None:
    """Takes the decision that ``word`` names; a vote of several is one, too.

    :raises ApprovalAlreadyDecided: somebody was faster.
    :raises DecisionRefused: it cannot be decided so.
    """
    words = get_args(DecisionWord)
    if word not in words:
        raise DecisionRefused(f"“{word}” is no decision. Known: {', '.join(words)}")
    revision = approval.revision
    if word == "edit":
        if edited_input is None:
            raise DecisionRefused("an edit needs edited_input: the arguments to run with")
        revised = await approvals.revise(
            approval.tenant, approval.approval_id, edited_input, revision=revision, by=by, source=SOURCE
        )
        if not isinstance(revised, Revised):
            raise _refused(revised)
        revision = revised.approval.revision
    outcome = await approvals.decide(
        approval.tenant,
        approval.approval_id,
        _decision(word, reason),
        revision=revision,
        by=by,
        source=SOURCE,
    )
    if not isinstance(outcome, Won | Tallied):
        raise _refused(outcome)


def _decision(word: DecisionWord, reason: str) -> Decision:
    match word:
        case "approve" | "edit":
            return Approve()
        case "reject":
            return Reject(reason=reason)
        case "respond":
            return Respond(text=reason)
        case "done":
            return ItIsDone()
        case "again":
            return RunAgain()
        case "skip":
            return Skip()


def _refused(outcome: DecisionOutcome | RevisionOutcome) -> ApprovalAlreadyDecided | DecisionRefused:
    match outcome:
        case AlreadyDecided(decision=decision, by=by, at=at):
            return ApprovalAlreadyDecided(decision, by, at)
        case TooLate():
            return DecisionRefused("the time to decide is over")
        case Stale(revision=revision):
            return DecisionRefused(f"the arguments were changed meanwhile: look at revision {revision}")
        case RunOver(state=state):
            return DecisionRefused(f"the run is {state}")
        case Outdated():
            return DecisionRefused("the configuration changed since, so the run was ended")
        case Invalid(errors=errors):
            told = "; ".join(f"{each.argument or 'arguments'}: {each.message}" for each in errors)
            return DecisionRefused(f"the arguments do not fit: {told}")
        case _:
            return DecisionRefused("this question has other answers")
