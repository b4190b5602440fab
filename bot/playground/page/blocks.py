"""Layout blocks as parts that the page draws. Only `html` parts carry markup, made here with raw HTML off."""

import re
from collections import Counter
from collections.abc import Iterable

from markdown_it import MarkdownIt

from bot.playground.page.elements import Elements
from bot.playground.page.mrkdwn import Markup, RichText
from bot.playground.records import Json
from bot.playground.world import World

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")
_MENTION = re.compile(r"<@(\w+)>")
_TASK_STATES = {"pending": "Waits", "in_progress": "Now", "complete": "Done", "error": "Failed"}


class Blocks:
    def __init__(self, world: World) -> None:
        self._markup = Markup(world)
        self._rich = RichText(self._markup)
        self._elements = Elements(world, self._markup)

    def text(self, markup: str) -> list[Json]:
        """What was written without blocks."""
        return [{"kind": "text", "key": "text", "spans": self._markup.spans(markup)}] if markup else []

    def parts(self, blocks: Iterable[Json], user: str) -> list[Json]:
        """One part for each block, as that person sees it.

        A key is the block's kind and which of its kind it is, because an id that the app does not choose is a
        new one with every edit. So a part keeps its key as long as those of its kind above it stay.
        """
        seen: Counter[str] = Counter()
        parts = []
        for block in blocks:
            part = self._part(block, user)
            seen[part["kind"]] += 1
            parts.append({"key": f"{part['kind']}{seen[part['kind']]}", **part})
        return parts

    def plain(self, markup: str) -> str:
        return self._markup.plain(markup)

    def _part(self, block: Json, user: str) -> Json:
        match block["type"]:
            case "markdown":
                return {"kind": "html", "html": _MARKDOWN.render(self._mentions(block["text"]))}
            case "divider":
                return {"kind": "divider"}
            case "header":
                return {"kind": "header", "text": block["text"]["text"], "level": block.get("level", 2)}
            case "section":
                return self._section(block, user)
            case "context":
                return {"kind": "context", "items": [self._context(each) for each in block["elements"]]}
            case "actions" | "context_actions":
                elements = self._elements.row(block["elements"], user)
                return {"kind": "actions", "block_id": block["block_id"], "elements": elements}
            case "input":
                return self._input(block)
            case "rich_text":
                return {"kind": "rich", "nodes": self._rich.nodes(block)}
            case "table" | "data_table":
                return self._table(block)
            case _:
                return self._rarer(block, user)

    def _rarer(self, block: Json, user: str) -> Json:
        match block["type"]:
            case "image":
                return self._image(block)
            case "alert":
                spans = self._markup.text(block["text"])
                return {"kind": "alert", "level": block.get("level", "default"), "spans": spans}
            case "task_card":
                return {"kind": "tasks", "title": "", "tasks": [self._task(block)]}
            case "plan":
                tasks = [self._task(task) for task in block.get("tasks", ())]
                return {"kind": "tasks", "title": block["title"], "tasks": tasks}
            case "card":
                return {"kind": "cards", "cards": [self._card(block, user)]}
            case "carousel":
                return {"kind": "cards", "cards": [self._card(card, user) for card in block["elements"]]}
            case "container":
                return self._container(block, user)
            case "video":
                return {"kind": "link", "label": block["title"]["text"], "url": block.get("title_url", "")}
            case kind:
                return {"kind": "note", "text": f"A block of type {kind}, which this page does not draw."}

    def _section(self, block: Json, user: str) -> Json:
        accessory = block.get("accessory")
        image = accessory if accessory and accessory["type"] == "image" else None
        return {
            "kind": "section",
            "block_id": block["block_id"],
            "spans": self._markup.text(block["text"]) if block.get("text") else [],
            "fields": [self._markup.text(field) for field in block.get("fields") or ()],
            "elements": self._elements.row([accessory], user) if accessory and not image else [],
            "image": self._image(image) if image else None,
        }

    def _context(self, element: Json) -> Json:
        if element["type"] == "image":
            return {"image": element["alt_text"]}
        return {"spans": self._markup.text(element)}

    def _image(self, block: Json) -> Json:
        title = (block.get("title") or {}).get("text", "")
        return {"kind": "image", "alt": block["alt_text"], "title": title, "url": block.get("image_url", "")}

    def _input(self, block: Json) -> Json:
        return {
            "kind": "input",
            "key": f"input {block['block_id']}",
            "block_id": block["block_id"],
            "label": block["label"]["text"],
            "hint": (block.get("hint") or {}).get("text", ""),
            "optional": bool(block.get("optional")),
            "dispatch": bool(block.get("dispatch_action")),
            "element": self._elements.one(block["element"]),
        }

    def _table(self, block: Json) -> Json:
        columns = block.get("column_settings") or ()
        return {
            "kind": "table",
            "caption": block.get("caption", ""),
            "align": [(column or {}).get("align", "left") for column in columns],
            "rows": [[self._cell(cell) for cell in row] for row in block["rows"]],
        }

    def _cell(self, cell: Json) -> str:
        match cell["type"]:
            case "rich_text":
                return self._rich.plain(cell)
            case "raw_number":
                return str(cell.get("text") or cell["value"])
            case _:
                return str(cell["text"])

    def _task(self, task: Json) -> Json:
        details = [self._rich.nodes(task[name]) for name in ("details", "output") if task.get(name)]
        return {
            "state": _TASK_STATES[task.get("status", "pending")],
            "title": task["title"],
            "nodes": [node for nodes in details for node in nodes],
            "sources": [
                {"label": s.get("text") or s["url"], "url": s["url"]} for s in task.get("sources", ())
            ],
        }

    def _card(self, card: Json, user: str) -> Json:
        texts = {
            name: self._markup.text(card[name]) for name in ("title", "subtitle", "body") if card.get(name)
        }
        images = [card[name]["alt_text"] for name in ("hero_image", "icon") if card.get(name)]
        elements = self._elements.row(card.get("actions", ()), user)
        return {**texts, "images": images, "block_id": card.get("block_id", ""), "elements": elements}

    def _container(self, block: Json, user: str) -> Json:
        titled = block.get("rich_text_title")
        return {
            "kind": "container",
            "title": block["title"]["text"]
            if block.get("title")
            else (self._rich.plain(titled) if titled else ""),
            "subtitle": self._markup.text(block["subtitle"]) if block.get("subtitle") else [],
            "collapsible": bool(block.get("is_collapsible")),
            "collapsed": bool(block.get("default_collapsed")),
            "parts": self.parts(block["child_blocks"], user),
        }

    def _mentions(self, markdown: str) -> str:
        return _MENTION.sub(lambda found: f"@{self._markup.name(found[1])}", markdown)
