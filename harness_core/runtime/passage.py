"""What is to be done about a tool call, by what the journal and people say about it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness_core.approvals import Approval, Call, Effect
from harness_core.store import Standing


@dataclass(frozen=True, slots=True)
class Judge:
    """Nobody has looked at this call yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """It ended before; ``result`` is how, None where that was not kept."""

    result: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """It is not made; the model reads why."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskAgain:
    """People were to be asked, but the question is not in the store: ask it again under the same id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A question about it is open."""

    approval_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """It may have happened: ask people. ``number`` counts such questions about this call from 1."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclude:
    """People said what became of it, without running it. ``ok``: the model may rely on it."""

    text: str
    outcome: str
    ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """It may run. ``arguments`` None: those that the model gave; otherwise a person's."""

    arguments: Mapping[str, Any] | None = None
    edited_by: str | None = None


Step = Judge | Replay | Refuse | AskAgain | Wait | Doubt | Conclude | Run


def next_step(standing: Standing) -> Step:
    """The one thing to do next about this call."""
    call = standing.call
    if call is None:
        return Judge()
    if call.state == "done":
        return Replay(result=call.result)
    if call.verdict == "deny":
        return Refuse(why=call.note)
    if call.state == "started" and call.effect is not Effect.IDEMPOTENT:
        return _uncertain(call, standing)
    if call.verdict == "allow" or (standing.approval is None and standing.granted is not None):
        return Run()
    return _asked(standing.approval)


def _asked(approval: Approval | None) -> Step:
    match approval:
        case None:
            return AskAgain()
        case Approval(state="open", approval_id=approval_id):
            return Wait(approval_id=approval_id)
        case Approval(state="decided", decision="approve", asked=asked):
            if asked.before is None:
                return Run()
            return Run(arguments=asked.arguments, edited_by=asked.edited_by)
        case Approval(state="decided", decision="respond", response=response):
            return Conclude(text=response, outcome="answered", ok=True)
        case Approval(state="decided", reason=reason):
            said = f" Reason: {reason}" if reason else ""
            return Conclude(
                text=f"A person rejected this call, so it did not run.{said}", outcome="refused", ok=False
            )
        case Approval(state="expired"):
            return Conclude(
                text="The question whether to run this timed out: nobody decided in time. It did not run.",
                outcome="refused",
                ok=False,
            )
        case _:
            return Conclude(
                text="The question whether to run this was withdrawn. It did not run.",
                outcome="refused",
                ok=False,
            )


def _uncertain(call: Call, standing: Standing) -> Step:
    doubt = standing.doubt
    # Each answer "run again" is good for one attempt; an attempt that broke off is a question of its own.
    if doubt is None or call.attempts > call.doubts:
        return Doubt(number=call.attempts)
    match doubt:
        case Approval(state="open", approval_id=approval_id):
            return Wait(approval_id=approval_id)
        case Approval(state="decided", decision="again"):
            approval = standing.approval
            if approval is None or approval.asked.before is None:
                return Run()
            return Run(arguments=approval.asked.arguments, edited_by=approval.asked.edited_by)
        case Approval(state="decided", decision="done"):
            return Conclude(
                text="The bot stopped while this ran. A person checked: it has happened. Its result is not known.",
                outcome="confirmed",
                ok=True,
            )
        case _:
            return Conclude(
                text="The bot stopped while this ran, so it may have happened. It was not run again.",
                outcome="skipped",
                ok=False,
            )
