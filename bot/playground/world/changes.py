"""Everything that can happen in the world, as a closed union; the event feed and the page match on it."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from bot.playground.records import Channel, Ephemeral, Message, ThreadStatus, View

ViewEvent: TypeAlias = Literal["opened", "updated", "pushed", "published", "closed"]


@dataclass(frozen=True, slots=True)
class Posted:
    message: Message


@dataclass(frozen=True, slots=True)
class Edited:
    before: Message
    after: Message
    at: str


@dataclass(frozen=True, slots=True)
class Deleted:
    message: Message
    at: str


@dataclass(frozen=True, slots=True)
class Reacted:
    message: Message
    user: str
    reaction: str
    added: bool
    at: str


@dataclass(frozen=True, slots=True)
class Joined:
    channel: Channel
    user: str
    inviter: str | None
    at: str


@dataclass(frozen=True, slots=True)
class Left:
    channel: Channel
    user: str
    at: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A direct message came into being."""

    channel: Channel


@dataclass(frozen=True, slots=True)
class Whispered:
    """An ephemeral message was shown, or changed in place."""

    message: Ephemeral


@dataclass(frozen=True, slots=True)
class Hushed:
    """An ephemeral message was removed."""

    message: Ephemeral


@dataclass(frozen=True, slots=True)
class StatusChanged:
    status: ThreadStatus


@dataclass(frozen=True, slots=True)
class ViewChanged:
    view: View
    how: ViewEvent


@dataclass(frozen=True, slots=True)
class HomeOpened:
    """A person opened the app's Home or Messages tab; `channel` is their direct message with the app."""

    user: str
    channel: str
    tab: Literal["home", "messages"]
    view: View | None
    at: str


@dataclass(frozen=True, slots=True)
class Reset:
    """The world was set back to its seed."""


Change: TypeAlias = (
    Posted
    | Edited
    | Deleted
    | Reacted
    | Joined
    | Left
    | Opened
    | Whispered
    | Hushed
    | StatusChanged
    | ViewChanged
    | HomeOpened
    | Reset
)
