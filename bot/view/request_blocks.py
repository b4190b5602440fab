"""What a card and a modal say alike about a request. Titles, previews and reasons may hold what a model wrote."""

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import Any, Final

from bot.view import approval_words as words
from bot.view.approval_notices import approvers, opening
from bot.view.arguments import is_plain, json_text, name_text, value_text
from bot.view.blocks import Block, header, plain, plain_section
from bot.view.limits import HEADER, REASON, TEXT_OBJECT
from bot.view.mrkdwn import Mrkdwn, clip, clock, day_and_clock, escape, person
from bot.view.visible import one_line, visible
from harness_core.approvals import ApproverRule

_SAME_DAY: Final = 20 * 3_600_000
"""Milliseconds; a time of day names a moment within fewer hours than a day has."""
_VALUE: Final = 60
_BEFORE: Final = 20
"""Of what two values have in common before they differ."""
_ESCAPED: Final = _VALUE * len("&amp;")
_SPACES: Final = re.compile(r" {2,}")
PERSON: Final = 40
"""Of a name in a sentence that holds several."""


def title_block(title: str) -> Block:
    """S9."""
    return header(words.card_title(clip(one_line(title), HEADER - 1)))


def preview_block(preview: str | None, limit: int = TEXT_OBJECT) -> Block:
    """What would happen, by the tool's own word."""
    said = visible(preview or "", keep="\n").strip()
    return plain_section(clip(said, limit) if said else words.NO_PREVIEW)


def reason_block(reason: str) -> Block:
    """Why, in the words of the agent: as plain text, and visibly not ours."""
    said = one_line(reason)
    shown = words.agents_reason(clip(said, REASON)) if said else words.NO_REASON
    return {"type": "context", "elements": [plain(shown)]}


def who(
    rule: ApproverRule,
    requesters: Sequence[str],
    *,
    until: Mrkdwn,
    votes: int,
    quorum: int,
    uncertain: bool,
) -> Mrkdwn:
    """S11; who may settle an uncertain outcome is not counted."""
    people = opening(approvers(rule))
    except_for = None if rule.requester else words.any_of([person(each, PERSON) for each in requesters])
    if uncertain:
        return words.who_settles(people, except_for, until)
    return words.who_decides(people, except_for, votes, quorum, until)


def change_line(argument: str, before: Any, after: Any) -> Mrkdwn:
    """“argument: before → after”, with the first difference in view however long the values are."""
    was, is_now = _apart(*_texts(before, after))
    return words.change(escape(name_text(argument), _VALUE), was, is_now)


def _texts(before: Any, after: Any) -> tuple[str, str]:
    """Both values in the same notation, so that only what differs looks different."""
    values = (before, after)
    texts = [each for each in values if isinstance(each, str)]
    write = value_text if all(is_plain(each) and each != words.NOTHING for each in texts) else json_text
    was, is_now = (words.NOTHING if value is None else write(value) for value in values)
    return was, is_now


def _apart(one: str, other: str) -> tuple[Mrkdwn, Mrkdwn]:
    """Both texts, or what is around their first difference. They are cut before they are escaped."""
    start = 0
    if max(len(one), len(other)) > _VALUE:
        alike = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
        start = max(0, sum(1 for _ in alike) - _BEFORE)
    cut = (clip(f"…{text[start:]}" if start else text, _VALUE) for text in (one, other))
    was, is_now = (escape(_SPACES.sub(_counted, text), _ESCAPED) for text in cut)
    return was, is_now


def _counted(spaces: re.Match[str]) -> str:
    """Several spaces look like one in a sentence."""
    return "␣" * len(spaces[0])


def deadline(requested_at: int, expires_at: int) -> Mrkdwn:
    """When a request expires, in the reader's own zone."""
    return clock(expires_at) if expires_at - requested_at < _SAME_DAY else day_and_clock(expires_at)
