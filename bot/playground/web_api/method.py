"""What every Web API method gets, and what the methods share: access to conversations, paging."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from bot.playground.config import PlaygroundConfig
from bot.playground.delivery.socket_mode import SocketHub
from bot.playground.errors import SlackError
from bot.playground.records import Channel, Json, User
from bot.playground.triggers import Triggers
from bot.playground.web_api.args import Args
from bot.playground.world import World

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """The world as the app may touch it through the Web API."""

    config: PlaygroundConfig
    world: World
    triggers: Triggers
    sockets: SocketHub
    base_url: str

    @property
    def bot(self) -> User:
        return self.world.directory.bot

    @property
    def team(self) -> str:
        return self.config.cast.team

    def seen_channel(self, channel_id: str) -> Channel:
        """A conversation the bot can see; private ones and direct messages of others do not exist for it."""
        channel = self.world.directory.channel(channel_id)
        if channel.kind != "channel" and self.bot.id not in channel.members:
            raise SlackError("channel_not_found")
        return channel

    def joined_channel(self, channel_id: str) -> Channel:
        """A conversation the bot is a member of."""
        channel = self.seen_channel(channel_id)
        if self.bot.id not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    def postable_channel(self, target: str) -> Channel:
        """Where a post to `target` goes: a conversation's id or #name, or a person's id for their DM."""
        directory = self.world.directory
        channel = directory.direct(target) if target in directory.users else self.joined_channel(target)
        if channel.is_archived:
            raise SlackError("is_archived")
        return channel


Method: TypeAlias = Callable[[Api, Args], Json]


def page(items: Sequence[T], args: Args, *, default: int = 100, most: int = 1000) -> tuple[list[T], Json]:
    """One page of `items` by `limit` and `cursor`, and the `response_metadata` that leads to the next."""
    limit = args.number("limit", default, most)
    start = _position(args.text("cursor"))
    after = start + limit
    cursor = _cursor(after) if after < len(items) else ""
    return list(items[start:after]), {"response_metadata": {"next_cursor": cursor}}


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(f"offset:{position}".encode()).decode()


def _position(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(cursor).decode().removeprefix("offset:"))
    except (binascii.Error, ValueError):
        raise SlackError("invalid_cursor") from None
