"""Where the messages of a run go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from harness_core.models import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A thread. ``asked_ts`` is the message that asked for the run; nothing of the run is older.

    In a direct message too, the answer is a reply: to the message that asked.
    """

    channel: str
    thread_ts: str
    asked_ts: str

    @classmethod
    def of(cls, run: Run) -> Self | None:
        """The target of ``run``, or None when whoever submitted it named no place in Slack."""
        channel, thread_ts = run.target.get("channel"), run.target.get("thread_ts")
        if not channel or not thread_ts:
            return None
        return cls(channel=channel, thread_ts=thread_ts, asked_ts=run.target.get("ts") or thread_ts)

    @property
    def is_direct(self) -> bool:
        """Whether it is a direct message, which nobody else can open."""
        return self.channel.startswith("D")

    def request_url(self, team: str, team_url: str) -> str:
        """Where the message that asked can be read; see :func:`message_url`."""
        return message_url(self.channel, self.asked_ts, root=self.thread_ts, team=team, team_url=team_url)

    def record(self) -> dict[str, str]:
        """What a submission carries as its target."""
        return {"channel": self.channel, "thread_ts": self.thread_ts, "ts": self.asked_ts}


def place_of(ts: str) -> int:
    """Where in its channel the message ``ts`` stands: a number that grows from message to message."""
    return int(ts.replace(".", ""))


def message_url(channel: str, ts: str, *, root: str, team: str, team_url: str) -> str:
    """Where the message ``ts`` of the thread ``root`` can be read, without asking Slack.

    The form is that of ``chat.getPermalink``, whose calls a list of ten runs could not wait for. ``team_url`` is the
    team's own address, as ``auth.test`` says it; without it the web client's is used.
    """
    if not team_url:
        return f"https://app.slack.com/client/{team}/{channel}/p{ts}"
    url = f"{team_url.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}"
    return url if root == ts else f"{url}?thread_ts={root}&cid={channel}"
