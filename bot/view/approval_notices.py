"""What one person is told about a request: why a click changed nothing, who can decide, what waits."""

import re
from collections.abc import Mapping
from typing import Final

from bot.view import approval_words as words
from bot.view.approval_words import any_of
from bot.view.blocks import Block, Notice, actions, button, header, notice, section
from bot.view.mrkdwn import Mrkdwn, clock, escape, link, person
from bot.view.values import (
    APPROVAL_DETAILS,
    APPROVAL_REJECT,
    APPROVAL_REVIEW,
    APPROVALS_PAGE,
    ApprovalRef,
    ApprovalsPage,
)
from bot.view.visible import one_line
from bot.view.words import NO_LINK, NONE_HERE, OLDER, OPEN, age
from harness_core.approvals import (
    AlreadyDecided,
    Approval,
    ApproverRule,
    NotApplicable,
    RunOver,
    Tallied,
    TooLate,
    Verb,
)
from harness_core.models import Page
from harness_core.states import RunState

ROWS: Final = 10
_LISTED: Final = 8
_NAME: Final = 40
_TITLE: Final = 60
_LONGEST_LINK: Final = 160
_GROUP: Final = re.compile(r"S[A-Z0-9]{2,}")

_DECIDED: Final[dict[Verb, str]] = {
    "approve": "approved",
    "reject": "rejected",
    "respond": "answered",
    "done": "marked as done",
    "again": "sent to run again",
    "skip": "skipped",
}
_ENDED: Final = {
    RunState.COMPLETED: "has ended",
    RunState.FAILED: "has failed",
    RunState.CANCELLED: "was stopped",
}


def approvers(rule: ApproverRule, names: Mapping[str, str] | None = None) -> Mrkdwn:
    """The people of a rule in words: “@ana, @ops and members of this channel”.

    They are mentions, which Slack resolves; `names` are used in their place where they are known.
    """
    known = names or {}
    people = [_named(known, user) or person(user, _NAME) for user in rule.users]
    people += [_named(known, group) or _group(group) for group in rule.usergroups]
    if len(people) > _LISTED:
        people = [*people[:_LISTED], words.more_people(len(people) - _LISTED)]
    if rule.channel_members:
        people.append(words.CHANNEL_MEMBERS)
    if rule.requester:
        people.append(words.THE_REQUESTER)
    return any_of(people)


def opening(people: Mrkdwn) -> Mrkdwn:
    """The people of a rule where a sentence begins with them; names stay as they are."""
    for ours in (words.CHANNEL_MEMBERS, words.THE_REQUESTER):
        if people.startswith(ours):
            return Mrkdwn(people[:1].upper() + people[1:])
    return people


def own_request(approvers: Mrkdwn) -> Notice:
    return notice(words.own_request(opening(approvers)))


def cannot_decide(approvers: Mrkdwn) -> Notice:
    return notice(words.cannot_decide(opening(approvers)))


def guest() -> Notice:
    return notice(words.GUEST)


def already(outcome: AlreadyDecided) -> Notice:
    return notice(words.already(_DECIDED[outcome.decision], person(outcome.by), clock(outcome.at)))


def stale() -> Notice:
    return notice(words.STALE)


def too_late(outcome: TooLate) -> Notice:
    return notice(words.too_late(clock(outcome.at)))


def run_over(outcome: RunOver) -> Notice:
    return notice(words.run_over(_ENDED.get(outcome.state, "no longer asks this")))


def outdated() -> Notice:
    return notice(words.OUTDATED)


def tallied(outcome: Tallied) -> Notice:
    said = words.tallied_before if outcome.repeated else words.tallied
    return notice(said(outcome.votes, outcome.quorum))


def not_applicable(outcome: NotApplicable) -> Notice:
    return notice(words.ONLY_A_DOUBT if outcome.kind == "uncertain" else words.NOT_A_DOUBT)


def unknown_approval() -> Notice:
    return notice(words.UNKNOWN_APPROVAL)


def approvals_list(
    page: Page[Approval], links: Mapping[str, str], now_ms: int, *, open_only: bool = True
) -> Notice:
    """A page of requests, at most ten rows; `links` leads from approval ids to their cards, where known.

    :raises ValueTooLong: if the cursor is too long for a button.
    """
    found = page.items[:ROWS]
    if not found and page.cursor is None:
        return notice(words.NO_APPROVALS if open_only else words.NO_APPROVALS_AT_ALL)
    blocks: list[Block] = [header("Approvals")] if found else [section(NONE_HERE)]
    for approval in found:
        blocks += _row_blocks(approval, links.get(approval.approval_id), now_ms)
    if page.cursor is not None:
        older = ApprovalsPage(cursor=page.cursor, open_only=open_only)
        blocks.append(actions([button(OLDER, APPROVALS_PAGE, older)]))
    rows = [" · ".join(_cells(approval, links.get(approval.approval_id), now_ms)) for approval in found]
    return Notice(text="\n".join(rows) or NONE_HERE, blocks=tuple(blocks))


def _row_blocks(approval: Approval, url: str | None, now_ms: int) -> list[Block]:
    approval_id, title, *rest = _cells(approval, url, now_ms)
    ref = ApprovalRef(approval_id=approval.approval_id, revision=approval.revision)
    if approval.state == "open" and approval.kind == "call":
        # Nobody approves what they have not seen, so what a list offers is to read it.
        buttons = [button(words.REVIEW, APPROVAL_REVIEW, ref), button(words.REJECT, APPROVAL_REJECT, ref)]
    else:
        buttons = [button(words.DETAILS, APPROVAL_DETAILS, ref)]
    return [section(Mrkdwn(f"{title}\n`{approval_id}`\n{' · '.join(rest)}")), actions(buttons)]


def _cells(approval: Approval, url: str | None, now_ms: int) -> tuple[Mrkdwn, ...]:
    shown = link(url, OPEN) if url else NO_LINK
    return (
        escape(approval.approval_id, _NAME),
        escape(one_line(approval.asked.title), _TITLE),
        Mrkdwn(state_of(approval)),
        escape(approval.agent or "no agent", _NAME),
        person(approval.requester, _NAME),
        Mrkdwn(age(now_ms - approval.requested_at)),
        shown if len(shown) <= _LONGEST_LINK else NO_LINK,
    )


def state_of(approval: Approval) -> str:
    """How a request stands, in a word or two."""
    if approval.state == "decided" and approval.decision is not None:
        return _DECIDED[approval.decision]
    if approval.state == "open" and approval.kind == "uncertain":
        return "uncertain"
    if approval.state == "open" and approval.quorum > 1:
        return f"{len(approval.votes)} of {approval.quorum} approvals"
    return approval.state


def _named(names: Mapping[str, str], who: str) -> Mrkdwn | None:
    return escape(f"@{names[who]}", _NAME) if who in names else None


def _group(group: str) -> Mrkdwn:
    return Mrkdwn(f"<!subteam^{group}>") if _GROUP.fullmatch(group) else escape(group, _NAME)
