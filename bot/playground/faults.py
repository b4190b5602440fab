"""Faults on demand: how the platform may misbehave, as a closed union, and the register of those in force."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

ANY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimited:
    """Answer 429 with `Retry-After` to `method` for `seconds`."""

    seconds: float
    method: str = ANY
    kind: Literal["rate_limited"] = "rate_limited"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpFailure:
    """Answer `status` without doing anything, for the next `calls` (None: until cleared)."""

    method: str = ANY
    calls: int | None = 1
    status: int = 500
    kind: Literal["http_failure"] = "http_failure"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorAnswer:
    """Answer `{"ok": false, "error": error}` without doing anything."""

    error: str
    method: str = ANY
    calls: int | None = 1
    kind: Literal["error_answer"] = "error_answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hang:
    """Do nothing for `seconds`, then cut the connection."""

    seconds: float
    method: str = ANY
    calls: int | None = 1
    kind: Literal["hang"] = "hang"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoseReply:
    """Do the work, then cut the connection before the answer."""

    method: str = ANY
    calls: int | None = 1
    kind: Literal["lose_reply"] = "lose_reply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """Deliver every event `times` at once, all with the same event id."""

    times: int
    kind: Literal["repeat"] = "repeat"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoseAck:
    """Deliver, but treat the bot's acknowledgement as never received, for the next `calls` events."""

    calls: int | None = 1
    kind: Literal["lose_ack"] = "lose_ack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """Hold every event back for `seconds`."""

    seconds: float
    kind: Literal["delay"] = "delay"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Hold every event back until the fault is cleared; nothing is lost."""

    kind: Literal["pause"] = "pause"


ApiFault: TypeAlias = RateLimited | HttpFailure | ErrorAnswer | Hang | LoseReply
DeliveryFault: TypeAlias = Repeat | LoseAck | Delay | Pause
Fault: TypeAlias = Annotated[ApiFault | DeliveryFault, Field(discriminator="kind")]


@dataclass(slots=True)
class _InForce:
    fault: ApiFault | DeliveryFault
    left: int | None
    until: float | None

    def spent(self, now: float) -> bool:
        return self.left == 0 or (self.until is not None and now >= self.until)

    def use(self) -> None:
        if self.left is not None:
            self.left -= 1


class Faults:
    """The faults in force, oldest first; a counted fault leaves after its last use."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._in_force: list[_InForce] = []

    def add(self, fault: ApiFault | DeliveryFault) -> None:
        until = self._clock() + fault.seconds if isinstance(fault, RateLimited) else None
        left = None if isinstance(fault, RateLimited | Repeat | Delay | Pause) else fault.calls
        self._in_force.append(_InForce(fault, left, until))

    def clear(self) -> None:
        self._in_force.clear()

    @contextmanager
    def in_force(self, fault: ApiFault | DeliveryFault) -> Iterator[None]:
        """That very fault, and no other that is equal to it, within the block."""
        self.add(fault)
        try:
            yield
        finally:
            self._in_force = [entry for entry in self._in_force if entry.fault is not fault]

    def listed(self) -> list[ApiFault | DeliveryFault]:
        return [entry.fault for entry in self._live()]

    def for_call(self, method: str) -> tuple[ApiFault, float] | None:
        """The fault this call meets, used up once, and the seconds it still lasts (0.0 if uncounted)."""
        for entry in self._live():
            fault = entry.fault
            if isinstance(fault, ApiFault) and fault.method in (ANY, method):
                entry.use()
                return fault, max(0.0, (entry.until or 0.0) - self._clock())
        return None

    @property
    def paused(self) -> bool:
        return any(isinstance(entry.fault, Pause) for entry in self._live())

    @property
    def copies(self) -> int:
        return max([1, *(e.fault.times for e in self._live() if isinstance(e.fault, Repeat))])

    @property
    def delay(self) -> float:
        return max([0.0, *(e.fault.seconds for e in self._live() if isinstance(e.fault, Delay))])

    def loses_ack(self) -> bool:
        """Whether this event's acknowledgement is lost; uses the fault up once."""
        for entry in self._live():
            if isinstance(entry.fault, LoseAck):
                entry.use()
                return True
        return False

    def _live(self) -> list[_InForce]:
        now = self._clock()
        self._in_force = [entry for entry in self._in_force if not entry.spent(now)]
        return self._in_force
