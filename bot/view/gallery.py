"""Every state of a run message as a file to look at: `python -m bot.view.gallery FOLDER`.

Each file is a payload for https://app.slack.com/block-kit-builder.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.view import approval_modals, approval_notices, notices, runs
from bot.view.approval_card import cards
from bot.view.blocks import Block, Notice
from bot.view.gallery_stories import ASKING, RUN, T0, TWO_STEPS, URL, approval_states, asked, states, viewed
from bot.view.grants import grants_list, told_of
from bot.view.message import Part, render
from bot.view.mrkdwn import Mrkdwn
from bot.view.reminders import reminders
from bot.view.steps_modal import steps_modal
from harness_core.approvals import AlreadyDecided, Approval, ApproverRule, Asked, GrantTerms, Tallied
from harness_core.events import ApprovalReminded
from harness_core.grants import Grant, Revoked, grant_id
from harness_core.models import Page, RunFilter
from harness_core.states import RunState


def payloads() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every message and modal, by name."""
    for name, view in states():
        parts = render(view)
        for part in parts:
            yield (name if len(parts) == 1 else f"{name}-{int(part.name) + 1}"), _message(part)
    for name, view in approval_states():
        (card,) = cards(view, request_url=URL)
        yield f"card-{name}", _message(card)
    (reminder,) = reminders(
        viewed(*ASKING, ApprovalReminded(approval=asked().approval, number=1)),
        card_url=URL,
        in_public=True,
    )
    yield "reminder", _message(reminder)
    yield "steps-modal", steps_modal(viewed(*TWO_STEPS))
    yield from _approval_modals()
    for name, notice in _notices():
        yield name, _message(notice)


def main(arguments: list[str]) -> int:
    """Writes the gallery into the folder that is named; 2 if none is."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m bot.view.gallery FOLDER\n")
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, payload in payloads():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(payload, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        sys.stdout.write(f"{path}\n")
    return 0


def _notices() -> Iterator[tuple[str, Notice]]:
    live = replace(RUN, state=RunState.RUNNING, agent="ops", started_at=T0 + 400)
    ended = replace(live, run_id=RUN.run_id[:-1] + "C", state=RunState.FAILED, ended_at=T0 + 9_000)
    url = URL
    page = Page(items=(live, ended), cursor="next")
    links, now = {live.run_id: url}, T0 + 200_000
    yield "runs", runs.runs_list(page, narrowed=RunFilter(), links=links, now_ms=now)
    yield "run", runs.run_detail(ended, url=url, now_ms=now)
    yield "help", runs.command_help()
    yield "agents", runs.agents_list([("ops", "Restarts and deploys services.")])
    yield "unknown-verb", notices.unknown_verb("rnus", ["runs", "show"])
    yield "ready", notices.ready(RUN.user, url)
    yield "moved", notices.moved(url)
    yield "no-worker", notices.no_worker()
    yield from _approval_notices(now)


def _approval_notices(now: int) -> Iterator[tuple[str, Notice]]:
    approval = _approval()
    can = approval_notices.approvers(approval.rule)
    late = AlreadyDecided(decision="approve", by="U067MNOPQR", at=now)
    yield "own-request", approval_notices.own_request(can)
    yield "cannot-decide", approval_notices.cannot_decide(can)
    yield "already-decided", approval_notices.already(late)
    yield "stale", approval_notices.stale()
    yield "tallied", approval_notices.tallied(Tallied(votes=1, quorum=2))
    page = Page(items=(approval, replace(approval, kind="uncertain")), cursor="next")
    yield "approvals-list", approval_notices.approvals_list(page, {approval.approval_id: URL}, now)
    grant = _grant(approval)
    yield "grants-list", grants_list(Page(items=(grant,), cursor="next"), {grant.grant_id: URL})
    yield "grant-revoked", told_of(Revoked(grant=grant))


def _approval_modals() -> Iterator[tuple[str, Block]]:
    approval = _approval()
    yield "edit-modal", approval_modals.edit_modal(approval)
    yield "reject-modal", approval_modals.reject_modal(approval)
    yield "review-modal", approval_modals.review_modal(approval)
    yield "grant-modal", approval_modals.grant_modal(approval, _grant(approval).terms)
    yield "details-modal", approval_modals.details_modal(approval)
    yield "loading-modal", approval_modals.loading_modal("Edit request")
    yield "closing-modal", approval_modals.closing_modal(Mrkdwn("This run has ended."))


def _approval() -> Approval:
    usual = asked()
    schema = {
        "type": "object",
        "properties": {
            "service": {"type": "string", "description": "As it is called in the catalogue."},
            "env": {"type": "string", "enum": ["prod", "staging"]},
            "replicas": {"type": "integer"},
            "drain": {"type": "boolean"},
            "notify": {"type": "array", "items": {"type": "string"}},
            "labels": {"type": "object"},
            "password": {"type": "string"},
        },
        "required": ["service", "env", "password"],
    }
    arguments = {
        "service": "checkout",
        "env": "prod",
        "replicas": 20,
        "drain": True,
        "notify": ["#ops", "#shop"],
        "labels": {"ticket": "OPS-1"},
        "password": "…",
    }
    return Approval(
        approval_id=usual.approval,
        kind="call",
        run_id=RUN.run_id,
        tenant=RUN.tenant,
        conversation=RUN.conversation,
        thread_id=RUN.thread_id,
        call=usual.call,
        call_key=usual.call,
        tool=usual.tool,
        agent="ops",
        requester=RUN.user,
        channel="C012ABCDEF",
        pause=1,
        state="open",
        revision=0,
        digest="5f2b8f1e",
        policy="",
        version="1",
        rule=ApproverRule(users=("U067MNOPQR",), usergroups=("S0PS",)),
        quorum=1,
        requested_at=T0,
        expires_at=T0 + 4 * 3_600_000,
        asked=Asked(
            title=usual.title,
            label="Restarting checkout",
            arguments=arguments,
            schema=schema,
            secret=("password",),
            preview=usual.preview,
            reason=usual.reason,
            destructive=True,
        ),
    )


def _grant(approval: Approval) -> Grant:
    return Grant(
        grant_id=grant_id(approval.approval_id),
        approval=approval,
        terms=GrantTerms(lasts=3_600_000, times=5, same=("env", "password")),
        scope="",
        given_by="U067MNOPQR",
        given_at=T0,
        source="message",
        expires_at=T0 + 3_600_000,
        used=2,
    )


def _message(message: Part | Notice) -> dict[str, Any]:
    return {"text": message.text, "blocks": list(message.blocks)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
