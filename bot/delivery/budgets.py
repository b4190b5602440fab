"""How often each method may be called: the documented floors, as one table.

Slack counts each method for each team and app. It publishes only "N or more a minute, bursts tolerated"
(https://docs.slack.dev/apis/web-api/rate-limits), so the floor is the rate, and the burst is taken as a fifth of
it, less one. The store adds a log of the last 60 s, so no sliding minute ever holds more than the floor.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from harness_core import Budget


class Method(StrEnum):
    """The methods that are booked before they are called."""

    POST = "chat.postMessage"
    UPDATE = "chat.update"
    REPLIES = "conversations.replies"
    STATUS = "assistant.threads.setStatus"


FLOORS: Final[dict[Method, int]] = {
    Method.POST: 300,  # "several hundred per minute" for a workspace
    Method.UPDATE: 50,
    Method.REPLIES: 50,
    Method.STATUS: 600,  # a special tier without a figure
}
"""Calls a minute."""

POST_INTERVAL: Final = 1.0
"""Seconds between two posts in one channel."""


def burst(method: Method) -> int:
    """Calls that may be made at once after a pause."""
    return max(1, FLOORS[method] // 5 - 1)


def budget(method: Method, *, urgent: bool, streams: int, post_interval: float = POST_INTERVAL) -> Budget:
    """What one call of ``method`` is booked under.

    An urgent call (a run's last word) may use everything; any other leaves one call for each of the
    ``streams`` that are going, since each of them will need one for its end.
    """
    return Budget(
        per_minute=FLOORS[method],
        burst=burst(method),
        keep=0 if urgent else min(burst(method) - 1, streams),
        room_interval=post_interval if method is Method.POST else 0.0,
    )
