"""Rate limits as the platform documents them: per (team, method), and per channel for `chat.postMessage`.

Only floors are published ("N+ per minute, short bursts tolerated"), so two models exist: a token bucket that
refills at the floor and holds a burst of a fifth of it, and a sliding 60 s window, which is harsher after a
burst. https://docs.slack.dev/apis/web-api/rate-limits
"""

import math
from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

from bot.playground.config import LimitModel

_TIER_2, _TIER_3, _TIER_4 = 20, 50, 100

TIERS: Mapping[str, int] = {
    "auth.test": 600,
    "assistant.threads.setStatus": 600,
    "chat.getPermalink": 600,
    "chat.postMessage": 300,
    **dict.fromkeys(
        (
            "assistant.threads.setSuggestedPrompts",
            "assistant.threads.setTitle",
            "chat.postEphemeral",
            "conversations.members",
            "files.completeUploadExternal",
            "files.getUploadURLExternal",
            "users.info",
            "views.open",
            "views.publish",
            "views.push",
            "views.update",
        ),
        _TIER_4,
    ),
    **dict.fromkeys(
        (
            "apps.connections.open",
            "bots.info",
            "chat.delete",
            "chat.update",
            "conversations.history",
            "conversations.info",
            "conversations.join",
            "conversations.open",
            "conversations.replies",
            "reactions.add",
            "team.info",
        ),
        _TIER_3,
    ),
    **dict.fromkeys(
        (
            "conversations.list",
            "reactions.remove",
            "usergroups.list",
            "usergroups.users.list",
            "users.list",
        ),
        _TIER_2,
    ),
}
CHANNEL_POSTS_PER_MINUTE = 60
CHANNEL_BURST = 3
BURST_SHARE = 0.2
WINDOW = 60.0


class Limiter(Protocol):
    def wait(self, now: float) -> float:
        """Seconds until one more call is allowed; 0.0 when it is allowed now."""

    def charge(self, now: float) -> None: ...


class Bucket:
    """A token bucket: `per_minute` refills, `burst` is the most it holds."""

    def __init__(self, per_minute: float, burst: float, now: float) -> None:
        self._rate = per_minute / 60.0
        self._burst = max(1.0, burst)
        self._tokens = self._burst
        self._at = now

    def wait(self, now: float) -> float:
        tokens = self._held(now)
        return 0.0 if tokens >= 1.0 else (1.0 - tokens) / self._rate

    def charge(self, now: float) -> None:
        self._tokens = self._held(now) - 1.0
        self._at = now

    def _held(self, now: float) -> float:
        return min(self._burst, self._tokens + (now - self._at) * self._rate)


class SlidingWindow:
    """At most `per_minute` calls in any 60 seconds."""

    def __init__(self, per_minute: int) -> None:
        self._most = per_minute
        self._calls: deque[float] = deque()

    def wait(self, now: float) -> float:
        while self._calls and self._calls[0] <= now - WINDOW:
            self._calls.popleft()
        return 0.0 if len(self._calls) < self._most else self._calls[0] + WINDOW - now

    def charge(self, now: float) -> None:
        self._calls.append(now)


class Limits:
    """All limiters of one playground; `check` charges a call only when every limiter allows it."""

    def __init__(self, model: LimitModel, tiers: Mapping[str, int], clock: Callable[[], float]) -> None:
        self._model = model
        self._tiers = {**TIERS, **tiers}
        self._clock = clock
        self._limiters: dict[tuple[str, ...], Limiter] = {}

    def check(self, team: str, method: str, channel: str | None = None) -> int:
        """0 when the call may go on, else the integer `Retry-After` in seconds, at least 1."""
        per_minute = self._tiers.get(method)
        if self._model == "off" or per_minute is None:
            return 0
        now = self._clock()
        limiters = [self._of_method(team, method, per_minute, now)]
        if method == "chat.postMessage" and channel:
            limiters.append(self._of_channel(team, channel, now))
        wait = max(limiter.wait(now) for limiter in limiters)
        if wait > 0:
            return max(1, math.ceil(wait))
        for limiter in limiters:
            limiter.charge(now)
        return 0

    def clear(self) -> None:
        """Every budget is full again."""
        self._limiters.clear()

    def _of_method(self, team: str, method: str, per_minute: int, now: float) -> Limiter:
        key = (team, method)
        if key not in self._limiters:
            self._limiters[key] = (
                SlidingWindow(per_minute)
                if self._model == "window"
                else Bucket(per_minute, per_minute * BURST_SHARE, now)
            )
        return self._limiters[key]

    def _of_channel(self, team: str, channel: str, now: float) -> Limiter:
        key = (team, "chat.postMessage", channel)
        if key not in self._limiters:
            self._limiters[key] = Bucket(CHANNEL_POSTS_PER_MINUTE, CHANNEL_BURST, now)
        return self._limiters[key]
