"""What Slack sends, as a closed union. What a newer Slack sends is a member too: :class:`Unsupported`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ChannelType = Literal["channel", "group", "im", "mpim"]
LifecycleKind = Literal[
    "app_uninstalled", "tokens_revoked", "app_rate_limited", "member_joined_channel", "member_left_channel"
]


def post_name(channel: str, ts: str) -> str:
    """The name of a post, under which it is found again when it is delivered twice, changed or deleted."""
    return f"post:{channel}:{ts}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A message that a person wrote, whichever event told of it.

    ``text`` is without the bot's own mention and without Slack's escapes; ``mentioned`` says that the mention
    was there. ``for_others`` is true of a message that opens with somebody else's mention.
    """

    team: str
    channel: str
    channel_type: ChannelType
    user: str
    ts: str
    thread_ts: str | None
    text: str
    mentioned: bool
    for_others: bool = False
    event_id: str | None = None

    @property
    def direct(self) -> bool:
        """Whether it was written in a direct message, where nobody else can write."""
        return self.channel_type == "im"

    @property
    def addressed(self) -> bool:
        """Whether it is for the bot wherever it was written."""
        return self.mentioned or self.direct

    @property
    def root(self) -> str:
        """The ts of the thread it is in, or opens."""
        return self.thread_ts or self.ts

    @property
    def names(self) -> tuple[str, ...]:
        """Everything it may come again as."""
        event = (f"event:{self.event_id}",) if self.event_id else ()
        return (*event, post_name(self.channel, self.ts))

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts

    @property
    def conversation(self) -> str:
        """The key of its conversation within the team."""
        return f"{self.channel}:{self.root}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """A person changed a message of theirs. ``text`` as of :class:`Post`; ``stamp`` grows with each change."""

    team: str
    channel: str
    user: str
    ts: str
    thread_ts: str | None
    text: str
    stamp: int

    @property
    def name(self) -> str:
        return post_name(self.channel, self.ts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """A person's message is gone."""

    team: str
    channel: str
    user: str
    ts: str
    thread_ts: str | None

    @property
    def name(self) -> str:
        return post_name(self.channel, self.ts)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnDeleted:
    """A message of the bot is gone: somebody deleted it, or the bot did."""

    team: str
    channel: str
    ts: str
    thread_ts: str | None

    @property
    def conversation(self) -> str:
        """The key of the conversation that it was in."""
        return f"{self.channel}:{self.thread_ts or self.ts}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A slash command; ``name`` begins with the slash."""

    team: str
    channel: str
    user: str
    name: str
    text: str
    response_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A press on a button, in a message or in a modal (then ``channel`` is empty and ``view_id`` is set).

    ``user_team`` is the person's own team, which in a shared channel may be another one.
    """

    team: str
    channel: str
    user: str
    action_id: str
    value: str
    message_ts: str
    thread_ts: str | None
    response_url: str
    trigger_id: str
    user_team: str = ""
    ephemeral: bool = False
    view_id: str = ""
    view_hash: str = ""
    view_metadata: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewSubmitted:
    """A modal was submitted: ``view`` as Slack sent it back, ``values`` its ``state.values``."""

    team: str
    user: str
    callback_id: str
    private_metadata: str
    view_id: str
    user_team: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    view: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewClosed:
    """A modal was closed without being submitted."""

    team: str
    user: str
    callback_id: str
    private_metadata: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeOpened:
    """A person looks at the app's own pages."""

    team: str
    user: str
    tab: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """Something happened to the app or its places: ``kind`` is Slack's name of the event."""

    team: str
    kind: LifecycleKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """Nothing for the bot, for a reason that is always the same."""

    team: str
    reason: Literal["own", "bot", "subtype", "unchanged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsupported:
    """A payload this release knows nothing about, or one whose parts are missing."""

    team: str
    kind: str


Interaction = Command | Action | ViewSubmitted | ViewClosed
"""What a person waits for an answer to; Slack never delivers it a second time."""

News = Post | Edited | Deleted | OwnDeleted | HomeOpened | Lifecycle | Ignored | Unsupported
"""What Slack delivers again until it is told that it arrived."""

Payload = Interaction | News
