"""`reactions.*`: the app's own reactions."""

from bot.playground.errors import SlackError
from bot.playground.records import Json, Message
from bot.playground.web_api.args import Args
from bot.playground.web_api.method import Api


def add(api: Api, args: Args) -> Json:
    name = args.required("name", "invalid_name")
    api.world.messages.react(_target(api, args), api.bot.id, name.strip(":"))
    return {}


def remove(api: Api, args: Args) -> Json:
    name = args.required("name", "invalid_name")
    api.world.messages.unreact(_target(api, args), api.bot.id, name.strip(":"))
    return {}


def _target(api: Api, args: Args) -> Message:
    channel = api.seen_channel(args.required("channel", "no_item_specified"))
    if channel.is_archived:
        raise SlackError("is_archived")
    return api.world.messages.get(channel.id, args.required("timestamp", "no_item_specified"))
