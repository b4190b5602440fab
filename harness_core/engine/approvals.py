"""What people do about questions: decide them, change what would run, list them.

Imports no agent framework, so the process that takes clicks in can use it. Whether a person may decide is for
the front end to say, which knows people; what a decision does is said here and in the store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness_core.approvals import (
    Approval,
    Approve,
    Asked,
    AuditEntry,
    Change,
    Decision,
    DecisionOutcome,
    GrantTerms,
    Invalid,
    InvalidArgument,
    NotApplicable,
    NotGrantable,
    Outdated,
    Revised,
    RevisionOutcome,
    Stale,
)
from harness_core.arguments import (
    call_digest,
    changes_between,
    check_arguments,
    completed,
    scope_of,
    shown_arguments,
)
from harness_core.errors import UnknownAgent
from harness_core.events import ApprovalRevised, RunFailed
from harness_core.grants import Grant, NotLive, Revoked, RevokeOutcome
from harness_core.models import Delivery, Page, Run
from harness_core.policy import Asker, Called, CallSite, Deny, judge
from harness_core.preview import preview
from harness_core.store import Store
from harness_core.workspace import WorkspaceHolder, agent_digest, tool_of

CHANGED = "The configuration changed while this waited for approval, so it did not run. Press Retry to start it anew."

PREVIEW_WITHIN = 1.0
"""Seconds a preview of changed arguments may take: somebody waits for the form to close."""


class Approvals:
    """The questions of every tenant. All calls raise StoreUnavailable when Redis does not answer."""

    def __init__(self, store: Store, holder: WorkspaceHolder) -> None:
        self._store = store
        self._holder = holder

    async def get(self, tenant: str, approval_id: str) -> Approval:
        """:raises ApprovalNotFound: this tenant has no such approval."""
        return await self._store.approvals.get(tenant, approval_id)

    async def locate(self, approval_id: str) -> Approval:
        """An approval by its id alone, for operators.

        :raises ApprovalNotFound: there is no such approval.
        """
        return await self.get(await self._store.approvals.locate(approval_id), approval_id)

    async def of_run(self, run_id: str) -> tuple[Approval, ...]:
        """Every question of a run, in order.

        :raises RunNotFound: there is no such run.
        """
        return await self._store.approvals.of_run(run_id)

    async def page(
        self, tenant: str, *, open_only: bool = True, cursor: str | None = None, limit: int = 10
    ) -> Page[Approval]:
        """A page of questions, newest first."""
        return await self._store.approvals.page(tenant, open_only=open_only, cursor=cursor, limit=limit)

    async def shown_at(self, run_id: str) -> dict[str, Delivery]:
        """Where the messages of a run are, by part."""
        return await self._store.deliveries.of_run(run_id)

    async def decide(
        self,
        tenant: str,
        approval_id: str,
        decision: Decision,
        *,
        revision: int | None,
        by: str,
        source: str,
    ) -> DecisionOutcome:
        """Takes one person's decision; ``revision`` is the one they saw, None for the current one.

        :raises ApprovalNotFound: this tenant has no such approval.
        """
        approval = await self.get(tenant, approval_id)
        if approval.state == "open" and await self._outdated(approval):
            return Outdated()
        scope = ""
        if decision == Approve(grant=True):
            if approval.grants is None:
                return NotGrantable()
            # What is granted is what was read here: no other revision may slip in between.
            if approval.state == "open" and revision not in (None, approval.revision):
                return Stale(revision=approval.revision)
            revision, scope = approval.revision, await self._scope(approval, approval.grants)
        return await self._store.approvals.decide(
            approval, decision, revision=revision, by=by, source=source, scope=scope
        )

    async def grant(self, tenant: str, grant_id: str) -> Grant:
        """What was granted once, however it stands.

        :raises GrantNotFound: this tenant has no such grant.
        """
        return await self._store.grants.get(tenant, grant_id)

    async def grants(self, tenant: str, *, cursor: str | None = None, limit: int = 10) -> Page[Grant]:
        """A page of the grants that are alive, the one that lasts longest first."""
        now = await self._store.now()
        return await self._store.grants.page(tenant, now=now, cursor=cursor, limit=limit)

    async def revoke(self, tenant: str, grant_id: str, *, by: str, source: str) -> RevokeOutcome:
        """Ends a grant: no call starts by it any more.

        :raises GrantNotFound: this tenant has no such grant.
        """
        outcome = await self._store.grants.revoke(tenant, grant_id, by=by, source=source)
        grant = await self.grant(tenant, grant_id)
        if outcome == "revoked":
            return Revoked(grant=grant)
        return NotLive(state=grant.state_at(await self._store.now()), grant=grant)

    async def revise(
        self,
        tenant: str,
        approval_id: str,
        arguments: Mapping[str, Any],
        *,
        revision: int | None,
        by: str,
        source: str,
    ) -> RevisionOutcome:
        """Puts new arguments in the place of those that were asked about; nothing is approved by it.

        ``arguments`` are complete, but for secret ones that are left out or None, which keep their value, and for
        those that the tool itself has a default for, which get it: people see what would be passed.

        :raises ApprovalNotFound: this tenant has no such approval.
        """
        approval = await self.get(tenant, approval_id)
        if approval.kind != "call":
            return NotApplicable(kind=approval.kind)
        if revision is not None and approval.state == "open" and revision != approval.revision:
            return Stale(revision=approval.revision)
        if approval.state == "open" and await self._outdated(approval):
            return Outdated()
        wanted = _completed(approval, arguments)
        refused = check_arguments(approval.asked.schema, wanted) or self._forbidden(approval, wanted)
        if refused:
            return Invalid(errors=refused)
        revised, changes = await self._revised(approval, wanted, by)
        event = _revised_event(revised, changes, by)
        outcome = await self._store.approvals.revise(approval, revised, event, source=source)
        if isinstance(outcome, int):
            return Revised(approval=await self.get(tenant, approval_id), changes=changes)
        return outcome

    async def audit(self, tenant: str, *, after: int = 0, limit: int = 1000) -> list[AuditEntry]:
        """Links of the tenant's audit chain, in order."""
        return await self._store.audit.read(tenant, after=after, limit=limit)

    async def newest_audit(self, tenant: str, *, limit: int = 10) -> list[AuditEntry]:
        """The newest links of the tenant's audit chain, the newest first."""
        return await self._store.audit.newest(tenant, limit=limit)

    async def count_open(self, tenant: str) -> int:
        """How many questions wait for people."""
        return await self._store.approvals.count_open(tenant)

    async def note(self, tenant: str, what: str, by: str, **facts: str) -> None:
        """Adds a link about something that changed nothing, such as a refused click. Ids only."""
        await self._store.audit.note(tenant, {"what": what, "by": by, **facts})

    async def drop_outdated(self, run: Run) -> bool:
        """Ends a waiting run whose agent is not what it was when the run began; whether it did."""
        if run.workspace is None or run.workspace == self._pinned(run.agent):
            return False
        touched = await self._store.calls.touched(run.tenant, run.run_id)
        why = RunFailed(
            reason="configuration_changed", message=CHANGED, ran=touched.ran, unsure=touched.unsure
        )
        return await self._store.approvals.abandon(run.run_id, why)

    async def _scope(self, approval: Approval, terms: GrantTerms) -> str:
        run = await self._store.runs.get(approval.run_id)
        return scope_of(approval, terms, agent=run.agent or "", workspace=run.workspace or "")

    async def _outdated(self, approval: Approval) -> bool:
        # Who builds no agents does not know what runs can begin with: a worker looks again before it goes on.
        return self._holder.is_built and await self.drop_outdated(await self._store.runs.get(approval.run_id))

    def _pinned(self, agent: str | None) -> str | None:
        try:
            return agent_digest(self._holder.current, agent or "")
        except UnknownAgent:
            return None

    def _tool(self, approval: Approval) -> Called | None:
        """The tool as the workspace has it now; a subagent that agents bring along is none of its own."""
        workspace = self._holder.current
        for agent in dict.fromkeys((approval.agent, *workspace.agents)):
            spec = tool_of(workspace, agent, approval.tool) if agent in workspace.agents else None
            if spec is not None:
                return Called(spec=spec, name=approval.tool, source=spec.source)
        return None

    def _forbidden(self, approval: Approval, arguments: Mapping[str, Any]) -> tuple[InvalidArgument, ...]:
        """What policy says about the new arguments, which may be another thing than about the old ones."""
        workspace = self._holder.current
        called = self._tool(approval)
        if called is None:
            return ()
        # Groups are not asked for again: what they allow was settled when the question was asked.
        site = CallSite(
            requester=approval.requester,
            channel=approval.channel,
            agent=approval.agent,
            also_asked=tuple(Asker(user) for user in approval.also_asked),
        )
        match judge(workspace, called, arguments, site):
            case Deny(reason=reason):
                return (InvalidArgument(argument="", message=reason),)
            case _:
                return ()

    async def _revised(
        self, approval: Approval, arguments: dict[str, Any], by: str
    ) -> tuple[Approval, tuple[Change, ...]]:
        called = self._tool(approval)
        spec = called.spec if called is not None else None
        before = approval.asked.before if approval.asked.before is not None else approval.asked.arguments
        asked: Asked = replace(
            approval.asked,
            arguments=arguments,
            before=before,
            edited_by=by,
            title=spec.title_for(arguments) if spec else approval.asked.title,
            label=spec.label_for(arguments) if spec else approval.asked.label,
            preview=await preview(spec, arguments, within=PREVIEW_WITHIN) if spec else None,
        )
        stands_for = call_digest(
            tool=approval.tool,
            version=approval.version,
            arguments=arguments,
            policy=approval.policy,
            run=approval.run_id,
            call=approval.call_key,
        )
        changes = changes_between(approval.asked.arguments, arguments, frozenset(asked.secret))
        return replace(approval, asked=asked, digest=stands_for), changes


def _completed(approval: Approval, arguments: Mapping[str, Any]) -> dict[str, Any]:
    wanted = dict(arguments)
    for name in approval.asked.secret:
        if wanted.get(name) is None and name in approval.asked.arguments:
            wanted[name] = approval.asked.arguments[name]
    return completed(approval.asked.schema, wanted)


def _revised_event(revised: Approval, changes: Sequence[Change], by: str) -> ApprovalRevised:
    asked = revised.asked
    return ApprovalRevised(
        approval=revised.approval_id,
        revision=revised.revision + 1,
        by=by,
        title=asked.title,
        arguments=shown_arguments(asked.arguments, frozenset(asked.secret)),
        changes=[[change.argument, change.before, change.after] for change in changes],
        preview=asked.preview,
    )
