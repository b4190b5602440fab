"""From what happened to what the bot hears: inner events for every change it subscribed to.

One post that mentions the bot in a channel makes two events with the same `ts`: `app_mention` and `message`.
https://docs.slack.dev/reference/events/message
"""

import re
import uuid
from collections.abc import Iterator

from bot.playground.delivery.courier import Courier
from bot.playground.payloads import message_json, view_json
from bot.playground.records import Channel, ChannelKind, Json, Message
from bot.playground.world import Change, World
from bot.playground.world.changes import Deleted, Edited, HomeOpened, Joined, Left, Posted, Reacted

_CHANNEL_TYPES: dict[ChannelKind, str] = {
    "channel": "channel",
    "private": "group",
    "im": "im",
    "mpim": "mpim",
}
_SUBSCRIPTIONS: dict[ChannelKind, str] = {
    "channel": "message.channels",
    "private": "message.groups",
    "im": "message.im",
    "mpim": "message.mpim",
}
_MENTION = re.compile(r"<@(\w+)(?:\|[^>]*)?>")


class EventFeed:
    """Listens to the world; the bot hears only of conversations it is a member of."""

    def __init__(self, world: World, courier: Courier, base_url: str) -> None:
        self._world = world
        self._courier = courier
        self._base_url = base_url
        self._wanted = world.config.subscriptions

    def __call__(self, change: Change) -> None:
        for subscription, event in self._events(change):
            if subscription in self._wanted:
                self._courier.send_event(event, shared=self._is_shared(event))

    def _events(self, change: Change) -> Iterator[tuple[str, Json]]:
        match change:
            case Posted(message):
                yield from self._posted(message)
            case Edited(before, after, at):
                yield from self._message_event(after, at, self._edited(before, after))
            case Deleted(message, at):
                previous = message_json(self._world, message, self._base_url, metadata=False)
                deleted = {
                    "subtype": "message_deleted",
                    "deleted_ts": message.ts,
                    "previous_message": previous,
                }
                yield from self._message_event(message, at, {"hidden": True, **deleted})
            case Reacted(message, user, reaction, added, at):
                yield self._reacted(message, user, reaction, added=added, at=at)
            case Joined(channel, user, inviter, at):
                invited = {"inviter": inviter} if inviter else {}
                yield (
                    "member_joined_channel",
                    self._membership("member_joined_channel", channel, user, at) | invited,
                )
            case Left(channel, user, at):
                yield "member_left_channel", self._membership("member_left_channel", channel, user, at)
            case HomeOpened():
                yield "app_home_opened", self._home_opened(change)
            case _:
                pass

    def _posted(self, message: Message) -> Iterator[tuple[str, Json]]:
        body = message_json(self._world, message, self._base_url, metadata=False)
        if message.bot_id is None:
            body |= {"client_msg_id": str(uuid.uuid4())}
        yield from self._message_event(message, message.ts, body)
        channel = self._world.directory.channel(message.channel)
        bot = self._world.directory.bot.id
        mentions_bot = bot in _MENTION.findall(message.text)
        if mentions_bot and message.user != bot and channel.kind != "im" and bot in channel.members:
            mention = {**body, "type": "app_mention", "channel": channel.id, "event_ts": message.ts}
            yield "app_mention", mention | self._origin(message, channel)

    def _message_event(self, message: Message, at: str, body: Json) -> Iterator[tuple[str, Json]]:
        channel = self._world.directory.channel(message.channel)
        if self._world.directory.bot.id not in channel.members:
            return
        place = {"channel": channel.id, "channel_type": _CHANNEL_TYPES[channel.kind], "event_ts": at}
        yield (
            _SUBSCRIPTIONS[channel.kind],
            {"type": "message", "ts": at, **body, **place, **self._origin(message, channel)},
        )

    def _edited(self, before: Message, after: Message) -> Json:
        return {
            "subtype": "message_changed",
            "hidden": True,
            "message": message_json(self._world, after, self._base_url, metadata=False),
            "previous_message": message_json(self._world, before, self._base_url, metadata=False),
        }

    def _is_shared(self, event: Json) -> bool:
        channel = self._world.directory.channels.get(str(event.get("channel")))
        return channel is not None and self._world.directory.is_shared(channel)

    def _origin(self, message: Message, channel: Channel) -> Json:
        """In a shared channel, the team of the author."""
        if not self._world.directory.is_shared(channel):
            return {}
        team = self._world.directory.users[message.user].team
        return {"user_team": team, "source_team": team}

    def _reacted(
        self, message: Message, user: str, reaction: str, *, added: bool, at: str
    ) -> tuple[str, Json]:
        kind = "reaction_added" if added else "reaction_removed"
        item = {"type": "message", "channel": message.channel, "ts": message.ts}
        return kind, {
            "type": kind,
            "user": user,
            "reaction": reaction,
            "item_user": message.user,
            "item": item,
            "event_ts": at,
        }

    def _membership(self, kind: str, channel: Channel, user: str, at: str) -> Json:
        return {
            "type": kind,
            "user": user,
            "channel": channel.id,
            "channel_type": "C" if channel.kind == "channel" else "G",
            "team": self._world.directory.users[user].team,
            "event_ts": at,
        }

    def _home_opened(self, opened: HomeOpened) -> Json:
        body: Json = {
            "type": "app_home_opened",
            "user": opened.user,
            "channel": opened.channel,
            "tab": opened.tab,
            "event_ts": opened.at,
        }
        return body | ({"view": view_json(opened.view, self._world)} if opened.view else {})
