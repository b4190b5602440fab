"""Whether a person may start a run: members may, guests and strangers may not."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from bot.delivery.answers import Done
from bot.delivery.web_api import WebApi
from harness_core.models import Run

REFUSAL: Final = "Only full members of this workspace can ask me. Ask one of them to ask for you."

_FRESH: Final = 300.0
_LOOK_WITHIN: Final = 3.0
_REMEMBERED: Final = 5000


class Admission:
    """Asks ``users.info`` and remembers the answer for five minutes. A look-up that fails lets the run start."""

    def __init__(self, api: WebApi) -> None:
        self._api = api
        self._known: dict[tuple[str, str], tuple[float, bool]] = {}

    async def __call__(self, run: Run) -> str | None:
        """The sentence that refuses the run, or None."""
        if not run.target.get("channel"):
            return None  # asked for from elsewhere, where there is no such person
        return None if await self._is_member(run.tenant, run.user) else REFUSAL

    async def _is_member(self, team: str, user: str) -> bool:
        now = time.monotonic()
        known = self._known.get((team, user))
        if known is not None and now - known[0] < _FRESH:
            return known[1]
        match await self._api.user_info(team, user, within=_LOOK_WITHIN):
            case Done(data=data):
                member = _member(data.get("user"), team)
                self._known[team, user] = (now, member)
                while len(self._known) > _REMEMBERED:
                    del self._known[next(iter(self._known))]
                return member
            case _:
                return True


def _member(user: Any, team: str) -> bool:
    """https://docs.slack.dev/reference/objects/user-object"""
    if not isinstance(user, Mapping):
        return True
    outside = user.get("is_stranger") is True or user.get("team_id") not in (None, team)
    guest = user.get("is_restricted") is True or user.get("is_ultra_restricted") is True
    return not (outside and not _same_grid(user, team)) and not guest


def _same_grid(user: Mapping[str, Any], team: str) -> bool:
    """On Enterprise Grid a person belongs to several teams of one organisation."""
    grid = user.get("enterprise_user")
    teams = grid.get("teams") if isinstance(grid, Mapping) else None
    return isinstance(teams, list) and team in teams
