"""What is told about questions to people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequested:
    """A call waits for people. ``pause`` groups those asked in one stretch of the run.

    ``arguments`` is a JSON object, secret values masked; ``expire_after`` is in milliseconds from this event.
    ``kind`` is ``call``, or ``uncertain`` for a call that may have happened already. ``also_asked`` as of
    :class:`~harness_core.approvals.Approval`; ``grants`` holds the fields of its terms, None where there are none.
    """

    name: ClassVar[str] = "approval.requested"
    approval: str
    kind: str
    pause: int
    call: str
    tool: str
    title: str
    arguments: str
    rule: Mapping[str, Any]
    quorum: int
    expire_after: int
    preview: str | None = None
    reason: str = ""
    destructive: bool = False
    editable: bool = True
    also_asked: Sequence[str] = ()
    grants: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalVoted:
    """One approval of several; ``votes`` counts them."""

    name: ClassVar[str] = "approval.voted"
    approval: str
    by: str
    votes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRevised:
    """Arguments were changed: votes are void. ``changes`` holds ``[argument, before, after]`` for each, masked."""

    name: ClassVar[str] = "approval.revised"
    approval: str
    revision: int
    by: str
    title: str
    arguments: str
    changes: Sequence[Sequence[Any]]
    preview: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalDecided:
    """``decision`` is a :data:`~harness_core.approvals.Verb`; with ``grant`` more was granted than this call."""

    name: ClassVar[str] = "approval.decided"
    approval: str
    decision: str
    by: str
    revision: int = 0
    reason: str = ""
    grant: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalGranted:
    """A call was let through by what ``by`` had granted: use number ``used`` of ``times``. Nobody was asked."""

    name: ClassVar[str] = "approval.granted"
    grant: str
    call: str
    tool: str
    by: str
    used: int
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalExpired:
    """Nobody decided in time."""

    name: ClassVar[str] = "approval.expired"
    approval: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalResolved:
    """What became of the call: an :data:`~harness_core.approvals.Outcome`."""

    name: ClassVar[str] = "approval.resolved"
    approval: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalReminded:
    """It is time to remind those who can decide; ``number`` counts from 1."""

    name: ClassVar[str] = "approval.reminded"
    approval: str
    number: int
