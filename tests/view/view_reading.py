"""Modals as a person reads them, once Slack has taken them."""

from __future__ import annotations

from typing import Any

from slack_sdk.models.views import View

from bot.playground.block_kit import checked_view


def taken(view: dict[str, Any]) -> dict[str, Any]:
    """``view``, after the stand-in's and the SDK's own reading of Slack's rules."""
    checked_view(view, home=False)
    View(**view).validate_json()
    return view


def texts(view: dict[str, Any]) -> list[str]:
    found = []
    for block in view["blocks"]:
        match block:
            case {"type": "context", "elements": elements}:
                found += [element["text"] for element in elements]
            case {"type": "rich_text", "elements": [{"elements": [element]}]}:
                found.append(element["text"])
            case {"text": {"text": text}}:
                found.append(text)
    return found
