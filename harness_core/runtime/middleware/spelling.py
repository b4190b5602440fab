"""Declared middleware that names tools, in the spelling that it will meet: the models'."""

from __future__ import annotations

from typing import Any

from harness_core.workspace import MiddlewareSpec, model_name
from harness_core.workspace.schema.model_middleware import ContextEditingSpec

_LISTS = ("tools", "always_include", "searchable_tools", "on_parsing_failure")


def as_models_spell(spec: MiddlewareSpec) -> MiddlewareSpec:
    """``spec``, each tool that it names under the name that models know it by."""
    changed: dict[str, Any] = {}
    for key in _LISTS:
        names = getattr(spec, key, None)
        if isinstance(names, tuple):
            changed[key] = tuple(map(model_name, names))
    if isinstance(name := getattr(spec, "tool_name", None), str):
        changed["tool_name"] = model_name(name)
    if isinstance(spec, ContextEditingSpec):
        changed["edits"] = tuple(
            edit.model_copy(update={"exclude_tools": tuple(map(model_name, edit.exclude_tools))})
            for edit in spec.edits
        )
    return spec.model_copy(update=changed)
