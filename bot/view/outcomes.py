"""What became of a question, in a sentence: the line that takes the place of its buttons."""

from bot.view import approval_words as words
from bot.view.fold import RunView
from bot.view.limits import REASON
from bot.view.mrkdwn import Mrkdwn, clock, escape, person
from bot.view.questions import Question
from bot.view.request_blocks import PERSON
from bot.view.steps import StepState
from bot.view.visible import one_line
from harness_core.states import RunState


def outcome(view: RunView, question: Question) -> Mrkdwn:
    """How a question that is no longer open stands."""
    at = clock(question.at or question.requested_at)
    match question.state, question.decision:
        case "expired", _:
            return words.expired_doubt(at) if question.uncertain else words.expired(at)
        case "decided", "approve":
            return _approved(view, question, _user(question), at)
        case "decided", "again":
            return _again(view, question, _user(question), at)
        case "decided", "done":
            return words.confirmed(_user(question), at)
        case "decided", "skip":
            return words.skipped(_user(question), at)
        case "decided", "reject":
            return words.rejected(_user(question), _said(question))
        case "decided", "respond":
            return words.answered(_user(question), _said(question))
        case _:
            return _void(view, question)


def _approved(view: RunView, question: Question, user: Mrkdwn, at: Mrkdwn) -> Mrkdwn:
    then = clock(question.outcome_at or question.requested_at)
    match question.outcome:
        case "ran" | "failed" if _was_repeated(view, question):
            return words.approved_again(user)
        case "ran":
            return words.approved_ran(user, then)
        case "failed":
            return words.approved_failed(user, then)
        case "refused":
            return words.approved_refused(user, then)
        case "confirmed" | "answered":
            return words.approved_confirmed(user)
        case "skipped":
            return words.approved_skipped(user)
        case None:
            return _approved_so_far(view, question, user, at)


def _approved_so_far(view: RunView, question: Question, user: Mrkdwn, at: Mrkdwn) -> Mrkdwn:
    """Of a call whose outcome is not told."""
    if view.ended:
        too_late = _never_ran(view, question)
        return words.approved_too_late(user, at) if too_late else words.approved_unknown(user, at)
    if _is_doubted(view, question):
        return words.approved_in_doubt(user, at)
    return words.approved_waiting(user, at) if _held_up(view) else words.approved_running(user, at)


def _again(view: RunView, question: Question, user: Mrkdwn, at: Mrkdwn) -> Mrkdwn:
    then = clock(question.outcome_at or question.requested_at)
    match question.outcome:
        case "ran":
            return words.again_ran(user, then)
        case "failed":
            return words.again_failed(user, then)
        case None if not view.ended and _held_up(view):
            return words.again_waiting(user, at)
        case None if not view.ended:
            return words.again_running(user, at)
        case _:
            return words.again_unknown(user, at)


def _void(view: RunView, question: Question) -> Mrkdwn:
    by = view.cancelled_by or view.cancel_requested_by
    stopped = view.state is RunState.CANCELLED and by
    why = words.run_stopped(person(by, PERSON)) if stopped and by else words.RUN_ENDED
    return words.void_doubt(why) if question.uncertain else words.void(why)


def _never_ran(view: RunView, question: Question) -> bool:
    """Whether an approved call is known not to have started: the journal is sure of every call that has."""
    waiting = any(step.step == question.call and step.state is StepState.NOT_RUN for step in view.steps)
    return waiting and view.unsure == 0


def _is_doubted(view: RunView, question: Question) -> bool:
    return any(each.uncertain and each.call == question.call and each.is_open for each in view.approvals)


def _was_repeated(view: RunView, question: Question) -> bool:
    """Whether somebody had it run again, so that nobody can say any more that it ran once."""
    return any(each.call == question.call and each.decision == "again" for each in view.approvals)


def _held_up(view: RunView) -> bool:
    """Whether the run waits for other answers: it goes on when all of them are there."""
    return bool(view.open_questions)


def _user(question: Question) -> Mrkdwn:
    return person(question.by or "", PERSON)


def _said(question: Question) -> Mrkdwn | None:
    said = one_line(question.said)
    return escape(said, REASON) if said else None
