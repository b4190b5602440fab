"""``name=value`` from a command line, as what a tool's JSON Schema takes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from harness_core import SchemaUnreadable, takes


class NotReadable(ValueError):
    """A value that is neither the JSON nor the text that the argument takes."""


def read_assignments(schema: Mapping[str, Any], assignments: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Every value as JSON where the schema takes what that is, else as text: ``count=2`` is a number, ``name=2`` no.

    :raises NotReadable: naming the argument and not the value, which may be secret.
    """
    return {name: _read(schema, name, text) for name, text in assignments}


def _read(schema: Mapping[str, Any], name: str, text: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    try:
        found = next((each for each in (value, text) if takes(schema, name, each)), None)
        if found is not None or (value is None and takes(schema, name, None)):
            return found
    except SchemaUnreadable:
        return value
    raise NotReadable(
        f"{name}: the value is not what the tool takes; write JSON, or text where text is taken."
    )
