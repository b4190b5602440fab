"""`chat.*`: the app's own messages."""

from dataclasses import replace

from bot.playground.errors import SlackError
from bot.playground.payloads import message_json
from bot.playground.records import Ephemeral, Json, Message
from bot.playground.web_api.args import Args
from bot.playground.web_api.content import read_content
from bot.playground.web_api.method import Api

UPDATE_TEXT = 4_000


def post_message(api: Api, args: Args) -> Json:
    channel = api.postable_channel(args.required("channel", "channel_not_found"))
    content = read_content(args)
    if content.empty:
        raise SlackError("no_text")
    thread_ts = args.text("thread_ts")
    broadcast = thread_ts is not None and args.flag("reply_broadcast")
    message = api.world.messages.post(
        Message(
            channel=channel.id,
            user=api.bot.id,
            bot_id=api.bot.bot_id,
            app_id=api.bot.app_id,
            text=content.text or "",
            thread_ts=thread_ts,
            subtype="thread_broadcast" if broadcast else None,
            blocks=content.blocks or (),
            attachments=content.attachments or (),
            metadata=content.metadata or None,
        ),
    )
    body = message_json(api.world, message, api.base_url)
    warning = {"warning": "message_truncated"} if content.truncated else {}
    return {"channel": channel.id, "ts": message.ts, "message": body} | warning


def update(api: Api, args: Args) -> Json:
    """Text without blocks removes the blocks and shows "(edited)"; metadata that is not sent stays.

    https://docs.slack.dev/reference/methods/chat.update
    """
    channel = api.seen_channel(args.required("channel", "channel_not_found"))
    before = api.world.messages.get(channel.id, args.required("ts", "message_not_found"))
    if before.user != api.bot.id:
        raise SlackError("cant_update_message")
    if channel.is_archived:
        raise SlackError("is_inactive")
    if len(args.text("text") or "") > UPDATE_TEXT:
        raise SlackError("msg_too_long")
    content = read_content(args)
    if content.empty:
        raise SlackError("no_text")
    after = replace(
        before,
        text=before.text if content.text is None else content.text,
        blocks=content.blocks or (),
        attachments=content.attachments or (),
        metadata=before.metadata if content.metadata is None else (content.metadata or None),
        edited_ts=before.edited_ts if content.blocks else api.world.clock.ts(),
    )
    message = api.world.messages.edit(before, after)
    body = message_json(api.world, message, api.base_url)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": body}


def delete(api: Api, args: Args) -> Json:
    channel = api.seen_channel(args.required("channel", "channel_not_found"))
    message = api.world.messages.get(channel.id, args.required("ts", "message_not_found"))
    if message.user != api.bot.id:
        raise SlackError("cant_delete_message")
    api.world.messages.delete(message)
    return {"channel": channel.id, "ts": message.ts}


def post_ephemeral(api: Api, args: Args) -> Json:
    user = args.required("user")
    channel = api.postable_channel(args.required("channel", "channel_not_found"))
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    content = read_content(args)
    if content.empty:
        raise SlackError("no_text")
    shown = api.world.messages.whisper(
        Ephemeral(
            channel=channel.id,
            to=user,
            ts="",
            author=api.bot.id,
            text=content.text or "",
            thread_ts=args.text("thread_ts"),
            blocks=content.blocks or (),
        ),
    )
    return {"message_ts": shown.ts}


def get_permalink(api: Api, args: Args) -> Json:
    channel = api.seen_channel(args.required("channel", "channel_not_found"))
    message = api.world.messages.get(channel.id, args.required("message_ts", "message_not_found"))
    link = f"{api.base_url}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    thread = f"?thread_ts={message.thread_ts}&cid={channel.id}" if message.is_reply else ""
    return {"channel": channel.id, "permalink": link + thread}
