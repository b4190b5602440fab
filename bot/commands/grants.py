"""``approvals grants|revoke``: what runs without asking for now, and an end of that."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from bot.commands.every_page import PAGE, every_page
from bot.commands.exits import Exit
from bot.commands.terminal import complain, iso, operator, say, say_object
from bot.startup import Core
from bot.view.arguments import MASK
from harness_core import Approvals
from harness_core.errors import ApprovalNotFound, GrantNotFound
from harness_core.grants import Grant, NotLive, Revoked, approval_of
from harness_core.models import Page

_SOURCE: Final = "shell"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListGrants:
    """``limit`` None: all of them."""

    limit: int | None
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeGrant:
    grant_id: str


async def list_grants(core: Core, wanted: ListGrants) -> Exit:
    """Prints a line for each that is alive."""
    shown = 0
    async for grant in _alive(core):
        if wanted.limit is not None and shown >= wanted.limit:
            break
        if wanted.as_json:
            say_object(_row(grant))
        else:
            say(_line(grant))
        shown += 1
    if not shown and not wanted.as_json:
        say("No grants.")
    return Exit.OK


async def revoke_grant(approvals: Approvals, wanted: RevokeGrant) -> Exit:
    """Ends it and says so; 1 when it was over before, 3 when there is no such grant."""
    try:
        asked = await approvals.locate(approval_of(wanted.grant_id))
        outcome = await approvals.revoke(asked.tenant, wanted.grant_id, by=operator(), source=_SOURCE)
    except (ApprovalNotFound, GrantNotFound):
        complain(f"No grant {wanted.grant_id}. `approvals grants` shows those there are.")
        return Exit.NOT_FOUND
    match outcome:
        case Revoked(grant=grant):
            say(f"{grant.grant_id} is revoked. Such calls are asked about again.")
            return Exit.OK
        case NotLive(state="revoked", grant=Grant(revoked_by=by, revoked_at=at)):
            why = f"was already revoked by {by} at {iso(at)}"
        case NotLive(state="used up"):
            why = "was used up before"
        case NotLive(grant=grant):
            why = f"ended at {iso(grant.expires_at)}"
    complain(f"{wanted.grant_id} {why}. Nothing was changed.")
    return Exit.FAILED


async def _alive(core: Core) -> AsyncIterator[Grant]:
    now = await core.store.now()

    async def read(tenant: str, cursor: str | None) -> Page[Grant]:
        return await core.store.grants.page(tenant, now=now, cursor=cursor, limit=PAGE)

    async for item in every_page(core, read):
        yield item


def _row(grant: Grant) -> dict[str, Any]:
    approval = grant.approval
    return {
        "grant_id": grant.grant_id,
        "approval_id": approval.approval_id,
        "run_id": approval.run_id,
        "thread_id": approval.thread_id,
        "tool": approval.tool,
        "arguments": _held(grant),
        "exactly": grant.terms.same is None,
        "agent": approval.agent,
        "users": list(approval.requesters),
        "channel": approval.channel,
        "given_by": grant.given_by,
        "given_at": iso(grant.given_at),
        "used": grant.used,
        "times": grant.terms.times,
        "expires_at": iso(grant.expires_at),
    }


def _held(grant: Grant) -> dict[str, Any]:
    """The arguments that have to be the same, secret ones masked."""
    asked, same = grant.approval.asked, grant.terms.same
    return {
        name: MASK if name in asked.secret else value
        for name, value in asked.arguments.items()
        if same is None or name in same
    }


def _line(grant: Grant) -> str:
    approval, terms = grant.approval, grant.terms
    left = f"{grant.left} of {terms.times} left"
    free = "" if terms.same is None else " and any others"
    held = json.dumps(_held(grant), ensure_ascii=False)
    return (
        f"{grant.grant_id}  {left}  until {iso(grant.expires_at)}  by {grant.given_by}  "
        f"for {', '.join(approval.requesters)}  {approval.thread_id}  {approval.tool} {held}{free}"
    )
