"""Whose run it is, and who else may have a say in it: admission and policies, asked once for each person."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from harness_core.models import Run
from harness_core.policy import CallSite, evaluate
from harness_core.workspace import Workspace, usergroups_named

Admission = Callable[[Run], Awaitable[str | None]]
"""Asked before a run starts; a sentence refuses it, and the person reads that sentence."""

GroupsOf = Callable[[Run, frozenset[str]], Awaitable[frozenset[str] | None]]
"""Which of these groups the run's requester is in; None when nobody can say."""


class RunCompany:
    """The people around one run. ``agent`` is set once it is known."""

    def __init__(
        self, run: Run, workspace: Workspace, *, admission: Admission | None, groups_of: GroupsOf | None
    ) -> None:
        self.agent = run.agent or ""
        self._run = run
        self._workspace = workspace
        self._admission = admission
        self._groups_of = groups_of
        self._groups: dict[str, frozenset[str] | None] = {}
        self._admitted = {run.user: True}

    async def refusal(self, user: str) -> str | None:
        """Why this person may not start runs at all, as a sentence."""
        return await self._admission(self._as_if_of(user)) if self._admission is not None else None

    async def reasons(self, user: str) -> tuple[str, ...]:
        """Why policies keep this person from the agent, as sentences."""
        site = CallSite(
            requester=user,
            channel=self._run.channel,
            agent=self.agent,
            usergroups=await self.groups_of(user),
        )
        return evaluate(self._workspace, site).reasons

    async def admits(self, user: str) -> bool:
        """Whether this person might have started the run; its requester was asked about when it began."""
        if user not in self._admitted:
            self._admitted[user] = await self.refusal(user) is None and not await self.reasons(user)
        return self._admitted[user]

    async def groups_of(self, user: str) -> frozenset[str] | None:
        """Those of the person's groups that policies name; None when they cannot be found out."""
        if user not in self._groups:
            wanted = usergroups_named(self._workspace)
            if not wanted:
                self._groups[user] = frozenset()
            elif self._groups_of is None:
                self._groups[user] = None  # "in none" would be a guess, and lift what is forbidden to a group
            else:
                self._groups[user] = await self._groups_of(self._as_if_of(user), wanted)
        return self._groups[user]

    def _as_if_of(self, user: str) -> Run:
        return self._run if user == self._run.user else replace(self._run, user=user)
