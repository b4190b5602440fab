"""A document against the schema of its kind: pydantic's errors as diagnostics with lines, never with secret values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from harness_core.workspace.diagnostics import KeyPath, listed, nearest_name, on_one_line
from harness_core.workspace.document import Document
from harness_core.workspace.schema import MIDDLEWARE_OBJECTS, MIDDLEWARE_TYPES, REFUSED_TYPES, SPECS, Spec
from harness_core.workspace.shape import keys_at

_TYPES: Final[Mapping[str, str]] = {
    "string_type": "text",
    "string_sub_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
}
_BOUNDS: Final[Mapping[str, tuple[str, str]]] = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
}


@dataclass(frozen=True, slots=True)
class Fitted:
    """An object, and the document that describes it."""

    document: Document
    spec: Spec


def fit(document: Document) -> Fitted | None:
    """The object that ``document`` describes; ``None`` after reporting everything that keeps it from being one."""
    spec_class = _shape_of(document)
    if spec_class is None:
        return None
    try:
        return Fitted(document, spec_class.model_validate(document.data()))
    except ValidationError as invalid:
        for error in invalid.errors(include_url=False, include_input=False):
            _report(document, spec_class, error)
        return None


def _shape_of(document: Document) -> type[Spec] | None:
    if document.kind != "Middleware":
        return SPECS[document.kind]
    found = document.value("type")
    if not isinstance(found, str):
        code = "wrong-type" if document.has("type") else "missing-key"
        message = "must be text" if document.has("type") else "“type” is required"
        document.report(("type",), code, message, allowed=listed(MIDDLEWARE_TYPES))
        return None
    if found not in MIDDLEWARE_OBJECTS:
        _refuse_middleware(document, ("type",))
        return None
    return MIDDLEWARE_OBJECTS[found]


def _refuse_middleware(document: Document, path: KeyPath) -> None:
    """A type that is none, or one that must not be used; the text at ``path`` says which."""
    name = document.text(*path)
    if name in REFUSED_TYPES:
        message = f"cannot be declared: {REFUSED_TYPES[name]}"
        document.report(path, "middleware-refused", message, allowed=listed(MIDDLEWARE_TYPES))
        return
    nearest = nearest_name(document.shown(*path), MIDDLEWARE_TYPES)
    message = "is not a type of middleware; a class of your own is type: custom with python"
    document.report(
        path, "unknown-middleware-type", message, allowed=listed(MIDDLEWARE_TYPES), nearest=nearest
    )


def _report(document: Document, spec_class: type[Spec], error: ErrorDetails) -> None:
    path = _path_in(document, error)
    context = error.get("ctx", {})
    match error["type"]:
        case "missing":
            _missing(document, spec_class, path)
        case "extra_forbidden":
            known = keys_at(spec_class, error["loc"][:-1])
            key = on_one_line(str(path[-1]))
            message = f"“{key}” is not a key of {_owner(document, path)}"
            nearest = nearest_name(key, known)
            document.report(path, "unknown-key", message, found=key, allowed=listed(known), nearest=nearest)
        case "literal_error":
            words = re.findall(r"[\w-]+", context["expected"].replace(" or ", ", "))
            _unknown_value(
                document, path, [{"True": "true", "False": "false"}.get(word, word) for word in words]
            )
        case "union_tag_not_found" | "union_tag_invalid":
            _wrong_shape(document, spec_class, (*path, str(context["discriminator"]).strip("'")), context)
        case "too_short":
            # pydantic also says so when every item was refused by itself.
            if not document.length(*path):
                document.report(path, "too-few", "must not be an empty list", allowed="at least one")
        case kind if kind in _BOUNDS:
            bound, least = _BOUNDS[kind]
            document.report(path, "out-of-range", "is out of range", allowed=f"{least} {context[bound]:g}")
        case kind if kind in _TYPES:
            document.report(path, "wrong-type", f"must be {_TYPES[kind]}", allowed=_TYPES[kind])
        case kind:
            document.report(
                (*path, *context.get("at", ())),
                kind.replace("_", "-"),
                error["msg"] if "allowed" in context else "is not valid here",
                allowed=str(context.get("allowed", "")),
                found=str(path[-1]) if error["loc"][-1:] == ("[key]",) else context.get("found"),
            )


def _wrong_shape(
    document: Document, spec_class: type[Spec], path: KeyPath, context: Mapping[str, Any]
) -> None:
    """What stands at ``path`` should say which of several shapes is meant."""
    if "tag" not in context:
        _missing(document, spec_class, path)
    elif path[0] == "middleware" and len(path) == 3:
        _refuse_middleware(document, path)
    else:
        _unknown_value(document, path, re.findall(r"'([\w-]+)'", context["expected_tags"]))


def _missing(document: Document, spec_class: type[Spec], path: KeyPath) -> None:
    key = path[-1]
    is_python = key == "python"
    allowed = "package.module:function" if is_python else f"a value for {key} in {_owner(document, path)}"
    if key == "type" and path[0] == "middleware" and spec_class is SPECS["Agent"]:
        allowed = listed(MIDDLEWARE_TYPES)
    document.report(path, "missing-key", f"“{key}” is required", allowed=allowed, found="nothing")


def _unknown_value(document: Document, path: KeyPath, known: list[str]) -> None:
    document.report(
        path,
        "unknown-value",
        "is not one of the known values",
        allowed=", ".join(known),
        nearest=nearest_name(document.shown(*path), known),
    )


def _path_in(document: Document, error: ErrorDetails) -> KeyPath:
    """pydantic's location without the union tags it puts between the keys of the data."""
    path: KeyPath = ()
    for position, part in enumerate(error["loc"]):
        is_missing_key = error["type"] == "missing" and position == len(error["loc"]) - 1
        if is_missing_key or document.has(*path, part):
            path = (*path, part)
    return path


def _owner(document: Document, path: KeyPath) -> str:
    keys = [part for part in path[:-1] if isinstance(part, str)]
    return f"“{keys[-1]}”" if keys else f"kind {document.kind}"
