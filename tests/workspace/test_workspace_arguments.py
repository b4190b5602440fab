"""Conditions and titles against the JSON Schema of a tool's arguments."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel
from workspace.workspace_folder import GOOD, good

from harness_core.workspace import (
    Diagnostic,
    ToolObject,
    ToolSpec,
    Workspace,
    check_against_schema,
    check_named_arguments,
)
from harness_core.workspace.argument_rules import possible_values


class Size(enum.StrEnum):
    SMALL = "small"
    LARGE = "large"


class Deploy(BaseModel):
    env: Literal["staging", "prod"]
    size: Size
    dry_run: bool
    wave: Literal[1, 2] | None = None
    region: Literal["eu"] | str = "eu"  # noqa: PYI051  # a schema that only looks closed is the point
    service: str
    replicas: int
    labels: list[Literal["a", "b"]]
    only: Literal["x"]


SCHEMA = Deploy.model_json_schema()


@pytest.mark.parametrize(
    ("argument", "values"),
    [
        ("env", ("staging", "prod")),
        ("size", ("small", "large")),
        ("dry_run", (True, False)),
        ("wave", (1, 2, None)),
        ("only", ("x",)),
        ("region", None),
        ("service", None),
        ("replicas", None),
        ("labels", None),
        ("nothing", None),
    ],
)
def test_the_values_of_an_argument_are_few_exactly_where_its_type_says_so(
    argument: str, values: tuple[object, ...] | None
) -> None:
    assert possible_values(SCHEMA, argument) == values


def findings(workspace: Workspace, **tool: object) -> list[Diagnostic]:
    given = {"name": "deploy", "python": "acme:deploy", **tool}
    return check_against_schema(workspace, ToolSpec.model_validate(given), SCHEMA)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return good(tmp_path, a=GOOD)


def when(argument: str, equals: object) -> dict[str, object]:
    return {"except_when": {"argument": argument, "equals": equals}}


@pytest.mark.parametrize(
    "condition", [when("env", "staging"), when("dry_run", True), when("wave", 1), when("size", "small")]
)
def test_a_condition_on_one_of_a_few_values_is_fine(
    workspace: Workspace, condition: dict[str, object]
) -> None:
    assert findings(workspace, approval=condition) == []


@pytest.mark.parametrize(
    ("condition", "code", "allowed", "nearest"),
    [
        (when("service", "web"), "condition-on-free-text", "an enum or a boolean", None),
        (when("replicas", 1), "condition-on-free-text", "an enum or a boolean", None),
        (when("region", "eu"), "condition-on-free-text", "an enum or a boolean", None),
        (when("evn", "staging"), "condition-unknown-argument", "dry_run, env", "env"),
        (when("env", "stagging"), "condition-never-true", "staging, prod", "staging"),
        (when("dry_run", 1), "condition-never-true", "true, false", None),
        (when("wave", True), "condition-never-true", "1, 2, null", None),
    ],
)
def test_a_condition_that_would_fail_open_or_never_hold_is_refused(
    workspace: Workspace, condition: dict[str, object], code: str, allowed: str, nearest: str | None
) -> None:
    (found,) = findings(workspace, approval=condition)
    assert (found.code, found.severity, found.path) == (code, "error", "Tool deploy: approval")
    assert (found.nearest, allowed in found.allowed) == (nearest, True)


def test_conditions_of_policies_about_the_tool_are_held_to_the_same(tmp_path: Path) -> None:
    policy = """\
        kind: Policy
        name: careful
        tools:
          "tickets/dep*":
            approval: {except_when: {argument: service, equals: web}}
          "tickets/load":
            approval: {except_when: {argument: service, equals: web}}
        ---
        kind: Tool
        name: tickets
        mcp: {transport: http, url: "https://mcp.example.com", allow: [deploy, load]}
        approval: never
        ---
        kind: Runtime
        approvals: {approvers: {users: [U1]}}
        """
    workspace = good(tmp_path, a=GOOD, p=policy)
    (found,) = check_against_schema(workspace, workspace.tools["tickets"].for_tool("deploy"), SCHEMA)
    assert (found.code, found.path) == (
        "condition-on-free-text",
        "Policy careful: tools.tickets/dep*.approval",
    )


def test_a_title_that_names_an_argument_which_is_not_there_is_a_doubt(workspace: Workspace) -> None:
    (found,) = findings(workspace, title="Deploy {servce} to {env}", label="Deploying {service}")
    assert (found.code, found.severity) == ("template-unknown-argument", "warning")
    assert (found.path, found.found, found.nearest) == ("Tool deploy: title", "{servce}", "service")


@pytest.mark.parametrize(
    ("schemas", "found"),
    [
        ([SCHEMA], ["pasword"]),
        ([{"properties": {"pasword": {"type": "string"}}}, SCHEMA], []),
        ([{"type": "object", "additionalProperties": {"type": "string"}}], []),
    ],
)
def test_an_argument_that_no_tool_of_the_object_has_keeps_nothing_secret(
    schemas: list[dict[str, object]], found: list[str]
) -> None:
    arguments = {"pasword": {"secret": True}}
    tool = ToolObject.model_validate({"name": "deploy", "python": "acme:deploy", "arguments": arguments})

    told = check_named_arguments(tool, schemas)

    assert [(each.code, each.found) for each in told] == [("unknown-argument", name) for name in found]
