"""The people around a run, as far as an agent has to know them."""

from __future__ import annotations

from typing import Protocol

COMPANY = "company"
"""The key in a config's ``configurable`` that carries the :class:`Company`."""


class Company(Protocol):
    """Asked about people who write to a run at work, or have asked for it besides its requester."""

    async def admits(self, user: str) -> bool:
        """Whether this person might have started the run, and so may have a say in it."""

    async def groups_of(self, user: str) -> frozenset[str] | None:
        """Those of the person's groups that policies name; None when they cannot be found out."""
