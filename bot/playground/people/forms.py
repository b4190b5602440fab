"""What a person entered: element values as the platform reports them, and the client's own field checks."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.playground.block_kit.surfaces import interactive
from bot.playground.errors import Impossible
from bot.playground.people.hands import rich_text
from bot.playground.records import Json

Entered = Mapping[tuple[str, str], Any]

REQUIRED = "Please complete this required field."

_TYPED = {"plain_text_input", "number_input", "email_text_input", "url_text_input"}
_ONE_OPTION = {"static_select", "external_select", "radio_buttons", "overflow"}
_SEVERAL_OPTIONS = {"multi_static_select", "multi_external_select", "checkboxes"}
_PLAIN_VALUES: Mapping[str, tuple[str, str]] = {
    # element type -> (field of its state, field of its initial value)
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "file_input": ("files", "initial_files"),
}


def is_stateful(element: Json) -> bool:
    """Whether the element keeps a value, unlike a button or an overflow menu."""
    kind = element["type"]
    return kind != "overflow" and (kind in _TYPED | _ONE_OPTION | _SEVERAL_OPTIONS or kind in _PLAIN_VALUES)


def value_of(element: Json, entered: Any) -> Json:
    """The element's state after a person entered `entered`: text, an option's value, a list of those, an id.

    Raises Impossible when the element does not offer it.
    """
    kind = element["type"]
    if kind in _TYPED:
        return {"type": kind, "value": str(entered) if entered not in (None, "") else None}
    if kind in _ONE_OPTION:
        return {"type": kind, "selected_option": None if entered is None else _option(element, entered)}
    if kind in _SEVERAL_OPTIONS:
        return {"type": kind, "selected_options": [_option(element, value) for value in entered or ()]}
    if kind == "rich_text_input" and isinstance(entered, str):
        return {"type": kind, "rich_text_value": rich_text(entered) if entered else None}
    if kind in _PLAIN_VALUES:
        return {"type": kind, _PLAIN_VALUES[kind][0]: entered}
    if kind == "feedback_buttons":
        return {"type": kind, "value": _feedback(element, entered)}
    return {"type": kind} | {name: element[name] for name in ("text", "value", "style") if name in element}


def initial_value(element: Json) -> Json:
    kind = element["type"]
    if kind in _TYPED:
        return {"type": kind, "value": element.get("initial_value") or None}
    if kind in _ONE_OPTION:
        return {"type": kind, "selected_option": element.get("initial_option")}
    if kind in _SEVERAL_OPTIONS:
        return {"type": kind, "selected_options": element.get("initial_options", [])}
    state, initial = _PLAIN_VALUES[kind]
    return {"type": kind, state: element.get(initial)}


def state_values(blocks: Iterable[Json], entered: Entered) -> Json:
    """`state.values`: block id → action id → the element's state."""
    values: Json = {}
    for block, element in stateful_elements(blocks):
        key = (block["block_id"], element["action_id"])
        state = value_of(element, entered[key]) if key in entered else initial_value(element)
        values.setdefault(key[0], {})[key[1]] = state
    return values


def stateful_elements(blocks: Iterable[Json]) -> Iterator[tuple[Json, Json]]:
    for block in blocks:
        for element in interactive(block):
            if is_stateful(element):
                yield block, element


def field_errors(blocks: Iterable[Json], values: Json) -> dict[str, str]:
    """What the client refuses before it sends anything: by block id, as shown below the field."""
    errors: dict[str, str] = {}
    for block in blocks:
        if block["type"] != "input":
            continue
        element = block["element"]
        state = values[block["block_id"]][element["action_id"]]
        problem = _problem(element, state, optional=bool(block.get("optional")))
        if problem:
            errors[block["block_id"]] = problem
    return errors


def _problem(element: Json, state: Json, *, optional: bool) -> str | None:
    content = next((value for name, value in state.items() if name != "type"), None)
    if not content:
        return None if optional else REQUIRED
    if not isinstance(content, str):
        return None
    if len(content) < element.get("min_length", 0):
        return f"Please enter at least {element['min_length']} characters."
    if len(content) > element.get("max_length", 3000):
        return f"Please enter no more than {element.get('max_length', 3000)} characters."
    if element["type"] == "number_input" and not _is_number(
        content, decimal=bool(element["is_decimal_allowed"])
    ):
        return "Please enter a number."
    return None


def _is_number(content: str, *, decimal: bool) -> bool:
    try:
        float(content) if decimal else int(content)
    except ValueError:
        return False
    return True


def _feedback(element: Json, value: Any) -> str:
    offered = [str(element[name]["value"]) for name in ("positive_button", "negative_button")]
    if value not in offered:
        raise Impossible(f"The feedback buttons {element['action_id']!r} send {' or '.join(offered)}.")
    return str(value)


def _option(element: Json, value: Any) -> Json:
    groups = element.get("option_groups", ())
    options: list[Json] = [
        *element.get("options", ()),
        *(option for group in groups for option in group["options"]),
    ]
    for option in options:
        if option["value"] == value:
            return option
    offered = ", ".join(option["value"] for option in options)
    raise Impossible(
        f"The {element['type']} {element['action_id']!r} has no option {value!r}; it offers: {offered}."
    )
