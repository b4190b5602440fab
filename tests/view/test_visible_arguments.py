"""What would run, as people read it: nothing hidden, nothing left out, nothing that looks like something else."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from view.view_approvals import arguments as any_arguments

from bot.view.arguments import arguments_text, shown_arguments, value_text
from bot.view.visible import one_line, visible

_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.sampled_from(
        ["true", "null", "3", "1e5", "", " a", "a\\n", '"a"', "[1]", "{}", "nan", "-inf", "\u200b"]
    ),
)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("user\u202egpj.exe", "user\\u202egpj.exe"),
        ("a\u200bb\ufeffc\u2066d\u00ade", "a\\u200bb\\ufeffc\\u2066d\\u00ade"),
        ("\x1b[31mred\x07\x00", "\\u001b[31mred\\u0007\\u0000"),
        ("two\nlines\tand\r", "two\\nlines\\tand\\r"),
        ("no\u00a0break\u2003wide\u3000space", "no\\u00a0break\\u2003wide\\u3000space"),
        ("blank\u3164\u2800\ufe0f\U000e0100", "blank\\u3164\\u2800\\ufe0f\\U000e0100"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("half \ud800", "half \\ud800"),
        ("a" + "\u0301" * 6, "a" + "\u0301" * 3 + "\\u0301" * 3),
        ("Größe, 検索, Đặng, हिन्दी, 😀", "Größe, 検索, Đặng, हिन्दी, 😀"),
    ],
)
def test_what_nobody_would_see_is_written_out(written: str, shown: str) -> None:
    assert visible(written) == shown


@given(st.text())
def test_no_text_keeps_a_control_or_a_format_character(text: str) -> None:
    shown = visible(text)
    assert not [char for char in shown if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]
    assert visible(shown) == shown


def test_lines_are_kept_where_they_may_be_and_joined_where_not() -> None:
    assert visible("a\nb\u200b", keep="\n") == "a\nb\\u200b"
    assert one_line("  a\n b\u202e ") == "a b\\u202e"


def test_arguments_stand_one_a_line_in_the_order_of_their_names() -> None:
    told = {
        "service": "checkout",
        "env": "prod",
        "count": 3,
        "dry": True,
        "tags": ["a", "b"],
        "opts": {"b": None},
    }
    expected = [
        "count: 3",
        "dry: true",
        "env: prod",
        'opts: {"b": null}',
        "service: checkout",
        'tags: ["a", "b"]',
    ]
    assert arguments_text(told).splitlines() == expected
    assert arguments_text(dict(reversed(told.items()))) == arguments_text(told)
    assert arguments_text({}) == "(no arguments)"


def test_secret_values_are_masked_and_an_absent_one_is_not_hidden() -> None:
    assert arguments_text({"password": "hunter2", "pin": 1, "token": None}, ["password", "pin", "token"]) == (
        "password: •••\npin: •••\ntoken: null"
    )
    assert shown_arguments('{"password": "•••"}') == "password: •••"


def test_backticks_mentions_and_breaks_stay_on_their_line() -> None:
    hostile = {"text": "```\n<!channel> <@U012ABCDEF>\n```", "name\nenv: prod": 1}
    assert arguments_text(hostile).splitlines() == [
        '"name\\nenv: prod": 1',
        'text: "```\\n<!channel> <@U012ABCDEF>\\n```"',
    ]


@given(any_arguments)
def test_there_are_as_many_lines_as_arguments(told: dict[str, object]) -> None:
    assert len(arguments_text(told).split("\n")) == max(1, len(told))
    assert shown_arguments(json.dumps(told)) == arguments_text(json.loads(json.dumps(told)))


@given(_SCALARS, _SCALARS)
def test_two_different_values_never_look_the_same(one: object, other: object) -> None:
    same = json.dumps(one) == json.dumps(other)
    assert (value_text(one) == value_text(other)) == same


@pytest.mark.parametrize("wire", ["not json \u202e", "[1, 2]", "[" * 5_000, '"text"', ""])
def test_arguments_that_are_none_are_shown_as_they_came(wire: str) -> None:
    assert shown_arguments(wire) == visible(wire)
