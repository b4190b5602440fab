"""Who people are, as Slack tells it: members or guests, in which user groups, in which channels.

Every answer is remembered for five minutes at most; several questions about the same at the same time are one
call. A question that Slack did not answer in time has the answer None, and is asked again the next time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from typing import Any, Final, Generic, TypeVar

from bot.delivery.answers import Done, Refused
from bot.delivery.web_api import WebApi

V = TypeVar("V")

FRESH: Final = 300.0
"""Seconds for which an answer is believed."""
DOUBTED_AFTER: Final = 20.0
"""Seconds after which an answer that denies something is asked for again: people are added while others wait."""
LOOK_WITHIN: Final = 3.0

_REMEMBERED: Final = 5000
_PAGES: Final = 100
_HIDDEN: Final = frozenset({"missing_scope", "channel_not_found", "not_in_channel"})


class Kind(Enum):
    """What a person is to this team."""

    MEMBER = "member"
    GUEST = "guest"
    STRANGER = "stranger"  # of another organisation, met in a shared channel
    BOT = "bot"
    DEACTIVATED = "deactivated"


class People:
    """Asks the Web API with the token of the team. ``within`` is how long a caller waits, in seconds."""

    def __init__(self, api: WebApi) -> None:
        self._api = api
        self._kinds = _Memory(self._ask_kind)
        self._groups = _Memory(self._ask_group)
        self._channels = _Memory(self._ask_channel)
        self._public = _Memory(self._ask_public)

    async def close(self) -> None:
        """Ends what is still being asked. Close it before the API."""
        for memory in (self._kinds, self._groups, self._channels, self._public):
            await memory.close()

    async def kind(self, team: str, user: str, *, within: float = LOOK_WITHIN) -> Kind | None:
        """What this person is."""
        return await self._kinds.get(team, user, within)

    async def in_group(self, team: str, group: str, user: str, *, within: float = LOOK_WITHIN) -> bool | None:
        """Whether this person is in the user group."""
        return await _is_in(self._groups, team, group, user, within)

    async def in_channel(
        self, team: str, channel: str, user: str, *, within: float = LOOK_WITHIN
    ) -> bool | None:
        """Whether this person is a member of the channel, however many it has."""
        return await _is_in(self._channels, team, channel, user, within)

    async def group(self, team: str, group: str, *, within: float = LOOK_WITHIN) -> frozenset[str] | None:
        """Everybody in the user group."""
        return await self._groups.get(team, group, within)

    async def is_public(self, team: str, channel: str, *, within: float = LOOK_WITHIN) -> bool | None:
        """Whether everybody of the team may read the channel."""
        return await self._public.get(team, channel, within)

    async def _ask_kind(self, team: str, user: str) -> Kind | None:
        match await self._api.user_info(team, user, within=LOOK_WITHIN):
            case Done(data={"user": dict() as told}):
                return read_kind(told, team)
            case _:
                return None

    async def _ask_group(self, team: str, group: str) -> frozenset[str] | None:
        match await self._api.group_members(team, group, within=LOOK_WITHIN):
            case Done(data={"users": list() as users}):
                return frozenset(user for user in users if isinstance(user, str))
            case _:
                return None

    async def _ask_channel(self, team: str, channel: str) -> frozenset[str] | None:
        """All pages or nothing: half a list would deny people who are members."""
        members: set[str] = set()
        cursor: str | None = None
        for _ in range(_PAGES):
            match await self._api.channel_members(team, channel, cursor=cursor, within=LOOK_WITHIN):
                case Done(data={"members": list() as users} as data):
                    members.update(user for user in users if isinstance(user, str))
                    cursor = _next_cursor(data)
                case _:
                    return None
            if cursor is None:
                return frozenset(members)
        return None

    async def _ask_public(self, team: str, channel: str) -> bool | None:
        match await self._api.channel_info(team, channel, within=LOOK_WITHIN):
            case Done(data={"channel": dict() as told}):
                return not any(told.get(mark) is True for mark in ("is_private", "is_im", "is_mpim"))
            case Refused(error=error) if error in _HIDDEN:
                return False
            case _:
                return None


def read_kind(user: Mapping[str, Any], team: str) -> Kind:
    """https://docs.slack.dev/reference/objects/user-object"""
    if user.get("deleted") is True:
        return Kind.DEACTIVATED
    if user.get("is_bot") is True:
        return Kind.BOT
    outside = user.get("is_stranger") is True or user.get("team_id") not in (None, team)
    if outside and not _same_grid(user, team):
        return Kind.STRANGER
    guest = user.get("is_restricted") is True or user.get("is_ultra_restricted") is True
    return Kind.GUEST if guest else Kind.MEMBER


class _Memory(Generic[V]):
    """Answers by team and id, each asked for once at a time. None is never remembered."""

    def __init__(self, ask: Callable[[str, str], Awaitable[V | None]]) -> None:
        self._ask = ask
        self._known: dict[tuple[str, str], tuple[float, V]] = {}
        self._asking: dict[tuple[str, str], asyncio.Task[V | None]] = {}

    async def get(self, team: str, name: str, within: float, *, younger_than: float = FRESH) -> V | None:
        key = (team, name)
        known = self._known.get(key)
        if known is not None and time.monotonic() - known[0] < younger_than:
            return known[1]
        asking = self._asking.get(key)
        if asking is None:
            asking = asyncio.create_task(self._learn(key), name=f"look up {name}")
            self._asking[key] = asking
        # Shielded: one caller's time limit must not take the answer from the others, nor from the next click.
        try:
            async with asyncio.timeout(within):
                return await asyncio.shield(asking)
        except TimeoutError:
            return None

    def age(self, team: str, name: str) -> float:
        """Seconds since this was learned."""
        known = self._known.get((team, name))
        return time.monotonic() - known[0] if known else 0.0

    async def close(self) -> None:
        asking = list(self._asking.values())
        for task in asking:
            task.cancel()
        if asking:
            await asyncio.wait(asking)

    async def _learn(self, key: tuple[str, str]) -> V | None:
        try:
            found = await self._ask(*key)
        finally:
            del self._asking[key]
        if found is not None:
            self._known.pop(key, None)
            self._known[key] = (time.monotonic(), found)
            while len(self._known) > _REMEMBERED:
                del self._known[next(iter(self._known))]
        return found


async def _is_in(
    memory: _Memory[frozenset[str]], team: str, name: str, user: str, within: float
) -> bool | None:
    members = await memory.get(team, name, within)
    if members is not None and user not in members and memory.age(team, name) > DOUBTED_AFTER:
        members = await memory.get(team, name, within, younger_than=DOUBTED_AFTER) or members
    return None if members is None else user in members


def _same_grid(user: Mapping[str, Any], team: str) -> bool:
    """On Enterprise Grid a person belongs to several teams of one organisation."""
    grid = user.get("enterprise_user")
    teams = grid.get("teams") if isinstance(grid, Mapping) else None
    return isinstance(teams, list) and team in teams


def _next_cursor(data: Mapping[str, Any]) -> str | None:
    metadata = data.get("response_metadata")
    cursor = metadata.get("next_cursor") if isinstance(metadata, Mapping) else None
    return cursor if isinstance(cursor, str) and cursor else None
