"""Schemas of servers are read without trust: nothing is fetched, nothing runs for ever, and what cannot be read is said."""

from __future__ import annotations

import time
from typing import Any

import pytest
from langchain_core.tools import StructuredTool

from harness_core import takes
from harness_core.arguments import check_arguments
from harness_core.foreign_schemas import SchemaUnreadable, check_schema
from harness_core.runtime.call_schema import CallSchema

EVIL = "^(a+)+$"
DRAFT_7 = "http://json-schema.org/draft-07/schema#"
UNREADABLE = [("", "the tool's schema cannot be read")]


def schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def found(wanted: dict[str, Any], **arguments: Any) -> list[tuple[str, str]]:
    return [(each.argument, each.message) for each in check_arguments(wanted, arguments)]


@pytest.mark.parametrize(
    "wanted",
    [
        {"$ref": "#/$defs/none"},
        {"$ref": "other.json"},
        {"$ref": "http://[half"},
        {"items": {"$ref": "#nowhere"}},
        {"type": "none"},
    ],
)
def test_a_schema_that_leads_out_of_itself_cannot_be_read(wanted: dict[str, Any]) -> None:
    with pytest.raises(SchemaUnreadable):
        check_schema(schema(x=wanted))
    assert found(schema(x=wanted), x=[1]) == UNREADABLE
    with pytest.raises(SchemaUnreadable):
        takes(schema(x=wanted), "x", [1])


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr("urllib.request.urlopen", lambda *given, **_: asked.append(given))
    for address in ("http://127.0.0.1:9/x", "file:///etc/hostname"):
        assert found(schema(x={"$ref": address}), x=1) == UNREADABLE
        assert found({"$schema": DRAFT_7, **schema(x={"$ref": address})}, x=1) == UNREADABLE
    assert not asked


@pytest.mark.parametrize(
    "wanted",
    [
        schema(x={"type": "string", "pattern": EVIL}),
        {"$schema": DRAFT_7, **schema(x={"$ref": "#/$defs/y"}), "$defs": {"y": {"pattern": EVIL}}},
        schema(x={"$schema": DRAFT_7, "pattern": EVIL}),
        schema(x={"$schema": DRAFT_7, "allOf": [{"$schema": DRAFT_7, "pattern": EVIL}]}),
    ],
)
def test_no_pattern_of_a_schema_holds_a_worker_up(wanted: dict[str, Any]) -> None:
    began = time.perf_counter()
    assert [argument for argument, _ in found(wanted, x="a" * 40 + "!")] == ["x"]
    assert found(wanted, x="aaa") == []
    assert time.perf_counter() - began < 2.0


@pytest.mark.parametrize("rest", ["additionalProperties", "unevaluatedProperties"])
def test_nor_does_one_of_names(rest: str) -> None:
    began = time.perf_counter()
    wanted = {"type": "object", "patternProperties": {EVIL: {"type": "integer"}}, rest: False}
    assert found(wanted, aa="x") == [("aa", "must be integer")]
    assert found(wanted, aa=1) == []
    found(wanted, **{"a" * 40 + "!": 1})
    assert time.perf_counter() - began < 2.0


def test_names_are_known_by_themselves_or_by_a_pattern_and_the_rest_is_as_the_schema_says() -> None:
    wanted = {
        "type": "object",
        "properties": {"a": {}, "deep": {"properties": {"b": {}}, "additionalProperties": False}},
        "patternProperties": {"^x-": {}},
        "additionalProperties": {"type": "integer"},
    }
    assert found(wanted, a="1", other=2, **{"x-y": "z"}) == []
    assert found(wanted, other="2") == [("other", "must be integer")]
    assert found(wanted, deep={"b": 1, "c": 2}) == [("deep", "c: is not known")]
    assert found({**wanted, "additionalProperties": False}, other=2) == [
        ("other", "is not an argument of this tool")
    ]


def test_a_pattern_that_only_its_author_can_read_is_left_to_the_author() -> None:
    wanted = {**schema(x={"pattern": r"(?=a)\p{L}"}), "patternProperties": {"(?=b)": {"type": "integer"}}}
    assert found({**wanted, "additionalProperties": False}, x="1", b="1") == []


@pytest.mark.parametrize(
    "definitions",
    [
        {"n0": {"$ref": "#/$defs/n0"}},
        {f"n{n}": {"allOf": [{"$ref": f"#/$defs/n{n + 1}"}] * 2} for n in range(40)} | {"n40": {}},
    ],
    ids=["in a circle", "doubling"],
)
def test_references_that_lead_on_and_on_are_given_up(definitions: dict[str, Any]) -> None:
    wanted = {**schema(x={"$ref": "#/$defs/n0"}), "$defs": definitions}
    assert found(wanted, x=1) == UNREADABLE


def test_a_property_that_is_just_allowed_has_no_default() -> None:
    tool = StructuredTool(name="t", description="t", args_schema=schema(x=True, y={"default": 2}), func=print)
    assert CallSchema.of(tool).completed({}) == {"y": 2}


def test_the_schema_of_a_property_called_like_a_dialect_stays() -> None:
    wanted = schema(**{"$schema": {"type": "integer"}, "x": {"enum": [{"$schema": "a"}]}})
    assert found(wanted, x={"$schema": "a"}, **{"$schema": 1}) == []
    assert found(wanted, **{"$schema": "a"}) == [("$schema", "must be integer")]
