"""Layout blocks with the platform's limits, and the surfaces each may appear on."""

from collections.abc import Mapping
from typing import Any

from bot.playground.block_kit.checks import (
    At,
    Check,
    all_of,
    anything,
    each,
    either,
    flag,
    one_of,
    only_on,
    record,
    tagged,
    text,
    whole,
)
from bot.playground.block_kit.elements import (
    IMAGE,
    IN_ACTIONS,
    IN_CONTEXT_ACTIONS,
    IN_INPUT,
    IN_SECTION,
)
from bot.playground.block_kit.objects import SLACK_FILE, either_text, plain

_BLOCK: Mapping[str, Check] = {"type": anything}
_ID: Mapping[str, Check] = {"block_id": text(255)}

_RICH_ELEMENT = tagged(
    {
        "rich_text_section": record({**_BLOCK, "elements": each(anything, 10_000, 0)}),
        "rich_text_preformatted": record(
            {**_BLOCK, "elements": each(anything, 10_000, 0)}, {"border": whole(0, 1), "language": text(40)}
        ),
        "rich_text_quote": record({**_BLOCK, "elements": each(anything, 10_000, 0)}, {"border": whole(0, 1)}),
        "rich_text_list": record(
            {**_BLOCK, "elements": each(anything, 1_000, 0), "style": one_of("bullet", "ordered")},
            {"indent": whole(0, 8), "offset": whole(0, 10_000), "border": whole(0, 1)},
        ),
    },
)
RICH_TEXT = record({**_BLOCK, "elements": each(_RICH_ELEMENT, 100)}, _ID)

_CELL = tagged(
    {
        "raw_text": record({**_BLOCK, "text": text(10_000, 0)}),
        "raw_number": record({**_BLOCK, "value": anything}, {"text": text(255)}),
        "rich_text": RICH_TEXT,
    },
)
_COLUMN = record({}, {"align": one_of("left", "center", "right"), "is_wrapped": flag})
_TASK_STATUS = one_of("pending", "in_progress", "complete", "error")

TASK_CARD = record(
    {**_BLOCK, "task_id": text(255), "title": text(256)},
    {
        **_ID,
        "status": _TASK_STATUS,
        "details": RICH_TEXT,
        "output": RICH_TEXT,
        "sources": each(record({**_BLOCK, "url": text(3000), "text": text(255)}), 100, 0),
    },
)
CARD = record(
    _BLOCK,
    {
        **_ID,
        "hero_image": IMAGE,
        "icon": IMAGE,
        "title": either_text(150),
        "subtitle": either_text(150),
        "body": either_text(200),
        "actions": each(tagged(IN_ACTIONS), 3),
    },
)


def _child_blocks(value: Any, at: At) -> None:
    each(BLOCK, 10)(value, at)


_EVERYWHERE: Mapping[str, Check] = {
    "divider": record(_BLOCK, _ID),
    "header": record({**_BLOCK, "text": plain(150)}, {**_ID, "level": whole(1, 4)}),
    "section": all_of(
        record(
            _BLOCK,
            {
                **_ID,
                "text": either_text(3000),
                "fields": each(either_text(2000), 10),
                "accessory": tagged(IN_SECTION),
                "expand": flag,
            },
        ),
        either("text", "fields"),
    ),
    "context": record(
        {
            **_BLOCK,
            "elements": each(
                tagged({"image": IMAGE, "plain_text": either_text(2000), "mrkdwn": either_text(2000)}), 10
            ),
        },
        _ID,
    ),
    "actions": record({**_BLOCK, "elements": each(tagged(IN_ACTIONS), 25)}, _ID),
    "input": record(
        {**_BLOCK, "label": plain(2000), "element": tagged(IN_INPUT)},
        {**_ID, "hint": plain(2000), "optional": flag, "dispatch_action": flag},
    ),
    "image": all_of(
        record(
            {**_BLOCK, "alt_text": text(2000)},
            {**_ID, "image_url": text(3000), "slack_file": SLACK_FILE, "title": plain(2000)},
        ),
        either("image_url", "slack_file"),
    ),
    "rich_text": RICH_TEXT,
    "video": record(
        {
            **_BLOCK,
            "alt_text": text(2000),
            "video_url": text(3000),
            "thumbnail_url": text(3000),
            "title": plain(200),
        },
        {
            **_ID,
            "title_url": text(3000),
            "description": plain(200),
            "provider_icon_url": text(3000),
            "provider_name": text(50),
            "author_name": text(50),
        },
    ),
}
_MESSAGE_ONLY: Mapping[str, Check] = {
    "markdown": record({**_BLOCK, "text": text(12_000)}, _ID),
    "context_actions": record({**_BLOCK, "elements": each(tagged(IN_CONTEXT_ACTIONS), 5)}, _ID),
    "table": record(
        {**_BLOCK, "rows": each(each(_CELL, 20), 100)},
        {**_ID, "column_settings": each(_COLUMN, 20, 0)},
    ),
    "data_table": record(
        {**_BLOCK, "rows": each(each(_CELL, 20), 201), "caption": text(255)},
        {**_ID, "page_size": whole(1, 100), "row_header_column_index": whole(0, 19)},
    ),
    "file": record({**_BLOCK, "external_id": text(255), "source": one_of("remote")}, _ID),
    "plan": record({**_BLOCK, "title": text(256)}, {**_ID, "tasks": each(TASK_CARD, 50, 0)}),
    "task_card": TASK_CARD,
    "card": CARD,
    "carousel": record({**_BLOCK, "elements": each(CARD, 10)}, _ID),
    "container": record(
        {**_BLOCK, "child_blocks": _child_blocks},
        {
            **_ID,
            "title": plain(150),
            "rich_text_title": RICH_TEXT,
            "subtitle": either_text(150),
            "width": text(20),
            "icon": IMAGE,
            "is_collapsible": flag,
            "default_collapsed": flag,
            "has_header_divider": flag,
        },
    ),
    "data_visualization": anything,
}
_MODAL_ONLY: Mapping[str, Check] = {
    "alert": record(
        {**_BLOCK, "text": either_text(200)},
        {**_ID, "level": one_of("default", "info", "success", "warning", "error")},
    ),
}

BLOCK = tagged(
    {
        **_EVERYWHERE,
        **{kind: only_on(check, "message") for kind, check in _MESSAGE_ONLY.items()},
        **{kind: only_on(check, "modal") for kind, check in _MODAL_ONLY.items()},
    },
)
