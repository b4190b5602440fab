"""The kinds of values that workspace objects are made of: durations, counts, flags, names, texts, templates.

Each raises :class:`pydantic_core.PydanticCustomError` whose type becomes the code of a diagnostic and whose context
says what is ``allowed``. Text that came from a variable is accepted for a number or a flag.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated, Any, Final, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from harness_core.workspace.document import SECRET_KEY
from harness_core.workspace.python_reference import python_reference
from harness_core.workspace.substitution import Substituted
from harness_core.workspace.templates import is_template

_DURATION = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d)", re.ASCII)
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LONGEST: Final = 3650 * 86400.0
_FLAGS: Final = {"true": True, "false": False}


def parse_duration(value: object) -> float:
    """``15m`` as 900.0 seconds. Units: ms, s, m, h, d; more than nothing and at most ten years."""
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise PydanticCustomError(
            "bad_duration", "is not a duration", {"allowed": "a number and ms, s, m, h or d, such as 15m"}
        )
    seconds = float(match[1]) * _SECONDS[match[2]]
    if not 0 < seconds <= _LONGEST:
        raise PydanticCustomError(
            "duration_out_of_range", "is out of range", {"allowed": "above 0 and up to 3650d"}
        )
    return seconds


def spell_duration(seconds: float) -> str:
    """The opposite of :func:`parse_duration`, in the largest unit that leaves a whole number."""
    for unit in ("d", "h", "m", "s"):
        if seconds >= _SECONDS[unit] and seconds % _SECONDS[unit] == 0:
            return f"{seconds / _SECONDS[unit]:.0f}{unit}"
    return f"{seconds * 1000:g}ms"


def at_least(seconds: float) -> AfterValidator:
    """A duration of ``seconds`` or more."""

    def check(value: float) -> float:
        if value < seconds:
            raise PydanticCustomError(
                "duration_too_short", "is too short", {"allowed": f"at least {seconds:g}s"}
            )
        return value

    return AfterValidator(check)


def _number(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"\d{1,18}", value.strip(), re.ASCII):
        return int(value)
    return value


def _seconds(value: object) -> object:
    """As LangChain's own parameters have it, a bare number is seconds; nothing at all is no delay."""
    if isinstance(value, str) and re.fullmatch(r"0(?:ms|s|m|h|d)?", value.strip(), re.ASCII):
        return 0.0
    return parse_duration(value) if isinstance(value, str) else value


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or any(char.isspace() for char in value):
        raise PydanticCustomError("bad_url", "is not an address", {"allowed": "http://… or https://…"})
    return value


def _inside(value: str) -> str:
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or value.startswith("~") or "\\" in value or "\0" in value:
        raise PydanticCustomError(
            "path_outside",
            "leaves the folder",
            {"allowed": "a path below the folder, without a / at its start, .. or ~"},
        )
    return value


def _virtual(value: str) -> str:
    parts = PurePosixPath(value).parts
    if not value.startswith("/") or ".." in parts or "~" in parts:
        raise PydanticCustomError(
            "bad_file_path", "is not a path of the agent's files", {"allowed": "/… without .. and ~"}
        )
    return value


def _flag(value: object) -> object:
    return _FLAGS.get(value.strip().lower(), value) if isinstance(value, str) else value


def _template(value: str) -> str:
    if not is_template(value):
        raise PydanticCustomError(
            "bad_template",
            "is not a template that can be filled in",
            {"allowed": "text with {argument} in it"},
        )
    return value


def _reference(value: str) -> str:
    if python_reference(value) is None:
        raise PydanticCustomError(
            "bad_python_reference", "is not a Python reference", {"allowed": "package.module:function"}
        )
    return value


def _matching(pattern: str, code: str, text: str, allowed: str) -> AfterValidator:
    compiled = re.compile(pattern, re.ASCII)

    def check(value: str) -> str:
        if compiled.fullmatch(value) is None:
            raise PydanticCustomError(code, text, {"allowed": allowed})
        return value

    return AfterValidator(check)


def _not_blank(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("empty_value", "must not be empty", {"allowed": "some text"})
    return value


def wrap_secrets(value: Any, *, secret: bool = False) -> Any:
    """``value`` with text from variables, and text under keys that look like a secret's, as ``SecretStr``."""
    match value:
        case Substituted():
            return SecretStr(str.__str__(value))
        case str() if secret:
            return SecretStr(value)
        case dict():
            return {
                key: wrap_secrets(item, secret=secret or SECRET_KEY.search(key) is not None)
                for key, item in value.items()
            }
        case list():
            return [wrap_secrets(item, secret=secret) for item in value]
        case _:
            return value


def reveal_secrets(value: Any) -> Any:
    """The opposite of :func:`wrap_secrets`. The result must not be logged or stored."""
    match value:
        case SecretStr():
            return value.get_secret_value()
        case dict():
            return {key: reveal_secrets(item) for key, item in value.items()}
        case list() | tuple():
            return [reveal_secrets(item) for item in value]
        case _:
            return value


VARIABLE_SCHEMA: Final = {"type": "string", "pattern": r"\$\{"}
DURATION_SCHEMA: Final = {
    "type": "string",
    "pattern": r"^\s*\d{1,12}(\.\d{1,6})?(ms|s|m|h|d)\s*$|\$\{",
    "description": "A number and ms, s, m, h or d.",
}

Duration: TypeAlias = Annotated[float, BeforeValidator(parse_duration), WithJsonSchema(DURATION_SCHEMA)]
"""Seconds; written as ``10s``, ``15m``, ``4h``, ``30d``."""

Delay: TypeAlias = Annotated[
    float,
    BeforeValidator(_seconds),
    Field(strict=True, ge=0),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, DURATION_SCHEMA]}),
]
"""Seconds, 0 included; a number, or written like a duration."""

Factor: TypeAlias = Annotated[float, Field(strict=True, ge=0)]
Count: TypeAlias = Annotated[
    int,
    BeforeValidator(_number),
    Field(strict=True, ge=1),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, VARIABLE_SCHEMA]}),
]
Whole: TypeAlias = Annotated[
    int,
    BeforeValidator(_number),
    Field(strict=True, ge=0),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, VARIABLE_SCHEMA]}),
]
Flag: TypeAlias = Annotated[
    bool,
    BeforeValidator(_flag),
    Field(strict=True),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, VARIABLE_SCHEMA]}),
]
Text: TypeAlias = Annotated[str, StringConstraints(strict=True), AfterValidator(_not_blank)]
_NAME: Final = r"[A-Za-z0-9_-]{1,64}"
Name: TypeAlias = Annotated[
    str,
    StringConstraints(strict=True),
    _matching(_NAME, "bad_name", "is not a name", "1 to 64 letters, digits, _ and -"),
    WithJsonSchema({"type": "string", "pattern": rf"^{_NAME}$|\$\{{"}),
]
PackageName: TypeAlias = Annotated[
    str,
    StringConstraints(strict=True),
    _matching(r"[A-Za-z_]\w*", "bad_package", "is not a top-level module or package", "a name without dots"),
    WithJsonSchema({"type": "string", "pattern": r"^[A-Za-z_]\w*$"}),
]
ToolPattern: TypeAlias = Annotated[
    str,
    StringConstraints(strict=True),
    _matching(
        r"[\w.*?-]+(?:/[\w.*?-]+)?",
        "bad_tool_pattern",
        "is not a pattern of tools",
        "letters, digits, _ - and ., * for any text, ? for one letter; server/tool for a server's",
    ),
]
Template: TypeAlias = Annotated[
    str, StringConstraints(strict=True), AfterValidator(_not_blank), AfterValidator(_template)
]
Reference: TypeAlias = Annotated[str, StringConstraints(strict=True), AfterValidator(_reference)]
Url: TypeAlias = Annotated[Text, AfterValidator(_url)]
InsidePath: TypeAlias = Annotated[Text, AfterValidator(_inside)]
"""A path below a folder, with ``/``; links are followed, and checked, when the folder is known."""

VirtualPath: TypeAlias = Annotated[Text, AfterValidator(_virtual)]
"""A path among the files that a deep agent sees."""
