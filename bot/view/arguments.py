"""The arguments of a call as text: one a line, in the order of their names, nothing left out or hidden.

Two different values never look the same. So a string stands as it is only where it could be nothing else, and
as JSON in quotes where it could be taken for a number, or holds a line break or an invisible character.
"""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from bot.view.visible import visible

MASK: Final = "•••"
NO_ARGUMENTS: Final = "(no arguments)"

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_LITERAL: Final = re.compile(r"true|false|null|[-+]?[0-9.][0-9.eE+-]*|[-+]?(?:nan|inf\w*)", re.IGNORECASE)


def arguments_text(arguments: Mapping[str, Any], secret: Collection[str] = ()) -> str:
    """Every argument; the values of `secret` ones are masked."""
    lines = [
        f"{name_text(name)}: {MASK if name in secret and value is not None else value_text(value)}"
        for name, value in sorted(arguments.items())
    ]
    return "\n".join(lines) or NO_ARGUMENTS


def shown_arguments(wire: str) -> str:
    """The same from the JSON object that an event carries; what is none is shown as it is."""
    try:
        found = json.loads(wire)
        return arguments_text(found) if isinstance(found, dict) else visible(wire)
    except (ValueError, RecursionError):
        return visible(wire)


def name_text(name: str) -> str:
    """The name of an argument, quoted where it is none that code could have."""
    return name if _NAME.fullmatch(name) else visible(json.dumps(name, ensure_ascii=False))


def value_text(value: Any) -> str:
    """One value on one line."""
    return value if isinstance(value, str) and is_plain(value) else json_text(value)


def json_text(value: Any) -> str:
    """The same, a string always in quotes."""
    return visible(json.dumps(value, ensure_ascii=False, sort_keys=True, default=str))


def is_plain(text: str) -> bool:
    """Whether a string stands as it is: nothing else could look like it."""
    return (
        text != ""
        and text.strip() == text
        and text[0] not in '"[{'
        and "\\" not in text
        and visible(text) == text
        and not _LITERAL.fullmatch(text)
    )
