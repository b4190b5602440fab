"""What comes back from the Edit modal: the values a person meant, or a sentence at the input it is about."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from view.view_approvals import approval, records

from bot.playground.people.forms import field_errors, state_values
from bot.view.approval_modals import edit_modal
from bot.view.arguments_form import FormErrors, form_errors, read_form, read_reason
from harness_core.approvals import Approval, Invalid, InvalidArgument

TEXT = {"type": "string"}
WHOLE = {"type": "integer"}
NUMBER = {"type": "number"}
LINES = {"type": "array", "items": {"type": "string"}}
NUMBERS = {"type": "array", "items": {"type": "number"}}
OBJECT = {"type": "object"}
ENUM = {"enum": ["prod", "staging"]}
FLAG = {"type": "boolean"}


def ornull(spec: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [spec, {"type": "null"}]}


def about(
    told: dict[str, Any], *, needed: tuple[str, ...] | None = None, secret: tuple[str, ...] = (), **specs: Any
) -> Approval:
    needed = tuple(specs) if needed is None else needed
    schema = {"type": "object", "properties": specs, "required": list(needed)}
    return approval(told, schema=schema, secret=secret)


def filled(told: Approval, **written: Any) -> dict[str, Any]:
    """`state.values` as Slack reports them after a person wrote `written`."""
    entered = {(f"arg:{name}", "value"): value for name, value in written.items()}
    return dict(state_values(edit_modal(told)["blocks"], entered))


def submitted(told: Approval, **written: Any) -> dict[str, Any] | FormErrors:
    values = filled(told, **written)
    assert field_errors(edit_modal(told)["blocks"], values) == {}, "a client would not send this"
    return read_form(told, values)


@given(records)
@settings(max_examples=100)
def test_a_form_that_nobody_touched_gives_back_exactly_what_it_was_made_from(told: Approval) -> None:
    read = read_form(told, filled(told))
    asked = told.asked
    assert read == {name: value for name, value in asked.arguments.items() if name not in asked.secret}


@pytest.mark.parametrize(
    "arguments",
    [
        {f"text{number:02}": "😀" * 2_990 for number in range(90)},
        {f"choice{number:02}": "😀" * 60 + "0" for number in range(90)},
    ],
)
def test_a_form_weighs_no_more_than_a_view_may_and_what_has_no_input_stays(arguments: dict[str, str]) -> None:
    choices = {"enum": ["😀" * 60 + str(number) for number in range(100)]}
    specs: dict[str, Any] = {name: choices if "choice" in name else TEXT for name in arguments}
    told = about(arguments, **specs)
    view = edit_modal(told)
    assert 150_000 < len(json.dumps(view)) <= 250_000
    assert "more arguments do not fit in a form" in json.dumps(view)
    (first, *_) = arguments
    written = choices["enum"][7] if "choice" in first else "short"
    wire = json.dumps(written, ensure_ascii=False) if "choice" in first else written
    assert submitted(told, **{first: wire}) == arguments | {first: written}


@given(records, st.dictionaries(st.text(max_size=12), st.text(max_size=30)))
def test_no_submission_makes_the_reader_fall(told: Approval, written: dict[str, str]) -> None:
    values: dict[str, Any] = {
        block: {"value": {"type": "plain_text_input", "value": text}} for block, text in written.items()
    }
    values |= {f"arg:{name}": {"value": {"value": text}} for name, text in written.items()}
    odd: list[dict[str, Any]] = [
        {},
        {"arg:a": None},
        {"arg:a": {}},
        {"arg:a": {"value": 7}},
        {"arg:a": {"value": {"value": 7}}},
    ]
    for each in (values, *odd):
        assert isinstance(read_form(told, each), dict | FormErrors)


@pytest.mark.parametrize(
    ("now", "spec", "written", "read"),
    [
        ("a", TEXT, "b\nc ", "b\nc "),
        ("a", TEXT, "3", "3"),
        (1, WHOLE, " -12 ", -12),
        (1, NUMBER, "2.5", 2.5),
        (1, NUMBER, "3", 3),
        (1, NUMBER, "1e3", 1000.0),
        (["a"], LINES, "b\n\n c d \ne", ["b", "c d", "e"]),
        (["a"], LINES, None, []),
        (["a"], LINES, "1", ["1"]),
        ([1], NUMBERS, "2\n3.5", [2, 3.5]),
        ({"a": 1}, OBJECT, '{"b": [null, "x"]}', {"b": [None, "x"]}),
        ("prod", ENUM, '"staging"', "staging"),
        (True, FLAG, "false", False),
        ("a", ornull(TEXT), None, None),
        (4, ornull(WHOLE), None, None),
        (4, ornull(WHOLE), "5", 5),
        (True, ornull(FLAG), "null", None),
        ("x", {"anyOf": [TEXT, WHOLE]}, "7", 7),
        ("x", {}, "7", "7"),
        (7, {}, "8", 8),
    ],
)
def test_each_kind_of_value_is_read(now: Any, spec: dict[str, Any], written: Any, read: Any) -> None:
    told = submitted(about({"it": now}, it=spec), it=written)
    assert told == {"it": read}
    assert isinstance(told, dict)
    assert type(told["it"]) is type(read)


@pytest.mark.parametrize(
    ("now", "spec", "written", "sentence"),
    [
        (1, WHOLE, "2.5", "Write a whole number, such as 3."),
        (1, WHOLE, "ten", "Write a whole number, such as 3."),
        (1, WHOLE, "٣", "Write a whole number, such as 3."),
        (1, WHOLE, "1_000", "Write a whole number, such as 3."),
        (1, WHOLE, "9" * 2_999, None),
        (1, NUMBER, "1,5", "Write a number, such as 2.5."),
        (1, NUMBER, "nan", "Write a number, such as 2.5."),
        (1, NUMBER, "1e999", "Write a number, such as 2.5."),
        ([1], NUMBERS, "1\nx", "Line 2: Write a number, such as 2.5."),
        (
            {},
            OBJECT,
            "{a: 1}",
            "This is not JSON: Expecting property name enclosed in double quotes in line 1, column 2.",
        ),
        ({}, OBJECT, '{"a": NaN}', "This is not JSON that can be used."),
        ({}, OBJECT, '{"a": 1e999}', "This is not JSON that can be used."),
        ({}, OBJECT, '"\\ud800"', "This is not JSON that can be used."),
        ({}, OBJECT, "[" * 2_900, "This is not JSON that can be used."),
    ],
)
def test_what_cannot_be_read_is_told_at_its_input(
    now: Any, spec: dict[str, Any], written: str, sentence: str | None
) -> None:
    told = submitted(about({"it": now, "other": "a"}, it=spec, other=TEXT), it=written)
    if sentence is None:
        assert isinstance(told, dict)
    else:
        assert told == FormErrors(errors={"arg:it": sentence})


def test_every_mistake_is_told_at_once() -> None:
    told = submitted(about({"a": 1, "b": {}}, a=WHOLE, b=OBJECT), a="x", b="y")
    assert isinstance(told, FormErrors)
    assert sorted(told.errors) == ["arg:a", "arg:b"]


def test_a_choice_that_was_not_offered_is_refused() -> None:
    told = about({"env": "prod"}, env=ENUM)
    forged = {"arg:env": {"value": {"type": "static_select", "selected_option": {"value": '"moon"'}}}}
    assert read_form(told, forged) == FormErrors(errors={"arg:env": "Choose one of the options."})


def test_a_number_that_is_needed_cannot_be_emptied() -> None:
    told = about({"it": 1}, it=WHOLE)
    assert read_form(told, {"arg:it": {"value": {"value": None}}}) == FormErrors(
        errors={"arg:it": "This is needed."}
    )


def test_an_optional_argument_can_be_added_changed_and_taken_away() -> None:
    told = about({"a": "x"}, needed=(), a=TEXT, b=WHOLE, c=FLAG)
    assert submitted(told) == {"a": "x"}
    assert submitted(told, b="3", c="true") == {"a": "x", "b": 3, "c": True}
    assert submitted(told, a=None) == {}


def test_a_secret_that_stays_empty_is_left_out_and_a_new_one_is_taken() -> None:
    told = about({"pin": 1234, "user": "ann"}, secret=("pin",), pin=WHOLE, user=TEXT)
    assert submitted(told, user="bob") == {"user": "bob"}
    assert submitted(told, pin="99") == {"user": "ann", "pin": 99}
    assert submitted(told, pin="  ") == {"user": "ann"}
    assert submitted(told, pin="x") == FormErrors(errors={"arg:pin": "Write a whole number, such as 3."})


def test_what_has_no_input_keeps_its_value_whatever_was_sent() -> None:
    told = approval({"body": "x" * 3_001, "service": "a"}, schema={})
    values = filled(told, service="b") | {"arg:body": {"value": {"value": "forged"}}}
    assert read_form(told, values) == {"body": "x" * 3_001, "service": "b"}


def test_an_argument_that_the_tool_does_not_have_is_not_read() -> None:
    told = about({"a": "x"}, a=TEXT)
    assert read_form(told, filled(told) | {"arg:tool": {"value": {"value": "drop"}}}) == {"a": "x"}


def test_line_ends_of_another_client_change_nothing() -> None:
    told = about({"a": "one\ntwo", "b": "one\r\ntwo"}, a=TEXT, b=TEXT)
    values = filled(told)
    values["arg:a"] = {"value": {"value": "one\r\ntwo"}}
    values["arg:b"] = {"value": {"value": "one\ntwo"}}
    assert read_form(told, values) == {"a": "one\ntwo", "b": "one\r\ntwo"}


def test_refused_arguments_are_told_at_their_inputs_and_the_rest_at_the_first() -> None:
    told = about({"a": "x", "b": "y"}, a=TEXT, b=TEXT)
    refused = Invalid(
        errors=(
            InvalidArgument(argument="b", message="must be at most 3"),
            InvalidArgument(argument="b", message="must match ^x"),
            InvalidArgument(argument="", message="Nobody could approve this."),
            InvalidArgument(argument="c", message="is not an argument of this tool"),
        )
    )
    assert form_errors(told, refused).errors == {
        "arg:b": "Must be at most 3. Must match ^x.",
        "arg:a": "Nobody could approve this. “c” is not an argument of this tool.",
    }


def test_the_reason_of_a_rejection_is_read_and_may_be_missing() -> None:
    assert (
        read_reason({"reason": {"value": {"type": "plain_text_input", "value": " Not now. "}}}) == "Not now."
    )
    assert read_reason({"reason": {"value": {"type": "plain_text_input", "value": None}}}) == ""
    assert read_reason({}) == ""
