"""What was said: messages by channel and thread, ephemeral messages, thread statuses."""

from collections.abc import Callable
from dataclasses import replace

from bot.playground.errors import SlackError
from bot.playground.records import SLACKBOT, Ephemeral, Message, ThreadStatus
from bot.playground.world.changes import (
    Change,
    Deleted,
    Edited,
    Hushed,
    Posted,
    Reacted,
    StatusChanged,
    Whispered,
)
from bot.playground.world.clock import Clock

TOMBSTONE = "This message was deleted."


class Messages:
    """Timestamps only grow, so every dict of messages is already in reading order."""

    def __init__(self, clock: Clock, publish: Callable[[Change], None]) -> None:
        self._clock = clock
        self._publish = publish
        self._by_channel: dict[str, dict[str, Message]] = {}
        self._replies: dict[tuple[str, str], list[str]] = {}
        self.ephemerals: dict[str, Ephemeral] = {}
        self.statuses: dict[tuple[str, str], ThreadStatus] = {}

    def find(self, channel: str, ts: str) -> Message | None:
        return self._by_channel.get(channel, {}).get(ts)

    def get(self, channel: str, ts: str) -> Message:
        if message := self.find(channel, ts):
            return message
        raise SlackError("message_not_found")

    def of_channel(self, channel: str) -> list[Message]:
        """All messages of the channel, replies among them, oldest first."""
        return list(self._by_channel.get(channel, {}).values())

    def replies(self, channel: str, root: str) -> list[Message]:
        room = self._by_channel.get(channel, {})
        return [room[ts] for ts in self._replies.get((channel, root), ())]

    def everywhere(self) -> list[Message]:
        return [message for room in self._by_channel.values() for message in room.values()]

    def post(self, draft: Message) -> Message:
        """Store the draft under a new timestamp. A reply needs a root that exists and is no reply itself."""
        if draft.thread_ts is not None:
            self._open_thread(draft.channel, draft.thread_ts)
        message = replace(draft, ts=self._clock.ts())
        self._store(message)
        if message.is_reply:
            self._replies.setdefault((message.channel, message.root), []).append(message.ts)
        self._publish(Posted(message))
        if message.bot_id is not None:
            self._end_status(message.channel, message.root)
        return message

    def edit(self, before: Message, after: Message) -> Message:
        edited = replace(after, revision=before.revision + 1)
        self._store(edited)
        self._publish(Edited(before, edited, self._clock.ts()))
        return edited

    def delete(self, message: Message) -> None:
        """Remove it; a root with replies leaves a tombstone, as the platform does."""
        at = self._clock.ts()
        if not message.is_reply and self._replies.get((message.channel, message.ts)):
            tombstone = Message(
                channel=message.channel,
                user=SLACKBOT,
                ts=message.ts,
                thread_ts=message.thread_ts,
                text=TOMBSTONE,
                subtype="tombstone",
                hidden=True,
                revision=message.revision + 1,
            )
            self._store(tombstone)
            self._publish(Edited(message, tombstone, at))
            return
        del self._by_channel[message.channel][message.ts]
        if message.is_reply:
            self._replies[message.channel, message.root].remove(message.ts)
        self._publish(Deleted(message, at))

    def react(self, message: Message, user: str, reaction: str) -> None:
        people = message.reactions.get(reaction, ())
        if user in people:
            raise SlackError("already_reacted")
        self._set_reactions(message, user, reaction, (*people, user))

    def unreact(self, message: Message, user: str, reaction: str) -> None:
        people = message.reactions.get(reaction, ())
        if user not in people:
            raise SlackError("no_reaction")
        self._set_reactions(message, user, reaction, tuple(person for person in people if person != user))

    def whisper(self, message: Ephemeral) -> Ephemeral:
        """Show an ephemeral message, or change it when its `ts` is already on the screen."""
        shown = message if message.ts else replace(message, ts=self._clock.ts())
        self.ephemerals[shown.ts] = shown
        self._publish(Whispered(shown))
        return shown

    def hush(self, ts: str) -> None:
        if gone := self.ephemerals.pop(ts, None):
            self._publish(Hushed(gone))

    def set_status(self, status: ThreadStatus) -> None:
        self.statuses[status.channel, status.thread_ts] = status
        self._publish(StatusChanged(status))

    def status(self, channel: str, thread_ts: str) -> ThreadStatus:
        """The thread's status line; one past its life reads as empty."""
        held = self.statuses.get((channel, thread_ts)) or ThreadStatus(channel=channel, thread_ts=thread_ts)
        return held if held.expires > self._clock.now() else replace(held, status="", loading_messages=())

    def _store(self, message: Message) -> None:
        self._by_channel.setdefault(message.channel, {})[message.ts] = message

    def _open_thread(self, channel: str, root_ts: str) -> None:
        root = self.find(channel, root_ts)
        if root is None:
            raise SlackError("thread_not_found")
        if root.is_reply:
            raise SlackError(
                "cannot_reply_to_message", ["thread_ts is a reply; pass the ts of the thread's root"]
            )
        if root.thread_ts is None:
            self._store(replace(root, thread_ts=root.ts))

    def _end_status(self, channel: str, root: str) -> None:
        held = self.statuses.get((channel, root))
        if held is not None and held.status:
            self.set_status(replace(held, status="", loading_messages=(), expires=0.0))

    def _set_reactions(self, message: Message, user: str, reaction: str, people: tuple[str, ...]) -> None:
        added = user in people
        reactions = {**message.reactions, reaction: people}
        reacted = replace(message, reactions={name: users for name, users in reactions.items() if users})
        self._store(reacted)
        self._publish(Reacted(reacted, user, reaction, added, self._clock.ts()))
