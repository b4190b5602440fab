"""Reminders of what still waits: a direct message to each person who is named, else a line in the thread."""

from typing import Final

from bot.view import approval_words as words
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

MOST: Final = 5
"""People who are written to; where more are named, the thread is told."""


def reminders(view: RunView, *, card_url: str = "", in_public: bool = False) -> tuple[Part, ...]:
    """The newest reminder of each question that is still open; `card_url` leads to its card.

    A title may hold arguments, which nobody outside of the channel may read unless it is public: `in_public` says
    so, and otherwise a direct message names only the tool.
    """
    return tuple(
        part
        for question in view.open_questions
        if question.reminded
        for part in _reminder(view, question, card_url, in_public=in_public)
    )


def reminded_of(view: RunView, name: str) -> Question | None:
    """The question that the part `name` is a reminder of; None for any other part."""
    return next((each for each in view.approvals if name.startswith(f"remind:{each.approval_id}:")), None)


def _reminder(view: RunView, question: Question, url: str, *, in_public: bool) -> list[Part]:
    name = f"remind:{question.approval_id}:{question.reminded}"
    until = deadline(question.requested_at, question.expires_at)
    requester = person(view.requester, PERSON)
    title = _title(question.title)
    rule = question.rule
    people = [user for user in rule.users if user not in {view.requester, *question.also_asked}]
    if 0 < len(people) <= MOST:
        shown = title if in_public else _title(question.tool)
        said = words.reminder(requester, shown, until)
        return [_part(f"{name}:{user}", said, url, to=user) for user in people]
    if people or rule.usergroups or rule.channel_members:
        said = words.reminder_for(requester, approvers(rule), title, until)
    else:
        said = words.reminder_to_requester(requester, title, until)
    return [_part(name, said, url, to=None)]


def _part(name: str, said: Mrkdwn, url: str, to: str | None) -> Part:
    review = [actions([link_button(words.REVIEW, OPEN_CARD, url)])] if 0 < len(url) <= URL else []
    return Part(
        name=name, text=said, blocks=(section(said), *review), final=False, once=True, linked=True, to=to
    )


def _title(text: str) -> Mrkdwn:
    return escape(one_line(text), LABEL)
