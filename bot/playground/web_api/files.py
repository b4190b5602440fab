"""`files.*ExternalUpload*`: the three-step upload. https://docs.slack.dev/messaging/working-with-files"""

import mimetypes
from typing import Any

from bot.playground.errors import SlackError
from bot.playground.payloads import file_json
from bot.playground.records import Json, Message
from bot.playground.web_api.args import Args
from bot.playground.web_api.content import read_content
from bot.playground.web_api.method import Api

LARGEST = 1_000_000_000


def get_upload_url(api: Api, args: Args) -> Json:
    name = args.required("filename")
    size = args.number("length", 0, LARGEST)
    if size == 0:
        raise SlackError("invalid_arguments", ["[ERROR] missing required field: length"])
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    ticket, info = api.world.files.start(name, size, api.bot.id, kind)
    return {"upload_url": f"{api.base_url}/upload/v1/{ticket}", "file_id": info.id}


def complete_upload(api: Api, args: Args) -> Json:
    target, thread_ts = args.text("channel_id") or args.text("channels"), args.text("thread_ts")
    if target is None and thread_ts is not None:
        raise SlackError("invalid_arguments", ["[ERROR] thread_ts needs channel_id"])
    channel = api.postable_channel(target) if target else None
    content = read_content(args)
    files = tuple(
        api.world.files.complete(item["id"], item.get("title"), channel.id if channel else None)
        for item in _uploads(args.structure("files", "invalid_arguments"))
    )
    if channel is not None:
        draft = Message(
            channel=channel.id,
            user=api.bot.id,
            bot_id=api.bot.bot_id,
            app_id=api.bot.app_id,
            subtype="file_share",
            text=args.text("initial_comment") or "",
            blocks=content.blocks or (),
            thread_ts=thread_ts,
            files=files,
        )
        api.world.messages.post(draft)
    return {"files": [file_json(info, api.base_url) for info in files]}


def _uploads(value: Any) -> list[Json]:
    if not isinstance(value, list) or not value or not all(isinstance(v, dict) and "id" in v for v in value):
        raise SlackError("invalid_arguments", ["[ERROR] files must be a list of {id, title}"])
    return value
