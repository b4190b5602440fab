"""Cards as a person reads and presses them."""

from __future__ import annotations

from typing import Any, Final

from view.view_approvals import APPROVER, appr
from view.view_events import STARTED, viewed

from bot.view.approval_card import cards
from bot.view.message import Part
from harness_core.events import Payload

URL: Final = "https://acme.slack.com/archives/C1/p1767348000000100"
REF: Final = f"{appr(0)}:0"
AT: Final = "<!date^{}^{{time}}|{} UTC>"
ANA: Final = f"<@{APPROVER}>"


def card(*payloads: Payload, **options: Any) -> Part:
    (part,) = cards(viewed(*STARTED, *payloads), request_url=URL, **options)
    return part


def said(block: dict[str, Any]) -> str:
    """What a person reads in a block."""
    match block:
        case {"type": "actions", "elements": elements}:
            return " ".join(f"[{each['text']['text']}]" for each in elements)
        case {"type": "context", "elements": elements}:
            return "\n".join(each["text"] for each in elements)
        case {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [element]}]}:
            return str(element["text"])
        case {"text": {"text": str(text)}}:
            return text
        case other:
            raise AssertionError(other)


def read(part: Part) -> list[tuple[str, str]]:
    return [(block["type"], said(block)) for block in part.blocks]


def buttons(part: Part) -> list[dict[str, Any]]:
    return [element for block in part.blocks if block["type"] == "actions" for element in block["elements"]]


def pressed(part: Part) -> list[tuple[str, str, str]]:
    return [(each["text"]["text"], each["action_id"], each["value"]) for each in buttons(part)]


def outcome(*payloads: Payload) -> str:
    """The line that took the place of the buttons, after the bold title."""
    part = card(*payloads)
    kinds = [block["type"] for block in part.blocks]
    assert kinds == ["section", "context", "actions"], kinds
    assert said(part.blocks[0]) == "*Restart checkout in prod*"
    assert buttons(part)[-1]["action_id"] == "approval:details"
    assert part.text == f"Restart checkout in prod: {said(part.blocks[1])}"
    return said(part.blocks[1])
