"""Where what concerns a person can be read in Slack, and which message shows a question."""

from __future__ import annotations

from bot.delivery.target import Target, message_url
from bot.ingress.installation import Installation
from harness_core.approvals import Approval
from harness_core.models import Run


def run_link(run: Run, installation: Installation) -> str | None:
    """Where the message that asked for ``run`` can be read, if it was asked for in Slack."""
    target = Target.of(run)
    return None if target is None else target.request_url(installation.team, installation.url)


def message_link(channel: str, ts: str, root: str, installation: Installation) -> str:
    """Where the message ``ts`` of the thread ``root`` can be read."""
    return message_url(channel, ts, root=root, team=installation.team, team_url=installation.url)


def card_part(approval: Approval) -> str:
    """The part of the run that shows this question."""
    return f"ask:{approval.pause}" if approval.kind == "call" else f"doubt:{approval.approval_id}"
