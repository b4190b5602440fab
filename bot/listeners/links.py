"""Addresses of messages in Slack, made without asking it, and which message shows a question."""

from __future__ import annotations

from bot.ingress.installation import Installation
from harness_core.approvals import Approval
from harness_core.models import Run


def run_link(run: Run, installation: Installation) -> str | None:
    """Where the message that asked for ``run`` can be read, if it was asked for in Slack.

    The form is that of ``chat.getPermalink``, whose calls a list of ten runs could not wait for.
    """
    channel, ts = run.target.get("channel"), run.target.get("ts")
    if not channel or not ts:
        return None
    return message_link(channel, ts, run.target.get("thread_ts") or ts, installation)


def message_link(channel: str, ts: str, root: str, installation: Installation) -> str:
    """Where the message ``ts`` of the thread ``root`` can be read."""
    if not installation.url:
        return f"https://app.slack.com/client/{installation.team}/{channel}/p{ts}"
    link = f"{installation.url.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}"
    return link if root == ts else f"{link}?thread_ts={root}&cid={channel}"


def card_part(approval: Approval) -> str:
    """The part of the run that shows this question."""
    return f"ask:{approval.pause}" if approval.kind == "call" else f"doubt:{approval.approval_id}"
