"""Small checks and ways to combine them. A check looks at one JSON value and notes what is wrong, and where.

The messages are the platform's: `[ERROR] must be less than 76 characters [json-pointer:/blocks/0/text/text]`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Surface = Literal["message", "modal", "home"]


@dataclass(frozen=True, slots=True)
class At:
    """A place in the payload being checked; all places of one payload share the list of problems."""

    surface: Surface
    path: str = ""
    problems: list[str] = field(default_factory=list)

    def child(self, key: str | int) -> "At":
        return At(self.surface, f"{self.path}/{key}", self.problems)

    def refuse(self, problem: str) -> None:
        self.problems.append(f"[ERROR] {problem} [json-pointer:{self.path}]")


Check: TypeAlias = Callable[[Any, At], None]


def anything(value: Any, at: At) -> None:
    """Accepts every value: for fields whose content the platform does not limit."""


def text(most: int, least: int = 1) -> Check:
    def check(value: Any, at: At) -> None:
        if not isinstance(value, str):
            at.refuse("must provide a string")
        elif len(value) > most:
            at.refuse(f"must be less than {most + 1} characters")
        elif len(value) < least:
            at.refuse(f"must be more than {least - 1} characters")

    return check


def flag(value: Any, at: At) -> None:
    if not isinstance(value, bool):
        at.refuse("must provide a boolean")


def whole(least: int, most: int) -> Check:
    def check(value: Any, at: At) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            at.refuse("must provide a number")
        elif not least <= value <= most:
            at.refuse(f"must be between {least} and {most}")

    return check


def one_of(*allowed: str) -> Check:
    def check(value: Any, at: At) -> None:
        if value not in allowed:
            at.refuse(f"must be a valid enum value ({', '.join(allowed)})")

    return check


def each(item: Check, most: int, least: int = 1) -> Check:
    def check(value: Any, at: At) -> None:
        if not isinstance(value, list):
            at.refuse("must provide an array")
            return
        if len(value) > most:
            at.refuse(f"no more than {most} items allowed")
        if len(value) < least:
            at.refuse(f"no fewer than {least} items allowed")
        for index, element in enumerate(value):
            item(element, at.child(index))

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with these fields and no others."""
    known = {**required, **(optional or {})}

    def check(value: Any, at: At) -> None:
        if not isinstance(value, dict):
            at.refuse("must provide an object")
            return
        for name in required:
            if value.get(name) is None:
                at.refuse(f"missing required field: {name}")
        for name, content in value.items():
            if name not in known:
                at.refuse(f"invalid additional property: {name}")
            elif content is not None:
                known[name](content, at.child(name))

    return check


def tagged(variants: Mapping[str, Check]) -> Check:
    """An object whose `type` names one of the variants."""

    def check(value: Any, at: At) -> None:
        if not isinstance(value, dict):
            at.refuse("must provide an object")
            return
        kind = value.get("type")
        if kind is None:
            at.refuse("missing required field: type")
        elif kind in variants:
            variants[kind](value, at)
        else:
            at.child("type").refuse(f"unsupported type: {kind}")

    return check


def all_of(*checks: Check) -> Check:
    def check(value: Any, at: At) -> None:
        for one in checks:
            one(value, at)

    return check


def either(*names: str) -> Check:
    """At least one of these fields is present."""

    def check(value: Any, at: At) -> None:
        if isinstance(value, dict) and not any(value.get(name) for name in names):
            at.refuse(f"missing required field: {' or '.join(names)}")

    return check


def only_on(check: Check, *surfaces: Surface) -> Check:
    """The check, for payloads of these surfaces; a refusal on all others."""

    def guarded(value: Any, at: At) -> None:
        if at.surface in surfaces:
            check(value, at)
        else:
            at.refuse(f"block type is not allowed in a {at.surface}")

    return guarded
