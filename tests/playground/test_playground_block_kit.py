"""What Block Kit refuses, with the platform's error names."""

from typing import Any

import pytest
from playground.sample_addresses import IMAGE_URL

from bot.playground.block_kit import checked_blocks, checked_view
from bot.playground.errors import SlackError

Json = dict[str, Any]


def plain(text: str = "x") -> Json:
    return {"type": "plain_text", "text": text}


def button(**more: Any) -> Json:
    return {"type": "button", "text": plain(), "action_id": "a", **more}


def section(**more: Any) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": "x"}, **more}


def actions(*elements: Json, **more: Any) -> Json:
    return {"type": "actions", "elements": list(elements), **more}


def field(element: Json | None = None, **more: Any) -> Json:
    return {
        "type": "input",
        "label": plain(),
        "element": element or {"type": "plain_text_input", "action_id": "a"},
        **more,
    }


def options(count: int) -> list[Json]:
    return [{"text": plain(), "value": str(number)} for number in range(count)]


def modal(*blocks: Json, **more: Any) -> Json:
    return {"type": "modal", "title": plain(), "submit": plain(), "blocks": list(blocks), **more}


CONFIRM = {"title": plain(), "text": plain(), "confirm": plain(), "deny": plain()}
ROW = [{"type": "raw_text", "text": "c"}]

GOOD: list[Json] = [
    section(block_id="s", accessory=button(action_id="in-section", confirm=CONFIRM, style="danger", value="v")),
    section(text=None, fields=[plain("f")] * 10),
    {"type": "header", "text": plain("h" * 150)},
    {"type": "context", "elements": [plain(), {"type": "mrkdwn", "text": "m"}]},
    {"type": "divider"},
    {"type": "markdown", "text": "# m"},
    {"type": "image", "image_url": IMAGE_URL, "alt_text": "an image"},
    {"type": "table", "rows": [ROW, ROW], "column_settings": [{"align": "right"}]},
    {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "c"}]}]},
    {"type": "context_actions", "elements": [{"type": "feedback_buttons", "action_id": "f", "positive_button": {"text": plain(), "value": "1"}, "negative_button": {"text": plain(), "value": "0"}}]},
    actions(
        button(style="primary"),
        {"type": "static_select", "action_id": "b", "placeholder": plain(), "options": options(100)},
        {"type": "overflow", "action_id": "c", "options": options(5)},
        {"type": "datepicker", "action_id": "d", "initial_date": "2026-01-31"},
        {"type": "users_select", "action_id": "e"},
    ),
]  # fmt: skip


def test_every_kind_of_block_a_bot_would_send_is_accepted() -> None:
    filled = checked_blocks(GOOD)
    assert len(filled) == len(GOOD)
    assert all(block["block_id"] for block in filled)


def test_missing_ids_are_filled_in_and_given_ones_kept() -> None:
    nameless = {"type": "button", "text": plain()}
    (block,) = checked_blocks([actions(nameless, button(action_id="mine"), block_id="row")])
    assert block["block_id"] == "row"
    assert block["elements"][0]["action_id"]
    assert block["elements"][1]["action_id"] == "mine"
    assert "action_id" not in nameless, "the caller's blocks stay as they are"


@pytest.mark.parametrize(
    ("blocks", "problem"),
    [
        ([{"type": "sektion"}], "unsupported type: sektion"),
        ([{"text": "x"}], "missing required field: type"),
        (["x"], "must provide an object"),
        ([{"type": "section"}], "missing required field: text or fields"),
        ([section(text={"type": "mrkdwn", "text": "x" * 3001})], "must be less than 3001 characters"),
        ([section(text={"type": "mrkdwn", "text": ""})], "must be more than 0 characters"),
        ([section(fields=[plain()] * 11)], "no more than 10 items allowed"),
        ([section(fields=[plain("x" * 2001)])], "must be less than 2001 characters"),
        ([section(colour="red")], "invalid additional property: colour"),
        ([section(block_id="x" * 256)], "must be less than 256 characters"),
        ([{"type": "header", "text": plain("x" * 151)}], "must be less than 151 characters"),
        ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "unsupported type: mrkdwn"),
        ([{"type": "context", "elements": [plain()] * 11}], "no more than 10 items allowed"),
        ([actions(*[button(action_id=str(n)) for n in range(26)])], "no more than 25 items allowed"),
        ([actions()], "no fewer than 1 items allowed"),
        ([actions(button(text=plain("x" * 76)))], "must be less than 76 characters"),
        ([actions(button(value="x" * 2001))], "must be less than 2001 characters"),
        ([actions(button(action_id="x" * 256))], "must be less than 256 characters"),
        ([actions(button(url="x" * 3001))], "must be less than 3001 characters"),
        ([actions(button(style="loud"))], "must be a valid enum value"),
        ([actions(button(confirm={**CONFIRM, "title": plain("x" * 101)}))], "must be less than 101 characters"),
        ([actions(button(confirm={**CONFIRM, "text": plain("x" * 301)}))], "must be less than 301 characters"),
        ([actions(button(confirm={**CONFIRM, "deny": plain("x" * 31)}))], "must be less than 31 characters"),
        ([actions({"type": "plain_text_input", "action_id": "a"})], "unsupported type: plain_text_input"),
        ([actions({"type": "static_select", "action_id": "a", "options": options(101)})], "no more than 100 items"),
        ([actions({"type": "static_select", "action_id": "a"})], "missing required field: options"),
        ([actions({"type": "overflow", "action_id": "a", "options": options(6)})], "no more than 5 items"),
        ([actions({"type": "checkboxes", "action_id": "a", "options": options(11)})], "no more than 10 items"),
        ([actions({"type": "static_select", "action_id": "a", "options": [{"text": plain("x" * 76), "value": "v"}]})], "must be less than 76"),
        ([actions({"type": "static_select", "action_id": "a", "options": [{"text": plain(), "value": "x" * 151}]})], "must be less than 151"),
        ([actions({"type": "datepicker", "action_id": "a", "placeholder": plain("x" * 151)})], "must be less than 151"),
        ([{"type": "markdown", "text": "x" * 12_001}], "must be less than 12001 characters"),
        ([{"type": "image", "image_url": IMAGE_URL}], "missing required field: alt_text"),
        ([{"type": "table", "rows": [ROW] * 101}], "no more than 100 items allowed"),
        ([{"type": "table", "rows": [ROW * 21]}], "no more than 20 items allowed"),
        ([{"type": "table", "rows": [ROW]}, {"type": "table", "rows": [ROW]}], "only_one_table_allowed"),
        ([{"type": "alert", "text": plain()}], "not allowed in a message"),
        ([section(block_id="same"), section(block_id="same")], '`block_id` "same" already exists'),
        ([actions(button(), button())], '`action_id` "a" already exists'),
        ([field({"type": "plain_text_input", "action_id": "a", "max_length": 3001})], "must be between 1 and 3000"),
        ([field(label=plain("x" * 2001))], "must be less than 2001 characters"),
        ([{"type": "divider"}] * 51, "no more than 50 items allowed"),
    ],
)  # fmt: skip
def test_bad_blocks_are_refused_with_the_place_and_the_reason(blocks: list[Any], problem: str) -> None:
    with pytest.raises(SlackError) as caught:
        checked_blocks(blocks)
    assert caught.value.name == "invalid_blocks"
    assert any(problem in message and "json-pointer:/blocks" in message for message in caught.value.messages)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(SlackError) as caught:
        checked_blocks([{"type": "nope"}, section(oops=1)])
    assert len(caught.value.messages) == 2


@pytest.mark.parametrize(
    "blocks",
    [
        [section(text={"type": "mrkdwn", "text": "x" * 3000})] * 5,
        [{"type": "markdown", "text": "x" * 7000}, {"type": "markdown", "text": "x" * 5001}],
    ],
)
def test_too_much_text_in_all_blocks_together_is_refused(blocks: list[Json]) -> None:
    with pytest.raises(SlackError, match=r"^msg_blocks_too_long$"):
        checked_blocks(blocks)


def test_the_same_action_id_may_appear_in_two_blocks() -> None:
    assert len(checked_blocks([actions(button()), actions(button())])) == 2


@pytest.mark.parametrize(
    ("view", "problem"),
    [
        (modal(title=plain("x" * 25)), "must be less than 25 characters"),
        (modal(submit=plain("x" * 25)), "must be less than 25 characters"),
        ({"type": "modal", "blocks": []}, "missing required field: title"),
        (modal(private_metadata="x" * 3001), "must be less than 3001 characters"),
        (modal(callback_id="x" * 256), "must be less than 256 characters"),
        (modal(*[{"type": "divider"}] * 101), "no more than 100 items allowed"),
        (modal({"type": "markdown", "text": "x"}), "not allowed in a modal"),
        (modal(field(), submit=None), "missing required field: submit"),
        ({**modal(), "type": "home"}, "must be a valid enum value"),
    ],
)
def test_bad_modals_are_refused(view: Json, problem: str) -> None:
    with pytest.raises(SlackError) as caught:
        checked_view(view, home=False)
    assert caught.value.name == "invalid_arguments"
    assert any(problem in message for message in caught.value.messages)


def test_a_view_above_250_kilobytes_is_too_large() -> None:
    with pytest.raises(SlackError, match=r"^view_too_large$"):
        checked_view(modal(*[section(text=plain("x" * 2999)) for _ in range(90)]), home=False)


def test_a_home_tab_takes_no_title() -> None:
    assert checked_view({"type": "home", "blocks": [section()]}, home=True)["blocks"][0]["block_id"]
    with pytest.raises(SlackError, match="invalid additional property: title"):
        checked_view({"type": "home", "title": plain(), "blocks": []}, home=True)
