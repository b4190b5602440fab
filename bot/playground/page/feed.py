"""What changed since, for one person: the newest changes under growing numbers, so that a stream can go on."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from bot.playground.evidence.entries import Counters, Entry
from bot.playground.evidence.scene import Trial
from bot.playground.guide import GuideView
from bot.playground.page.snapshot import Snapshot
from bot.playground.processes import CannotStart, Ended, Held, Ready, Started, WorkspaceRead
from bot.playground.records import Json
from bot.playground.world.changes import (
    Change,
    Deleted,
    Edited,
    HomeOpened,
    Hushed,
    Joined,
    Left,
    Opened,
    Posted,
    Reacted,
    Reset,
    StatusChanged,
    ViewChanged,
    Whispered,
)

REMEMBERED = 4_000

News: TypeAlias = Started | Ready | Held | Ended | CannotStart | WorkspaceRead
Shown: TypeAlias = Change | Entry | Counters | Trial | GuideView | News


@dataclass(frozen=True, slots=True)
class _Remembered:
    number: int
    about: object
    change: Shown


class Feed:
    """`note` everything; `since` gives what a person may see of it.

    Of several changes of one thing only the newest is given: whoever was away does not see every edit replayed.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._changes: deque[_Remembered] = deque(maxlen=REMEMBERED)
        self.latest = 0

    def note(self, change: Shown) -> None:
        self.latest += 1
        self._changes.append(_Remembered(self.latest, _about(change), change))

    def since(self, seen: int, user: str) -> Iterator[tuple[int, Json]]:
        """Numbers and events after `seen`; one `reload` when that is too long ago, or was never."""
        oldest = self._changes[0].number if self._changes else self.latest + 1
        if seen < oldest - 1 or seen > self.latest:
            yield self.latest, {"kind": "reload"}
            return
        newest: dict[object, _Remembered] = {}
        for each in reversed(self._changes):
            if each.number <= seen:
                break
            newest.setdefault(each.about, each)
        for each in reversed(newest.values()):
            if (event := self._event(each.change, user)) is not None:
                yield each.number, event

    def _event(self, change: Shown, user: str) -> Json | None:
        draw = self._snapshot
        match change:
            case Posted(message) | Reacted(message=message) | Edited(after=message):
                drawn = draw.renderer.message(message, user)
                return {"kind": "message", "message": drawn} if draw.sees(user, message.channel) else None
            case Deleted(message):
                gone = {"kind": "gone", "channel": message.channel, "ts": message.ts}
                return gone if draw.sees(user, message.channel) else None
            case Whispered(ephemeral):
                drawn = draw.renderer.ephemeral(ephemeral, user)
                return {"kind": "message", "message": drawn} if ephemeral.to == user else None
            case Hushed(ephemeral):
                return {"kind": "gone", "channel": ephemeral.channel, "ts": ephemeral.ts}
            case StatusChanged(status):
                shown = {"kind": "status", "status": draw.status(status.channel, status.thread_ts)}
                return shown if draw.sees(user, status.channel) else None
            case ViewChanged(view):
                if view.user != user:
                    return None
                return {"kind": "view", "view": draw.modal(user), "home": draw.home(user)}
            case Joined() | Left() | Opened() | Reset():
                return {"kind": "reload"}
            case HomeOpened():
                return None
            case _:
                return self._told(change)

    def _told(self, change: Entry | Counters | Trial | GuideView | News) -> Json:
        draw = self._snapshot
        match change:
            case Entry():
                return {"kind": "entry", "entry": draw.entry(change)}
            case Counters():
                return {"kind": "counters", "counters": draw.counters(change)}
            case Trial():
                return {"kind": "trial", "trial": draw.trial(change)}
            case GuideView():
                return {"kind": "guide", "guide": draw.guide_view(change)}
            case _:
                return {"kind": "bot", "bot": draw.bot()}


def _about(change: Shown) -> object:
    """What it is a change of."""
    match change:
        case Posted(message) | Reacted(message=message) | Edited(after=message) | Deleted(message):
            return "message", message.channel, message.ts
        case Whispered(message) | Hushed(message):
            return "ephemeral", message.ts
        case StatusChanged(status):
            return "status", status.channel, status.thread_ts
        case ViewChanged(view):
            return "view", view.user
        case Entry(number=number):
            return "entry", number
        case Trial(fault=fault):
            return "trial", fault
        case Joined() | Left() | Opened() | Reset():
            return "reload"
        case Started() | Ready() | Held() | Ended() | CannotStart() | WorkspaceRead():
            return "bot"
        case _:
            return type(change).__name__
