"""The few blocks in use, as plain dicts, each within its limit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.view.limits import (
    ACTIONS_ELEMENTS,
    BUTTON_TEXT,
    CONFIRM_BUTTON,
    CONFIRM_TEXT,
    CONFIRM_TITLE,
    CONTEXT_ELEMENTS,
    HEADER,
    SECTION_FIELD,
    SECTION_FIELDS,
    TEXT_OBJECT,
)
from bot.view.mrkdwn import Mrkdwn, clip
from bot.view.values import Ref, encode

Block = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A short message of its own: an ephemeral answer, or a reply in a thread."""

    text: str
    blocks: tuple[Block, ...]


def plain(text: str, limit: int = TEXT_OBJECT) -> Block:
    """Text that Slack does not parse at all."""
    return {"type": "plain_text", "text": clip(text.strip() or "–", limit), "emoji": False}


def mrkdwn(text: Mrkdwn) -> Block:
    """Escaped text; `verbatim` keeps Slack from making links and mentions of bare words."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def context(*texts: Mrkdwn) -> Block:
    return {"type": "context", "elements": [mrkdwn(text) for text in texts[:CONTEXT_ELEMENTS]]}


def section(text: Mrkdwn) -> Block:
    return {"type": "section", "text": mrkdwn(text)}


def plain_section(text: str) -> Block:
    return {"type": "section", "text": plain(text)}


def fields(*texts: Mrkdwn) -> Block:
    return {
        "type": "section",
        "fields": [mrkdwn(Mrkdwn(text[:SECTION_FIELD])) for text in texts[:SECTION_FIELDS]],
    }


def header(text: str) -> Block:
    return {"type": "header", "text": plain(text, HEADER)}


def markdown(text: str) -> Block:
    """Standard Markdown: the markdown block of docs.slack.dev, reference/block-kit/blocks/markdown-block."""
    return {"type": "markdown", "text": text}


def preformatted(text: str) -> Block:
    """Text in a monospaced box, unparsed and easy to copy."""
    element = {"type": "text", "text": clip(text, TEXT_OBJECT)}
    return {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [element]}]}


def button(
    label: str, action_id: str, ref: Ref, *, primary: bool = False, confirm: Block | None = None
) -> Block:
    """At most one button of a message should be `primary`; with `confirm` a click is asked about first."""
    made: Block = {
        "type": "button",
        "action_id": action_id,
        "text": plain(label, BUTTON_TEXT),
        "value": encode(ref),
    }
    if primary:
        made["style"] = "primary"
    return made | {"confirm": confirm} if confirm else made


def link_button(label: str, action_id: str, url: str) -> Block:
    """A button that opens `url`, which is of ours and short enough."""
    return {"type": "button", "action_id": action_id, "text": plain(label, BUTTON_TEXT), "url": url}


def confirmation(title: str, text: str, yes: str, no: str) -> Block:
    """The dialog that asks before a button's click counts."""
    return {
        "title": plain(title, CONFIRM_TITLE),
        "text": plain(text, CONFIRM_TEXT),
        "confirm": plain(yes, CONFIRM_BUTTON),
        "deny": plain(no, CONFIRM_BUTTON),
    }


def actions(buttons: Sequence[Block]) -> Block:
    return {"type": "actions", "elements": list(buttons[:ACTIONS_ELEMENTS])}


def notice(text: Mrkdwn) -> Notice:
    """A notice of one sentence."""
    return Notice(text=text, blocks=(section(text),))


def text_size(blocks: object) -> int:
    """The characters of all texts in `blocks`, as Slack counts them for a message."""
    match blocks:
        case {"text": str(text), **rest}:
            return len(text) + text_size(rest)
        case dict():
            return sum(map(text_size, blocks.values()))
        case list() | tuple():
            return sum(map(text_size, blocks))
        case _:
            return 0
