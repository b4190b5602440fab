"""`conversations.*`: channels, members and what was said in them."""

from collections.abc import Iterable

from bot.playground.errors import SlackError
from bot.playground.payloads import channel_json, message_json
from bot.playground.records import Channel, Json, Message
from bot.playground.web_api.args import Args
from bot.playground.web_api.method import Api, page

_TYPES = {"public_channel": "channel", "private_channel": "private", "im": "im", "mpim": "mpim"}


def replies(api: Api, args: Args) -> Json:
    """A thread, root first, oldest first; the root leads every page. A reply's ts answers that reply alone."""
    channel = api.joined_channel(args.required("channel", "channel_not_found"))
    target = api.world.messages.find(channel.id, args.required("ts", "thread_not_found"))
    if target is None:
        raise SlackError("thread_not_found")
    thread = [] if target.is_reply else api.world.messages.replies(channel.id, target.ts)
    shown, more = page(_between(thread, args), args, default=1000)
    return _messages(api, args, [target, *shown], more)


def history(api: Api, args: Args) -> Json:
    """The channel's own timeline, newest first."""
    channel = api.joined_channel(args.required("channel", "channel_not_found"))
    timeline = [message for message in api.world.messages.of_channel(channel.id) if message.in_channel]
    shown, more = page(_between(reversed(timeline), args), args, most=999)
    return _messages(api, args, shown, more)


def info(api: Api, args: Args) -> Json:
    channel = api.seen_channel(args.required("channel", "channel_not_found"))
    return {"channel": channel_json(api.world, channel)}


def members(api: Api, args: Args) -> Json:
    channel = api.seen_channel(args.required("channel", "channel_not_found"))
    shown, more = page(channel.members, args)
    return {"members": shown} | more


def list_conversations(api: Api, args: Args) -> Json:
    kinds = {_kind(name) for name in (args.text("types") or "public_channel").split(",")}
    hide_archived = args.flag("exclude_archived")
    visible = [
        channel
        for channel in api.world.directory.channels.values()
        if channel.kind in kinds
        and (channel.kind == "channel" or api.bot.id in channel.members)
        and not (hide_archived and channel.is_archived)
    ]
    shown, more = page(visible, args)
    return {"channels": [channel_json(api.world, channel) for channel in shown]} | more


def open_conversation(api: Api, args: Args) -> Json:
    if known := args.text("channel"):
        channel = api.seen_channel(known)
        return {"no_op": True, "already_open": True, "channel": _opened(api, args, channel)}
    ids = args.required("users", "users_list_not_supplied").split(",")
    if len(ids) > 1:
        raise SlackError(
            "invalid_arguments", ["[ERROR] group direct messages are not available in the playground"]
        )
    before = len(api.world.directory.channels)
    channel = api.world.directory.direct(ids[0])
    existed = len(api.world.directory.channels) == before
    return {"no_op": existed, "already_open": existed, "channel": _opened(api, args, channel)}


def join(api: Api, args: Args) -> Json:
    channel = api.seen_channel(args.required("channel", "channel_not_found"))
    if channel.kind != "channel":
        raise SlackError("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise SlackError("is_archived")
    already = api.bot.id in channel.members
    joined = api.world.directory.join(channel.id, api.bot.id)
    warning: Json = {"warning": "already_in_channel"} if already else {}
    return {"channel": channel_json(api.world, joined)} | warning


def _kind(name: str) -> str:
    try:
        return _TYPES[name.strip()]
    except KeyError:
        raise SlackError("invalid_types") from None


def _opened(api: Api, args: Args, channel: Channel) -> Json:
    return channel_json(api.world, channel) if args.flag("return_im") else {"id": channel.id}


def _between(messages: Iterable[Message], args: Args) -> list[Message]:
    oldest, latest = _time(args, "oldest", 0.0), _time(args, "latest", float("inf"))
    if args.flag("inclusive"):
        return [message for message in messages if oldest <= float(message.ts) <= latest]
    return [message for message in messages if oldest < float(message.ts) < latest]


def _time(args: Args, name: str, default: float) -> float:
    value = args.text(name)
    try:
        return default if value is None else float(value)
    except ValueError:
        raise SlackError(f"invalid_ts_{name}") from None


def _messages(api: Api, args: Args, shown: list[Message], more: Json) -> Json:
    with_metadata = args.flag("include_all_metadata")
    bodies = [message_json(api.world, message, api.base_url, metadata=with_metadata) for message in shown]
    has_more = bool(more["response_metadata"]["next_cursor"])
    return {"messages": bodies, "has_more": has_more} | (more if has_more else {})
