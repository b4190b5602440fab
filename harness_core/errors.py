"""Every error this library raises.

::

    HarnessError
    ├── WorkspaceInvalid           the YAML folder cannot be used; carries every finding
    ├── StoreError
    │   ├── StoreUnavailable       Redis did not answer in time
    │   ├── StoreMisconfigured     Redis answered, but must not be used as it is
    │   ├── SchemaTooNew           the data was written by a newer release
    │   ├── StaleFence             the fencing token is missing or no longer the current one
    │   ├── IllegalTransition      the state table does not allow the move
    │   ├── UnreadMessages         a run cannot complete before it has read what people wrote to it
    │   └── SealBroken             stored bytes are not ours, or were changed
    ├── NotFound
    │   ├── RunNotFound
    │   ├── ThreadNotFound
    │   ├── ApprovalNotFound
    │   └── UnknownAgent           carries the known ids
    ├── ThreadReplaced             its conversation was begun again; carries the thread it has
    ├── NotOpen                    a harness that does not work, or not any more
    ├── InboxFull                  too many messages wait already
    ├── PolicyBlocked              carries the reasons
    ├── ApprovalAlreadyDecided     carries who decided what, and when
    ├── DecisionRefused            a decision that cannot be taken, and why
    ├── StopRequested              carries who asked the run to stop
    ├── OperationTimeout           carries the stage that took too long
    ├── ModelFailed                the model did not answer
    └── EmbeddedServerError        the embedded Redis cannot be started or reached

Messages are written for people: what was wrong, where, what to do. None carries a secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol


class Finding(Protocol):
    """What :class:`WorkspaceInvalid` needs of a diagnostic: that it reads as one line."""

    def __str__(self) -> str: ...


class HarnessError(Exception):
    """Root of everything raised here on purpose."""


class WorkspaceInvalid(HarnessError):
    """The workspace folder has errors; ``findings`` holds all of them, not the first."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class StoreError(HarnessError):
    """Something about the persistence."""


class StoreUnavailable(StoreError):
    """Redis refused, hung or went away. The call may be repeated: writes carry an operation id."""


class StoreMisconfigured(StoreError):
    """Redis answers but would lose data or cannot run the scripts (eviction policy, version)."""


class SchemaTooNew(StoreError):
    """The stored data belongs to a newer release; nothing was changed."""


class StaleFence(StoreError):
    """The caller no longer holds the lease it writes under. Someone else tells this story now."""


class IllegalTransition(StoreError):
    """A run cannot go from its state to the requested one; nothing was changed."""

    def __init__(self, run_id: str, found: str, requested: str) -> None:
        self.run_id, self.found, self.requested = run_id, found, requested
        super().__init__(f"run {run_id} is {found} and cannot become {requested}")


class UnreadMessages(StoreError):
    """People wrote to a run while it was at work, and it cannot complete before it has read that."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        super().__init__(f"run {run_id} has messages to read")


class SealBroken(StoreError):
    """Stored bytes failed authentication: another key, another place, or changed content."""


class NotFound(HarnessError):
    """No such thing, or it is past its retention."""


class RunNotFound(NotFound):
    """No run with this id."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        super().__init__(f"no run {run_id}")


class ThreadNotFound(NotFound):
    """No thread with this id."""

    def __init__(self, thread_id: str) -> None:
        self.thread_id = thread_id
        super().__init__(f"no thread {thread_id}")


class UnknownAgent(NotFound):
    """The workspace has no agent of this name; ``known`` lists those it has."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        self.name, self.known = name, tuple(known)
        listed = ", ".join(self.known) or "none"
        super().__init__(f"no agent “{name}”. Known agents: {listed}")


class ApprovalNotFound(NotFound):
    """No approval with this id."""

    def __init__(self, approval_id: str) -> None:
        self.approval_id = approval_id
        super().__init__(f"no approval {approval_id}")


class GrantNotFound(NotFound):
    """No grant with this id, or the run that it was given in is gone."""

    def __init__(self, grant_id: str) -> None:
        self.grant_id = grant_id
        super().__init__(f"no grant {grant_id}")


class ThreadReplaced(HarnessError):
    """The conversation of this thread was begun again: what was said in it can be read, and nothing more is said."""

    def __init__(self, thread_id: str, current: str) -> None:
        self.thread_id, self.current = thread_id, current
        super().__init__(f"thread {thread_id} was begun again as {current}: say it there")


class NotOpen(HarnessError):
    """A harness was asked for work before it was opened, after it was closed, or after its worker failed."""


class InboxFull(HarnessError):
    """Too many messages wait in this thread or for this tenant; nothing was stored."""


class PolicyBlocked(HarnessError):
    """A policy refused the run or the call."""

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("; ".join(self.reasons))


class ApprovalAlreadyDecided(HarnessError):
    """Somebody was faster; nothing was changed. ``at`` is in milliseconds."""

    def __init__(self, decision: str, by: str, at: int) -> None:
        self.decision, self.by, self.at = decision, by, at
        when = datetime.fromtimestamp(at / 1000, UTC)
        super().__init__(f"already decided ({decision}) by {by} at {when:%Y-%m-%d %H:%M:%S} UTC")


class DecisionRefused(HarnessError):
    """The decision cannot be taken: expired, stale, ended, or not a possible answer. Nothing was changed."""


class StopRequested(HarnessError):
    """A person asked the run to stop, so no further tool is started."""

    def __init__(self, by: str) -> None:
        self.by = by
        super().__init__(f"{by} asked the run to stop")


class OperationTimeout(HarnessError):
    """A time limit ran out. ``stage`` is run, model_call, tool_call or stream_idle; ``limit`` is in seconds."""

    def __init__(self, stage: str, limit: float) -> None:
        self.stage, self.limit = stage, limit
        super().__init__(f"{stage} took longer than {limit:g} s")


class ModelFailed(HarnessError):
    """The model gave no answer; the cause is chained, its text is for the log only."""


class EmbeddedServerError(HarnessError):
    """The embedded Redis cannot be started, shared or reached."""
