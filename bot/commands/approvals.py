"""``approvals list|approve|edit|reject|done|again|skip|grants|revoke``: what an operator decides from a shell.

It needs no approver rule, counts once towards a quorum, and is recorded with the operator's login.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.commands.argument_values import NotReadable, read_assignments
from bot.commands.every_page import PAGE, every_page
from bot.commands.exits import Exit
from bot.commands.grants import ListGrants, RevokeGrant, list_grants, revoke_grant
from bot.commands.terminal import complain, iso, operator, say, say_indented, say_object
from bot.settings import Settings
from bot.startup import Core, open_core, open_workspace
from bot.view.arguments import MASK, arguments_text
from harness_core import Approvals
from harness_core.approvals import (
    AlreadyDecided,
    Approval,
    Approve,
    Decision,
    DecisionOutcome,
    Invalid,
    ItIsDone,
    NotApplicable,
    NotGrantable,
    Outdated,
    Reject,
    Revised,
    RevisionOutcome,
    RunAgain,
    RunOver,
    Skip,
    Stale,
    Tallied,
    TooLate,
    Verb,
    Won,
)
from harness_core.errors import ApprovalNotFound
from harness_core.grants import grant_id
from harness_core.models import Page

DECIDED: Final[Mapping[Verb, str]] = {
    "approve": "approved",
    "reject": "rejected",
    "respond": "answered",
    "done": "confirmed as done",
    "again": "released to run again",
    "skip": "skipped",
}

_SOURCE: Final = "shell"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListApprovals:
    """``limit`` None: all of them."""

    open_only: bool
    limit: int | None
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide:
    """``revision`` is the one the operator has seen; None decides about the current one."""

    approval_id: str
    decision: Decision
    revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EditArguments:
    """Either some arguments, as ``name=value``, or all of them at once."""

    approval_id: str
    assignments: tuple[tuple[str, str], ...]
    everything: Mapping[str, Any] | None


Order = ListApprovals | Decide | EditArguments | ListGrants | RevokeGrant


def order(options: argparse.Namespace) -> Order:
    """What the parsed arguments ask for."""
    match options.verb:
        case "list":
            return ListApprovals(
                open_only=options.status == "open", limit=options.limit, as_json=options.json
            )
        case "edit":
            return EditArguments(
                approval_id=options.approval_id,
                assignments=tuple(options.assignments),
                everything=options.json,
            )
        case "grants":
            return ListGrants(limit=options.limit, as_json=options.json)
        case "revoke":
            return RevokeGrant(grant_id=options.grant_id)
        case _:
            return Decide(
                approval_id=options.approval_id,
                decision=_decision(options),
                revision=getattr(options, "revision", None),
            )


def _decision(options: argparse.Namespace) -> Decision:
    match options.verb:
        case "approve":
            return Approve(grant=options.grant)
        case "done":
            return ItIsDone()
        case "again":
            return RunAgain()
        case "skip":
            return Skip()
        case _:
            return Reject(reason=options.reason)


async def command(settings: Settings, wanted: Order) -> Exit:
    """Does it and says so.

    :raises StartupFailed: Redis, the key or the workspace is not there.
    """
    if isinstance(wanted, EditArguments) and bool(wanted.assignments) == (wanted.everything is not None):
        complain("Say what to change: name=value for each argument, or --json with all of them.")
        return Exit.USAGE
    async with open_core(settings) as core:
        match wanted:
            case ListApprovals():
                return await _list(core, wanted)
            case ListGrants():
                return await list_grants(core, wanted)
            case _:
                pass
        holder = await asyncio.to_thread(open_workspace, settings)
        approvals = Approvals(core.store, holder)
        if isinstance(wanted, RevokeGrant):
            return await revoke_grant(approvals, wanted)
        try:
            asked = await approvals.locate(wanted.approval_id)
            if isinstance(wanted, Decide):
                return await _decide(approvals, asked, wanted)
            return await _edit(approvals, asked, wanted)
        except ApprovalNotFound as error:
            complain(f"No approval {error.approval_id}. `approvals list --status all` shows those there are.")
            return Exit.NOT_FOUND


async def _list(core: Core, wanted: ListApprovals) -> Exit:
    shown = 0
    async for approval in _newest_first(core, open_only=wanted.open_only):
        if wanted.limit is not None and shown >= wanted.limit:
            break
        if wanted.as_json:
            say_object(_row(approval))
        else:
            say(_line(approval))
            say_indented(arguments_text(approval.asked.arguments, approval.asked.secret), by="  ")
        shown += 1
    if not shown and not wanted.as_json:
        say("No open approvals." if wanted.open_only else "No approvals.")
    return Exit.OK


async def _newest_first(core: Core, *, open_only: bool) -> AsyncIterator[Approval]:
    async def read(tenant: str, cursor: str | None) -> Page[Approval]:
        return await core.store.approvals.page(tenant, open_only=open_only, cursor=cursor, limit=PAGE)

    async for item in every_page(core, read):
        yield item


async def _decide(approvals: Approvals, asked: Approval, wanted: Decide) -> Exit:
    outcome = await approvals.decide(
        asked.tenant,
        asked.approval_id,
        wanted.decision,
        revision=asked.revision if wanted.revision is None else wanted.revision,
        by=operator(),
        source=_SOURCE,
    )
    match outcome:
        case Won(approval=decided):
            say(f"{asked.approval_id} is {DECIDED[decided.decision or 'reject']}: {_what(decided)}")
            if wanted.decision == Approve(grant=True):
                say(
                    f"{grant_id(asked.approval_id)} lets calls like it run. `approvals grants` says how often."
                )
            return Exit.OK
        case Tallied(votes=votes, quorum=quorum, repeated=repeated):
            counted = "was counted before" if repeated else "is counted"
            say(f"Your approval {counted}: {votes} of {quorum}. {_what(asked)}")
            return Exit.OK
        case refused:
            return _refused(asked, refused)


async def _edit(approvals: Approvals, asked: Approval, wanted: EditArguments) -> Exit:
    try:
        changed = read_assignments(asked.asked.schema, wanted.assignments)
    except NotReadable as unreadable:
        complain(str(unreadable))
        return Exit.FAILED
    arguments = {**_open_arguments(asked), **changed} if wanted.everything is None else wanted.everything
    outcome = await approvals.revise(
        asked.tenant,
        asked.approval_id,
        arguments,
        revision=asked.revision,
        by=operator(),
        source=_SOURCE,
    )
    match outcome:
        case Revised(approval=revised, changes=changes):
            for change in changes:
                say(f"{change.argument}: {_json(change.before)} → {_json(change.after)}")
            say(f"{asked.approval_id} is at revision {revised.revision}. It still has to be approved.")
            return Exit.OK
        case Invalid(errors=errors):
            for error in errors:
                complain(f"{error.argument}: {error.message}" if error.argument else error.message)
            return Exit.FAILED
        case refused:
            return _refused(asked, refused)


def _refused(asked: Approval, outcome: DecisionOutcome | RevisionOutcome) -> Exit:
    """Nothing was changed; says why."""
    match outcome:
        case AlreadyDecided(decision=decision, by=by, at=at):
            why = f"was already {DECIDED[decision]} by {by} at {iso(at)}"
        case TooLate(at=at):
            why = f"expired at {iso(at)} without a decision"
        case Stale(revision=revision):
            why = f"is at revision {revision} by now: look at it again"
        case RunOver(state=state):
            why = f"belongs to a run that is {state}"
        case NotGrantable():
            why = "allows no grant: approve it without one"
        case Outdated():
            why = "was asked under another configuration, so its run was ended and nothing was run"
        case NotApplicable(kind="uncertain"):
            why = "asks whether something happened: answer it with done, again or skip"
        case NotApplicable():
            why = "asks whether something may run: answer it with approve, edit or reject"
        case other:
            why = f"could not be decided ({type(other).__name__})"
    complain(f"{asked.approval_id} {why}. Nothing was changed.")
    return Exit.FAILED


def _open_arguments(asked: Approval) -> dict[str, Any]:
    """Without the secret ones, which keep their values."""
    return {name: value for name, value in asked.asked.arguments.items() if name not in asked.asked.secret}


def _shown_arguments(asked: Approval) -> dict[str, Any]:
    return {
        name: MASK if name in asked.asked.secret else value for name, value in asked.asked.arguments.items()
    }


def _what(asked: Approval) -> str:
    return f"{asked.asked.title} {_json(_shown_arguments(asked))}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _row(asked: Approval) -> dict[str, Any]:
    return {
        "approval_id": asked.approval_id,
        "run_id": asked.run_id,
        "state": asked.state,
        "kind": asked.kind,
        "tool": asked.tool,
        "title": asked.asked.title,
        "arguments": _shown_arguments(asked),
        "agent": asked.agent,
        "thread_id": asked.thread_id,
        "user": asked.requester,
        "channel": asked.channel,
        "revision": asked.revision,
        "votes": [vote.by for vote in asked.votes],
        "quorum": asked.quorum,
        "created_at": iso(asked.requested_at),
        "expires_at": iso(asked.expires_at),
        "decision": asked.decision,
        "decided_by": asked.decided_by,
        "decided_at": iso(asked.decided_at),
        "reason": asked.reason or None,
    }


def _line(asked: Approval) -> str:
    state = asked.decision if asked.state == "decided" and asked.decision else asked.state
    when = iso(asked.requested_at)
    return f"{asked.approval_id}  {state:<9}  {asked.requester:<14}  {when}  {' '.join(asked.asked.title.split())}"
