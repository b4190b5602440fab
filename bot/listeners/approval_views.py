"""The modals about a question, each for a person who may have it; for others, why not."""

from __future__ import annotations

from collections.abc import Callable

from bot.approvers import Allowed, Verdict, may_decide, may_edit, may_see
from bot.listeners.approval_deeds import NOT_SHOWN, Person, closed, hidden, refuse
from bot.listeners.services import Services
from bot.view import approval_notices
from bot.view.approval_modals import (
    details_modal,
    edit_modal,
    grant_modal,
    reject_modal,
    review_modal,
    review_pages,
)
from bot.view.blocks import Block, Notice
from bot.view.grants import not_grantable
from harness_core.approvals import Approval


async def edit_view(services: Services, approval: Approval, revision: int, person: Person) -> Block | Notice:
    """One field for each argument."""
    verdict = await may_edit(services.people, approval, person.user, home=person.home)
    return await _of_open(services, approval, revision, edit_modal, verdict=verdict, person=person)


async def reject_view(
    services: Services, approval: Approval, revision: int, person: Person
) -> Block | Notice:
    """Asks for a reason, which may be left out."""
    verdict = await may_decide(services.people, approval, person.user, home=person.home)
    return await _of_open(services, approval, revision, reject_modal, verdict=verdict, person=person)


async def review_view(
    services: Services, approval: Approval, revision: int, person: Person, page: int = 0
) -> Block | Notice:
    """Everything that would run; its last page approves."""
    verdict = await may_decide(services.people, approval, person.user, home=person.home)

    def build(approval: Approval) -> Block:
        return review_modal(approval, page)

    return await _of_open(services, approval, revision, build, verdict=verdict, person=person)


async def grant_view(services: Services, approval: Approval, revision: int, person: Person) -> Block | Notice:
    """What more would be granted; submitting it approves."""
    verdict = await may_decide(services.people, approval, person.user, home=person.home)
    if not isinstance(verdict, Allowed):
        return refuse(services, approval, verdict, person)
    terms = approval.grants
    # Nobody grants what they cannot have read at a glance: what takes several pages is approved once each time.
    if terms is None or review_pages(approval) > 1:
        return not_grantable()

    def build(approval: Approval) -> Block:
        return grant_modal(approval, terms)

    return await _of_open(services, approval, revision, build, verdict=verdict, person=person)


async def details_view(
    services: Services, approval: Approval, revision: int, person: Person, page: int = 0
) -> Block | Notice:
    """What was asked and what became of it, for everybody who may read where it was asked."""
    _ = revision  # what is over is shown as it ended
    if person.source != "message":
        seen = await may_see(services.people, approval, person.user)
        if seen is False:
            return hidden(services)
        if seen is None and page == 0:  # whoever turns a page was shown the first one
            return NOT_SHOWN
    return details_modal(approval, page)


async def _of_open(
    services: Services,
    approval: Approval,
    revision: int,
    build: Callable[[Approval], Block],
    *,
    verdict: Verdict,
    person: Person,
) -> Block | Notice:
    if not isinstance(verdict, Allowed):
        return refuse(services, approval, verdict, person)
    over = await closed(services, approval)
    if over is not None:
        return over
    return build(approval) if revision == approval.revision else approval_notices.stale()
