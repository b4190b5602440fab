"""Reminders of what still waits: a direct message to each person who is named, else a line in the thread."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bot.view import approval_words as words
from bot.view.approval_card import card_name
from bot.view.approval_notices import approvers
from bot.view.blocks import actions, link_button, section
from bot.view.fold import RunView
from bot.view.limits import LABEL, URL
from bot.view.message import Part
from bot.view.mrkdwn import Mrkdwn, escape, person
from bot.view.questions import Question
from bot.view.request_blocks import PERSON, deadline
from bot.view.values import OPEN_CARD
from bot.view.visible import one_line
from harness_core.approvals import ApproverRule

MOST: Final = 5
"""People who are written to; where more are named, the thread is told."""


def reminders(
    view: RunView, *, card_url: str = "", in_public: bool = False, direct: bool = False
) -> tuple[Part, ...]:
    """The newest reminder of each card that is still open; `card_url` leads to it.

    A title may hold arguments, which nobody outside of the channel may read unless it is public: `in_public` says
    so, and otherwise a direct message names only the tool. Of what was asked in a `direct` message, whose card nobody
    else can open, those who are named hear at once if only they can decide, and read the rest in their list.
    """
    waiting: dict[str, list[Question]] = {}
    for question in view.open_questions:
        waiting.setdefault(card_name(question), []).append(question)
    return tuple(
        part
        for card, questions in waiting.items()
        if any(question.reminded for question in questions) or (direct and not _decidable_there(questions))
        for part in _of_card(view, card, questions, card_url, in_public=in_public, direct=direct)
    )


def reminded_card(view: RunView, name: str) -> str | None:
    """The card that the part `name` is a reminder of; None for any other part."""
    cards = {card_name(question) for question in view.approvals}
    return next((card for card in cards if name.startswith(f"remind:{card}:")), None)


def _of_card(
    view: RunView, card: str, questions: Sequence[Question], url: str, *, in_public: bool, direct: bool
) -> list[Part]:
    reminded = max(question.reminded for question in questions)
    name = f"remind:{card}:{reminded}"
    people = dict.fromkeys(user for question in questions for user in _named(view, question))
    if not 0 < len(people) <= MOST:
        return [_part(name, _for_all(view, questions), url, to=None)] if reminded else []
    asked = {user: [each for each in questions if user in _named(view, each)] for user in people}
    told = {user: _for_one(view, asked[user], titled=in_public or direct) for user in people}
    if direct:
        return [_part(f"{name}:{user}", words.in_the_list(told[user]), "", to=user) for user in people]
    return [_part(f"{name}:{user}", told[user], url, to=user) for user in people]


def _decidable_there(questions: Sequence[Question]) -> bool:
    """Whether the person of a direct message may decide what was asked there."""
    return all(question.rule.requester for question in questions)


def _named(view: RunView, question: Question) -> tuple[str, ...]:
    """Whom the rule names, without those whose request it is."""
    asked = {view.requester, *question.also_asked}
    return tuple(user for user in question.rule.users if user not in asked)


def _for_one(view: RunView, questions: Sequence[Question], *, titled: bool) -> Mrkdwn:
    first = questions[0]
    what = _several(first.title if titled else first.tool, len(questions))
    until = deadline(first.requested_at, first.expires_at)
    return words.reminder(person(view.requester, PERSON), what, until)


def _for_all(view: RunView, questions: Sequence[Question]) -> Mrkdwn:
    first, requester = questions[0], person(view.requester, PERSON)
    what = _several(first.title, len(questions))
    until = deadline(first.requested_at, first.expires_at)
    rule = replace(first.rule, users=_named(view, first))
    if rule == ApproverRule(requester=True):
        return words.reminder_to_requester(requester, what, until)
    return words.reminder_for(requester, approvers(rule), what, until)


def _several(title: str, count: int) -> Mrkdwn:
    shown = escape(one_line(title), LABEL)
    return words.and_more(shown, count - 1) if count > 1 else shown


def _part(name: str, said: Mrkdwn, url: str, to: str | None) -> Part:
    review = [actions([link_button(words.REVIEW, OPEN_CARD, url)])] if 0 < len(url) <= URL else []
    return Part(
        name=name, text=said, blocks=(section(said), *review), final=False, once=True, linked=True, to=to
    )
