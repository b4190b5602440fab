"""The records that travel between the rooms: frozen, typed, without behaviour.

Times are milliseconds since the epoch by the clock of the store, never by that of a worker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from ulid import ULID

from harness_core.states import RunState

T = TypeVar("T")


def new_run_id() -> str:
    """``run_`` and a ULID: sorts by time, unique without asking anyone."""
    return f"run_{ULID()}"


def new_thread_id() -> str:
    """``thread_`` and a ULID."""
    return f"thread_{ULID()}"


def new_op_id() -> str:
    """The id of one store operation; a repeat under the same id gets the first one's reply."""
    return f"op_{ULID()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """What a worker must show with every write for a run: whose lease, and which epoch of it."""

    tenant: str
    conversation: str
    thread_id: str
    run_id: str
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInput:
    """What a run is asked: the message, and what a direct caller gives the graph besides. All of it JSON."""

    text: str
    context: Mapping[str, Any] | None = None
    state: Mapping[str, Any] | None = None
    files: Mapping[str, str] | None = None


WhileRunning = Literal["queue", "steer", "interrupt", "reject"]
"""What becomes of a message while a run of its conversation is at work: it waits its turn, is read by that run, takes
that run's place, or is turned away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A message that asks for a run. The front end fills it in; ``accept`` makes it a run or says why not.

    ``dedupe`` are the names under which this message may arrive again; the first one wins.
    ``target`` is where answers go, opaque here. ``addressed`` is false for a message that starts a run
    only in a conversation that is followed. ``also_asked`` are people besides ``user`` whose request it is. With
    ``anew`` the conversation begins again with it: see :meth:`~harness_core.Harness.restart_conversation`.
    """

    tenant: str
    conversation: str
    user: str
    text: str
    dedupe: tuple[str, ...]
    context: Mapping[str, Any] | None = None
    state: Mapping[str, Any] | None = None
    files: Mapping[str, str] | None = None
    target: Mapping[str, str]
    addressed: bool = True
    agent: str | None = None
    channel: str | None = None
    traceparent: str | None = None
    follow: Literal["thread", "mention"] = "thread"
    shared: bool = True  # false where only one person can write, so no second one can join
    retry_of: str | None = None
    also_asked: tuple[str, ...] = ()
    while_running: WhileRunning = "queue"
    anew: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The message is stored and will be run. ``position`` is 0 for the head of the conversation."""

    run_id: str
    thread_id: str
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Steered:
    """The message is stored, and the run at work reads it before its next model call."""

    run_id: str
    thread_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """This message came before: ``run_id`` is its run, or the one that reads it; empty where it was turned away."""

    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Nothing was stored. ``not_followed`` needs no answer; the other reasons are told to the person.

    ``busy``: a run is at work in the conversation, and the workspace turns messages away meanwhile.
    """

    reason: Literal["not_followed", "busy", "thread_full", "tenant_full"]


Acceptance = Accepted | Steered | Duplicate | Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Steer:
    """A message that was added to a run at work, or a correction of one that it has read."""

    message: str
    user: str
    text: str
    kind: Literal["message", "correction"] = "message"
    read: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """What operators ask of every worker. ``reloads`` counts requests to read the workspace again."""

    draining: bool = False
    by: str = ""
    at: int | None = None
    reloads: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One turn of a thread."""

    run_id: str
    tenant: str
    conversation: str
    thread_id: str
    user: str
    state: RunState
    created_at: int
    agent: str | None = None
    channel: str | None = None
    target: Mapping[str, str] = field(default_factory=dict)
    started_at: int | None = None
    ended_at: int | None = None
    epoch: int = 0
    attempts: int = 0  # take-overs since the last new checkpoint
    takeovers: int = 0  # in all
    reason: str | None = None  # why it failed or was cancelled: a short code
    cancelled_by: str | None = None
    cancel_requested: bool = False
    workspace: str | None = None  # digest of the workspace it started with
    traceparent: str | None = None
    events: int = 0  # sequence number of the newest event
    retry_of: str | None = None
    left_at: int | None = (
        None  # since when it could go on: its worker was lost or handed it over, or people decided
    )
    handed_over: bool = False
    decided: bool = False  # it was people, and no worker was lost
    pause: int = 1  # the stretch between two waits for people, counted from 1
    intent: Literal["run-input", "approval-decision"] | None = (
        None  # what is left to do if nobody works on it
    )
    requesters: tuple[str, ...] = ()  # who asked: whoever triggered, retried or steered it
    held: bool = False  # its worker was lost, and somebody has to let it go on
    worked: int = (
        0  # milliseconds that earlier workers spent on it; waits for people or for a worker are none
    )
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A run that this worker now holds. ``taken_over`` is true when another one began it."""

    run: Run
    fence: Fence
    taken_over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """What a heartbeat found: leases that are gone, and runs that somebody asked to stop, with who did."""

    lost: frozenset[str] = frozenset()
    cancelled: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """One generation of a conversation: its own history and checkpoints."""

    thread_id: str
    tenant: str
    conversation: str
    created_at: int
    agent: str | None = None
    status: RunState | None = None  # the state of its newest run
    latest_run: str | None = None
    runs: int = 0
    generation: int = 1  # counts the threads of the conversation
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One line of the message log, which feeds screens. The checkpoint feeds the model."""

    role: Literal["user", "assistant"]
    text: str
    run_id: str
    at: int
    user: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """One page of a list, newest first. ``cursor`` asks for the next one; None at the end."""

    items: tuple[T, ...]
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """What a list of runs is narrowed to; None means any."""

    state: RunState | None = None
    user: str | None = None
    agent: str | None = None
    thread_id: str | None = None
    channel: str | None = None
    reason: str | None = None


DEAD_LETTERS = RunFilter(state=RunState.FAILED, reason="recovery_exhausted")
"""Runs that were given up, because their workers were lost again and again. To retry one is to replay it."""

UNDELIVERABLE = "undeliverable"
"""Why a run failed that nothing can be said of any more, and who asks the worker of such a run to stop."""

NOT_DELIVERED = "Nothing can be written any more where this was asked, so it was not continued."
"""What people read about such a run, wherever else they look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message outside that shows a part of a run.

    ``state`` is pending from before the call that makes or changes it until its outcome is stored, so a
    pending one after a crash is of unknown outcome. ``external_id`` names it at the platform; ``shown``
    is the sequence number of the newest event it shows; ``content`` is a digest of what it shows.
    """

    run_id: str
    part: str
    state: Literal["pending", "shown", "undeliverable"]
    nonce: str
    external_id: str | None = None
    shown: int = 0
    content: str = ""
    final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """The lease on a tenant's output, with its own epoch."""

    tenant: str
    worker: str
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dirty:
    """A run whose deliveries lag behind its events. ``since`` is when the oldest unseen event came."""

    run_id: str
    since: int
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An agent that may be chosen, and what it says about itself."""

    agent: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingQuestion:
    """What to ask the model of this name. ``text`` is a person's: it may contain anything."""

    model: str
    prompt: str
    candidates: tuple[Candidate, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkept:
    """What one pass of maintenance did. ``keys`` counts those in Redis that went with runs and threads.

    ``unreadable`` counts logs and threads that could not be opened and were left as they are; ``complete`` is false
    when time ran out or another worker took over.
    """

    folded: int = 0
    checkpoints: int = 0
    values: int = 0
    runs: int = 0
    threads: int = 0
    keys: int = 0
    links: int = 0
    unreadable: int = 0
    complete: bool = True
    seconds: float = 0.0
