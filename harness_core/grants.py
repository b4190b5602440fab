"""Grants: an approval that also lets calls like the approved one run, for a while and so many times.

A grant is bound to what was approved: the thread, the agent, the people who asked, the tool and its schema, who may
approve, the configuration, and the values of the arguments. Whatever differs is asked about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from harness_core.approvals import Approval, GrantTerms

GrantState = Literal["live", "used up", "expired", "revoked"]

_APPROVAL: Final = "appr_"
_GRANT: Final = "grant_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What was granted with one approval. Times are milliseconds since the epoch by the clock of the store.

    ``approval`` is the call that was approved with it; ``scope`` stands for everything that a call must share with it.
    ``used`` counts the calls that were let through, without the approved one. Alive until it is used up, over or
    revoked, and gone with the run of the approval.
    """

    grant_id: str
    approval: Approval
    terms: GrantTerms
    scope: str
    given_by: str
    given_at: int
    source: str
    expires_at: int
    used: int = 0
    revoked_by: str | None = None
    revoked_at: int | None = None

    @property
    def left(self) -> int:
        """How many calls it would still let through, were it not over."""
        return max(0, self.terms.times - self.used)

    def state_at(self, now: int) -> GrantState:
        """How it stands at ``now``, in milliseconds by the clock of the store."""
        if self.revoked_by is not None:
            return "revoked"
        if not self.left:
            return "used up"
        return "live" if now < self.expires_at else "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """From now on no call starts by it. One that has started already goes on."""

    grant: Grant


@dataclass(frozen=True, slots=True, kw_only=True)
class NotLive:
    """It was over before, as ``state`` says; nothing was changed. ``grant`` is how it stands."""

    state: GrantState
    grant: Grant


RevokeOutcome = Revoked | NotLive


def grant_id(approval_id: str) -> str:
    """The id of what is granted with this approval."""
    return _GRANT + approval_id.removeprefix(_APPROVAL)


def approval_of(grant_id: str) -> str:
    """The id of the approval with which this was granted. An id that is none leads nowhere."""
    return _APPROVAL + grant_id.removeprefix(_GRANT) if grant_id.startswith(_GRANT) else ""
