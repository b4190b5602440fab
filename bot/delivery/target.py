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

    def request_url(self, team: str, team_url: str) -> str:
        """Where the message that asked can be read, in the form of ``chat.getPermalink``.

        ``team_url`` is the team's own address, as ``auth.test`` says it; without it the web client's is used.
        """
        if not team_url:
            return f"https://app.slack.com/client/{team}/{self.channel}/p{self.asked_ts}"
        url = f"{team_url.rstrip('/')}/archives/{self.channel}/p{self.asked_ts.replace('.', '')}"
        if self.thread_ts == self.asked_ts:
            return url
        return f"{url}?thread_ts={self.thread_ts}&cid={self.channel}"

    def record(self) -> dict[str, str]:
        """What a submission carries as its target."""
        return {"channel": self.channel, "thread_ts": self.thread_ts, "ts": self.asked_ts}
