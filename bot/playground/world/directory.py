"""Who and where: people, bots, channels, direct messages, user groups, and who is a member of what."""

from collections.abc import Callable
from dataclasses import replace

from bot.playground.config import PlaygroundConfig
from bot.playground.errors import SlackError
from bot.playground.records import Channel, User, UserGroup
from bot.playground.world.changes import Change, Joined, Left, Opened
from bot.playground.world.clock import Clock, new_id
from bot.playground.world.seed import seeded_channels, seeded_groups, seeded_users


class Directory:
    """Look-ups raise the platform's own `…_not_found`."""

    def __init__(self, config: PlaygroundConfig, clock: Clock, publish: Callable[[Change], None]) -> None:
        self._clock = clock
        self._publish = publish
        self.cast = config.cast
        self.users: dict[str, User] = {user.id: user for user in seeded_users(config.cast)}
        self.channels: dict[str, Channel] = {channel.id: channel for channel in seeded_channels(config.cast)}
        self.groups: dict[str, UserGroup] = {group.id: group for group in seeded_groups(config.cast)}

    @property
    def bot(self) -> User:
        return self.users[self.cast.bot_user]

    def user(self, user_id: str) -> User:
        try:
            return self.users[user_id]
        except KeyError:
            raise SlackError("user_not_found") from None

    def channel(self, channel_id: str) -> Channel:
        """The channel of that id, or of that name with a leading `#`."""
        if channel_id.startswith("#"):
            for channel in self.channels.values():
                if channel.name == channel_id[1:]:
                    return channel
        try:
            return self.channels[channel_id]
        except KeyError:
            raise SlackError("channel_not_found") from None

    def group(self, group_id: str) -> UserGroup:
        try:
            return self.groups[group_id]
        except KeyError:
            raise SlackError("no_such_subteam") from None

    def is_shared(self, channel: Channel) -> bool:
        """Whether people of another team are members."""
        return any(self.users[member].team != self.cast.team for member in channel.members)

    def direct(self, user_id: str) -> Channel:
        """The app's direct message with that person, opened when there is none."""
        user = self.user(user_id)
        if user.bot_id is not None:
            raise SlackError("cannot_dm_bot")
        if user.deleted:
            raise SlackError("user_disabled")
        for channel in self.channels.values():
            if channel.kind == "im" and user.id in channel.members:
                return channel
        members = (user.id, self.cast.bot_user)
        channel = Channel(id=new_id("D"), name="directmessage", kind="im", members=members, creator=user.id)
        self.channels[channel.id] = channel
        self._publish(Opened(channel))
        return channel

    def join(self, channel_id: str, user_id: str, inviter: str | None = None) -> Channel:
        channel, user = self.channel(channel_id), self.user(user_id)
        if user.id in channel.members:
            return channel
        joined = replace(channel, members=(*channel.members, user.id))
        self.channels[joined.id] = joined
        self._publish(Joined(joined, user.id, inviter, self._clock.ts()))
        return joined

    def leave(self, channel_id: str, user_id: str) -> Channel:
        channel = self.channel(channel_id)
        if user_id not in channel.members:
            raise SlackError("not_in_channel")
        left = replace(channel, members=tuple(member for member in channel.members if member != user_id))
        self.channels[left.id] = left
        self._publish(Left(left, user_id, self._clock.ts()))
        return left

    def change_user(self, user: User) -> None:
        """Replace what is known of a person: deactivated, made an admin, renamed."""
        self.users[self.user(user.id).id] = user

    def archive(self, channel_id: str) -> Channel:
        archived = replace(self.channel(channel_id), is_archived=True)
        self.channels[archived.id] = archived
        return archived
