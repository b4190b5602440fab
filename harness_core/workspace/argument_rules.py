"""What the workspace says about a tool's arguments, against the JSON Schema of them: for where tools are loaded.

A condition on free text fails open: ``env: " prod"`` is not ``prod``. So an argument that decides whether people are
asked has to be one of a few values, by its type.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from harness_core.workspace.assembly import Workspace
from harness_core.workspace.diagnostics import Diagnostic, listed, nearest_name
from harness_core.workspace.policy_rules import matches
from harness_core.workspace.schema import ApprovalExcept, ToolObject, ToolSpec
from harness_core.workspace.schema.approvals import ArgumentCondition
from harness_core.workspace.templates import placeholders

Schema: TypeAlias = Mapping[str, Any]

_REFERENCE = re.compile(r"#/(?:\$defs|definitions)/([^/]+)")


def check_against_schema(workspace: Workspace, tool: ToolSpec, schema: Schema) -> list[Diagnostic]:
    """Everything that ``tool`` and the policies about it say wrongly about the arguments that ``schema`` describes.

    Conditions have to be about an enum or a boolean and compare with one of its values; titles and labels, which are
    only shown, are warned about.
    """
    found = []
    for subject, condition in _conditions(workspace, tool):
        problem = _problem(condition, schema)
        if problem is not None:
            code, message, allowed, nearest = problem
            found.append(
                Diagnostic(
                    code=code,
                    file="workspace",
                    line=0,
                    path=subject,
                    message=message,
                    found=condition.argument,
                    allowed=allowed,
                    nearest=nearest,
                )
            )
    return [*found, *_templates(tool, schema)]


def check_named_arguments(tool: ToolObject, schemas: Iterable[Schema]) -> list[Diagnostic]:
    """A finding for each of the ``arguments`` of ``tool`` that none of its tools has; ``schemas`` describe theirs.

    A misspelt one would keep nothing secret. A tool that takes what its schema does not name may have any of them.
    """
    known: set[str] = set()
    for schema in schemas:
        if schema.get("additionalProperties") or schema.get("patternProperties"):
            return []
        known.update(schema.get("properties", {}))
    return [
        Diagnostic(
            code="unknown-argument",
            file="workspace",
            line=0,
            path=f"Tool {tool.name}: arguments.{name}",
            message="the tool has no such argument"
            if tool.mcp is None
            else "no tool of the server has such an argument",
            found=name,
            allowed=listed(known),
            nearest=nearest_name(name, known),
        )
        for name in tool.arguments
        if name not in known
    ]


def possible_values(schema: Schema, argument: str) -> tuple[Any, ...] | None:
    """The few values that ``argument`` may have; None when there are others, or it is no argument."""
    described = schema.get("properties", {}).get(argument)
    return None if described is None else _values(described, schema)


def _values(described: Schema, root: Schema) -> tuple[Any, ...] | None:
    match described:
        case {"enum": [*values]}:
            return tuple(values)
        case {"const": value}:
            return (value,)
        case {"type": "boolean"}:
            return (True, False)
        case {"type": "null"}:
            return (None,)
        case {"$ref": str(reference)}:
            name = _REFERENCE.fullmatch(reference)
            definitions = {**root.get("definitions", {}), **root.get("$defs", {})}
            target = definitions.get(name[1]) if name is not None else None
            return _values(target, {**root, "$defs": {}, "definitions": {}}) if target is not None else None
        case {"anyOf": [*choices]} | {"oneOf": [*choices]}:
            return _joined([_values(choice, root) for choice in choices])
        case {"allOf": [only]}:
            return _values(only, root)
        case _:
            return None


def _joined(choices: Sequence[tuple[Any, ...] | None]) -> tuple[Any, ...] | None:
    known = [values for values in choices if values is not None]
    return tuple(value for values in known for value in values) if len(known) == len(choices) else None


def _conditions(workspace: Workspace, tool: ToolSpec) -> Iterator[tuple[str, ArgumentCondition]]:
    match tool.approval:
        case ApprovalExcept(except_when=condition):
            yield f"Tool {tool.source}: approval", condition
    for policy in workspace.policies.values():
        for pattern, rule in policy.tools.items():
            match rule.approval:
                case ApprovalExcept(except_when=condition) if matches(pattern, tool.name, tool.source):
                    yield f"Policy {policy.name}: tools.{pattern}.approval", condition


def _problem(condition: ArgumentCondition, schema: Schema) -> tuple[str, str, str, str | None] | None:
    argument = condition.argument
    names = schema.get("properties", {})
    if argument not in names:
        message = "the tool has no such argument"
        return "condition-unknown-argument", message, listed(names), nearest_name(argument, names)
    values = possible_values(schema, argument)
    if values is None:
        message = (
            "the argument is free text or a number, so a condition on it fails open; "
            "give it an enum, such as Literal['staging', 'prod']"
        )
        return "condition-on-free-text", message, "an argument that is an enum or a boolean", None
    # In Python True == 1: a flag equals no number here.
    if not any(type(value) is type(condition.equals) and value == condition.equals for value in values):
        spelled = [_spelled(value) for value in values]
        message = f"the argument is never {_spelled(condition.equals)}"
        return (
            "condition-never-true",
            message,
            ", ".join(spelled),
            nearest_name(str(condition.equals), spelled),
        )
    return None


def _spelled(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case None:
            return "null"
        case _:
            return str(value)


def _templates(tool: ToolSpec, schema: Schema) -> Iterator[Diagnostic]:
    names = schema.get("properties", {})
    for key, template in (("title", tool.title), ("label", tool.label)):
        for name in placeholders(template or ""):
            if name not in names:
                yield Diagnostic(
                    severity="warning",
                    code="template-unknown-argument",
                    file="workspace",
                    line=0,
                    path=f"Tool {tool.source}: {key}",
                    message="names an argument that the tool does not have",
                    found=f"{{{name}}}",
                    allowed=listed(names),
                    nearest=nearest_name(name, names),
                )
