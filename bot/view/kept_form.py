"""A form that was submitted, once more with what was written in it: for when it cannot just stay as it is."""

from collections.abc import Mapping
from typing import Any, Final

from bot.view import approval_words as words
from bot.view.arguments_form import VALUE
from bot.view.blocks import Block, plain_section
from bot.view.mrkdwn import clip

_SETTABLE: Final = ("type", "callback_id", "private_metadata", "title", "submit", "close")
_PROBLEMS: Final = "problems"
_LONGEST_NAME: Final = 100


def kept_form(view: Mapping[str, Any], values: Mapping[str, Any], errors: Mapping[str, str]) -> Block | None:
    """`view` as Slack sent it back, with `values`, Slack's `state.values`, in its inputs and `errors` on top.

    Secrets that were written are not repeated. None for a view without inputs: nothing was written into it.
    """
    blocks = [each for each in view.get("blocks", ()) if each.get("block_id") != _PROBLEMS]
    inputs = {each["block_id"]: each for each in blocks if each.get("type") == "input"}
    if not inputs:
        return None
    said = "\n".join(f"{_label(inputs.get(place))}{sentence}" for place, sentence in errors.items())
    return {name: view[name] for name in _SETTABLE if view.get(name)} | {
        "blocks": [
            plain_section(said) | {"block_id": _PROBLEMS},
            *(_filled(each, values) if each.get("type") == "input" else each for each in blocks),
        ]
    }


def _label(block: Block | None) -> str:
    return f"{clip(block['label']['text'], _LONGEST_NAME)}: " if block else ""


def _filled(block: Block, values: Mapping[str, Any]) -> Block:
    left = {key: value for key, value in block["element"].items() if not key.startswith("initial_")}
    written = values.get(block["block_id"], {}).get(VALUE, {})
    match written:
        case _ if _is_secret(block):
            given = {}
        case {"selected_option": {"value": str(value)}}:
            chosen = [option for option in left["options"] if option["value"] == value]
            given = {"initial_option": chosen[0]} if chosen else {}
        case {"value": str(value)} if value:
            given = {"initial_value": value}
        case _:
            given = {}
    return block | {"element": left | given}


def _is_secret(block: Block) -> bool:
    return str(block.get("hint", {}).get("text", "")).endswith(words.KEEPS_VALUE)
