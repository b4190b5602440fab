"""Whether a person may start a run: members may, guests and strangers may not."""

from __future__ import annotations

import asyncio
from typing import Final

from bot.people import Kind, People
from harness_core.models import Run

REFUSAL: Final = "Only full members of this workspace can ask me. Ask one of them to ask for you."


class Memberships:
    """Which of some user groups a run's requester is in; None where Slack does not say."""

    def __init__(self, people: People) -> None:
        self._people = people

    async def __call__(self, run: Run, wanted: frozenset[str]) -> frozenset[str] | None:
        if not run.target.get("channel"):
            return frozenset()  # asked for from elsewhere, where there are no such groups
        groups = sorted(wanted)
        answers = await asyncio.gather(
            *(self._people.in_group(run.tenant, group, run.user) for group in groups)
        )
        if None in answers:
            return None
        return frozenset(group for group, member in zip(groups, answers, strict=True) if member)


class Admission:
    """Refuses whom Slack calls a guest or a stranger. A look-up that fails lets the run start."""

    def __init__(self, people: People) -> None:
        self._people = people

    async def __call__(self, run: Run) -> str | None:
        """The sentence that refuses the run, or None."""
        if not run.target.get("channel"):
            return None  # asked for from elsewhere, where there is no such person
        kind = await self._people.kind(run.tenant, run.user)
        return REFUSAL if kind in {Kind.GUEST, Kind.STRANGER} else None
