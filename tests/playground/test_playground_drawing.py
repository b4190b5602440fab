"""Blocks as the page gets them: every kind that a bot may send, as data; never as markup of the bot's own."""

from typing import Any

import pytest

from bot.playground import Cast, PlaygroundConfig
from bot.playground.block_kit import checked_blocks, checked_view
from bot.playground.page.blocks import Blocks
from bot.playground.pulse import Pulse
from bot.playground.world import World
from bot.playground.world.clock import Clock

Json = dict[str, Any]
CAST = Cast()


@pytest.fixture
def blocks() -> Blocks:
    return Blocks(World(PlaygroundConfig(), Clock(), Pulse()))


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def rich(*elements: Json) -> Json:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}


def texts(spans: list[Json]) -> list[str]:
    return [str(span["text"]) for span in spans]


def drawn(blocks: Blocks, *given: Json) -> list[Json]:
    return blocks.parts(checked_blocks(list(given)), CAST.requester)


OPTIONS = [{"text": plain("Dev"), "value": "dev"}, {"text": plain("Prod"), "value": "prod", "description": plain("Careful")}]  # fmt: skip
CONFIRM = {"title": plain("Sure?"), "text": mrkdwn("*Really*"), "confirm": plain("Do it"), "deny": plain("Go back"), "style": "danger"}  # fmt: skip

EVERY_MESSAGE_BLOCK: dict[str, tuple[Json, str]] = {
    "section": ({"type": "section", "text": mrkdwn("x"), "fields": [plain("f")]}, "section"),
    "header": ({"type": "header", "text": plain("x")}, "header"),
    "context": ({"type": "context", "elements": [mrkdwn("x"), {"type": "image", "image_url": "https://e.example/i.png", "alt_text": "a"}]}, "context"),
    "divider": ({"type": "divider"}, "divider"),
    "markdown": ({"type": "markdown", "text": "# x"}, "html"),
    "image": ({"type": "image", "image_url": "https://e.example/i.png", "alt_text": "a"}, "image"),
    "actions": ({"type": "actions", "elements": [{"type": "button", "action_id": "a", "text": plain("x")}]}, "actions"),
    "context_actions": ({"type": "context_actions", "elements": [{"type": "icon_button", "icon": "trash", "text": plain("x")}]}, "actions"),
    "input": ({"type": "input", "label": plain("x"), "element": {"type": "plain_text_input"}}, "input"),
    "rich_text": (rich({"type": "text", "text": "x"}), "rich"),
    "table": ({"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]}, "table"),
    "data_table": ({"type": "data_table", "caption": "c", "rows": [[{"type": "raw_number", "value": 3}]]}, "table"),
    "task_card": ({"type": "task_card", "task_id": "t", "title": "x"}, "tasks"),
    "plan": ({"type": "plan", "title": "p", "tasks": [{"type": "task_card", "task_id": "t", "title": "x", "status": "complete", "details": rich({"type": "text", "text": "d"}), "sources": [{"type": "url", "url": "https://e.example", "text": "s"}]}]}, "tasks"),
    "card": ({"type": "card", "title": plain("x"), "actions": [{"type": "button", "action_id": "a", "text": plain("b")}]}, "cards"),
    "carousel": ({"type": "carousel", "elements": [{"type": "card", "body": mrkdwn("x")}]}, "cards"),
    "container": ({"type": "container", "title": plain("x"), "is_collapsible": True, "child_blocks": [{"type": "divider"}]}, "container"),
    "video": ({"type": "video", "alt_text": "a", "video_url": "https://e.example/v", "thumbnail_url": "https://e.example/t", "title": plain("x")}, "link"),
    "file": ({"type": "file", "external_id": "e", "source": "remote"}, "note"),
}  # fmt: skip


@pytest.mark.parametrize("kind", EVERY_MESSAGE_BLOCK)
def test_every_block_that_slack_knows_is_drawn(blocks: Blocks, kind: str) -> None:
    block, expected = EVERY_MESSAGE_BLOCK[kind]
    (part,) = drawn(blocks, block)
    assert part["kind"] == expected
    assert part["key"]


def test_a_modal_is_drawn_with_its_inputs_and_alerts(blocks: Blocks) -> None:
    elements: list[Json] = [
        {"type": "plain_text_input", "multiline": True, "initial_value": "one\ntwo", "max_length": 20},
        {"type": "static_select", "options": OPTIONS, "initial_option": OPTIONS[1]},
        {"type": "number_input", "is_decimal_allowed": False, "initial_value": "3"},
        {"type": "checkboxes", "options": OPTIONS, "initial_options": [OPTIONS[0]]},
        {"type": "radio_buttons", "options": OPTIONS},
        {"type": "datepicker", "initial_date": "2026-01-31"},
        {"type": "timepicker", "initial_time": "12:30"},
        {"type": "datetimepicker", "initial_date_time": 1_700_000_000},
        {"type": "multi_users_select", "initial_users": [CAST.admin]},
        {"type": "channels_select"},
        {"type": "email_text_input"},
        {"type": "url_text_input"},
        {"type": "rich_text_input"},
        {"type": "multi_static_select", "option_groups": [{"label": plain("G"), "options": OPTIONS}]},
        {"type": "file_input"},
    ]
    view = checked_view(
        {
            "type": "modal",
            "title": plain("Edit"),
            "submit": plain("Save"),
            "blocks": [
                {"type": "alert", "text": mrkdwn("*Look*"), "level": "warning"},
                *(
                    {"type": "input", "block_id": f"b{n}", "label": plain(f"L{n}"), "hint": plain("h"), "element": element}
                    for n, element in enumerate(elements)
                ),
            ],
        },
        home=False,
    )  # fmt: skip
    alert, *inputs = blocks.parts(view["blocks"], CAST.approver)
    assert (alert["kind"], alert["level"]) == ("alert", "warning")
    controls = [part["element"]["control"] for part in inputs]
    assert controls == [
        *("text", "select", "number", "checkboxes", "radios", "date", "time", "datetime"),
        *("several", "select", "email", "url", "rich", "several", "none"),
    ]
    assert [part["element"]["value"] for part in inputs[:4]] == ["one\ntwo", "prod", "3", ["dev"]]
    assert inputs[0]["element"]["multiline"]
    assert inputs[0]["element"]["most"] == 20
    assert inputs[1]["element"]["options"][1] == {
        "value": "prod",
        "label": "Prod",
        "description": "Careful",
        "group": "",
    }
    assert "@ada" in [option["label"] for option in inputs[8]["element"]["options"]]
    assert "@dana" not in [option["label"] for option in inputs[8]["element"]["options"]], "who has left"
    assert inputs[13]["element"]["options"][0]["group"] == "G"
    assert (inputs[0]["label"], inputs[0]["hint"]) == ("L0", "h")


def test_markup_becomes_spans_of_text(blocks: Blocks) -> None:
    markup = (
        "*b _i_* ~s~ `c &lt;` <@U0APPROVER> <#C0OPS> <!here> <!subteam^S0OPS> &amp; &lt;b&gt; "
        "<https://e.example/?a=1&amp;b=2|here> <javascript:alert(1)|no> snake_case_name 2*3*4 ```x\ny```"
    )
    (part,) = drawn(blocks, {"type": "section", "text": mrkdwn(markup)})
    spans = part["spans"]
    by_text = {span["text"]: span for span in spans}
    assert by_text["b "]["bold"]
    assert by_text["i"] == {"text": "i", "bold": True, "italic": True}
    assert by_text["s"]["strike"]
    assert by_text["c <"]["code"]
    assert [text for text in texts(spans) if text.startswith(("@", "#"))] == [
        "@amir",
        "#ops",
        "@here",
        "@ops",
    ]
    assert " & <b> " in by_text
    assert by_text["here"]["link"] == "https://e.example/?a=1&b=2"
    assert "link" not in by_text["no"]
    assert " snake_case_name 2*3*4 " in by_text
    assert by_text["x\ny"]["pre"]


def test_plain_text_is_never_read_as_markup(blocks: Blocks) -> None:
    (part,) = drawn(blocks, {"type": "section", "text": plain("*no* <@U0APPROVER> &amp;")})
    assert part["spans"] == [{"text": "*no* <@U0APPROVER> &amp;"}]


def test_a_date_is_left_to_the_readers_own_clock(blocks: Blocks) -> None:
    text = "since <!date^1767348013^{time}|10:00 UTC>"
    (part,) = drawn(blocks, {"type": "section", "text": mrkdwn(text)})
    assert part["spans"][1] == {"text": "10:00 UTC", "time": {"seconds": 1767348013, "form": "{time}"}}
    (broken,) = drawn(blocks, {"type": "section", "text": mrkdwn("<!date^soon^{time}|later>")})
    assert broken["spans"] == [{"text": "later"}]


def test_rich_text_keeps_its_structure(blocks: Blocks) -> None:
    block: Json = {
        "type": "rich_text",
        "elements": [
            {"type": "rich_text_section", "elements": [{"type": "text", "text": "a", "style": {"bold": True}}, {"type": "user", "user_id": CAST.admin}, {"type": "link", "url": "https://e.example"}, {"type": "emoji", "name": "eyes"}, {"type": "broadcast", "range": "here"}]},
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "code"}]},
            {"type": "rich_text_quote", "elements": [{"type": "text", "text": "said"}]},
            {"type": "rich_text_list", "style": "ordered", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "one"}]}]},
        ],
    }  # fmt: skip
    (part,) = drawn(blocks, block)
    section, pre, quote, listed = part["nodes"]
    assert texts(section["spans"]) == ["a", "@ada", "https://e.example", ":eyes:", "@here"]
    assert section["spans"][0]["bold"]
    assert (pre["kind"], quote["kind"], listed["kind"], listed["ordered"]) == ("pre", "quote", "list", True)
    assert texts(listed["items"][0]) == ["one"]


def test_elements_say_all_that_a_hand_needs(blocks: Blocks) -> None:
    row = {
        "type": "actions",
        "block_id": "row",
        "elements": [
            {"type": "button", "action_id": "go", "text": plain("Go"), "style": "danger", "confirm": CONFIRM},
            {"type": "button", "action_id": "see", "text": plain("See"), "url": "https://e.example"},
            {"type": "overflow", "action_id": "more", "options": OPTIONS},
            {"type": "button", "action_id": "hidden", "text": plain("Not you"), "visible_to_user_ids": [CAST.admin]},
        ],
    }  # fmt: skip
    (part,) = drawn(blocks, row)
    go, see, more = part["elements"]
    assert (part["block_id"], go["control"], go["style"], see["url"]) == ("row", "button", "danger", "https://e.example")  # fmt: skip
    assert go["confirm"] == {
        "title": "Sure?",
        "spans": [{"text": "Really", "bold": True}],
        "confirm": "Do it",
        "deny": "Go back",
        "style": "danger",
    }
    assert (more["control"], [option["value"] for option in more["options"]]) == ("menu", ["dev", "prod"])


def test_feedback_is_two_buttons_with_a_value_each(blocks: Blocks) -> None:
    element = {
        "type": "feedback_buttons",
        "action_id": "f",
        "positive_button": {"text": plain("Good"), "value": "1"},
        "negative_button": {"text": plain("Bad"), "value": "0"},
    }
    (part,) = drawn(blocks, {"type": "context_actions", "elements": [element]})
    assert [(each["label"], each["sends"]) for each in part["elements"]] == [("Good", "1"), ("Bad", "0")]


def test_a_part_keeps_its_key_while_others_come_and_go_above_it(blocks: Blocks) -> None:
    status = {"type": "context", "elements": [plain("step 1")]}
    answer = {"type": "markdown", "text": "growing"}
    row = {
        "type": "actions",
        "elements": [{"type": "button", "action_id": "run:stop", "text": plain("Stop")}],
    }
    running = {part["kind"]: part["key"] for part in drawn(blocks, status, answer, row)}
    ended = {part["kind"]: part["key"] for part in drawn(blocks, answer, row)}
    assert (running["html"], running["actions"]) == (ended["html"], ended["actions"])
    keys = [part["key"] for part in drawn(blocks, status, status, answer)]
    assert len(set(keys)) == 3
