"""What people do to questions from Slack, from wherever they do it: checked, done, and put in a sentence.

Whether this person may is asked here, at the moment of the deed; what the button, the list or the modal carries
only names a question.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import structlog

from bot.approvers import Allowed, NotAllowed, NotKnown, Outsider, OwnRequest, Verdict, may_decide
from bot.ingress.payloads import Action, ViewSubmitted
from bot.listeners.services import Services
from bot.view import approval_notices as notices
from bot.view import notices as plain_notices
from bot.view.blocks import Notice, notice
from bot.view.grants import not_grantable
from bot.view.mrkdwn import Mrkdwn
from harness_core.approvals import (
    AlreadyDecided,
    Approval,
    ApproverRule,
    Decision,
    DecisionOutcome,
    Invalid,
    NotApplicable,
    NotGrantable,
    Outdated,
    Revised,
    RevisionOutcome,
    RunOver,
    Stale,
    Tallied,
    TooLate,
    Won,
)
from harness_core.errors import ApprovalNotFound, HarnessError

log = structlog.get_logger(__name__)

Source = Literal["message", "list", "modal"]

NOT_KNOWN: Final = notice(
    Mrkdwn("Slack did not say whether you can decide this, so nothing was changed. Try again in a minute.")
)
NOT_SHOWN: Final = notice(
    Mrkdwn(
        "Slack did not say whether you may see this here, so it is not shown. Open it where it was asked, or try again "
        "in a minute."
    )
)
PRIVATE: Final = notice(
    Mrkdwn("This was asked in a private channel that you are not in, so you can't see or decide it here.")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who acts, and from where. ``home`` is their own team."""

    user: str
    home: str
    source: Source

    @classmethod
    def pressing(cls, action: Action) -> Person:
        """Who pressed a button."""
        source: Source = "message"
        if action.ephemeral:
            source = "list"
        elif action.view_id:
            source = "modal"
        return cls(user=action.user, home=action.user_team, source=source)

    @classmethod
    def submitting(cls, submitted: ViewSubmitted) -> Person:
        """Who submitted a modal."""
        return cls(user=submitted.user, home=submitted.user_team, source="modal")


async def find_approval(services: Services, team: str, approval_id: str) -> Approval:
    """The question of this id in this team.

    :raises ApprovalNotFound: there is none, or it is another team's.
    """
    if team != services.installation.team:
        raise ApprovalNotFound(approval_id)
    return await services.approvals.get(team, approval_id)


def forged(services: Services, person: Person, action_id: str, approval: Approval | None = None) -> Notice:
    """Refuses a button or a modal that does not belong to the question it names, or names none."""
    log.warning("not a button of ours", action=action_id, user=person.user)
    services.metrics.refused("forged")
    named = {"approval": approval.approval_id, "run": approval.run_id} if approval else {}
    note(services, "forged", person, action=action_id[:_LONGEST_ID], **named)
    return plain_notices.forged()


async def decide(
    services: Services, approval: Approval, decision: Decision, *, revision: int, person: Person
) -> Notice | None:
    """Decides, if this person may. What they are told; None when the card tells everybody."""
    verdict = await may_decide(services.people, approval, person.user, home=person.home)
    if not isinstance(verdict, Allowed):
        return refuse(services, approval, verdict, person)
    outcome = await services.approvals.decide(
        approval.tenant,
        approval.approval_id,
        decision,
        revision=revision,
        by=person.user,
        source=person.source,
    )
    return tell(services, outcome)


def refuse(services: Services, approval: Approval, verdict: Verdict, person: Person) -> Notice:
    """Who the rule does not reach is told who can, and the audit chain that they tried."""
    others = notices.approvers(_without_requester(approval))
    match verdict:
        case OwnRequest():
            why, said = "own_request", notices.own_request(others)
        case Outsider(kind=kind):
            why, said = kind.value, notices.guest()
        case NotKnown():
            why, said = "not_known", NOT_KNOWN
        case NotAllowed() | Allowed():
            why, said = "not_allowed", notices.cannot_decide(others)
    services.metrics.refused(why)
    note(services, "refused", person, why=why, approval=approval.approval_id, run=approval.run_id)
    return said


def hidden(services: Services) -> Notice:
    """For whom the question must not be shown to."""
    services.metrics.refused("private")
    return PRIVATE


def tell(services: Services, outcome: DecisionOutcome | RevisionOutcome) -> Notice | None:
    """What became of a click or a submission; None where the card is redrawn for everybody."""
    match outcome:
        case Won(approval=approval):
            services.metrics.decided(approval.decision or "decided")
            return None
        case Revised():
            services.metrics.decided("edit")
            return None
        case Tallied() as tallied:
            services.metrics.decided("vote")
            return notices.tallied(tallied)
        case refused:
            services.metrics.refused(_REASONS[type(refused)])
            return _lost(refused)


def _lost(
    outcome: AlreadyDecided | TooLate | Stale | RunOver | Outdated | NotApplicable | NotGrantable | Invalid,
) -> Notice:
    match outcome:
        case AlreadyDecided():
            return notices.already(outcome)
        case TooLate():
            return notices.too_late(outcome)
        case Stale():
            return notices.stale()
        case RunOver():
            return notices.run_over(outcome)
        case Outdated():
            return notices.outdated()
        case NotApplicable():
            return notices.not_applicable(outcome)
        case NotGrantable():
            return not_grantable()
        case Invalid(errors=errors):
            return notice(Mrkdwn("; ".join(error.message for error in errors)))


async def closed(services: Services, approval: Approval) -> Notice | None:
    """Why nothing can be done about a question any more; None while it is open."""
    match approval:
        case Approval(state="open"):
            return None
        case Approval(state="decided", decision=str(decision), decided_by=str(by), decided_at=int(at)):
            return _lost(AlreadyDecided(decision=decision, by=by, at=at))
        case Approval(state="expired", expires_at=at):
            return _lost(TooLate(at=at))
        case _:
            run = await services.control.get_run(approval.run_id)
            return _lost(RunOver(state=run.state))


def note(services: Services, what: str, person: Person, **facts: str) -> None:
    """Puts a click that was refused into the audit chain, later: nobody waits for it. Ids only."""
    services.background.start(_note(services, what, person, facts), "audit note")


async def _note(services: Services, what: str, person: Person, facts: dict[str, str]) -> None:
    try:
        team = services.installation.team
        await services.approvals.note(team, what, person.user, source=person.source, **facts)
    except HarnessError as error:
        log.warning("a refusal is not in the audit chain", what=what, error=repr(error), **facts)


def _without_requester(approval: Approval) -> ApproverRule:
    rule = approval.rule
    if rule.requester:
        return rule
    return replace(rule, users=tuple(user for user in rule.users if user not in approval.requesters))


_LONGEST_ID: Final = 50
_REASONS: Final[dict[type[object], str]] = {
    AlreadyDecided: "already_decided",
    TooLate: "too_late",
    Stale: "stale",
    RunOver: "run_over",
    Outdated: "outdated",
    NotApplicable: "not_applicable",
    NotGrantable: "not_grantable",
    Invalid: "invalid",
}
