"""Whole payloads: the blocks of a message, a modal, a Home tab. Checked, then given the ids they lack."""

import json
import secrets
from collections import Counter
from collections.abc import Iterator
from typing import Any

from bot.playground.block_kit.checks import At, Check, anything, each, flag, one_of, record, text
from bot.playground.block_kit.elements import INTERACTIVE
from bot.playground.block_kit.layout import BLOCK
from bot.playground.block_kit.objects import plain
from bot.playground.errors import SlackError
from bot.playground.records import Json

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MESSAGE_TEXT = 13_200
MARKDOWN_TEXT = 12_000
TABLES = 1
CHARTS = 2
VIEW_BYTES = 250_000
TABLE_TEXT = 10_000
DATA_TABLE_TEXT = 20_000

_VIEW_FIELDS: dict[str, Check] = {
    "callback_id": text(255, 0),
    "external_id": text(255, 0),
    "private_metadata": text(3000, 0),
}
_MODAL = record(
    {"type": one_of("modal"), "title": plain(24), "blocks": each(BLOCK, VIEW_BLOCKS, 0)},
    {
        **_VIEW_FIELDS,
        "submit": plain(24),
        "close": plain(24),
        "clear_on_close": flag,
        "notify_on_close": flag,
        "submit_disabled": flag,
        "state": anything,
    },
)
_HOME = record({"type": one_of("home"), "blocks": each(BLOCK, VIEW_BLOCKS, 0)}, _VIEW_FIELDS)


def checked_blocks(blocks: Any) -> tuple[Json, ...]:
    """A message's blocks with ids filled in. Raises SlackError(invalid_blocks | msg_blocks_too_long)."""
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    at = At("message", "/blocks")
    each(BLOCK, MESSAGE_BLOCKS, 0)(blocks, at)
    if not at.problems:
        _check_ids(blocks, at)
        _check_tables(blocks, at)
    if at.problems:
        raise SlackError("invalid_blocks", at.problems)
    if _text_size(blocks) > MESSAGE_TEXT or _markdown_size(blocks) > MARKDOWN_TEXT:
        raise SlackError("msg_blocks_too_long")
    return tuple(_with_ids(blocks))


def checked_view(view: Any, *, home: bool) -> Json:
    """A view with ids filled in. Raises SlackError(invalid_arguments | view_too_large)."""
    at = At("home" if home else "modal", "/view")
    if isinstance(view, dict) and len(json.dumps(view, ensure_ascii=False).encode()) > VIEW_BYTES:
        raise SlackError("view_too_large")
    (_HOME if home else _MODAL)(view, at)
    if not at.problems:
        _check_ids(view["blocks"], at.child("blocks"))
        _check_submit(view, at)
    if at.problems:
        raise SlackError("invalid_arguments", at.problems)
    return {**view, "blocks": _with_ids(view["blocks"])}


def interactive(block: Json) -> Iterator[Json]:
    """The elements of one block that a person can use."""
    places = [
        block.get("accessory"),
        block.get("element"),
        *block.get("elements", ()),
        *block.get("actions", ()),
    ]
    for element in places:
        if isinstance(element, dict) and element.get("type") in INTERACTIVE:
            yield element
    for child in [
        *block.get("child_blocks", ()),
        *(block.get("elements", ()) if block["type"] == "carousel" else ()),
    ]:
        yield from interactive(child)


def _check_submit(view: Json, at: At) -> None:
    if at.surface == "modal" and not view.get("submit") and any(b["type"] == "input" for b in view["blocks"]):
        at.refuse("missing required field: submit")


def _check_ids(blocks: list[Json], at: At) -> None:
    # The block_id of a markdown block is ignored by the platform.
    used = Counter(b["block_id"] for b in blocks if b.get("block_id") and b["type"] != "markdown")
    for index, block in enumerate(blocks):
        if used[block.get("block_id")] > 1 and block["type"] != "markdown":
            at.child(index).child("block_id").refuse(f'`block_id` "{block["block_id"]}" already exists')
        actions = Counter(e["action_id"] for e in interactive(block) if e.get("action_id"))
        for action_id, count in actions.items():
            if count > 1:
                at.child(index).refuse(f'`action_id` "{action_id}" already exists')


def _check_tables(blocks: list[Json], at: At) -> None:
    tables = [block for block in blocks if block["type"] == "table"]
    if len(tables) > TABLES:
        at.refuse("only_one_table_allowed")
    if sum(block["type"] == "data_visualization" for block in blocks) > CHARTS:
        at.refuse(f"no more than {CHARTS} data_visualization blocks allowed")
    for kind, most in (("table", TABLE_TEXT), ("data_table", DATA_TABLE_TEXT)):
        if any(_text_size(block["rows"]) > most for block in blocks if block["type"] == kind):
            at.refuse(f"table text must be less than {most + 1} characters")


def _text_size(value: Any) -> int:
    match value:
        case dict():
            own = len(value["text"]) if isinstance(value.get("text"), str) else 0
            return own + sum(_text_size(part) for part in value.values())
        case list():
            return sum(_text_size(part) for part in value)
        case _:
            return 0


def _markdown_size(blocks: list[Json]) -> int:
    return sum(len(block["text"]) for block in blocks if block["type"] == "markdown")


def _with_ids(blocks: list[Json]) -> list[Json]:
    copies: list[Json] = json.loads(json.dumps(blocks))
    for block in copies:
        block["block_id"] = block.get("block_id") or secrets.token_hex(3)
        for element in interactive(block):
            element["action_id"] = element.get("action_id") or secrets.token_hex(4)
    return copies
