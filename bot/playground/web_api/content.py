"""What a message may contain: text, blocks, attachments, metadata; read and checked for every way to post."""

import json
from dataclasses import dataclass
from typing import Any

from bot.playground.block_kit import checked_blocks
from bot.playground.errors import SlackError
from bot.playground.records import Json
from bot.playground.web_api.args import Args

TRUNCATE_AT = 40_000
MARKDOWN_TEXT = 12_000
ATTACHMENTS = 100
METADATA_BYTES = 16_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """`None` means the field was not sent, which `chat.update` tells from an empty one."""

    text: str | None = None
    blocks: tuple[Json, ...] | None = None
    attachments: tuple[Json, ...] | None = None
    metadata: Json | None = None
    truncated: bool = False

    @property
    def empty(self) -> bool:
        return not (self.text or self.blocks or self.attachments)


def read_content(args: Args) -> Content:
    """Raises SlackError with the name the platform gives to what is wrong."""
    text, blocks = args.text("text"), args.structure("blocks", "invalid_blocks_format")
    markdown = args.text("markdown_text")
    if markdown is not None:
        if text is not None or blocks is not None:
            raise SlackError("markdown_text_conflict")
        if len(markdown) > MARKDOWN_TEXT:
            raise SlackError("msg_too_long")
        text, blocks = markdown, [{"type": "markdown", "text": markdown}]
    return Content(
        text=None if text is None else text[:TRUNCATE_AT],
        blocks=None if blocks is None else checked_blocks(blocks),
        attachments=_attachments(args.structure("attachments", "invalid_attachments")),
        metadata=_metadata(args.structure("metadata", "invalid_metadata_format")),
        truncated=text is not None and len(text) > TRUNCATE_AT,
    )


def _attachments(value: Any) -> tuple[Json, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise SlackError("invalid_attachments")
    if len(value) > ATTACHMENTS:
        raise SlackError("too_many_attachments")
    return tuple(value)


def _metadata(value: Any) -> Json | None:
    """`{event_type, event_payload}`, or `{}`, which means none."""
    if value is None or value == {}:
        return value  # type: ignore[no-any-return] # None or {}
    if not isinstance(value, dict):
        raise SlackError("invalid_metadata_format")
    if not isinstance(value.get("event_type"), str) or not isinstance(value.get("event_payload"), dict):
        raise SlackError("invalid_metadata_schema")
    if len(json.dumps(value, ensure_ascii=False).encode()) > METADATA_BYTES:
        raise SlackError("metadata_too_large")
    return {"event_type": value["event_type"], "event_payload": value["event_payload"]}
