"""Modals that are submitted: what was entered is checked, done, and answered before Slack stops waiting.

The ``private_metadata`` comes back from outside: it names a question and a revision, and the stored record says
everything else.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext

from bot.approvers import Allowed, may_edit
from bot.ingress.intake import PAYLOAD
from bot.ingress.payloads import ViewSubmitted
from bot.listeners.approval_deeds import Person, decide, find_approval, forged, refuse, tell
from bot.listeners.approval_views import details_view, review_view
from bot.listeners.modals import closing, fill
from bot.listeners.services import ANSWER_WITHIN, Services
from bot.view import approval_notices, notices
from bot.view import approval_words as words
from bot.view.approval_modals import loading_modal, review_pages
from bot.view.arguments_form import FormErrors, form_errors, read_form, read_reason
from bot.view.blocks import Block, Notice, notice
from bot.view.kept_form import kept_form
from bot.view.mrkdwn import Mrkdwn, escape
from bot.view.values import (
    DETAILS_MODAL,
    EDIT_MODAL,
    GRANT_MODAL,
    REJECT_MODAL,
    REVIEW_MODAL,
    ApprovalRef,
    ReviewPage,
    decode,
)
from harness_core.approvals import Approval, Approve, Invalid, Reject
from harness_core.errors import ApprovalNotFound, HarnessError

log = structlog.get_logger(__name__)

_ANY: Final = re.compile(r".*")
_OURS: Final = frozenset({EDIT_MODAL, REJECT_MODAL, REVIEW_MODAL, DETAILS_MODAL, GRANT_MODAL})

Reply = Block | Notice | FormErrors | None
"""The next view, what to tell in the modal's place, what to correct; None: it closes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A modal about a question, of which it showed this revision."""

    approval: Approval
    revision: int
    page: int
    person: Person
    values: Mapping[str, Any]


class Submissions:
    """What each modal does when it is submitted."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def take(self, submitted: ViewSubmitted) -> Reply:
        """Does what was submitted.

        :raises HarnessError: the store did not do it.
        """
        if submitted.callback_id not in _OURS:
            return None  # a modal that only shows something
        person = Person.submitting(submitted)
        match decode(submitted.callback_id, submitted.private_metadata):
            case ApprovalRef() as ref:
                page = 0
            case ReviewPage(ref=ref, page=page):
                pass
            case _:
                return forged(self._services, person, submitted.callback_id)
        try:
            approval = await find_approval(self._services, submitted.team, ref.approval_id)
        except ApprovalNotFound:
            return approval_notices.unknown_approval()
        submission = Submission(
            approval=approval, revision=ref.revision, page=page, person=person, values=submitted.values
        )
        return await self._do(submitted.callback_id, submission)

    async def _do(self, callback: str, submission: Submission) -> Reply:
        services, approval, person = self._services, submission.approval, submission.person
        if callback == EDIT_MODAL:
            return await self._edit(submission)
        if callback == REJECT_MODAL:
            reject = Reject(reason=read_reason(submission.values))
            return await decide(services, approval, reject, revision=submission.revision, person=person)
        if callback == GRANT_MODAL:
            grant = Approve(grant=True)
            return await decide(services, approval, grant, revision=submission.revision, person=person)
        onward = submission.page + 1
        if callback == DETAILS_MODAL:
            return await details_view(services, approval, submission.revision, person, onward)
        if onward < review_pages(approval):
            return await review_view(services, approval, submission.revision, person, onward)
        return await decide(services, approval, Approve(), revision=submission.revision, person=person)

    async def _edit(self, submission: Submission) -> Reply:
        services, approval, person = self._services, submission.approval, submission.person
        verdict = await may_edit(services.people, approval, person.user, home=person.home)
        if not isinstance(verdict, Allowed):
            return refuse(services, approval, verdict, person)
        entered = read_form(approval, submission.values)
        if isinstance(entered, FormErrors):
            return entered
        outcome = await services.approvals.revise(
            approval.tenant,
            approval.approval_id,
            entered,
            revision=submission.revision,
            by=person.user,
            source=person.source,
        )
        if isinstance(outcome, Invalid):
            services.metrics.refused("invalid")
            return form_errors(approval, outcome)
        return tell(services, outcome)


def register(app: AsyncApp, services: Services) -> None:
    """One listener for every modal: those that only show something are acknowledged and left alone."""
    submissions = Submissions(services)

    async def submit(ack: AsyncAck, context: AsyncBoltContext) -> None:
        submitted: ViewSubmitted = context[PAYLOAD]
        taking = asyncio.ensure_future(_taken(submissions, submitted))
        done, _ = await asyncio.wait({taking}, timeout=ANSWER_WITHIN)
        if done:
            await ack(**_answer(taking.result(), submitted))
        else:
            filling = fill(services, submitted.user, submitted.view_id, _as_view(taking, submitted))
            services.background.start(filling, "late answer to a modal")
            await ack(response_action="update", view=loading_modal(words.LOADING))

    async def acknowledge(ack: AsyncAck) -> None:
        await ack()

    app.view(_ANY)(submit)
    app.view_closed(_ANY)(acknowledge)


async def _taken(submissions: Submissions, submitted: ViewSubmitted) -> Reply:
    try:
        return await submissions.take(submitted)
    except HarnessError as error:
        log.warning("a modal could not be taken", callback=submitted.callback_id, error=repr(error))
        return _kept(submitted, notices.not_saved())
    except Exception:
        log.exception("a modal was not foreseen", callback=submitted.callback_id)
        return _kept(submitted, notices.unforeseen())


def _kept(submitted: ViewSubmitted, why: Notice) -> Reply:
    """Why nothing was done, in a way that leaves what was written where it is."""
    fields = list(submitted.values)
    return FormErrors(errors={fields[0]: why.text}) if fields else why


def _answer(reply: Reply, submitted: ViewSubmitted) -> dict[str, Any]:
    """https://docs.slack.dev/surfaces/modals#response_actions"""
    match reply:
        case FormErrors(errors=errors) if errors.keys() <= submitted.values.keys():
            return {"response_action": "errors", "errors": dict(errors)}
        case _:
            view = _view(reply, submitted)
            return {} if view is None else {"response_action": "update", "view": view}


async def _as_view(taking: asyncio.Future[Reply], submitted: ViewSubmitted) -> Block | Notice | None:
    reply = await taking
    return reply if isinstance(reply, Notice) else _view(reply, submitted)


def _view(reply: Reply, submitted: ViewSubmitted) -> Block | None:
    match reply:
        case FormErrors(errors=errors):
            kept = kept_form(submitted.view, submitted.values, errors)
            return kept or closing(notice(Mrkdwn(" ".join(escape(each, 300) for each in errors.values()))))
        case Notice() as said:
            return closing(said)
        case view:
            return view
