"""Block elements as the page draws them: flat records with a `control` that names what is drawn."""

from collections.abc import Iterable
from typing import Any

from bot.playground.page.mrkdwn import Markup
from bot.playground.records import Json
from bot.playground.world import World

_CONTROLS = {
    "button": "button",
    "icon_button": "button",
    "overflow": "menu",
    "static_select": "select",
    "users_select": "select",
    "conversations_select": "select",
    "channels_select": "select",
    "multi_static_select": "several",
    "multi_users_select": "several",
    "multi_conversations_select": "several",
    "multi_channels_select": "several",
    "checkboxes": "checkboxes",
    "radio_buttons": "radios",
    "datepicker": "date",
    "timepicker": "time",
    "datetimepicker": "datetime",
    "plain_text_input": "text",
    "rich_text_input": "rich",
    "email_text_input": "email",
    "url_text_input": "url",
    "number_input": "number",
}
_INITIAL = (
    *("initial_value", "initial_user", "initial_conversation", "initial_channel", "initial_date"),
    *("initial_time", "initial_date_time", "initial_users", "initial_conversations", "initial_channels"),
)
_ICONS = {"trash": "Delete"}


class Elements:
    def __init__(self, world: World, markup: Markup) -> None:
        self._world = world
        self._markup = markup

    def row(self, elements: Iterable[Json], user: str) -> list[Json]:
        """Those that the person sees, feedback buttons as two."""
        return [
            drawn
            for element in elements
            if user in element.get("visible_to_user_ids", [user])
            for drawn in self._drawn(element)
        ]

    def one(self, element: Json) -> Json:
        """Any element as a record. What the page cannot offer is `control: none`, with its type as label."""
        control = _CONTROLS.get(element["type"], "none")
        return {
            "control": control,
            "action_id": element.get("action_id", ""),
            "label": self._label(element),
            "hint": element.get("accessibility_label", ""),
            "style": element.get("style", ""),
            "url": element.get("url", ""),
            "confirm": self._confirm(element.get("confirm")),
            "options": self._options(element),
            "value": _initial(element),
            "placeholder": (element.get("placeholder") or {}).get("text", ""),
            "multiline": bool(element.get("multiline")),
            "focus": bool(element.get("focus_on_load")),
            "least": element.get("min_length", element.get("min_value")),
            "most": element.get("max_length", element.get("max_value")),
            "decimal": bool(element.get("is_decimal_allowed")),
        }

    def _drawn(self, element: Json) -> list[Json]:
        if element["type"] != "feedback_buttons":
            return [self.one(element)]
        pair = (element["positive_button"], element["negative_button"])
        base = self.one(element) | {"control": "button"}
        return [
            base | {"label": b["text"]["text"], "sends": b["value"], "hint": b.get("accessibility_label", "")}
            for b in pair
        ]

    def _label(self, element: Json) -> str:
        if element["type"] == "icon_button":
            return str(element["text"]["text"]) or _ICONS.get(element["icon"], str(element["icon"]))
        if element["type"] == "overflow":
            return "More actions"
        named = element.get("text") or element.get("placeholder")
        if isinstance(named, dict):
            return "".join(str(span["text"]) for span in self._markup.text(named))
        return str(element["type"]).replace("_", " ")

    def _confirm(self, confirm: Json | None) -> Json | None:
        if confirm is None:
            return None
        return {
            "title": confirm["title"]["text"],
            "spans": self._markup.text(confirm["text"]),
            "confirm": confirm["confirm"]["text"],
            "deny": confirm["deny"]["text"],
            "style": confirm.get("style", "primary"),
        }

    def _options(self, element: Json) -> list[Json]:
        kind = str(element["type"]).removeprefix("multi_")
        match kind:
            case "users_select":
                people = self._world.directory.users.values()
                return [_plain_option(p.id, f"@{p.name}") for p in people if not p.deleted]
            case "channels_select" | "conversations_select":
                channels = self._world.directory.channels.values()
                return [_plain_option(c.id, f"#{c.name}") for c in channels if c.kind != "im"]
            case _:
                groups = element.get("option_groups", ())
                grouped = [self._option(o, g["label"]["text"]) for g in groups for o in g["options"]]
                return [self._option(option, "") for option in element.get("options", ())] + grouped

    def _option(self, option: Json, group: str) -> Json:
        described = option.get("description")
        return {
            "value": option["value"],
            "label": "".join(str(span["text"]) for span in self._markup.text(option["text"])),
            "description": described["text"] if described else "",
            "group": group,
        }


def _plain_option(value: str, label: str) -> Json:
    return {"value": value, "label": label, "description": "", "group": ""}


def _initial(element: Json) -> Any:
    if option := element.get("initial_option"):
        return option["value"]
    if options := element.get("initial_options"):
        return [option["value"] for option in options]
    return next((element[name] for name in _INITIAL if element.get(name) is not None), None)
