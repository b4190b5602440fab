"""Counts what went over the wire."""

from dataclasses import replace

from bot.playground.evidence.entries import Counters
from bot.playground.records import ApiCall, Delivery

_PEOPLES = frozenset({"message", "app_mention"})
_KINDS_OF_POSTS = frozenset({None, "file_share", "thread_broadcast"})


class Counting:
    """`counters` is always true of everything that was counted so far."""

    def __init__(self, bot_user: str) -> None:
        self._bot_user = bot_user
        self._received: set[tuple[str, str]] = set()
        self.counters = Counters()

    def clear(self) -> None:
        self._received.clear()
        self.counters = Counters(restarts=self.counters.restarts, effects=self.counters.effects)

    def wire(self, line: ApiCall | Delivery) -> None:
        match line:
            case ApiCall(status=429):
                self.counters = replace(self.counters, limited=self.counters.limited + 1)
            case Delivery(kind="events_api", failure=None) if post := self._post(line):
                self._receive(post)
            case _:
                pass

    def restarts(self, count: int) -> None:
        self.counters = replace(self.counters, restarts=count)

    def effects(self, count: int) -> None:
        self.counters = replace(self.counters, effects=count)

    def _receive(self, post: tuple[str, str]) -> None:
        if post in self._received:
            self.counters = replace(self.counters, duplicates=self.counters.duplicates + 1)
        else:
            self._received.add(post)
            self.counters = replace(self.counters, received=self.counters.received + 1)

    def _post(self, delivery: Delivery) -> tuple[str, str] | None:
        """Channel and timestamp of the person's post that this event tells of."""
        event = delivery.payload["event"]
        if delivery.event_type not in _PEOPLES or event.get("subtype") not in _KINDS_OF_POSTS:
            return None
        if event.get("user") in (self._bot_user, None):
            return None
        return str(event["channel"]), str(event["ts"])
