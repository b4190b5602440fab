"""The list of grants in front of one person, and its Revoke.

Admins see all of them, others those that they gave, that are for their own runs, or that they could have given.
Whoever sees one may revoke it: that only brings the question back.
"""

from __future__ import annotations

import asyncio
from typing import Final

from bot.access import Deed, may
from bot.approvers import Allowed, may_decide, may_see
from bot.ingress.payloads import Action
from bot.listeners.approval_deeds import Person, forged, note
from bot.listeners.approval_list import link_to
from bot.listeners.services import Services
from bot.view import notices
from bot.view.blocks import Notice
from bot.view.grants import ROWS, grants_list, told_of, unknown_grant
from bot.view.values import GRANTS_PAGE, GrantRef, GrantsPage, decode
from harness_core.errors import GrantNotFound
from harness_core.grants import Grant, Revoked
from harness_core.models import Page

_READS: Final = 30


async def list_grants(services: Services, user: str, cursor: str | None = None) -> Notice:
    """A page of the grants that ``user`` may revoke, the one that lasts longest first."""
    page = await _visible(services, user, cursor)
    readable = await asyncio.gather(*(may_see(services.people, each.approval, user) for each in page.items))
    shown = [grant for grant, seen in zip(page.items, readable, strict=True) if seen]
    links = await asyncio.gather(*(link_to(services, each.approval) for each in shown))
    known = {grant.grant_id: link for grant, link in zip(shown, links, strict=True) if link}
    hidden = frozenset(each.grant_id for each in page.items) - {each.grant_id for each in shown}
    return grants_list(page, known, hidden)


async def turn_grants(services: Services, action: Action) -> Notice | None:
    """The next page, in the place of this one."""
    match decode(GRANTS_PAGE, action.value):
        case GrantsPage(cursor=cursor):
            older = await list_grants(services, action.user, cursor)
            services.respond(action, older, replace=True)
            return None
        case _:
            return forged(services, Person.pressing(action), action.action_id)


async def revoke(services: Services, action: Action) -> Notice | None:
    """Ends a grant, and shows those that are left; who may not is told so."""
    person = Person.pressing(action)
    match decode(action.action_id, action.value):
        case GrantRef(grant_id=grant_id) if action.team == services.installation.team:
            pass
        case _:
            return forged(services, person, action.action_id)
    try:
        grant = await services.approvals.grant(action.team, grant_id)
        if not await _concerns(services, grant, action.user):
            services.metrics.refused("not_allowed")
            note(services, "refused", person, why="not_allowed", grant=grant_id)
            return notices.not_allowed("revoke this grant", "Who gave it, an approver or an admin")
        outcome = await services.approvals.revoke(action.team, grant_id, by=action.user, source=person.source)
    except GrantNotFound:
        return unknown_grant()
    if isinstance(outcome, Revoked) and action.ephemeral:
        services.background.start(_show_left(services, action), "show what is left")
    return told_of(outcome)


async def _show_left(services: Services, action: Action) -> None:
    left = await list_grants(services, action.user)
    services.respond(action, left, replace=True)


async def _visible(services: Services, user: str, cursor: str | None) -> Page[Grant]:
    """Reads on until a page is full; each read asks for what is left, so none goes further than is shown."""
    found: list[Grant] = []
    for _ in range(_READS):
        page = await services.approvals.grants(
            services.installation.team, cursor=cursor, limit=ROWS - len(found)
        )
        concerns = await asyncio.gather(*(_concerns(services, each, user) for each in page.items))
        found += [grant for grant, concerned in zip(page.items, concerns, strict=True) if concerned]
        cursor = page.cursor
        if cursor is None or len(found) == ROWS:
            break
    return Page(items=tuple(found), cursor=cursor)


async def _concerns(services: Services, grant: Grant, user: str) -> bool:
    if may(Deed.SEE_ALL, user, None, services.admins):
        return True
    if user == grant.given_by or user in grant.approval.requesters:
        return True
    return isinstance(await may_decide(services.people, grant.approval, user), Allowed)
