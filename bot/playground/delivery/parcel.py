"""What is handed to the bot, and what comes back; shared by both transports."""

import json
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from bot.playground.records import Json

EnvelopeKind = Literal["events_api", "interactive", "slash_commands"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One payload for the bot. `event_id` and `event_type` are for the log; copies share the event id."""

    kind: EnvelopeKind
    payload: Json
    event_type: str
    event_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Which retry this is, from 1, and why the attempt before it failed."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The bot's answer. `failure` is None for a 2xx in time, else the platform's retry reason."""

    seconds: float
    status: int | None = None
    body: str = ""
    failure: str | None = None
    no_retry: bool = False

    @property
    def json(self) -> Any:
        """The body as JSON; None when it is empty or something else."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Transport(Protocol):
    @property
    def name(self) -> Literal["http", "socket"]: ...

    async def deliver(self, parcel: Parcel, retry: Retry | None) -> Reply:
        """One attempt; never raises for a bot that is slow, wrong or not there."""
