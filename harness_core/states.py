"""The states of a run, and who may move it from one to the next.

The table is data: the store renders it into its scripts, so the rule that a script enforces is the
rule that is written here. ``fenced`` moves are made by the worker that holds the lease and carry its
epoch; the others are made by people and by the sweep, and carry none.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RunState(StrEnum):
    """Where a run stands. The comment says who works on it, and what may wake it."""

    QUEUED = "queued"  # nobody; a worker claims it when it is the head of its conversation
    RUNNING = "running"  # the worker that holds the lease, or the sweep once that lease is over
    WAITING = "waiting_for_approval"  # nobody; a decision, an expiry or a cancel
    RESUMING = "resuming"  # as RUNNING, after a decision
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Move:
    """One row of the table."""

    source: RunState
    target: RunState
    by: str
    fenced: bool


_S = RunState

MOVES: tuple[Move, ...] = (
    Move(_S.QUEUED, _S.RUNNING, "claim", fenced=False),
    Move(_S.QUEUED, _S.CANCELLED, "cancel", fenced=False),
    Move(_S.QUEUED, _S.FAILED, "reap", fenced=False),
    Move(_S.RUNNING, _S.COMPLETED, "finish", fenced=True),
    Move(_S.RUNNING, _S.FAILED, "finish", fenced=True),
    Move(_S.RUNNING, _S.FAILED, "reap", fenced=False),
    Move(_S.RUNNING, _S.CANCELLED, "finish", fenced=True),
    Move(_S.RUNNING, _S.CANCELLED, "cancel", fenced=False),  # one that was left where its worker was lost
    Move(_S.RUNNING, _S.WAITING, "park", fenced=True),
    Move(_S.RUNNING, _S.RESUMING, "park", fenced=True),
    Move(_S.WAITING, _S.RESUMING, "decide", fenced=False),
    Move(_S.WAITING, _S.CANCELLED, "cancel", fenced=False),
    Move(_S.WAITING, _S.FAILED, "reap", fenced=False),
    Move(_S.RESUMING, _S.COMPLETED, "finish", fenced=True),
    Move(_S.RESUMING, _S.FAILED, "finish", fenced=True),
    Move(_S.RESUMING, _S.FAILED, "reap", fenced=False),
    Move(_S.RESUMING, _S.CANCELLED, "finish", fenced=True),
    Move(_S.RESUMING, _S.CANCELLED, "cancel", fenced=False),
    Move(_S.RESUMING, _S.WAITING, "park", fenced=True),
    Move(_S.RESUMING, _S.RESUMING, "park", fenced=True),
)

TERMINAL: frozenset[RunState] = frozenset({_S.COMPLETED, _S.FAILED, _S.CANCELLED})
LIVE: frozenset[RunState] = frozenset(_S) - TERMINAL


def allowed(source: RunState, target: RunState) -> bool:
    """Whether the table has a row from ``source`` to ``target``."""
    return any(move.source is source and move.target is target for move in MOVES)
