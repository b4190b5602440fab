"""Titles and labels such as ``Restarting {service} in {env}``: argument names in braces and nothing else.

Not ``str.format``: that reaches attributes and items of the values (``{service.__class__}``).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

_PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}", re.ASCII)
_MASK = "•••"
_UNKNOWN = "…"
_VALUE_LENGTH = 60


def is_template(text: str) -> bool:
    """Whether every brace of ``text`` belongs to an ``{argument}``."""
    rest = _PLACEHOLDER.sub("", text)
    return "{" not in rest and "}" not in rest


def placeholders(template: str) -> tuple[str, ...]:
    """The arguments that the template names, in order."""
    return tuple(_PLACEHOLDER.findall(template))


def fill_template(template: str, arguments: Mapping[str, object], secret: Collection[str] = ()) -> str:
    """The template with values in place: secret ones masked, missing ones ``…``, long ones cut to 60 characters."""

    def value_of(match: re.Match[str]) -> str:
        name = match[1]
        if name in secret:
            return _MASK
        if name not in arguments:
            return _UNKNOWN
        text = " ".join(str(arguments[name]).split())
        return text if len(text) <= _VALUE_LENGTH else text[: _VALUE_LENGTH - 1] + _UNKNOWN

    return _PLACEHOLDER.sub(value_of, template)
