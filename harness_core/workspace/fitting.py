"""A document against the schema of its kind: pydantic's errors as diagnostics with lines, never with secret values."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from harness_core.workspace.diagnostics import KeyPath, listed, nearest_name, on_one_line
from harness_core.workspace.document import Document
from harness_core.workspace.schema import SPECS, Spec

_TYPES: Final[Mapping[str, str]] = {
    "string_type": "text",
    "string_sub_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
}


def fit(document: Document) -> Spec | None:
    """The object that ``document`` describes; ``None`` after reporting everything that keeps it from being one."""
    spec_class = SPECS[document.kind]
    try:
        return spec_class.model_validate(document.data())
    except ValidationError as invalid:
        for error in invalid.errors(include_url=False, include_input=False):
            _report(document, spec_class, error)
        return None


def _report(document: Document, spec_class: type[Spec], error: ErrorDetails) -> None:
    path = _path_in(document, error)
    context = error.get("ctx", {})
    match error["type"]:
        case "missing":
            document.report(
                path,
                "missing-key",
                f"“{path[-1]}” is required",
                allowed=_allowed_here(spec_class, path),
                found="nothing",
            )
        case "extra_forbidden":
            known = _keys_at(spec_class, path[:-1])
            key = on_one_line(str(path[-1]))
            message = f"“{key}” is not a key of {_owner(spec_class, path)}"
            nearest = nearest_name(key, known)
            document.report(path, "unknown-key", message, found=key, allowed=listed(known), nearest=nearest)
        case "literal_error":
            words = re.findall(r"[\w-]+", context["expected"].replace(" or ", ", "))
            values = [{"True": "true", "False": "false"}.get(word, word) for word in words]
            nearest = nearest_name(document.shown(*path), values)
            document.report(
                path,
                "unknown-value",
                "is not one of the known values",
                allowed=", ".join(values),
                nearest=nearest,
            )
        case "greater_than_equal":
            document.report(path, "out-of-range", "is out of range", allowed=f"at least {context['ge']}")
        case kind if kind in _TYPES:
            document.report(path, "wrong-type", f"must be {_TYPES[kind]}", allowed=_TYPES[kind])
        case kind:
            allowed, found = str(context.get("allowed", "")), context.get("found")
            message = error["msg"] if "allowed" in context else "is not valid here"
            document.report(path, kind.replace("_", "-"), message, allowed=allowed, found=found)


def _path_in(document: Document, error: ErrorDetails) -> KeyPath:
    """pydantic's location without the union tags it puts between the keys of the data."""
    path: KeyPath = ()
    for position, part in enumerate(error["loc"]):
        is_missing_key = error["type"] == "missing" and position == len(error["loc"]) - 1
        if is_missing_key or document.has(*path, part):
            path = (*path, part)
    return path


def _owner(spec_class: type[Spec], path: KeyPath) -> str:
    keys = [part for part in path[:-1] if isinstance(part, str)]
    return f"“{keys[-1]}”" if keys else f"kind {_kind_of(spec_class)}"


def _kind_of(spec_class: type[Spec]) -> str:
    return next(kind for kind, candidate in SPECS.items() if candidate is spec_class)


def _allowed_here(spec_class: type[Spec], path: KeyPath) -> str:
    return (
        "package.module:function"
        if path == ("python",)
        else f"a value for {path[-1]} in {_owner(spec_class, path)}"
    )


def _keys_at(spec_class: type[Spec], path: KeyPath) -> list[str]:
    """The keys that the mapping at ``path`` may have."""
    spec: type[Spec] | None = spec_class
    for part in path:
        if spec is not None and part in spec.model_fields:
            spec = _spec_within(spec.model_fields[str(part)].annotation)
    return [] if spec is None else list(spec.model_fields)


def _spec_within(annotation: Any) -> type[Spec] | None:
    """The model that an annotation such as ``tuple[Rule, ...] | None`` is about."""
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        return annotation
    inner: Iterable[type[Spec] | None] = map(_spec_within, typing.get_args(annotation))
    return next((found for found in inner if found is not None), None)
