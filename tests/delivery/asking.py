"""Questions of runs on stage, and the cards that show them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from delivery.stage import Act
from waiting import wait_until

from bot.playground.records import Message
from harness_core.events import (
    ApprovalDecided,
    ApprovalReminded,
    ApprovalRequested,
    ApprovalRevised,
    ApprovalVoted,
    StateChanged,
)

APPROVER = "U0APPROVER"
WAITING = StateChanged(source="running", target="waiting_for_approval")


def appr(number: int = 0) -> str:
    return f"appr_{number:032x}"


def asked(number: int = 0, **changes: Any) -> ApprovalRequested:
    usual = ApprovalRequested(
        approval=appr(number),
        kind="call",
        pause=1,
        call=f"call_{number}",
        tool="restart_service",
        title=f"Restart shop-{number}",
        arguments='{"service": "checkout"}',
        rule={"users": [APPROVER]},
        quorum=1,
        expire_after=4 * 3_600_000,
    )
    return replace(usual, **changes)


def decided(decision: str = "approve", number: int = 0) -> ApprovalDecided:
    return ApprovalDecided(approval=appr(number), decision=decision, by=APPROVER)


def voted(votes: int = 1) -> ApprovalVoted:
    return ApprovalVoted(approval=appr(), by=APPROVER, votes=votes)


def revised() -> ApprovalRevised:
    return ApprovalRevised(
        approval=appr(),
        revision=1,
        by="U0REQUESTER",
        title="Restart shop-0",
        arguments='{"service": "search"}',
        changes=[["service", "checkout", "search"]],
    )


def reminded(number: int = 1) -> ApprovalReminded:
    return ApprovalReminded(approval=appr(), number=number)


def part_of(message: Message) -> str:
    """The part of a run that a message shows."""
    payload = (message.metadata or {}).get("event_payload", {})
    return str(payload.get("part"))


async def shown(act: Act, part: str) -> list[Message]:
    """The messages in the thread that show ``part``."""
    return [message for message in await act.answers() if part_of(message) == part]


async def card(act: Act, text: str, part: str = "ask:1") -> Message:
    """The card, once there is one that says ``text`` anywhere."""

    async def probe() -> Message | None:
        return next((each for each in await shown(act, part) if text in f"{each.text} {each.blocks}"), None)

    found = await wait_until(probe, what=f"a card {part} that says {text!r}")
    assert found is not None
    return found
