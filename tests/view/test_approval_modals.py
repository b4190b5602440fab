"""The modals about a request, each a view that Slack takes, and the form as the contract describes it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from view.view_approvals import SCHEMA, appr, approval, records
from view.view_reading import taken, texts

from bot.view.approval_modals import (
    closing_modal,
    details_modal,
    edit_modal,
    loading_modal,
    reject_modal,
    review_modal,
)
from bot.view.mrkdwn import Mrkdwn
from bot.view.values import ApprovalRef, decode
from harness_core.approvals import Approval

REF = ApprovalRef(approval_id=appr(0), revision=3)


def form(told: dict[str, Any], **properties: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The inputs of an Edit modal, by argument."""
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    view = taken(edit_modal(approval(told, schema=schema)))
    return {
        block["block_id"].removeprefix("arg:"): block for block in view["blocks"] if block["type"] == "input"
    }


def test_the_edit_modal_echoes_what_it_is_about_and_says_that_saving_does_not_approve() -> None:
    view = taken(edit_modal(approval(revision=3)))
    assert decode(view["callback_id"], view["private_metadata"]) == REF
    assert view["callback_id"] == "approval:edit"
    assert view["private_metadata"] == f"{appr(0)}:3"
    assert (view["title"]["text"], view["submit"]["text"], view["close"]["text"]) == (
        "Edit request",
        "Save",
        "Cancel",
    )
    assert texts(view)[0] == "Restart checkout in prod?"
    assert texts(view)[1].startswith("Saving does not approve.")


def test_each_argument_is_an_input_labelled_with_its_name() -> None:
    inputs = form(
        {"service": "checkout", "replicas": 20},
        service={"type": "string", "description": "As in the\ncatalogue."},
        replicas={"type": "integer"},
    )
    assert list(inputs) == ["replicas", "service"]
    assert inputs["service"] == {
        "type": "input",
        "block_id": "arg:service",
        "label": {"type": "plain_text", "text": "service", "emoji": False},
        "optional": False,
        "hint": {"type": "plain_text", "text": "As in the catalogue.", "emoji": False},
        "element": {
            "type": "plain_text_input",
            "action_id": "value",
            "multiline": False,
            "max_length": 3000,
            "initial_value": "checkout",
        },
    }
    assert "hint" not in inputs["replicas"]
    assert inputs["replicas"]["element"]["initial_value"] == "20"


@pytest.mark.parametrize(
    ("value", "spec", "initial"),
    [
        ("two\nlines", {"type": "string"}, "two\nlines"),
        (2.5, {"type": "number"}, "2.5"),
        (["a", "b c"], {"type": "array", "items": {"type": "string"}}, "a\nb c"),
        ([1, 2], {"type": "array", "items": {"type": "integer"}}, "1\n2"),
        ({"a": [1]}, {"type": "object"}, '{\n  "a": [\n    1\n  ]\n}'),
        ([{"a": 1}], {"type": "array", "items": {"type": "object"}}, '[\n  {\n    "a": 1\n  }\n]'),
        (["a\nb"], {"type": "array", "items": {"type": "string"}}, '[\n  "a\\nb"\n]'),
        ("x", {"anyOf": [{"type": "string"}, {"type": "integer"}]}, '"x"'),
        ("x", {}, "x"),
        (5, {}, "5"),
        ("seven", {"type": "integer"}, '"seven"'),
        ("x", {"anyOf": [{"type": "string"}, {"type": "null"}]}, "x"),
        (None, {"anyOf": [{"type": "string"}, {"type": "null"}]}, None),
        (7, {"type": ["integer", "null"]}, "7"),
    ],
)
def test_texts_numbers_lists_and_nested_values_are_text_inputs(
    value: Any, spec: dict[str, Any], initial: str | None
) -> None:
    element = form({"it": value}, it=spec)["it"]["element"]
    assert element["type"] == "plain_text_input"
    assert element["action_id"] == "value"
    assert element.get("initial_value") == initial


@pytest.mark.parametrize(
    ("value", "spec", "options", "initial"),
    [
        (True, {"type": "boolean"}, [("true", "true"), ("false", "false")], "true"),
        ("a", {"enum": ["a", "b"]}, [("a", '"a"'), ("b", '"b"')], '"a"'),
        (2, {"enum": [1, 2, "2"]}, [("1", "1"), ("2", "2"), ('"2"', '"2"')], "2"),
        ("a", {"anyOf": [{"const": "a"}, {"enum": ["b"]}]}, [("a", '"a"'), ("b", '"b"')], '"a"'),
        (
            None,
            {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
            [("true", "true"), ("false", "false"), ("null", "null")],
            "null",
        ),
        (
            None,
            {"type": ["string", "null"], "enum": ["a", None]},
            [("a", '"a"'), ("null", "null")],
            "null",
        ),
    ],
)
def test_booleans_and_enums_are_selects_whose_values_are_json(
    value: Any, spec: dict[str, Any], options: list[tuple[str, str]], initial: str
) -> None:
    element = form({"it": value}, it=spec)["it"]["element"]
    assert element["type"] == "static_select"
    assert element["action_id"] == "value"
    assert [(option["text"]["text"], option["value"]) for option in element["options"]] == options
    assert element["initial_option"]["value"] == initial
    assert element["initial_option"] in element["options"]


def test_an_optional_argument_that_the_call_leaves_out_has_an_empty_input() -> None:
    schema = {
        "type": "object",
        "properties": {"service": {"type": "string"}, "dry": {"type": "boolean"}, "note": {"type": "string"}},
        "required": ["service"],
    }
    view = taken(edit_modal(approval({"service": "x"}, schema=schema)))
    inputs = {block["block_id"]: block for block in view["blocks"] if block["type"] == "input"}
    assert {name: block["optional"] for name, block in inputs.items()} == {
        "arg:dry": True,
        "arg:note": True,
        "arg:service": False,
    }
    assert "initial_option" not in inputs["arg:dry"]["element"]
    assert "initial_value" not in inputs["arg:note"]["element"]


def test_a_secret_is_never_shown_and_kept_when_its_input_stays_empty() -> None:
    spec = {"type": "string", "enum": ["hunter2", "hunter3"]}
    schema = {"type": "object", "properties": {"password": spec}, "required": ["password"]}
    told = approval({"password": "hunter2"}, schema=schema, secret=("password",))
    (block,) = [each for each in taken(edit_modal(told))["blocks"] if each["type"] == "input"]
    assert block["optional"]
    assert block["element"]["type"] == "plain_text_input"
    assert "initial_value" not in block["element"]
    assert block["hint"]["text"] == "Secret. Leave it empty to keep the value."
    for view in (edit_modal(told), review_modal(told), details_modal(told), reject_modal(told)):
        assert "hunter" not in str(view)
    before = approval(
        {"password": "hunter2"}, schema=schema, secret=("password",), before={"password": "hunter1"}
    )
    assert "Changed: password: ••• → •••" in texts(taken(details_modal(before)))
    assert "hunter" not in str(details_modal(before))


def test_refs_of_a_schema_are_followed_and_one_that_leads_nowhere_or_in_a_circle_is_json() -> None:
    schema = {
        "type": "object",
        "properties": {
            "env": {"$ref": "#/$defs/Env", "description": "Where."},
            "lost": {"$ref": "#/$defs/Gone"},
            "loop": {"$ref": "#/$defs/Loop"},
            "tree": {"$ref": "#/$defs/Tree"},
        },
        "$defs": {
            "Env": {"enum": ["prod", "staging"]},
            "Loop": {"$ref": "#/$defs/Loop"},
            "Tree": {"anyOf": [{"$ref": "#/$defs/Tree"}, {"type": "null"}]},
        },
    }
    view = taken(edit_modal(approval({"env": "prod", "lost": 1, "loop": [2], "tree": None}, schema=schema)))
    inputs = {block["block_id"]: block for block in view["blocks"] if block["type"] == "input"}
    assert inputs["arg:env"]["element"]["type"] == "static_select"
    assert inputs["arg:env"]["hint"]["text"] == "Where."
    assert inputs["arg:lost"]["element"]["initial_value"] == "1"
    assert inputs["arg:loop"]["element"]["initial_value"] == "[\n  2\n]"
    assert inputs["arg:tree"]["element"]["type"] == "plain_text_input"


def test_choices_that_no_select_can_hold_are_written_as_json() -> None:
    for choices in (
        list(range(101)),
        ["x" * 150],
        ["a", "a"],
        ["x" * 74 + "yz", "x" * 74 + "zy"],
        ["a b", "a  b"],
    ):
        element = form({"it": choices[0]}, it={"enum": choices})["it"]["element"]
        assert element["type"] == "plain_text_input"


def test_what_does_not_fit_into_a_form_is_named_and_stays() -> None:
    told = {"body": "x" * 3_001, "service": "a", "n" * 252: 1}
    view = taken(edit_modal(approval(told, schema={})))
    assert [block["block_id"] for block in view["blocks"] if block["type"] == "input"] == ["arg:service"]
    assert "body has 3001 characters, more than a form can hold. It stays as it is." in texts(view)
    view = taken(edit_modal(approval({f"a{number}": number for number in range(120)}, schema={})))
    assert texts(view)[-1] == "30 more arguments do not fit in a form. They stay as they are."
    view = taken(edit_modal(approval({"body": "x" * 3_001}, schema={})))
    assert "submit" not in view


def test_the_reject_modal_asks_for_a_reason_that_may_be_left_out() -> None:
    view = taken(reject_modal(approval(revision=3)))
    assert decode(view["callback_id"], view["private_metadata"]) == REF
    assert view["submit"]["text"] == "Reject"
    (block,) = [block for block in view["blocks"] if block["type"] == "input"]
    assert (block["block_id"], block["element"]["action_id"], block["optional"]) == ("reason", "value", True)


def test_views_without_a_request_say_one_thing() -> None:
    assert texts(taken(loading_modal("Edit request"))) == ["Loading …"]
    closing = taken(closing_modal(Mrkdwn("This run has ended.")))
    assert texts(closing) == ["This run has ended."]
    assert "submit" not in closing
    assert "callback_id" not in closing


@given(records, st.integers(-2, 5))
@settings(max_examples=60)
def test_every_modal_of_every_request_is_one_that_slack_takes(told: Approval, page: int) -> None:
    for view in (edit_modal(told), reject_modal(told), review_modal(told, page), details_modal(told, page)):
        taken(view)


def test_a_schema_that_is_none_gives_inputs_by_the_values() -> None:
    told = {"service": "x", "count": 2, "on": True}
    schemas: tuple[dict[str, Any], ...] = (
        {},
        {"properties": []},
        {"properties": {"service": "text"}, "required": 7},
    )
    for schema in schemas:
        view = taken(edit_modal(approval(told, schema=schema)))
        initial = {
            block["block_id"]: block["element"]["initial_value"]
            for block in view["blocks"]
            if block["type"] == "input"
        }
        assert initial == {"arg:count": "2", "arg:on": "true", "arg:service": "x"}
    assert taken(edit_modal(approval(schema=SCHEMA)))["submit"]
