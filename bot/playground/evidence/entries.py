"""The lines of the timeline, and the numbers above it."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

EntryKind: TypeAlias = Literal[
    "said", "event", "call", "refused", "act", "effect", "process", "workspace", "fault", "verdict"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line. `number` is its identity: the line may change while it is the newest of its kind.

    `at` is Unix time of the first thing in it, `count` how many there were, `band` whether a fault was at work.
    """

    number: int
    at: float
    kind: EntryKind
    text: str
    detail: str = ""
    count: int = 1
    band: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """`received` are messages of people that the bot acknowledged, `duplicates` every further copy of one."""

    received: int = 0
    duplicates: int = 0
    limited: int = 0
    restarts: int = 0
    effects: int = 0
