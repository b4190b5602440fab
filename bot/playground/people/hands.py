"""What people do without the app taking part: post, edit, delete, attach, come and go."""

import mimetypes
import re
from base64 import b64decode
from dataclasses import dataclass, replace
from typing import Literal

from bot.playground.errors import Impossible
from bot.playground.records import Channel, FileInfo, Json, Message, User
from bot.playground.world import World

_TOKEN = re.compile(r"<@(\w+)(?:\|[^>]*)?>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file a person adds to a post; `content` is text, or bytes as base64 where `base64` says so."""

    name: str
    content: str
    base64: bool = False

    @property
    def data(self) -> bytes:
        """Raises Impossible for what is not base64."""
        if not self.base64:
            return self.content.encode()
        try:
            return b64decode(self.content, validate=True)
        except ValueError:
            raise Impossible(f"The content of {self.name} is not base64.") from None


class Hands:
    """Every verb is done as one user; what their client would not offer raises Impossible."""

    def __init__(self, world: World) -> None:
        self._world = world

    def post(
        self,
        user_id: str,
        target: str,
        text: str,
        *,
        thread_ts: str | None = None,
        broadcast: bool = False,
        files: tuple[Attachment, ...] = (),
    ) -> Message:
        """Say `text`, in the platform's own markup, in a channel; the bot's user id stands for the DM with it."""
        user = self.person(user_id)
        channel = self._writable(user, target)
        attached = tuple(self._attach(user, channel, file) for file in files)
        subtype = "thread_broadcast" if broadcast and thread_ts else ("file_share" if attached else None)
        return self._world.messages.post(
            Message(
                channel=channel.id,
                user=user.id,
                bot_id=user.bot_id,
                app_id=user.app_id,
                text=text,
                thread_ts=thread_ts,
                subtype=subtype,
                blocks=(rich_text(text),) if text and user.bot_id is None else (),
                files=attached,
            ),
        )

    def edit(self, user_id: str, channel: str, ts: str, text: str) -> Message:
        before = self._own(user_id, channel, ts)
        after = replace(before, text=text, blocks=(rich_text(text),), edited_ts=self._world.clock.ts())
        return self._world.messages.edit(before, after)

    def delete(self, user_id: str, channel: str, ts: str) -> None:
        """Own messages; an admin may delete anybody's."""
        message = self._world.messages.get(channel, ts)
        if not self.person(user_id).is_admin:
            message = self._own(user_id, channel, ts)
        self._world.messages.delete(message)

    def join(self, user_id: str, channel: str, inviter: str | None) -> Channel:
        """Also for the bot's user id: somebody invites it."""
        return self._world.directory.join(channel, user_id, inviter)

    def leave(self, user_id: str, channel: str) -> Channel:
        return self._world.directory.leave(channel, user_id)

    def open_home(self, user_id: str, tab: Literal["home", "messages"]) -> None:
        self._world.open_home(self.person(user_id).id, tab)

    def person(self, user_id: str) -> User:
        """Somebody who can act. Raises Impossible for a deactivated account."""
        user = self._world.directory.user(user_id)
        if user.deleted:
            raise Impossible(f"{user.real_name} ({user.id}) is deactivated and cannot do anything.")
        return user

    def member_of(self, user: User, target: str) -> Channel:
        """The channel, when that person is in it; the bot's user id stands for the DM with it."""
        directory = self._world.directory
        channel = directory.direct(user.id) if target == directory.bot.id else directory.channel(target)
        if user.id not in channel.members:
            raise Impossible(f"{user.real_name} ({user.id}) is not in #{channel.name} ({channel.id}).")
        return channel

    def _writable(self, user: User, target: str) -> Channel:
        channel = self.member_of(user, target)
        if channel.is_archived:
            raise Impossible(f"#{channel.name} ({channel.id}) is archived.")
        return channel

    def _own(self, user_id: str, channel: str, ts: str) -> Message:
        message = self._world.messages.get(channel, ts)
        if message.user != self.person(user_id).id:
            raise Impossible(f"{user_id} did not write message {ts} in {channel}; {message.user} did.")
        return message

    def _attach(self, user: User, channel: Channel, file: Attachment) -> FileInfo:
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return self._world.files.add(file.name, file.data, user.id, kind, channel.id)


def rich_text(text: str) -> Json:
    """The block a client sends along with what a person typed: text, and mentions as elements of their own."""
    elements: list[Json] = []
    end = 0
    for mention in _TOKEN.finditer(text):
        if mention.start() > end:
            elements.append({"type": "text", "text": text[end : mention.start()]})
        elements.append({"type": "user", "user_id": mention[1]})
        end = mention.end()
    if end < len(text):
        elements.append({"type": "text", "text": text[end:]})
    section = {"type": "rich_text_section", "elements": elements}
    return {"type": "rich_text", "block_id": "typed", "elements": [section]}
