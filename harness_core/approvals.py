"""Tool calls and the questions about them: what is asked, who may answer, what became of it.

Frozen records without behaviour. Times are milliseconds since the epoch by the clock of the store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from harness_core.states import RunState

QuestionKind = Literal["call", "uncertain"]
"""May this call be made; or: it may have happened already, what now."""

QuestionState = Literal["open", "decided", "expired", "void"]
"""``void``: the run ended, or the graph no longer asks. Nothing can be decided any more."""

Verb = Literal["approve", "reject", "respond", "done", "again", "skip"]
"""What people can decide; the last three answer an uncertain outcome."""

Outcome = Literal["ran", "failed", "refused", "answered", "confirmed", "skipped"]
"""What became of a call that was asked about."""


class Effect(StrEnum):
    """What repeating a call would do. The comment says what a crash in the middle of it means."""

    NONE = "none"  # nothing outside the graph changes: it is not even journalled
    IDEMPOTENT = "idempotent"  # it runs again, under the same key
    ONCE = "once"  # a person is asked


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproverRule:
    """Who may decide; ids of the front end. Empty means nobody.

    ``requester`` false excludes whoever asked for the run even where the rest names them.
    """

    users: tuple[str, ...] = ()
    usergroups: tuple[str, ...] = ()
    channel_members: bool = False
    requester: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantTerms:
    """What whoever approves a call may grant with it: ``times`` more calls like it, for ``lasts`` milliseconds.

    ``same`` names the arguments that must have the values that were approved; None: all of them, and no other one.
    """

    lasts: int
    times: int
    same: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an edit did to one argument. Absent on one side: None. Secret values are masked on both."""

    argument: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What people see of a question, sealed in the store.

    ``arguments`` are what would be passed; ``secret`` names those that are never shown. ``schema`` is the
    JSON Schema of the arguments. ``reason`` is what the model said before the call, its own words. ``before``
    holds the arguments of the first revision once they were changed.
    """

    title: str
    label: str
    arguments: Mapping[str, Any]
    schema: Mapping[str, Any] = field(default_factory=dict)
    secret: tuple[str, ...] = ()
    preview: str | None = None
    reason: str = ""
    destructive: bool = False
    before: Mapping[str, Any] | None = None
    edited_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One person's approval of the current revision."""

    by: str
    at: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One question about one tool call.

    ``pause`` numbers the stretch of the run in which it was asked; those of one stretch are shown together.
    ``digest`` stands for exactly what would run: tool, version, arguments, policy, run and call.
    ``requester`` triggered the run; ``also_asked`` had retried it, or written to it, before it asked. ``grants`` is
    what may be granted with an approval, None where policy allows none.
    """

    approval_id: str
    kind: QuestionKind
    run_id: str
    tenant: str
    conversation: str
    thread_id: str
    call: str
    call_key: str
    tool: str
    agent: str
    requester: str
    channel: str | None
    pause: int
    state: QuestionState
    revision: int
    digest: str
    policy: str
    version: str
    rule: ApproverRule
    quorum: int
    requested_at: int
    expires_at: int
    asked: Asked
    also_asked: tuple[str, ...] = ()
    grants: GrantTerms | None = None
    votes: tuple[Vote, ...] = ()
    decision: Verb | None = None
    decided_by: str | None = None
    decided_at: int | None = None
    reason: str = ""
    response: str = ""
    schema_version: int = 1

    @property
    def requesters(self) -> tuple[str, ...]:
        """Whose request it is: they may not decide it where the rule wants somebody else."""
        return (self.requester, *self.also_asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """Run it as shown. ``grant``: and let calls like it run without asking, as the question's ``grants`` say."""

    grant: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """Do not run it; the model reads why."""

    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Respond:
    """Do not run it; the model reads this in place of its result."""

    text: str


@dataclass(frozen=True, slots=True)
class ItIsDone:
    """Somebody looked: it happened."""


@dataclass(frozen=True, slots=True)
class RunAgain:
    """Somebody looked: it may be run once more."""


@dataclass(frozen=True, slots=True)
class Skip:
    """It is not run again, whether or not it happened."""


Decision = Approve | Reject | Respond | ItIsDone | RunAgain | Skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Won:
    """This decision counts."""

    approval: Approval


@dataclass(frozen=True, slots=True, kw_only=True)
class Tallied:
    """One approval of several. ``repeated``: this person's was counted before."""

    votes: int
    quorum: int
    repeated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlreadyDecided:
    """Somebody was faster; nothing changed."""

    decision: Verb
    by: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TooLate:
    """The deadline is over."""

    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """The arguments were changed since; nothing was decided. ``revision`` is the current one."""

    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOver:
    """The run has ended, or no longer asks this."""

    state: RunState


@dataclass(frozen=True, slots=True)
class Outdated:
    """The configuration changed since the question was asked: the run was ended, nothing was run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotApplicable:
    """This question cannot be answered so: "run again" to a call that was not made, say."""

    kind: QuestionKind


@dataclass(frozen=True, slots=True)
class NotGrantable:
    """No grant can be given with this; nothing was decided."""


DecisionOutcome = (
    Won | Tallied | AlreadyDecided | TooLate | Stale | RunOver | Outdated | NotApplicable | NotGrantable
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Revised:
    """The arguments are changed; votes are void, and nothing is approved."""

    approval: Approval
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidArgument:
    """``argument`` is the top-level name it is about, empty for the arguments as a whole."""

    argument: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Invalid:
    """The arguments do not fit the tool, or policy forbids them; nothing was changed."""

    errors: tuple[InvalidArgument, ...]


RevisionOutcome = Revised | Invalid | AlreadyDecided | TooLate | Stale | RunOver | Outdated | NotApplicable


CallState = Literal["opened", "started", "done"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One tool call in the journal. ``asked`` is the digest of the arguments the model gave.

    ``verdict`` was found once and is never found anew; ``note`` is why a call was denied. ``doubt`` names the
    question whether it happened, ``doubts`` counts how often that was asked. ``grant`` lets it run in the place of an
    ``approval``. ``ok`` says how it ended.
    """

    key: str
    run_id: str
    tool: str
    effect: Effect
    verdict: Literal["allow", "ask", "deny"]
    state: CallState
    asked: str
    note: str = ""
    approval: str | None = None
    grant: str | None = None
    doubt: str | None = None
    doubts: int = 0
    attempts: int = 0
    ok: bool | None = None
    result: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """What a run did to the world, by its journal: calls that ran, and calls that may have.

    ``once`` names the tools of those among them that must not be made again.
    """

    ran: int
    unsure: int
    once: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditHead:
    """The newest link of a tenant's audit chain by number and hash, and how many links retention has ``cut`` off."""

    seq: int
    hash: str
    cut: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One link of a tenant's audit chain. ``hash`` is SHA-256 over ``seq|at|previous|data``, as text."""

    seq: int
    at: int
    previous: str
    hash: str
    data: str
