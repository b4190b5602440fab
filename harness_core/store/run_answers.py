"""What the verbs about runs answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness_core.errors import IllegalTransition, StaleFence, StoreUnavailable
from harness_core.models import Fence
from harness_core.states import RunState
from harness_core.store.scripts import texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaped:
    """Runs whose worker was lost: those that go on, those given up, and those that wait to be let go on."""

    taken: tuple[str, ...]
    dead: tuple[str, ...]
    held: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """``cancelled_by`` names who asked this run to stop, if anyone did."""

    cancelled_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """How a run stands after it asked: ``by`` names who wants it stopped, ``pause`` is its next stretch."""

    outcome: Literal["waiting", "resuming", "cancelled"]
    pause: int = 1
    by: str = ""


def appended(
    fence: Fence, reply: Sequence[Any] | StoreUnavailable
) -> Appended | StaleFence | StoreUnavailable:
    """The answer to one of many batches."""
    if isinstance(reply, StoreUnavailable):
        return reply
    return Appended(cancelled_by=reply[1].decode() or None) if reply[0] == b"ok" else _stale(fence)


def _stale(fence: Fence) -> StaleFence:
    return StaleFence(f"run {fence.run_id}: epoch {fence.epoch} no longer holds the lease")


def refuse(fence: Fence, reply: Sequence[Any], requested: RunState | None = None) -> None:
    """Raises what the reply says against it."""
    match texts(reply):
        case ["fenced"]:
            raise _stale(fence)
        case ["illegal", found]:
            raise IllegalTransition(fence.run_id, found, requested.value if requested else "that")
        case _:
            return
