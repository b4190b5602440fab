"""What a person wrote into the Edit modal, as arguments: pure, from Slack's `state.values`.

An input that was left as it was gives back the value it was made from, exactly. Whether the arguments fit the
tool and its policy is for whoever takes the revision; here is only said what cannot be read.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.view import approval_words as words
from bot.view.arguments_schema import Field, Kind, choice_labels, choice_value, fields_of
from bot.view.limits import BLOCK_ID, INPUT, INPUT_HINT, VIEW_PAYLOAD
from bot.view.visible import one_line, visible
from harness_core.approvals import Approval, Invalid

VALUE: Final = "value"
"""The `action_id` of every input."""
REASON_BLOCK: Final = "reason"
MOST_INPUTS: Final = 90
_ROOM: Final = VIEW_PAYLOAD - 30_000
_FRAME: Final = 200
"""Bytes, more than the names in an input or an option take."""
_LEFT_OUT: Final = object()
_WHOLE: Final = re.compile(r"[-+]?[0-9]+")
_DECIMAL: Final = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormErrors:
    """Sentences by the `block_id` of the input that they are about."""

    errors: Mapping[str, str]


class _Unreadable(ValueError):
    """The text stands for no value; its message is the sentence for the person."""


def block_id(name: str) -> str:
    """The input of the argument `name`."""
    return f"arg:{name}"


def form_fields(approval: Approval) -> list[Field]:
    """The arguments that the form has inputs for: as many as a view can carry."""
    asked = approval.asked
    offered: list[Field] = []
    room = _ROOM
    for field in fields_of(asked.schema, asked.arguments, asked.secret):
        weight = _weight(field) if is_editable(field) and len(offered) < MOST_INPUTS else room + 1
        if weight <= room:
            offered.append(field)
            room -= weight
    return offered


def is_editable(field: Field) -> bool:
    """Whether an input can hold the value, and a block the name."""
    return len(initial_text(field)) <= INPUT and 0 < len(field.name) <= BLOCK_ID - len(block_id(""))


def hint_of(field: Field) -> str:
    """What stands below the input; empty where there is nothing to say."""
    said = [one_line(field.description)] if field.description.strip() else []
    if field.kind is Kind.LINES:
        said.append(words.ONE_PER_LINE)
    if field.kind is Kind.JSON:
        said.append(words.AS_JSON)
    if field.secret:
        said.append(words.KEEPS_VALUE)
    return " ".join(said)


def initial_text(field: Field) -> str:
    """What the input shows at first. A secret is never shown."""
    if field.secret or field.value is None:
        return ""
    match field.kind:
        case Kind.TEXT:
            return str(field.value)
        case Kind.LINES:
            return "\n".join(item if isinstance(item, str) else json.dumps(item) for item in field.value)
        case Kind.CHOICE:
            return choice_value(field.value)
        case Kind.JSON:
            return json.dumps(field.value, ensure_ascii=False, indent=2)
        case Kind.INTEGER | Kind.NUMBER:
            return json.dumps(field.value)


def read_form(approval: Approval, values: Mapping[str, Any]) -> dict[str, Any] | FormErrors:
    """The complete new arguments, or what is wrong with which input.

    Secret arguments that were left empty are left out, which keeps them; so does every argument that the form
    has no input for.
    """
    read: dict[str, Any] = {}
    errors: dict[str, str] = {}
    offered = {field.name for field in form_fields(approval)}
    asked = approval.asked
    for field in fields_of(asked.schema, asked.arguments, asked.secret):
        block = values.get(block_id(field.name)) if field.name in offered else None
        try:
            value = _kept(field) if not isinstance(block, Mapping) else _read(field, _given(block))
        except _Unreadable as error:
            errors[block_id(field.name)] = str(error)
        else:
            if value is not _LEFT_OUT:
                read[field.name] = value
    return FormErrors(errors=errors) if errors else read


def form_errors(approval: Approval, invalid: Invalid) -> FormErrors:
    """The same for arguments that were refused: each sentence at its input, the first one for those without."""
    names = [field.name for field in form_fields(approval)]
    errors: dict[str, str] = {}
    for each in invalid.errors:
        if each.argument in names:
            place, said = block_id(each.argument), _sentence(each.message)
        else:
            place = block_id(names[0]) if names else ""
            said = f"“{each.argument}” {each.message}." if each.argument else _sentence(each.message)
        errors[place] = f"{errors[place]} {said}" if place in errors else said
    return FormErrors(errors=errors)


def read_reason(values: Mapping[str, Any]) -> str:
    """What was written into the Reject modal; empty where nothing was."""
    block = values.get(REASON_BLOCK)
    return _given(block).strip() if isinstance(block, Mapping) else ""


def _weight(field: Field) -> int:
    """The most bytes that the input takes as JSON, in which a character takes up to twelve."""
    texts = [field.name, visible(field.name), hint_of(field)[:INPUT_HINT], initial_text(field)]
    options = [*choice_labels(field.choices), *map(choice_value, field.choices)]
    return len(json.dumps([*texts, *options])) + _FRAME * (2 + len(field.choices))


def _given(block: Mapping[str, Any]) -> str:
    """What a person wrote or chose."""
    match block.get(VALUE):
        case {"selected_option": {"value": str(value)}} | {"value": str(value)}:
            return value.replace("\r\n", "\n")
        case _:
            return ""


def _kept(field: Field) -> Any:
    return _LEFT_OUT if field.secret or not field.present else field.value


def _read(field: Field, text: str) -> Any:
    if text == initial_text(field).replace("\r\n", "\n"):
        return _kept(field)
    if not text.strip() and field.kind is not Kind.CHOICE:
        return _emptied(field, text)
    match field.kind:
        case Kind.CHOICE:
            return _chosen(field, text)
        case Kind.LINES:
            return _lines(field, text)
        case kind:
            return _READERS[kind](text)


def _emptied(field: Field, text: str) -> Any:
    """The value of an input that was emptied, or where only white space was written."""
    if field.secret:
        return _LEFT_OUT
    if field.kind is Kind.LINES:
        return []
    if field.kind is Kind.TEXT and text:
        return text
    if not field.required:
        return _LEFT_OUT
    if field.nullable:
        return None
    if field.kind is Kind.TEXT:
        return ""
    raise _Unreadable(words.NEEDED)


def _chosen(field: Field, wire: str) -> Any:
    for choice in field.choices:
        if choice_value(choice) == wire:
            return choice
    if not wire and not field.required:
        return _LEFT_OUT
    raise _Unreadable(words.CHOOSE)


def _lines(field: Field, text: str) -> list[Any]:
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                found.append(_READERS[field.items](line.strip()))
            except _Unreadable as error:
                raise _Unreadable(words.in_line(number, str(error))) from None
    return found


def _text(text: str) -> str:
    return text


def _integer(text: str) -> int:
    if not _WHOLE.fullmatch(text.strip()):
        raise _Unreadable(words.WHOLE_NUMBER)
    try:
        return int(text)
    except ValueError:  # thousands of digits, which Python does not convert
        raise _Unreadable(words.WHOLE_NUMBER) from None


def _number(text: str) -> int | float:
    if _WHOLE.fullmatch(text.strip()):
        return _integer(text)
    if not _DECIMAL.fullmatch(text.strip()):
        raise _Unreadable(words.NUMBER)
    try:
        return _finite(text)
    except ValueError:
        raise _Unreadable(words.NUMBER) from None


def _json(text: str) -> Any:
    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise _Unreadable(words.not_json(error.msg, error.lineno, error.colno)) from None
    except (ValueError, RecursionError):
        raise _Unreadable(words.NOT_JSON) from None
    return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


_READERS: Final[dict[Kind, Callable[[str], Any]]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.JSON: _json,
}


def _sentence(said: str) -> str:
    """`said` as a sentence of its own."""
    text = said[:1].upper() + said[1:]
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
