"""Buttons on questions: on the card, in the list, in a modal.

A button on a card counts only where the card is: in its channel, on the very message. What a list or a modal
shows to one person is matched by the question and that person.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from bot.approvers import may_see
from bot.ingress.payloads import Action
from bot.listeners.approval_deeds import NOT_SHOWN, Person, decide, find_approval, forged, hidden
from bot.listeners.approval_list import list_approvals
from bot.listeners.approval_views import details_view, edit_view, grant_view, reject_view, review_view
from bot.listeners.grant_list import revoke, turn_grants
from bot.listeners.links import card_part
from bot.listeners.modals import NOT_OPENED, NotOpened, open_loading, open_modal
from bot.listeners.services import Services
from bot.view import approval_notices, grant_words
from bot.view import approval_words as words
from bot.view.blocks import Block, Notice
from bot.view.values import (
    APPROVAL_AGAIN,
    APPROVAL_APPROVE,
    APPROVAL_DETAILS,
    APPROVAL_DONE,
    APPROVAL_EDIT,
    APPROVAL_GRANT,
    APPROVAL_REJECT,
    APPROVAL_REVIEW,
    APPROVAL_SKIP,
    APPROVALS_PAGE,
    GRANT_REVOKE,
    GRANTS_PAGE,
    ApprovalRef,
    ApprovalsPage,
    ReviewPage,
    decode,
)
from harness_core.approvals import Approval, Approve, Decision, ItIsDone, Reject, RunAgain, Skip
from harness_core.errors import ApprovalNotFound
from harness_core.models import Delivery

log = structlog.get_logger(__name__)

READ_WITHIN: Final = 0.5
"""Seconds for reading what a modal shows; after that one that says "loading" is opened first."""

Build = Callable[[Services, Approval, int, Person], Awaitable[Block | Notice]]
"""The modal about a question in this revision for this person, or why there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The question a button is about; ``revision`` is the one that was on the screen."""

    approval: Approval
    revision: int


class ApprovalClicks:
    """What each button does. Every deed returns what the person is told, if anything."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.deeds: Mapping[str, Callable[[Action], Awaitable[Notice | None]]] = {
            APPROVAL_APPROVE: self._deed(Approve()),
            APPROVAL_DONE: self._deed(ItIsDone()),
            APPROVAL_AGAIN: self._deed(RunAgain()),
            APPROVAL_SKIP: self._deed(Skip()),
            APPROVAL_EDIT: self._modal(words.EDIT_TITLE, edit_view),
            APPROVAL_REVIEW: self._modal(words.REVIEW_TITLE, review_view),
            APPROVAL_DETAILS: self._modal(words.DETAILS_TITLE, details_view),
            APPROVAL_REJECT: self._modal(words.REJECT_TITLE, reject_view, otherwise=Reject()),
            APPROVAL_GRANT: self._modal(grant_words.MODAL_TITLE, grant_view),
            APPROVALS_PAGE: self._page,
            GRANT_REVOKE: partial(revoke, services),
            GRANTS_PAGE: partial(turn_grants, services),
        }

    def _deed(self, decision: Decision) -> Callable[[Action], Awaitable[Notice | None]]:
        async def press(action: Action) -> Notice | None:
            match await self._subject(action):
                case Subject() as subject:
                    return await self._decide(action, subject, decision)
                case said:
                    return said

        return press

    def _modal(
        self, title: str, build: Build, *, otherwise: Decision | None = None
    ) -> Callable[[Action], Awaitable[Notice | None]]:
        """Opens a modal; ``otherwise`` is done where Slack opens none, and not where it may have opened one."""

        async def press(action: Action) -> Notice | None:
            reading = asyncio.ensure_future(self._subject(action))

            async def late() -> Block | Notice:
                return await self._built(action, await reading, build)

            done, _ = await asyncio.wait({reading}, timeout=READ_WITHIN)
            if done:
                opened = await self._open(action, await reading, build)
            else:
                opened = await open_loading(self._services, action, title, late)
            if not isinstance(opened, NotOpened):
                return opened
            subject = await reading
            if otherwise is not None and isinstance(subject, Subject):
                return await self._decide(action, subject, otherwise)
            return NOT_OPENED

        return press

    async def _open(self, action: Action, found: Subject | Notice, build: Build) -> Notice | NotOpened | None:
        match await self._built(action, found, build):
            case Notice() as said:
                return said
            case view:
                return await open_modal(self._services, action, view)

    async def _built(self, action: Action, found: Subject | Notice, build: Build) -> Block | Notice:
        if isinstance(found, Notice):
            return found
        return await build(self._services, found.approval, found.revision, Person.pressing(action))

    async def _decide(self, action: Action, subject: Subject, decision: Decision) -> Notice | None:
        said = await decide(
            self._services,
            subject.approval,
            decision,
            revision=subject.revision,
            person=Person.pressing(action),
        )
        if said is None and action.ephemeral:
            # What is done is done, also where the list of what is left cannot be made.
            self._services.background.start(self._show_left(action), "show what is left")
        return said

    async def _show_left(self, action: Action) -> None:
        left = await list_approvals(self._services, action.user)
        self._services.respond(action, left, replace=True)

    async def _page(self, action: Action) -> Notice | None:
        match decode(APPROVALS_PAGE, action.value):
            case ApprovalsPage(cursor=cursor, open_only=open_only):
                page = await list_approvals(self._services, action.user, cursor or None, open_only=open_only)
                # A list takes the place of its own earlier page, never that of a card.
                self._services.respond(action, page, replace=action.ephemeral)
                return None
            case _:
                return forged(self._services, Person.pressing(action), action.action_id)

    async def _subject(self, action: Action) -> Subject | Notice:
        """One read: the question, and where it is shown.

        :raises HarnessError: the store did not answer.
        """
        person = Person.pressing(action)
        match decode(action.action_id, action.value):
            case ApprovalRef() as ref:
                pass
            case ReviewPage(ref=ref):
                pass
            case _:
                return forged(self._services, person, action.action_id)
        try:
            approval = await find_approval(self._services, action.team, ref.approval_id)
        except ApprovalNotFound:
            return approval_notices.unknown_approval()
        if person.source == "message":
            shown = await self._services.approvals.shown_at(approval.run_id)
            if not is_shown(approval, shown, action.channel, action.message_ts):
                return forged(self._services, person, action.action_id, approval)
        elif not (seen := await may_see(self._services.people, approval, action.user)):
            return hidden(self._services) if seen is False else NOT_SHOWN
        return Subject(approval=approval, revision=ref.revision)


def is_shown(approval: Approval, deliveries: Mapping[str, Delivery], channel: str, ts: str) -> bool:
    """Whether the message ``ts`` is a card of this question.

    One that was just posted may be clicked before its ts is stored; it is known by its channel alone.
    """
    if not (ts and channel and channel == approval.channel):
        return False
    name = card_part(approval)
    cards = [each for part, each in deliveries.items() if part == name or part.startswith(f"{name}.")]
    return any(
        card.external_id == ts or (card.external_id is None and card.state == "pending") for card in cards
    )
