"""The schema that editors get: current, complete, and of one mind with the check."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from workspace.test_workspace_schema import EVERYTHING, FULL_RUNTIME
from workspace.workspace_folder import GOOD

from harness_core.workspace.json_schema import FILE, workspace_schema, written
from harness_core.workspace.schema import MIDDLEWARE_OBJECTS, SPECS
from harness_core.workspace.schema.base import Spec

EXAMPLE = Path(__file__).resolve().parents[2] / "workspace"
BROKEN = Path(__file__).parent / "broken"

#: Mistakes of a single value that an editor can mark by itself.
MARKED = (
    "bad-duration", "bad-name", "bad-package", "empty-extent", "missing-key", "missing-kind", "not-a-mapping",
    "out-of-range", "rule-condition", "too-few", "tool-source", "unknown-key", "unknown-kind",
    "unknown-middleware-type", "middleware-refused", "unknown-value", "wrong-type",
)  # fmt: skip


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    whole = workspace_schema()
    Draft202012Validator.check_schema(whole)
    return Draft202012Validator(whole)


def documents(text: str) -> list[Any]:
    return [each for each in yaml.safe_load_all(textwrap.dedent(text)) if each is not None]


def test_the_schema_that_ships_is_current() -> None:
    assert FILE.read_text(encoding="utf-8") == written(), (
        "write it anew: python -m harness_core.workspace.json_schema"
    )


@pytest.mark.parametrize("text", [GOOD, FULL_RUNTIME, EVERYTHING], ids=["good", "runtime", "everything"])
def test_what_the_check_takes_the_schema_takes(schema: Draft202012Validator, text: str) -> None:
    found = [error.message for each in documents(text) for error in schema.iter_errors(each)]
    assert found == []


def test_the_schema_takes_the_example_that_ships(schema: Draft202012Validator) -> None:
    files = list(EXAMPLE.glob("*.yaml"))
    assert files
    for file in files:
        for document in documents(file.read_text(encoding="utf-8")):
            assert [error.message for error in schema.iter_errors(document)] == [], file.name


@pytest.mark.parametrize("code", MARKED)
def test_a_mistake_of_one_value_is_marked_in_the_editor_too(schema: Draft202012Validator, code: str) -> None:
    text = (BROKEN / f"{code}.yaml").read_text(encoding="utf-8")
    assert any(error for each in documents(text) for error in schema.iter_errors(each))


def test_a_variable_may_stand_for_any_value_but_a_kind(schema: Draft202012Validator) -> None:
    text = """\
kind: Runtime
limits: {run: "${RUN:-5m}"}
concurrency: {per_user: "${USERS}", while_running: "${WHEN:-queue}"}
recovery: {enabled: "${RECOVER:-true}"}
checkpointer: false
"""
    assert list(schema.iter_errors(yaml.safe_load(text))) == []
    assert list(schema.iter_errors({"kind": "${KIND}"}))


@pytest.mark.parametrize(
    ("path", "default"),
    [
        (("Limits", "run"), "15m"),
        (("Approvals", "remind_after"), ["15m", "1h"]),
        (("Concurrency", "while_running"), "queue"),
        (("ModelRetrySpec", "initial_delay"), 1.0),
    ],
)
def test_defaults_are_spelled_as_in_the_yaml(path: tuple[str, str], default: object) -> None:
    definition, key = path
    assert workspace_schema()["$defs"][definition]["properties"][key]["default"] == default


@pytest.mark.parametrize("model", [*SPECS.values(), *MIDDLEWARE_OBJECTS.values()], ids=lambda m: m.__name__)
def test_every_key_of_a_kind_is_there_and_the_kind_is_described(model: type[Spec]) -> None:
    definition = workspace_schema()["$defs"][model.__name__]
    assert definition["properties"].keys() == model.model_fields.keys()
    assert len(definition["description"]) > 20
    assert "``" not in definition["description"]
    assert "kind" in definition["required"]


def test_a_middleware_object_has_the_keys_of_its_type(schema: Draft202012Validator) -> None:
    given = {"kind": "Middleware", "name": "again", "type": "tool_retry", "max_retries": 2}
    assert list(schema.iter_errors(given)) == []
    assert list(schema.iter_errors({**given, "run_limit": 2}))
