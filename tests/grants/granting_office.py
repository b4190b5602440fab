"""An office whose policies let approvers grant more than one call."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

from approvals.approval_office import TENANT, ApprovalOffice

from harness_core.approvals import Approval, Approve, DecisionOutcome, Won
from harness_core.events import ApprovalGranted
from harness_core.grants import Grant
from harness_core.models import Accepted, Submission
from harness_core.store import Store

POLICY = """
---
kind: Policy
name: granting
tools:
  restart: {grants: {allowed: true, for: 1h, times: 2}}
  toggle: {grants: {allowed: true, for: 1h, times: 2, arguments: choices}}
"""

_names = itertools.count()


@dataclass(frozen=True)
class GrantingOffice(ApprovalOffice):
    """An :class:`ApprovalOffice` with grants for two of its tools."""

    @classmethod
    def write_granting(cls, folder: Path, store: Store) -> GrantingOffice:
        ApprovalOffice.write(folder, store)
        office = cls(folder, store)
        office.write_policy(POLICY)
        return office

    def write_policy(self, text: str) -> None:
        """Puts ``text`` in the place of the policies."""
        (self.folder / "policies.yaml").write_text(text, encoding="utf-8")

    async def say(
        self, text: str, *, conversation: str = "C1", user: str = "U1", agent: str | None = None
    ) -> str:
        """A run of this conversation that the message starts."""
        submission = Submission(
            tenant=TENANT,
            conversation=conversation,
            user=user,
            text=text,
            dedupe=(f"said-{next(_names)}",),
            target={},
            agent=agent,
        )
        accepted = await self.store.runs.accept(submission)
        assert isinstance(accepted, Accepted)
        return accepted.run_id

    async def granted(self, text: str, *, by: str = "U2", agent: str | None = None) -> Grant:
        """What was granted when the call of this message was approved; its run has ended."""
        run_id = await self.say(text, agent=agent)
        asked = await self.question(run_id)
        assert isinstance(await self.give(asked, by=by), Won)
        await self.ended(run_id)
        return await self.grant_of(asked)

    async def give(self, asked: Approval, *, by: str = "U2", revision: int | None = None) -> DecisionOutcome:
        return await self.decide(asked, Approve(grant=True), by=by, revision=revision)

    async def grant_of(self, asked: Approval) -> Grant:
        (found,) = [
            each for each in await self.all_grants() if each.approval.approval_id == asked.approval_id
        ]
        return found

    async def all_grants(self) -> list[Grant]:
        """Those that are alive."""
        return list((await self.approvals.grants(TENANT, limit=100)).items)

    async def passes(self, text: str, *, agent: str | None = None) -> ApprovalGranted:
        """The run of this message ended, and nobody was asked: by what its call was let through."""
        run_id = await self.say(text, agent=agent)
        await self.ended(run_id)
        assert await self.approvals.of_run(run_id) == ()
        events = await self.store.events.read(run_id)
        (used,) = [each.payload for each in events if isinstance(each.payload, ApprovalGranted)]
        return used

    async def asks(
        self, text: str, *, conversation: str = "C1", user: str = "U1", agent: str | None = None
    ) -> Approval:
        """The question about the call of this message; its run is stopped then."""
        run_id = await self.say(text, conversation=conversation, user=user, agent=agent)
        asked = await self.question(run_id)
        await self.store.runs.cancel(run_id, "U1")
        await self.ended(run_id)
        return asked
