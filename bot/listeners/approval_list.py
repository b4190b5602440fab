"""The list of questions in front of one person: admins see all, others those they may decide or asked for."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Final

from bot.access import Deed, may
from bot.approvers import Allowed, may_decide, may_see
from bot.listeners.links import card_part, message_link
from bot.listeners.services import Services
from bot.view.approval_notices import ROWS, approvals_list
from bot.view.blocks import Notice
from harness_core.approvals import Approval
from harness_core.errors import RunNotFound
from harness_core.models import Page

HIDDEN: Final = "A request in a private channel"
NOT_KNOWN: Final = "A request that is shown where it was asked"
"""In the place of a title, where Slack does not say whether it may be read here."""

_READS: Final = 30


async def list_approvals(
    services: Services, user: str, cursor: str | None = None, *, open_only: bool = True
) -> Notice:
    """A page of the questions that ``user`` may see, newest first."""
    page = await _visible(services, user, cursor, open_only=open_only)
    links = await asyncio.gather(*(link_to(services, approval) for approval in page.items))
    known = {approval.approval_id: link for approval, link in zip(page.items, links, strict=True) if link}
    return approvals_list(page, known, _now(), open_only=open_only)


async def _visible(services: Services, user: str, cursor: str | None, *, open_only: bool) -> Page[Approval]:
    """Reads on until a page is full; each read asks for what is left, so none goes further than is shown."""
    found: list[Approval] = []
    for _ in range(_READS):
        page = await services.approvals.page(
            services.installation.team, open_only=open_only, cursor=cursor, limit=ROWS - len(found)
        )
        shown = await asyncio.gather(*(_as_seen(services, approval, user) for approval in page.items))
        found += [approval for approval in shown if approval is not None]
        cursor = page.cursor
        if cursor is None or len(found) == ROWS:
            break
    return Page(items=tuple(found), cursor=cursor)


async def _as_seen(services: Services, approval: Approval, user: str) -> Approval | None:
    """The question as ``user`` may see it, or None. What was asked in private shows others that it is there."""
    admin = may(Deed.SEE_ALL, user, None, services.admins)
    concerned = admin or user in approval.requesters
    if not (concerned or isinstance(await may_decide(services.people, approval, user), Allowed)):
        return None
    match await may_see(services.people, approval, user):
        case True:
            return approval
        case None:
            return replace(approval, asked=replace(approval.asked, title=NOT_KNOWN))
        case False:
            return replace(approval, asked=replace(approval.asked, title=HIDDEN)) if admin else None


async def link_to(services: Services, approval: Approval) -> str | None:
    """Where the card is, or the request while there is none."""
    if not approval.channel or approval.asked.title == HIDDEN:
        return None
    try:
        run = await services.control.get_run(approval.run_id)
    except RunNotFound:
        return None
    root = run.target.get("thread_ts") or run.target.get("ts")
    if not root:
        return None
    shown = await services.approvals.shown_at(approval.run_id)
    card = shown.get(card_part(approval))
    ts = (card.external_id if card else None) or run.target.get("ts") or root
    return message_link(approval.channel, ts, root, services.installation)


def _now() -> int:
    return round(time.time() * 1000)
