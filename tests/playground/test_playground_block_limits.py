"""Every limit of Block Kit that the platform names: what just fits is taken, one more is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Cast, Door
from bot.playground.block_kit import checked_blocks, checked_view
from bot.playground.errors import SlackError

Json = dict[str, Any]
Make = Callable[[int], Json]


def plain(size: int = 1) -> Json:
    return {"type": "plain_text", "text": "x" * size}


def mrkdwn(size: int = 1) -> Json:
    return {"type": "mrkdwn", "text": "x" * size}


def section(**more: Any) -> Json:
    return {"type": "section", "text": mrkdwn(), **more}


def row(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def button(number: int = 0, **more: Any) -> Json:
    return {"type": "button", "action_id": f"b{number}", "text": plain(), **more}


def confirm(**more: Any) -> Json:
    dialog = {"title": plain(), "text": mrkdwn(), "confirm": plain(), "deny": plain(), **more}
    return row(button(confirm=dialog))


def options(count: int) -> list[Json]:
    return [{"text": plain(), "value": str(number)} for number in range(count)]


def choice(kind: str, count: int = 1, **more: Any) -> Json:
    return row({"type": kind, "action_id": "c", "options": options(count), **more})


def option(**more: Any) -> Json:
    return row(
        {"type": "static_select", "action_id": "c", "options": [{"text": plain(), "value": "v", **more}]}
    )


def field(element: Json | None = None, **more: Any) -> Json:
    typed = element or {"type": "plain_text_input", "action_id": "a"}
    return {"type": "input", "label": plain(), "element": typed, **more}


def typed(**more: Any) -> Json:
    return field({"type": "plain_text_input", "action_id": "a", **more})


def cells(rows: int, columns: int, size: int = 1) -> list[list[Json]]:
    return [[{"type": "raw_text", "text": "x" * size}] * columns] * rows


def data_table(rows: int = 1, columns: int = 1, size: int = 1, **more: Any) -> Json:
    return {"type": "data_table", "caption": "c", "rows": cells(rows, columns, size), **more}


def task(number: int = 0) -> Json:
    return {"type": "task_card", "task_id": str(number), "title": "t"}


def feedback(text: int = 1, value: int = 1) -> Json:
    one = {"text": plain(text), "value": "v" * value}
    element = {"type": "feedback_buttons", "action_id": "f", "positive_button": one, "negative_button": one}
    return {"type": "context_actions", "elements": [element]}


def icons(count: int) -> Json:
    icon = {"type": "icon_button", "icon": "trash", "text": plain()}
    return {"type": "context_actions", "elements": [icon | {"action_id": str(n)} for n in range(count)]}


def modal(**more: Any) -> Json:
    return {"type": "modal", "title": plain(), "submit": plain(), "blocks": [], **more}


BLOCKS: dict[str, tuple[Make, int]] = {
    "section text": (lambda n: section(text=mrkdwn(n)), 3000),
    "section fields": (lambda n: section(fields=[plain()] * n), 10),
    "section field text": (lambda n: section(fields=[plain(n)]), 2000),
    "header": (lambda n: {"type": "header", "text": plain(n)}, 150),
    "context elements": (lambda n: {"type": "context", "elements": [plain()] * n}, 10),
    "actions elements": (lambda n: row(*(button(i) for i in range(n))), 25),
    "context_actions elements": (icons, 5),
    "button text": (lambda n: row(button(text=plain(n))), 75),
    "button value": (lambda n: row(button(value="x" * n)), 2000),
    "button url": (lambda n: row(button(url="x" * n)), 3000),
    "button accessibility_label": (lambda n: row(button(accessibility_label="x" * n)), 75),
    "button agent_prompt": (lambda n: row(button(agent_prompt="x" * n)), 4000),
    "confirm title": (lambda n: confirm(title=plain(n)), 100),
    "confirm text": (lambda n: confirm(text=mrkdwn(n)), 300),
    "confirm button": (lambda n: confirm(confirm=plain(n)), 30),
    "confirm deny": (lambda n: confirm(deny=plain(n)), 30),
    "option text": (lambda n: option(text=plain(n)), 75),
    "option value": (lambda n: option(value="x" * n), 150),
    "option description": (lambda n: option(description=plain(n)), 75),
    "select options": (lambda n: choice("static_select", n), 100),
    "checkboxes": (lambda n: choice("checkboxes", n), 10),
    "radio buttons": (lambda n: choice("radio_buttons", n), 10),
    "overflow": (lambda n: choice("overflow", n), 5),
    "placeholder": (lambda n: choice("static_select", placeholder=plain(n)), 150),
    "input max_length": (lambda n: typed(max_length=n), 3000),
    "input label": (lambda n: field(label=plain(n)), 2000),
    "input hint": (lambda n: field(hint=plain(n)), 2000),
    "block_id": (lambda n: section(block_id="x" * n), 255),
    "action_id": (lambda n: row(button(action_id="x" * n)), 255),
    "image alt": (lambda n: {"type": "image", "image_url": "u", "alt_text": "x" * n}, 2000),
    "image url": (lambda n: {"type": "image", "image_url": "x" * n, "alt_text": "a"}, 3000),
    "markdown": (lambda n: {"type": "markdown", "text": "x" * n}, 12_000),
    "table rows": (lambda n: {"type": "table", "rows": cells(n, 1)}, 100),
    "table columns": (lambda n: {"type": "table", "rows": cells(1, n)}, 20),
    "table text": (lambda n: {"type": "table", "rows": [*cells(1, 1, n - 1), *cells(1, 1)]}, 10_000),
    "data_table rows": (data_table, 201),
    "data_table columns": (lambda n: data_table(1, n), 20),
    "data_table page_size": (lambda n: data_table(page_size=n), 100),
    "plan tasks": (lambda n: {"type": "plan", "title": "p", "tasks": [task(i) for i in range(n)]}, 50),
    "card title": (lambda n: {"type": "card", "title": plain(n)}, 150),
    "card body": (lambda n: {"type": "card", "body": plain(n)}, 200),
    "card actions": (lambda n: {"type": "card", "actions": [button(i) for i in range(n)]}, 3),
    "carousel": (lambda n: {"type": "carousel", "elements": [{"type": "card", "title": plain()}] * n}, 10),
    "container": (lambda n: {"type": "container", "title": plain(), "child_blocks": [{"type": "divider"}] * n}, 10),
    "feedback text": (lambda n: feedback(text=n), 75),
    "feedback value": (lambda n: feedback(value=n), 2000),
}  # fmt: skip

VIEWS: dict[str, tuple[Make, int]] = {
    "blocks": (lambda n: modal(blocks=[{"type": "divider"}] * n), 100),
    "title": (lambda n: modal(title=plain(n)), 24),
    "submit": (lambda n: modal(submit=plain(n)), 24),
    "close": (lambda n: modal(close=plain(n)), 24),
    "private_metadata": (lambda n: modal(private_metadata="x" * n), 3000),
    "callback_id": (lambda n: modal(callback_id="x" * n), 255),
    "external_id": (lambda n: modal(external_id="x" * n), 255),
    "alert": (lambda n: modal(blocks=[{"type": "alert", "text": plain(n)}]), 200),
}


@pytest.mark.parametrize("limit", BLOCKS)
def test_a_block_at_its_limit_is_taken_and_one_above_it_is_an_invalid_block(limit: str) -> None:
    make, most = BLOCKS[limit]
    assert checked_blocks([make(most)])
    with pytest.raises(SlackError) as refused:
        checked_blocks([make(most + 1)])
    assert refused.value.name == "invalid_blocks"
    assert all(problem.startswith("[ERROR] ") for problem in refused.value.messages)
    assert all("[json-pointer:/blocks" in problem for problem in refused.value.messages)


@pytest.mark.parametrize("limit", VIEWS)
def test_a_view_at_its_limit_is_taken_and_one_above_it_is_an_invalid_argument(limit: str) -> None:
    make, most = VIEWS[limit]
    assert checked_view(make(most), home=False)
    with pytest.raises(SlackError) as refused:
        checked_view(make(most + 1), home=False)
    assert refused.value.name == "invalid_arguments"
    assert "[json-pointer:/view" in refused.value.messages[0]


@dataclass(frozen=True, slots=True)
class Whole:
    """A limit of a message as a whole."""

    fits: list[Json]
    breaks: list[Json]
    name: str


WHOLE = {
    "blocks": Whole([{"type": "divider"}] * 50, [{"type": "divider"}] * 51, "invalid_blocks"),
    "tables": Whole(
        [{"type": "table", "rows": cells(1, 1)}],
        [{"type": "table", "rows": cells(1, 1)}] * 2,
        "invalid_blocks",
    ),
    "charts": Whole(
        [{"type": "data_visualization"}] * 2, [{"type": "data_visualization"}] * 3, "invalid_blocks"
    ),
    "markdown in all": Whole(
        [{"type": "markdown", "text": "x" * 6000}] * 2,
        [{"type": "markdown", "text": "x" * 6001}] * 2,
        "msg_blocks_too_long",
    ),
    "text in all": Whole(
        [section(text=mrkdwn(3000))] * 4 + [section(text=mrkdwn(1200))],
        [section(text=mrkdwn(3000))] * 4 + [section(text=mrkdwn(1201))],
        "msg_blocks_too_long",
    ),
}


@pytest.mark.parametrize("limit", WHOLE)
def test_a_message_at_its_limit_is_taken_and_one_above_it_is_refused(limit: str) -> None:
    whole = WHOLE[limit]
    assert checked_blocks(whole.fits)
    with pytest.raises(SlackError) as refused:
        checked_blocks(whole.breaks)
    assert refused.value.name == whole.name


def test_a_data_table_holds_20_000_characters() -> None:
    with pytest.raises(SlackError) as refused:
        checked_blocks([data_table(3, 1, 6667)])
    assert refused.value.messages == (
        "[ERROR] table text must be less than 20001 characters [json-pointer:/blocks]",
    )


async def error_of(call: Any) -> tuple[str, list[str]]:
    with pytest.raises(SlackApiError) as caught:
        await call
    answer = caught.value.response
    return str(answer["error"]), list((answer.get("response_metadata") or {}).get("messages", []))


async def test_the_web_api_refuses_with_the_name_the_place_and_the_reason(
    client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    bad = [section(), row(button(text=plain(76)))]
    name, messages = await error_of(client.chat_postMessage(channel=cast.ops, text="x", blocks=bad))
    assert name == "invalid_blocks"
    assert messages == [
        "[ERROR] must be less than 76 characters [json-pointer:/blocks/1/elements/0/text/text]"
    ]
    post = await client.chat_postMessage(channel=cast.ops, text="x")
    name, _ = await error_of(client.chat_update(channel=cast.ops, ts=post["ts"], text="x" * 4001))
    assert name == "msg_too_long"
    name, _ = await error_of(client.views_publish(user_id=cast.admin, view=modal(type="home")))
    assert name == "invalid_arguments"
    refused = [call.error for call in await door.calls() if not call.ok]
    assert refused == ["invalid_blocks", "msg_too_long", "invalid_arguments"]


async def test_a_text_above_40_000_characters_is_cut_with_a_warning(
    client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    answer = await client.chat_postMessage(channel=cast.ops, text="x" * 40_001)
    assert answer["warning"] == "message_truncated"
    assert len((await door.messages(cast.ops))[0].text) == 40_000
