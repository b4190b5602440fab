"""What kind of input an argument needs, by the JSON Schema of the tool and the value it has now."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any, Final

from bot.view.limits import OPTION_TEXT, OPTION_VALUE, OPTIONS
from bot.view.mrkdwn import clip
from bot.view.visible import visible

_ABSENT: Final = object()
_DEEPEST: Final = 20
"""Of `$ref`s that lead to `$ref`s, and of alternatives within alternatives."""
_TYPING: Final = frozenset(
    {"type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "items", "properties"}
)


class Kind(Enum):
    """How the value is written and read."""

    TEXT = auto()
    INTEGER = auto()
    NUMBER = auto()
    CHOICE = auto()  # boolean and enum
    LINES = auto()  # a list of texts or of numbers, one a line
    JSON = auto()


_KINDS: Final = {"string": Kind.TEXT, "integer": Kind.INTEGER, "number": Kind.NUMBER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One argument. `value` is what it is now, meaningless where it is not `present`.

    `choices` are the values of a CHOICE, `items` is the kind of each of the LINES. An argument that is not
    `required` may be left out, and a `nullable` one may be null.
    """

    name: str
    kind: Kind
    required: bool
    nullable: bool
    secret: bool
    present: bool
    value: Any = None
    description: str = ""
    choices: tuple[Any, ...] = ()
    items: Kind = Kind.TEXT


def fields_of(schema: Mapping[str, Any], arguments: Mapping[str, Any], secret: Sequence[str]) -> list[Field]:
    """The arguments in the order of their names: those of the schema, and others that the call has."""
    properties = _mapping(schema.get("properties"))
    required = schema.get("required")
    needed = set(required) if isinstance(required, list) else set()
    return [
        _field(
            name,
            _resolved(_mapping(properties.get(name)), schema),
            schema,
            value=arguments.get(name, _ABSENT),
            required=name in needed,
            secret=name in secret,
        )
        for name in sorted({*properties, *arguments})
    ]


def _field(
    name: str, spec: Mapping[str, Any], root: Mapping[str, Any], *, value: Any, required: bool, secret: bool
) -> Field:
    forms = [*_forms(spec, root, _DEEPEST)]
    nullable = any(_is_null(form) for form in forms)
    forms = [form for form in forms if not _is_null(form)]
    form = forms[0] if len(forms) == 1 else {}
    described = spec.get("description") or form.get("description")
    present = value is not _ABSENT
    field = Field(
        name=name,
        kind=_KINDS.get(_type_of(form), Kind.JSON),
        required=required,
        nullable=nullable,
        secret=secret,
        present=present,
        value=value if present else None,
        description=described if isinstance(described, str) else "",
    )
    if _type_of(form) == "array" and (items := _KINDS.get(_type_of(_mapping(form.get("items"))))):
        field = replace(field, kind=Kind.LINES, items=items)
    if not secret and (choices := _choices(forms)) is not None:
        field = _with_choices(field, (*choices, None) if nullable and None not in choices else choices)
    if field.value is not None and not _fits(field):
        untyped = not any(form.keys() & _TYPING for form in forms)
        text = untyped and isinstance(field.value, str)
        field = replace(field, kind=Kind.TEXT if text else Kind.JSON)
    return field


def _with_choices(field: Field, choices: tuple[Any, ...]) -> Field:
    wires = [choice_value(choice) for choice in choices]
    labels = {" ".join(label.split()) for label in choice_labels(choices)}
    apart = len(set(wires)) == len(wires) == len(labels)
    offered = apart and len(wires) <= OPTIONS and max(map(len, wires)) <= OPTION_VALUE
    return replace(field, kind=Kind.CHOICE, choices=choices) if offered else replace(field, kind=Kind.JSON)


def _choices(forms: Sequence[Mapping[str, Any]]) -> tuple[Any, ...] | None:
    """All values there are, where every form says so."""
    found: list[Any] = []
    for form in forms:
        if isinstance(form.get("enum"), list):
            found += form["enum"]
        elif "const" in form:
            found.append(form["const"])
        elif form.get("type") == "boolean":
            found += [True, False]
        else:
            return None
    return tuple(found) or None


def choice_value(choice: Any) -> str:
    """What stands for a choice in an option: its JSON text."""
    return json.dumps(choice, ensure_ascii=False)


def choice_labels(choices: Sequence[Any]) -> list[str]:
    """What a person reads for each: as JSON where 1 and "1" would read alike.

    Where they read alike even so, since a label holds little, they are not offered as choices.
    """
    labels = [_label(choice if _is_text(choice) else choice_value(choice)) for choice in choices]
    if len(set(labels)) == len(labels):
        return labels
    return [_label(choice_value(choice)) for choice in choices]


def _label(text: str) -> str:
    return clip(visible(text).strip(), OPTION_TEXT)


def _is_text(choice: Any) -> bool:
    return isinstance(choice, str) and bool(choice.strip())


def _fits(field: Field) -> bool:
    """Whether the input can show the value and give it back."""
    value = field.value
    match field.kind:
        case Kind.CHOICE:
            return choice_value(value) in map(choice_value, field.choices)
        case Kind.LINES:
            return isinstance(value, list) and all(_is_a(field.items, item) for item in value)
        case Kind.TEXT:
            return isinstance(value, str)
        case kind:
            return _is_a(kind, value)


def _is_a(kind: Kind, value: Any) -> bool:
    """Whether `value` is of a simple kind, and as text a line of its own."""
    match kind:
        case Kind.TEXT:
            return isinstance(value, str) and value.strip() == value and len(value.splitlines()) == 1
        case Kind.INTEGER:
            return isinstance(value, int) and not isinstance(value, bool)
        case Kind.NUMBER:
            return isinstance(value, int | float) and not isinstance(value, bool)
        case _:
            return not isinstance(value, str)


def _forms(spec: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Iterator[Mapping[str, Any]]:
    """The alternatives of a schema: what `anyOf`, `oneOf` and a list of types stand for."""
    several = spec.get("anyOf") or spec.get("oneOf")
    kinds = spec.get("type")
    values = spec.get("enum")
    if isinstance(several, list) and depth:
        for each in several:
            yield from _forms(_resolved(_mapping(each), root), root, depth - 1)
    elif isinstance(kinds, list):
        for kind in kinds:
            yield {**spec, "type": kind}
    elif isinstance(values, list) and None in values:
        yield {**spec, "enum": [value for value in values if value is not None]}
        yield {"type": "null"}
    else:
        yield spec


def _is_null(form: Mapping[str, Any]) -> bool:
    return form.get("type") == "null" or ("const" in form and form["const"] is None)


def _resolved(spec: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """`spec` with a local `$ref` followed, and an `allOf` of one taken for what it holds."""
    for _ in range(_DEEPEST):
        ref, parts = spec.get("$ref"), spec.get("allOf")
        if isinstance(ref, str):
            target = _at(root, ref)
        elif isinstance(parts, list) and len(parts) == 1:
            target = _mapping(parts[0])
        else:
            return spec
        spec = {**target, **{key: value for key, value in spec.items() if key not in {"$ref", "allOf"}}}
    return {}


def _at(root: Mapping[str, Any], ref: str) -> Mapping[str, Any]:
    found: Any = root
    for part in ref.removeprefix("#").strip("/").split("/"):
        found = _mapping(found).get(part.replace("~1", "/").replace("~0", "~"))
    return _mapping(found)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _type_of(form: Mapping[str, Any]) -> str:
    kind = form.get("type")
    return kind if isinstance(kind, str) else ""
