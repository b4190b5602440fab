"""Arguments of a tool: whether they fit its schema, what differs, what may be shown, and what stands for a call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from harness_core.approvals import Approval, Change, GrantTerms, InvalidArgument
from harness_core.canonical import canonical_json, digest, digest_of
from harness_core.foreign_schemas import SchemaUnreadable, errors_of
from harness_core.redaction import MASK

_LONGEST = 200


def check_arguments(schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> tuple[InvalidArgument, ...]:
    """Everything that keeps ``arguments`` from being passed to a tool with this JSON Schema.

    A schema that is none itself lets nothing pass. Values are not repeated: they may be secret.
    """
    try:
        errors = errors_of(schema, dict(arguments))
    except SchemaUnreadable:
        return (InvalidArgument(argument="", message="the tool's schema cannot be read"),)
    found: list[InvalidArgument] = []
    for error in errors:
        path = [str(part) for part in error.absolute_path]
        if path:
            found.append(InvalidArgument(argument=path[0], message=_explain(error, path[1:])))
        elif error.validator == "required":
            needed: Any = error.validator_value
            missing = [name for name in needed if name not in arguments]
            found.extend(InvalidArgument(argument=name, message="is needed") for name in missing)
        else:
            found.append(InvalidArgument(argument="", message=_explain(error, [])))
    return tuple(dict.fromkeys(found))


def takes(schema: Mapping[str, Any], name: str, value: Any) -> bool:
    """Whether the argument ``name`` may have this value; of one that the schema does not describe nothing is known.

    :raises SchemaUnreadable: a schema like this lets nothing pass.
    """
    wanted = schema.get("properties", {}).get(name, True)
    if not isinstance(wanted, Mapping):
        return True
    # References inside lead to definitions beside the arguments.
    beside = {key: schema[key] for key in ("$defs", "definitions") if key in schema}
    return not errors_of({**wanted, **beside}, value)


def completed(schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """``arguments`` with the defaults of those that are missing: what would really be passed."""
    defaults = {
        name: about["default"]
        for name, about in schema.get("properties", {}).items()
        if name not in arguments and isinstance(about, Mapping) and "default" in about
    }
    return {**arguments, **defaults}


def changes_between(
    before: Mapping[str, Any], after: Mapping[str, Any], secret: frozenset[str]
) -> tuple[Change, ...]:
    """What an edit changed, in the order of the arguments; secret values masked."""
    names = dict.fromkeys((*before, *after))
    return tuple(
        Change(
            argument=name,
            before=_shown(before.get(name), name in secret),
            after=_shown(after.get(name), name in secret),
        )
        for name in names
        if canonical_json(before.get(name)) != canonical_json(after.get(name))
    )


def shown_arguments(arguments: Mapping[str, Any], secret: frozenset[str]) -> str:
    """``arguments`` as JSON text, secret ones masked."""
    return json.dumps(
        {name: _shown(value, name in secret) for name, value in arguments.items()},
        ensure_ascii=False,
        default=str,
    )


def call_digest(
    *, tool: str, version: str, arguments: Mapping[str, Any], policy: str, run: str, call: str
) -> str:
    """Stands for exactly one call: the tool, its version, what is passed, who may allow it, the run and the call.

    :raises TypeError, ValueError: the arguments are not JSON.
    """
    return digest(tool, version, canonical_json(dict(arguments)), policy, run, call)


def scope_of(about: Approval, terms: GrantTerms, *, agent: str, workspace: str) -> str:
    """Stands for what another call must share with this one for a grant on ``terms`` to cover it.

    ``agent`` was asked for the run, ``workspace`` stands for how it is configured. The terms are part of it, so a grant
    ends with those it was given under.

    :raises TypeError, ValueError: the arguments are not JSON.
    """
    held = {
        name: value
        for name, value in about.asked.arguments.items()
        if terms.same is None or name in terms.same
    }
    bound = {
        "terms": asdict(terms),
        "thread": about.thread_id,
        "agents": [agent, about.agent],
        "tool": about.tool,
        "version": about.version,
        "policy": about.policy,
        "workspace": workspace,
        "requesters": sorted(set(about.requesters)),
        "arguments": held,
    }
    return digest_of(bound)


def _shown(value: Any, secret: bool) -> Any:  # noqa: FBT001 - a fact about the value
    return MASK if secret and value is not None else value


def _explain(error: Any, path: list[str]) -> str:
    where = f"{'.'.join(path)}: " if path else ""
    match error.validator:
        case "enum":
            text = f"must be one of {', '.join(json.dumps(each) for each in error.validator_value)}"
        case "type":
            wanted = error.validator_value
            text = f"must be {' or '.join(wanted) if isinstance(wanted, list) else wanted}"
        case "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum" | "minLength" | "maxLength":
            text = f"{_BOUNDS[error.validator]} {error.validator_value}"
        case "pattern":
            text = f"must match {error.validator_value}"
        case "additionalProperties":
            text = "is not known" if path else "is not an argument of this tool"
        case "anyOf" | "oneOf":
            text = "fits none of the forms that the tool takes"
        case _:
            text = "does not fit what the tool takes"
    said = where + text
    return said if len(said) <= _LONGEST else f"{said[: _LONGEST - 1]}…"


_BOUNDS = {
    "minimum": "must be at least",
    "exclusiveMinimum": "must be above",
    "maximum": "must be at most",
    "exclusiveMaximum": "must be below",
    "minLength": "needs a length of at least",
    "maxLength": "may have a length of at most",
}
