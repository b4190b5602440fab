"""The copy deck of approvals. What is filled in was escaped before it came here, as in :mod:`bot.view.words`."""

from collections.abc import Sequence
from typing import Final

from bot.view.mrkdwn import Mrkdwn

_M = Mrkdwn

APPROVE: Final = "Approve"
EDIT: Final = "Edit"
REJECT: Final = "Reject"
REVIEW: Final = "Review"
DETAILS: Final = "Details"
ASK_AGAIN: Final = "Ask again"
IT_IS_DONE: Final = "It is done"
RUN_AGAIN: Final = "Run again"
SKIP: Final = "Skip"
GO_BACK: Final = "Go back"
SAVE: Final = "Save"
NEXT_PAGE: Final = "Next page"
CANCEL: Final = "Cancel"

THIS_RUNS_NOW: Final = "This runs now."
VIEW_REQUEST: Final = "View request"
NO_PREVIEW: Final = "No preview available."
NO_REASON: Final = "The agent gave no reason."
NOBODY: Final = _M("Nobody")
CHANNEL_MEMBERS: Final = _M("members of this channel")
THE_REQUESTER: Final = _M("the requester")
NO_APPROVALS: Final = _M("Nothing waits for approval.")
NO_APPROVALS_AT_ALL: Final = _M("No approvals.")
NOTHING: Final = "nothing"

EDIT_TITLE: Final = "Edit request"
REJECT_TITLE: Final = "Reject request"
REVIEW_TITLE: Final = "Review request"
DETAILS_TITLE: Final = "Request"
REASON: Final = "Reason"
STATE: Final = "State"
DECIDED: Final = "Decided by"
APPROVAL: Final = "Approval of"
CHANGED_BY: Final = "Changed by"
CHANGED: Final = "Changed"
TOOL: Final = "Tool"
RUN: Final = "Run"
REQUEST: Final = "Request"
DIGEST: Final = "Digest"
REASON_HINT: Final = "The agent reads it."
LOADING: Final = "Loading …"
SAVING_IS_NOT_APPROVING: Final = "Saving does not approve. The request is shown again with the new values, and earlier approvals no longer count."
ONE_PER_LINE: Final = "One per line."
AS_JSON: Final = "As JSON."
KEEPS_VALUE: Final = "Secret. Leave it empty to keep the value."
NEEDED: Final = "This is needed."
CHOOSE: Final = "Choose one of the options."
WHOLE_NUMBER: Final = "Write a whole number, such as 3."
NUMBER: Final = "Write a number, such as 2.5."
NOT_JSON: Final = "This is not JSON that can be used."

STALE: Final = _M("The values changed while you were reading. Check them and decide again.")
OUTDATED: Final = _M(
    "The configuration changed since this was asked, so the run was ended. Nothing was run. Ask again."
)
NOT_A_DOUBT: Final = _M("Nobody doubts that this was not run. It can be approved or rejected.")
ONLY_A_DOUBT: Final = _M("This may have happened already. Choose “It is done”, “Run again” or “Skip”.")
UNKNOWN_APPROVAL: Final = _M("This request is gone. It may be past its retention. Nothing was changed.")
GUEST: Final = _M("Guests and people from other organisations can't decide requests here.")


def card_title(title: str) -> str:
    return f"{title}?"


def card_context(agent: Mrkdwn, requester: Mrkdwn, request: Mrkdwn) -> Mrkdwn:
    """`request` is the link to the message that asked."""
    return _M(f"{agent} · asked by {requester} · {request}")


def push(title: Mrkdwn, requester: Mrkdwn) -> Mrkdwn:
    return _M(f"Approval needed: {title} (asked by {requester})")


def push_several(number: int, title: Mrkdwn, requester: Mrkdwn) -> Mrkdwn:
    return push(and_more(title, number - 1), requester)


def and_more(title: Mrkdwn, number: int) -> Mrkdwn:
    return _M(f"{title} and {number} more")


def agents_reason(reason: str) -> str:
    """The quotation marks tell the agent's words from ours."""
    return f"The agent's reason: “{reason}”"


def who_decides(
    approvers: Mrkdwn, except_for: Mrkdwn | None, votes: int, quorum: int, until: Mrkdwn
) -> Mrkdwn:
    excluded = f", except {except_for}, who asked" if except_for else ""
    return _M(f"{approvers} can decide{excluded}. {votes} of {quorum} approvals. Expires {until}.")


def who_settles(approvers: Mrkdwn, except_for: Mrkdwn | None, until: Mrkdwn) -> Mrkdwn:
    """Of a call that may have happened: there is nothing to count."""
    excluded = f", except {except_for}, who asked" if except_for else ""
    return _M(f"{approvers} can decide{excluded}. Expires {until}.")


def any_of(names: Sequence[Mrkdwn]) -> Mrkdwn:
    """“a, b and c”."""
    if not names:
        return NOBODY
    *most, last = names
    return _M(f"{', '.join(most)} and {last}") if most else last


def more_people(number: int) -> Mrkdwn:
    return _M(f"{number} more")


def cut_arguments(length: int, button: str) -> str:
    """Stands where arguments of `length` characters go on."""
    return f"… {length} characters in all: press {button} to read everything"


def review_requests(number: int) -> str:
    return f"Review {number} requests" if number != 1 else "Review 1 request"


def also_decided(number: int) -> Mrkdwn:
    return _M(f"{number} more decided before" if number != 1 else "1 more decided before")


def approved_running(user: Mrkdwn, at: Mrkdwn) -> Mrkdwn:
    return _M(f"Approved by {user} at {at}. Running now.")


def approved_waiting(user: Mrkdwn, at: Mrkdwn) -> Mrkdwn:
    """While other calls of the same stretch are undecided, nothing of a parked run goes on."""
    return _M(f"Approved by {user} at {at}. It runs when the other requests are decided.")


def approved_ran(user: Mrkdwn, at: Mrkdwn) -> Mrkdwn:
    return _M(f"Approved by {user}. Ran once at {at}.")


def approved_failed(user: Mrkdwn, at: Mrkdwn) -> Mrkdwn:
    return _M(f"Approved by {user}. Ran once at {at} and failed.")


def approved_refused(user: Mrkdwn, at: Mrkdwn) -> Mrkdwn:
    return _M(f"Approved by {user}. Refused at {at}, so it did not run.")


def approved_confirmed(user: Mrkdwn) -> Mrkdwn:
    return _M(f"Approved by {user}. The bot stopped while it ran; a person found that it is done.")


def approved_skipped(user: Mrkdwn) -> Mrkdwn:
    return _M(f"Approved by {user}. The bot stopped while it ran; it was not run again.")


def approved_again(user: Mrkdwn) -> Mrkdwn:
    """When, and how it went, is told where somebody chose so."""
    return _M(f"Approved by {user}. The bot stopped while it ran; it was run again.")


def approved_in_doubt(user: Mrkdwn, at: Mrkdwn) -> Mrkdwn:
    return _M(f"Approved by {user} at {at}. The bot stopped while it ran: it may have happened.")


def approved_too_late(user: Mrkdwn, at: Mrkdwn) -> Mrkdwn:
    return _M(f"Approved by {user} at {at}. The run ended before that, so it did not run.")


def approved_unknown(user: Mrkdwn, at: Mrkdwn) -> Mrkdwn:
    return _M(f"Approved by {user} at {at}. The run ended before its outcome was known.")


def rejected(user: Mrkdwn, reason: Mrkdwn | None) -> Mrkdwn:
    said = f": “{reason}”" if reason else "."
    return _M(f"Rejected by {user}{said} It did not run.")


def answered(user: Mrkdwn, response: Mrkdwn | None) -> Mrkdwn:
    said = f": “{response}”" if response else "."
    return _M(f"Answered by {user} in its place{said} It did not run.")


def expired(at: Mrkdwn) -> Mrkdwn:
    return _M(f"Expired at {at} without a decision. It did not run.")


def expired_doubt(at: Mrkdwn) -> Mrkdwn:
    return _M(f"Expired at {at} without a decision. It may have happened, and was not run again.")


def void(why: Mrkdwn) -> Mrkdwn:
    return _M(f"{why} It did not run.")


def void_doubt(why: Mrkdwn) -> Mrkdwn:
    return _M(f"{why} It may have happened, and was not run again.")


RUN_ENDED: Final = _M("The run ended before anybody decided.")


def run_stopped(user: Mrkdwn) -> Mrkdwn:
    return _M(f"Stopped by {user} before anybody decided.")


def confirmed(user: Mrkdwn, at: Mrkdwn) -> Mrkdwn:
    return _M(f"{user} said at {at} that it is done. It was not run again.")


def again_running(user: Mrkdwn, at: Mrkdwn) -> Mrkdwn:
    return _M(f"{user} chose at {at} to run it again. Running now.")


def again_waiting(user: Mrkdwn, at: Mrkdwn) -> Mrkdwn:
    return _M(f"{user} chose at {at} to run it again. It runs when the other requests are decided.")


def again_ran(user: Mrkdwn, at: Mrkdwn) -> Mrkdwn:
    return _M(f"{user} chose to run it again. Ran at {at}.")


def again_failed(user: Mrkdwn, at: Mrkdwn) -> Mrkdwn:
    return _M(f"{user} chose to run it again. Ran at {at} and failed.")


def again_unknown(user: Mrkdwn, at: Mrkdwn) -> Mrkdwn:
    return _M(f"{user} chose at {at} to run it again. The run ended before its outcome was known.")


def skipped(user: Mrkdwn, at: Mrkdwn) -> Mrkdwn:
    return _M(f"{user} skipped it at {at}. It was not run again.")


def edited(user: Mrkdwn, changes: Sequence[Mrkdwn], more: int) -> Mrkdwn:
    """`changes` are “argument: before → after”; `more` counts those that are not listed."""
    rest = f" and {more} more" if more else ""
    return _M(f"{user} changed {', '.join(changes)}{rest}. Earlier approvals no longer count.")


def differs(changes: Sequence[Mrkdwn], more: int) -> Mrkdwn:
    """`changes` and `more` as of :func:`edited`, from the last approved call of the tool to this one."""
    rest = f" and {more} more" if more else ""
    return _M(f"Differs from the last approved call: {', '.join(changes)}{rest}.")


def same_as_last(user: Mrkdwn, at: Mrkdwn) -> Mrkdwn:
    return _M(f"The same as the last approved call, by {user} at {at}.")


def change(argument: Mrkdwn, before: Mrkdwn, after: Mrkdwn) -> Mrkdwn:
    return _M(f"{argument}: {before} → {after}")


def uncertain(title: Mrkdwn) -> Mrkdwn:
    return _M(f"The bot stopped while it ran “{title}”. It may have happened. Check, then choose.")


def waiting(title: Mrkdwn) -> Mrkdwn:
    return _M(f"Waiting for approval: {title}. See below.")


def waiting_for_several(number: int) -> Mrkdwn:
    return _M(f"Waiting for {number} approvals. See below.")


def waiting_in_doubt(title: Mrkdwn) -> Mrkdwn:
    return _M(f"Waiting for a decision: “{title}” may have happened. See below.")


def nobody_can(title: Mrkdwn) -> Mrkdwn:
    return _M(
        f"Nobody here can approve this, so it did not run. Ask an admin to name approvers for “{title}”."
    )


def own_request(approvers: Mrkdwn) -> Mrkdwn:
    return _M(f"You asked for this, so someone else must approve. {approvers} can.")


def cannot_decide(approvers: Mrkdwn) -> Mrkdwn:
    return _M(f"You can't decide this request. {approvers} can.")


def already(decided: str, user: Mrkdwn, at: Mrkdwn) -> Mrkdwn:
    return _M(f"Already {decided} by {user} at {at}. Your click changed nothing.")


def too_late(at: Mrkdwn) -> Mrkdwn:
    return _M(f"Expired at {at}. Your click changed nothing.")


def run_over(how: str) -> Mrkdwn:
    return _M(f"This run {how}. Your click changed nothing.")


def tallied(votes: int, quorum: int) -> Mrkdwn:
    return _M(f"Your approval counts. {votes} of {quorum} approvals.")


def tallied_before(votes: int, quorum: int) -> Mrkdwn:
    return _M(f"Your approval was counted before. {votes} of {quorum} approvals. Your click changed nothing.")


def reminder(requester: Mrkdwn, title: Mrkdwn, until: Mrkdwn) -> Mrkdwn:
    return _M(f"{requester} is waiting for you: {title}. Expires {until}.")


def in_the_list(reminder: Mrkdwn) -> Mrkdwn:
    """Of what was asked where its reader cannot look."""
    return _M(f"{reminder} It was asked in a direct message: `/harness approvals` lets you decide it.")


def reminder_for(requester: Mrkdwn, approvers: Mrkdwn, title: Mrkdwn, until: Mrkdwn) -> Mrkdwn:
    """Where everybody reads it."""
    return _M(f"{requester} is waiting for {approvers}: {title}. Expires {until}.")


def reminder_to_requester(requester: Mrkdwn, title: Mrkdwn, until: Mrkdwn) -> Mrkdwn:
    """Where only the one who asked can decide."""
    return _M(f"{requester}, this is waiting for you: {title}. Expires {until}.")


def kept_as_it_is(argument: str, characters: int) -> str:
    return f"{argument} has {characters} characters, more than a form can hold. It stays as it is."


def kept_arguments(number: int) -> str:
    return f"{number} more arguments do not fit in a form. They stay as they are."


def in_line(number: int, sentence: str) -> str:
    return f"Line {number}: {sentence}"


def not_json(problem: str, line: int, column: int) -> str:
    return f"This is not JSON: {problem} in line {line}, column {column}."


def page(number: int, total: int) -> Mrkdwn:
    return _M(f"Page {number} of {total}")
