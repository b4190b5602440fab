"""The arguments of one call, whichever way they came: query, form, multipart or JSON."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from bot.playground.errors import SlackError
from bot.playground.records import Json


class Args:
    """Typed access with the platform's refusals. `null` and a missing field are the same."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = {name: value for name, value in values.items() if value is not None}

    def __contains__(self, name: str) -> bool:
        return name in self._values

    @property
    def given(self) -> Json:
        """What was sent, without the token, structures decoded."""
        return {name: _decoded(value) for name, value in self._values.items() if name != "token"}

    def text(self, name: str) -> str | None:
        value = self._values.get(name)
        return None if value is None or value == "" else str(value)

    def required(self, name: str, error: str | None = None) -> str:
        """The text of a field that must be there; else `error`, or `invalid_arguments` naming the field."""
        value = self.text(name)
        if value is None:
            if error is None:
                raise SlackError("invalid_arguments", [f"[ERROR] missing required field: {name}"])
            raise SlackError(error)
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self._values.get(name)
        if value is None:
            return default
        return value if isinstance(value, bool) else str(value).lower() in {"1", "true"}

    def number(self, name: str, default: int, most: int) -> int:
        value = self._values.get(name)
        if value is None:
            return default
        try:
            number = int(value)
        except (TypeError, ValueError):
            raise SlackError("invalid_arguments", [f"[ERROR] must provide a number: {name}"]) from None
        if not 1 <= number <= most:
            raise SlackError("invalid_limit" if name == "limit" else "invalid_arguments")
        return number

    def structure(self, name: str, error: str) -> Any:
        """A list or object, given as such or as JSON text; None when absent, `error` when unreadable."""
        value = self._values.get(name)
        if not isinstance(value, str):
            return value
        if value == "":
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise SlackError(error) from None


async def read_args(request: web.Request) -> Args:
    """Merge query and body; the body wins. Raises SlackError(invalid_json | invalid_post_type)."""
    values: dict[str, Any] = dict(request.query)
    if not request.body_exists:
        return Args(values)
    match request.content_type:
        case "application/json":
            try:
                body = json.loads(await request.text())
            except (ValueError, RecursionError):
                raise SlackError("invalid_json") from None
            if not isinstance(body, dict):
                raise SlackError("json_not_object")
            values |= body
        case "application/x-www-form-urlencoded" | "multipart/form-data":
            values |= {
                name: value for name, value in (await request.post()).items() if isinstance(value, str)
            }
        case "application/octet-stream" if not await request.read():
            pass
        case _:
            raise SlackError("invalid_post_type")
    return Args(values)


def _decoded(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
