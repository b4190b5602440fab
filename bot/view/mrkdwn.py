"""Text for `mrkdwn` objects and a message's `text`: escaped by type, so that no caller can forget it.

Slack reads `<…>` as mentions, broadcasts, dates and links in such text; `&`, `<` and `>` are written as
entities to be shown (https://docs.slack.dev/messaging/formatting-message-text). A :data:`Mrkdwn` is text in
which every `<` was put by this project.
"""

import re
from datetime import UTC, datetime
from typing import Final, NewType

from bot.view.limits import LABEL, URL

Mrkdwn = NewType("Mrkdwn", str)

_USER: Final = re.compile(r"[UW][A-Z0-9]{2,}")
_LOOKALIKES: Final = str.maketrans({"*": "∗", "~": "∼", "`": "ˋ"})
_HALF_ENTITY: Final = re.compile(r"&[a-z]{0,3}$")
_URL_BREAKERS: Final = {ord(char): f"%{ord(char):02X}" for char in '<>|" \t\r\n'}


def clip(text: str, limit: int) -> str:
    """`text`, or as much of it as fits with an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def cut_entities(text: str, limit: int) -> str:
    """The first `limit` characters of escaped text, without half an entity at the end."""
    return text if len(text) <= limit else _HALF_ENTITY.sub("", text[:limit])


def escape(text: str, limit: int = LABEL) -> Mrkdwn:
    """`text` on one line, to be shown as it is; at most `limit` characters after escaping, never empty."""
    line = " ".join(text.split()) or "(no name)"
    escaped = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if len(escaped) <= limit:
        return Mrkdwn(escaped)
    return Mrkdwn(cut_entities(escaped, limit - 1) + "…")


def bold(text: str, limit: int = LABEL) -> Mrkdwn:
    """`text` on one line in bold. Its own marks of formatting are written with characters that look like them."""
    return Mrkdwn(f"*{escape(text.translate(_LOOKALIKES), limit)}*")


def person(user: str, limit: int = LABEL) -> Mrkdwn:
    """A mention, where `user` is an id that Slack resolves; else the name as text."""
    known = _USER.fullmatch(user) and len(user) + 3 <= limit
    return Mrkdwn(f"<@{user}>") if known else escape(user, limit)


def link(url: str, label: str) -> Mrkdwn:
    """A link whose label is text. A URL that Slack would refuse leaves only the label."""
    target = url.translate(_URL_BREAKERS)
    return Mrkdwn(f"<{target}|{escape(label)}>") if 0 < len(target) <= URL else escape(label)


def clock(at: int) -> Mrkdwn:
    """A time of day in the reader's own zone; `at` in milliseconds since the epoch."""
    return Mrkdwn(f"<!date^{at // 1000}^{{time}}|{utc(at, '%H:%M')}>")


def day_and_clock(at: int) -> Mrkdwn:
    """A date and time in the reader's own zone; `at` in milliseconds since the epoch."""
    return Mrkdwn(f"<!date^{at // 1000}^{{date_short_pretty}}, {{time}}|{utc(at, '%Y-%m-%d %H:%M')}>")


def utc(at: int, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """A time as text for where Slack formats none; `at` in milliseconds since the epoch."""
    return f"{datetime.fromtimestamp(at / 1000, UTC):{form}} UTC"
