"""The JSON Schema of a workspace document, for editors: made from the models that check it.

``python -m harness_core.workspace.json_schema`` writes it anew. An editor that knows it completes keys and marks
mistakes while they are typed; references between objects, and everything that looks at several of them, is for
:func:`harness_core.workspace.check_workspace`.
"""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from harness_core.workspace.fields import DURATION_SCHEMA, VARIABLE_SCHEMA, spell_duration
from harness_core.workspace.schema import KINDS, MIDDLEWARE_OBJECTS, MIDDLEWARE_TYPES, SPECS, Spec

FILE: Final = Path(__file__).with_name("workspace.schema.json")
"""Where the schema is kept; it ships with the package."""

_REFERENCE: Final = "#/$defs/{model}"
_ROLE: Final = re.compile(r":\w+:`~?([^`]+)`")
_NOISE: Final = frozenset({"title", "discriminator", "writeOnly", "format"})


def workspace_schema() -> dict[str, Any]:
    """The schema of one document, whichever its kind."""
    models = (*SPECS.values(), *MIDDLEWARE_OBJECTS.values())
    mode: JsonSchemaMode = "validation"
    _, written = models_json_schema([(model, mode) for model in models], ref_template=_REFERENCE)
    definitions = {name: _cleaned(definition) for name, definition in sorted(written["$defs"].items())}
    for model in models:
        _describe(definitions[model.__name__], model)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An object of an agent workspace",
        "type": "object",
        "properties": {"kind": {"enum": sorted(KINDS)}},
        "required": ["kind"],
        "allOf": [
            *(_when("kind", kind, _reference(spec)) for kind, spec in sorted(SPECS.items())),
            _when("kind", "Middleware", _middleware()),
        ],
        "$defs": definitions,
    }


def written() -> str:
    """The schema as text, the way it is kept."""
    return json.dumps(workspace_schema(), indent=2, ensure_ascii=False) + "\n"


def _middleware() -> dict[str, Any]:
    return {
        "properties": {"type": {"enum": sorted(MIDDLEWARE_TYPES)}},
        "required": ["type"],
        "allOf": [_when("type", name, _reference(spec)) for name, spec in sorted(MIDDLEWARE_OBJECTS.items())],
    }


def _when(key: str, value: str, then: dict[str, Any]) -> dict[str, Any]:
    return {"if": {"properties": {key: {"const": value}}, "required": [key]}, "then": then}


def _reference(model: type[Spec]) -> dict[str, Any]:
    return {"$ref": _REFERENCE.format(model=model.__name__)}


def _describe(definition: dict[str, Any], model: type[BaseModel]) -> None:
    """What pydantic cannot know: a document says its kind, and a mixed object is described by what it mixes in."""
    definition["required"] = sorted({"kind", *definition.get("required", ())})
    for base in model.__mro__:
        text = vars(base).get("__doc__")
        if text and issubclass(base, Spec):
            definition["description"] = _prose(text)
            return


def _cleaned(node: Any) -> Any:
    """Without what editors have no use for, absent values and defaults that are not spelled as in YAML."""
    match node:
        case {"anyOf": [*choices], **rest} if {"type": "null"} in choices:
            choices = [choice for choice in choices if choice != {"type": "null"}]
            alone = choices[0] if len(choices) == 1 else {"anyOf": choices}
            return _cleaned({**rest, **alone})
        case {"properties": {**properties}, **rest}:
            cleaned = _cleaned(rest)
            cleaned["properties"] = {key: _cleaned(value) for key, value in properties.items()}
            return cleaned
        case {"enum": [*values], "type": "string", **rest} if rest.keys() <= {"title", "default"}:
            # A variable may stand for a word, too.
            return _cleaned({**rest, "anyOf": [{"enum": values}, dict(VARIABLE_SCHEMA)]})
        case dict():
            kept = {key: _cleaned(value) for key, value in node.items() if key not in _NOISE}
            return _with_default(kept)
        case list():
            return [_cleaned(each) for each in node]
        case _:
            return node


def _with_default(node: dict[str, Any]) -> dict[str, Any]:
    default = node.pop("default", None)
    if "description" in node and isinstance(node["description"], str):
        node["description"] = _prose(node["description"])
    match default:
        case None | dict() | []:
            pass  # absent is as good
        case float() if node.get("pattern") == DURATION_SCHEMA["pattern"]:
            node["default"] = spell_duration(default)
        case list() if node.get("items", {}).get("pattern") == DURATION_SCHEMA["pattern"]:
            node["default"] = [spell_duration(each) for each in default]
        case list() if any(isinstance(each, dict) for each in default):
            pass
        case _:
            node["default"] = default
    return node


def _prose(text: str) -> str:
    return _ROLE.sub(r"`\1`", inspect.cleandoc(text)).replace("``", "`")


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
