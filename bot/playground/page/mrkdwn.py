"""The platform's markup as spans of plain text, which the page sets as text: no markup of ours reaches it.

https://docs.slack.dev/messaging/formatting-message-text
"""

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from bot.playground.records import Json
from bot.playground.world import World

Span: TypeAlias = Json
"""`text`, and where they apply `bold`, `italic`, `strike`, `code`, `pre`, `mention`, `link`, `time`."""

_REFERENCE = r"<(?P<mark>[@#!]?)(?P<target>[^|>\s]+)(?:\|(?P<label>[^>]*))?>"
_PIECE = re.compile(
    r"```(?P<pre>.+?)```"
    r"|`(?P<code>[^`\n]+)`"
    r"|(?<![\w*])\*(?P<bold>[^*\n]+)\*(?![\w*])"
    r"|(?<![\w_])_(?P<italic>[^_\n]+)_(?![\w_])"
    r"|(?<![\w~])~(?P<strike>[^~\n]+)~(?![\w~])"
    rf"|{_REFERENCE}",
    re.DOTALL,
)
_STYLES = ("bold", "italic", "strike")
_WEB = ("https://", "http://", "mailto:")


class Markup:
    """Reads text objects and typed text; knows the names behind ids."""

    def __init__(self, world: World) -> None:
        self._world = world

    def text(self, text: Json) -> list[Span]:
        """A text object: plain as it is, the other kind by its markup."""
        if text["type"] == "plain_text":
            return [{"text": str(text["text"])}]
        return self.spans(str(text["text"]))

    def spans(self, markup: str, **style: bool) -> list[Span]:
        return list(self._spans(markup, style))

    def plain(self, markup: str) -> str:
        """Mentions as names, links as their labels, entities as characters."""
        return "".join(str(span["text"]) for span in self.spans(markup))

    def name(self, user_id: str) -> str:
        user = self._world.directory.users.get(user_id)
        return user.name if user else user_id

    def _spans(self, markup: str, style: Mapping[str, bool]) -> Iterator[Span]:
        end = 0
        for piece in _PIECE.finditer(markup):
            if piece.start() > end:
                yield {"text": html.unescape(markup[end : piece.start()]), **style}
            yield from self._piece(piece, style)
            end = piece.end()
        if end < len(markup):
            yield {"text": html.unescape(markup[end:]), **style}

    def _piece(self, piece: re.Match[str], style: Mapping[str, bool]) -> Iterator[Span]:
        if piece["pre"] is not None:
            yield {"text": html.unescape(piece["pre"]).strip("\n"), "pre": True}
            return
        if piece["code"] is not None:
            yield {"text": html.unescape(piece["code"]), "code": True, **style}
            return
        for name in _STYLES:
            if piece[name] is not None:
                yield from self._spans(piece[name], {**style, name: True})
                return
        yield self._token(piece["mark"], piece["target"], piece["label"]) | dict(style)

    def _token(self, mark: str, target: str, label: str | None) -> Span:
        match mark:
            case "@":
                return {"text": f"@{self.name(target)}", "mention": True}
            case "#":
                channel = self._world.directory.channels.get(target)
                return {"text": f"#{label or (channel.name if channel else target)}", "mention": True}
            case "!" if target.startswith("date^"):
                return date_span(target, label)
            case "!":
                return {"text": f"@{label or self._group(target)}", "mention": True}
            case _:
                return link_span(html.unescape(target), html.unescape(label or target))

    def _group(self, target: str) -> str:
        name, _, group_id = target.partition("^")
        group = self._world.directory.groups.get(group_id)
        return group.handle if group else name


def link_span(url: str, text: str) -> Span:
    """A link, where it leads to the web; else its text alone."""
    return {"text": text, "link": url} if url.startswith(_WEB) else {"text": text}


def date_span(target: str, fallback: str | None) -> Span:
    """`date^1700000000^{time}`: the reader's own clock shows it; `text` is for one that cannot."""
    _, _, rest = target.partition("^")
    seconds, _, form = rest.partition("^")
    form = form.partition("^")[0]
    if not seconds.isdecimal():
        return {"text": fallback or rest}
    return {"text": fallback or rest, "time": {"seconds": int(seconds), "form": form}}


class RichText:
    """Rich text blocks as nodes: `section`, `pre`, `quote` with spans, `list` with items."""

    def __init__(self, markup: Markup) -> None:
        self._markup = markup

    def nodes(self, block: Json) -> list[Json]:
        return [self._node(element) for element in block["elements"]]

    def plain(self, block: Json) -> str:
        nodes = self.nodes(block)
        spans = [span for node in nodes for span in node.get("spans", ())]
        return "".join(str(span["text"]) for span in spans)

    def _node(self, element: Json) -> Json:
        match element["type"]:
            case "rich_text_preformatted":
                return {"kind": "pre", "spans": self._spans(element)}
            case "rich_text_quote":
                return {"kind": "quote", "spans": self._spans(element)}
            case "rich_text_list":
                items = [self._spans(item) for item in element["elements"]]
                ordered = element.get("style") == "ordered"
                return {
                    "kind": "list",
                    "ordered": ordered,
                    "items": items,
                    "indent": element.get("indent", 0),
                }
            case _:
                return {"kind": "section", "spans": self._spans(element)}

    def _spans(self, element: Json) -> list[Span]:
        return [self._span(part) for part in element.get("elements", ())]

    def _span(self, part: Any) -> Span:
        style = part.get("style")
        style = {name: True for name in (*_STYLES, "code") if isinstance(style, dict) and style.get(name)}
        match part:
            case {"type": "user", "user_id": str(user)}:
                return {"text": f"@{self._markup.name(user)}", "mention": True} | style
            case {"type": "link", "url": str(url)}:
                return link_span(url, str(part.get("text") or url)) | style
            case {"type": "date", "timestamp": int(seconds)}:
                form = str(part.get("format", "{date} {time}"))
                return date_span(f"date^{seconds}^{form}", part.get("fallback")) | style
            case {"type": "broadcast", "range": str(who)}:
                return {"text": f"@{who}", "mention": True} | style
            case {"type": "channel", "channel_id": str(channel)}:
                return self._markup.spans(f"<#{channel}>")[0] | style
            case {"type": "usergroup", "usergroup_id": str(group)}:
                return self._markup.spans(f"<!subteam^{group}>")[0] | style
            case {"type": "emoji", "name": str(name)}:
                return {"text": f":{name}:"} | style
            case _:
                return {"text": str(part.get("text", ""))} | style
