"""The messages of a run beside those that its view renders: the ping, plain stand-ins, what is taken back."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from typing import Final

from bot.view import notices, words
from bot.view.blocks import Notice, notice
from bot.view.fold import RunView
from bot.view.limits import FALLBACK_TEXT
from bot.view.message import Part
from bot.view.mrkdwn import Mrkdwn, cut_entities, link, person
from harness_core.states import RunState

FIRST: Final = "0"
PING: Final = "ping"
STATUS: Final = "status"
UNREACHABLE: Final = "unreachable"

PING_AFTER: Final = 60_000
"""Milliseconds after which a person is assumed to have looked away: edits notify nobody."""

_NOT_A_MEMBER: Final = frozenset({"channel_not_found", "not_in_channel"})


def content_digest(part: Part) -> str:
    """Equal for messages that look the same."""
    shown = json.dumps([part.text, part.blocks], sort_keys=True)
    return sha256(shown.encode()).hexdigest()


def wants_ping(view: RunView, *, out_of_sight: bool) -> bool:
    """Whether the requester is told of the end by a message of its own. Who stopped a run knows that it ended.

    ``out_of_sight``: people wrote below the answer before it was there.
    """
    if view.state not in {RunState.COMPLETED, RunState.FAILED}:
        return False
    return out_of_sight or (
        view.started_at is not None
        and view.ended_at is not None
        and view.ended_at - view.started_at > PING_AFTER
    )


def ping(view: RunView, url: str) -> Part:
    """The reply that notifies; ``url`` is that of the run message, empty where it could not be had."""
    if view.state is RunState.COMPLETED:
        told = notices.ready(view.requester, url)
    else:
        answer = link(url, words.VIEW_ANSWER)
        told = notice(Mrkdwn(f"{person(view.requester)}, your run ended without a full answer. {answer}"))
    return replace(_linked(PING, told), once=True)


def unreachable(requester: str, channel: str, error: str) -> Part:
    """A direct message to whoever asked in a place that is closed to the bot.

    ``error`` is Slack's name for why, empty where it is not known any more.
    """
    told = notices.not_in_channel(channel) if error in _NOT_A_MEMBER else notices.closed_place(channel)
    return Part(name=UNREACHABLE, text=told.text, blocks=told.blocks, final=False, once=True, to=requester)


def moved(name: str, url: str) -> Part:
    """What is left of a continuation that the answer no longer needs."""
    return _linked(name, notices.moved(url))


def _linked(name: str, told: Notice) -> Part:
    return Part(name=name, text=told.text, blocks=told.blocks, final=True, linked=True)


def plain(part: Part) -> list[Part]:
    """The same answer as text alone, in as many messages as it takes: for content that Slack refused.

    The first keeps the part's name, so the message that is there is used.
    """
    answer = "\n\n".join(block["text"] for block in part.blocks if block.get("type") == "markdown")
    # The answer is neutralised already; only a bare "<" in its code could open a token in plain text.
    text = answer.replace("<", "&lt;") if len(answer) > len(part.text) else part.text
    return [
        replace(part, name=part.name if index == 0 else f"{part.name}.{index}", text=piece, blocks=())
        for index, piece in enumerate(_pieces(text) or [part.text])
    ]


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    while len(text) > FALLBACK_TEXT:
        piece = cut_entities(text, FALLBACK_TEXT)
        # The latest place to cut at in the second half, the kinder kind first.
        cuts = (piece.rfind(mark, FALLBACK_TEXT // 2) + len(mark) for mark in ("\n\n", "\n", " "))
        piece = piece[: next((cut for cut in cuts if cut > FALLBACK_TEXT // 2), len(piece))]
        pieces.append(piece)
        text = text[len(piece) :]
    return [each for each in (*pieces, text) if each.strip()]
