"""Messages and views as the page shows them. Only `html` parts carry markup, made here with raw HTML off."""

import html
import re
from typing import Any

from markdown_it import MarkdownIt

from bot.playground.records import Ephemeral, Json, Message, View
from bot.playground.world import World

_TOKEN = re.compile(r"<([@#!]?)([^|>\s]+)(?:\|([^>]*))?>")
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")


class Renderer:
    def __init__(self, world: World) -> None:
        self._world = world

    def message(self, message: Message) -> Json:
        content = self._blocks(message.blocks) if message.bot_id else []
        return {
            "channel": message.channel,
            "ts": message.ts,
            "root": message.root,
            "in_channel": message.in_channel,
            "author": self._name(message.user),
            "bot": message.bot_id is not None,
            "edited": message.edited_ts is not None,
            "ephemeral": False,
            "files": [info.name for info in message.files],
            "reactions": [f":{name}: {len(users)}" for name, users in message.reactions.items()],
            "blocks": content or [{"kind": "text", "text": self.readable(message.text)}],
        }

    def ephemeral(self, message: Ephemeral) -> Json:
        return {
            "channel": message.channel,
            "ts": message.ts,
            "root": message.thread_ts or message.ts,
            "in_channel": message.thread_ts is None,
            "author": self._name(message.author),
            "bot": True,
            "edited": False,
            "ephemeral": True,
            "files": [],
            "reactions": [],
            "blocks": self._blocks(message.blocks) or [{"kind": "text", "text": self.readable(message.text)}],
        }

    def view(self, view: View) -> Json:
        return {
            "id": view.id,
            "title": view.body.get("title", {}).get("text", ""),
            "submit": (view.body.get("submit") or {}).get("text"),
            "close": (view.body.get("close") or {}).get("text", "Close"),
            "blocks": self._blocks(view.body["blocks"]),
        }

    def readable(self, text: str) -> str:
        """Mentions as names, links as their labels, entities as characters."""
        return html.unescape(_TOKEN.sub(self._readable_token, text))

    def _readable_token(self, token: re.Match[str]) -> str:
        mark, target, label = token.groups()
        match mark:
            case "@":
                return f"@{self._name(target)}"
            case "#":
                channel = self._world.directory.channels.get(target)
                return f"#{label or (channel.name if channel else target)}"
            case "!":
                return f"@{label or target.partition('^')[0]}"
            case _:
                return f"{label} ({target})" if label else target

    def _name(self, user_id: str) -> str:
        user = self._world.directory.users.get(user_id)
        return user.name if user else user_id

    def _blocks(self, blocks: Any) -> list[Json]:
        return [part for block in blocks for part in self._parts(block)]

    def _parts(self, block: Json) -> list[Json]:
        match block["type"]:
            case "markdown":
                return [{"kind": "html", "html": _MARKDOWN.render(self._mentions(block["text"]))}]
            case "divider":
                return [{"kind": "divider"}]
            case "header":
                return [{"kind": "header", "text": block["text"]["text"]}]
            case "section":
                return self._section(block)
            case "context":
                texts = [self._text(e) for e in block["elements"] if e["type"] != "image"]
                return [{"kind": "context", "text": "  ".join(texts)}]
            case "actions" | "context_actions":
                return [{"kind": "actions", "elements": self._elements(block["block_id"], block["elements"])}]
            case "input":
                return [self._input(block)]
            case "rich_text":
                return [self._rich(element) for element in block["elements"]]
            case kind:
                return [{"kind": "context", "text": f"[{kind}]"}]

    def _section(self, block: Json) -> list[Json]:
        texts = [block["text"]] if block.get("text") else []
        parts: list[Json] = [
            {"kind": "text", "text": self._text(t)} for t in [*texts, *block.get("fields", ())]
        ]
        if accessory := block.get("accessory"):
            parts.append({"kind": "actions", "elements": self._elements(block["block_id"], [accessory])})
        return parts

    def _input(self, block: Json) -> Json:
        element = block["element"]
        initial = element.get("initial_option", {}).get("value") or element.get("initial_value", "")
        return {
            "kind": "input",
            "block_id": block["block_id"],
            "label": block["label"]["text"],
            "multiline": bool(element.get("multiline")),
            "initial": initial,
            "options": _options(element),
        }

    def _elements(self, block_id: str, elements: list[Json]) -> list[Json]:
        return [
            {
                "block_id": block_id,
                "action_id": element["action_id"],
                "label": self._label(element),
                "style": element.get("style", ""),
                "options": _options(element),
                "confirm": self._confirm(element.get("confirm")),
            }
            for element in elements
            if "action_id" in element
        ]

    def _label(self, element: Json) -> str:
        named = element.get("text") or element.get("placeholder")
        return self._text(named) if named else str(element["action_id"])

    def _confirm(self, confirm: Json | None) -> str:
        return f"{confirm['title']['text']}\n{self._text(confirm['text'])}" if confirm else ""

    def _rich(self, element: Json) -> Json:
        kind = "code" if element["type"] == "rich_text_preformatted" else "text"
        return {"kind": kind, "text": self._rich_text(element)}

    def _rich_text(self, element: Json) -> str:
        match element.get("type"):
            case "user":
                return f"@{self._name(element['user_id'])}"
            case "rich_text_list":
                return "\n".join(f"• {self._rich_text(item)}" for item in element["elements"])
            case _ if "elements" in element:
                return "".join(self._rich_text(part) for part in element["elements"])
            case _:
                return str(element.get("text") or element.get("url") or element.get("name") or "")

    def _text(self, text: Json) -> str:
        return str(text["text"]) if text["type"] == "plain_text" else self.readable(text["text"])

    def _mentions(self, markdown: str) -> str:
        return re.sub(r"<@(\w+)>", lambda found: f"@{self._name(found[1])}", markdown)


def _options(element: Json) -> list[Json]:
    groups = element.get("option_groups", ())
    options = [*element.get("options", ()), *(option for group in groups for option in group["options"])]
    return [{"value": option["value"], "label": option["text"]["text"]} for option in options]
