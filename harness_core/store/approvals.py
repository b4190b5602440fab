"""Questions to people: deciding, changing, expiring, and the lists of them.

========================  =====  ==============================================================
key                       type   content
========================  =====  ==============================================================
approval:<id>             hash   the question; what people see of it sealed
approval:<id>:votes       hash   who approved its current revision
run:<id>:approvals        list   a run's questions; run:<id>:open is the set of those still open
approvals:<tenant>[:open] zset   a tenant's questions by the time they were asked
deadlines, reminders      zset   open questions by when something is due
========================  =====  ==============================================================
"""

from __future__ import annotations

from dataclasses import dataclass

from harness_core.approvals import (
    AlreadyDecided,
    Approval,
    Approve,
    Decision,
    DecisionOutcome,
    ItIsDone,
    NotApplicable,
    NotGrantable,
    Reject,
    Respond,
    RunAgain,
    RunOver,
    Skip,
    Stale,
    Tallied,
    TooLate,
    Verb,
    Won,
)
from harness_core.errors import ApprovalNotFound, StoreError
from harness_core.events import ApprovalDecided, ApprovalRevised, Payload, RunFailed, encode_payload
from harness_core.grants import grant_id
from harness_core.models import Page
from harness_core.states import RunState
from harness_core.store.approval_record import FIELDS, VERBS, decode_approval, seal_content, seal_words
from harness_core.store.connection import Client, store_errors
from harness_core.store.keys import Keys
from harness_core.store.paging import PLACE, checked
from harness_core.store.runs import RunRepository
from harness_core.store.scripts import Scripts, texts
from harness_core.store.seal import Seal

_SEPARATOR = "."  # in cursors; in no id

Lost = AlreadyDecided | TooLate | Stale | RunOver | NotApplicable
"""Why a decision or a change did nothing. A decision that grants more has :class:`NotGrantable` besides."""

_VERB_OF: dict[type[object], Verb] = {
    Approve: "approve",
    Reject: "reject",
    Respond: "respond",
    ItIsDone: "done",
    RunAgain: "again",
    Skip: "skip",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Runs that lost a question to its deadline, and runs whose approvers are to be reminded."""

    expired: tuple[str, ...]
    reminded: tuple[str, ...]


class ApprovalRepository:
    """Questions are asked through the journal of calls; here people answer them."""

    def __init__(self, client: Client, scripts: Scripts, runs: RunRepository, seal: Seal) -> None:
        self._client = client
        self._scripts = scripts
        self._runs = runs
        self._seal = seal

    async def get(self, tenant: str, approval_id: str) -> Approval:
        """:raises ApprovalNotFound: there is no such approval."""
        found = await self._read(self._scripts.keys(tenant), [approval_id])
        if not found or found[0].tenant != tenant:
            raise ApprovalNotFound(approval_id)
        return found[0]

    async def last_approved(self, like: Approval) -> Approval | None:
        """The newest call of the same tool that people approved in the same channel, while it is stored."""
        keys = self._scripts.keys(like.tenant)
        async with store_errors():
            found = await self._client.hget(
                keys("approved", like.tenant), f"{like.channel or ''}|{like.tool}"
            )
        approvals = await self._read(keys, [found.decode()]) if found is not None else []
        return approvals[0] if approvals else None

    async def of_run(self, run_id: str) -> tuple[Approval, ...]:
        """Every question of a run, in the order in which they were asked."""
        keys = await self._runs.locate(run_id)
        async with store_errors():
            ids = await self._client.lrange(keys("run_approvals", run_id), 0, -1)
        return tuple(await self._read(keys, texts(ids)))

    async def page(
        self, tenant: str, *, open_only: bool, cursor: str | None = None, limit: int = 10
    ) -> Page[Approval]:
        """Questions, the newest first. The cursor is the place of the last one: when it was asked, and its id.

        Exact while questions come and go; several may have been asked in the same millisecond.
        """
        keys = self._scripts.keys(tenant)
        index = keys("approvals_open" if open_only else "approvals", tenant)
        at, _, last = checked(cursor, limit, PLACE).partition(_SEPARATOR)
        async with store_errors():
            pipe = self._client.pipeline(transaction=True)
            pipe.zrange(index, at or "+inf", at or "+inf", byscore=True, desc=True, withscores=True)
            older = f"({at}" if at else "+inf"
            pipe.zrange(
                index, older, "-inf", byscore=True, desc=True, offset=0, num=limit + 1, withscores=True
            )
            same, rows = await pipe.execute()
        places = [
            (approval_id.decode(), int(score))
            for approval_id, score in (*(row for row in same if row[0].decode() < last), *rows)
        ]
        items = await self._read(keys, [approval_id for approval_id, _ in places[:limit]])
        if len(places) <= limit:
            return Page(items=tuple(items))
        end, asked_at = places[limit - 1]
        return Page(items=tuple(items), cursor=f"{asked_at}{_SEPARATOR}{end}")

    async def count_open(self, tenant: str) -> int:
        """How many questions wait for people."""
        async with store_errors():
            return int(await self._client.zcard(self._scripts.keys(tenant)("approvals_open", tenant)))

    async def decide(
        self,
        approval: Approval,
        decision: Decision,
        *,
        revision: int | None,
        by: str,
        source: str,
        scope: str = "",
    ) -> DecisionOutcome:
        """Tries to decide; the first who suffices wins. ``scope`` is what is granted beside; empty: nothing.

        :raises ApprovalNotFound: the question is gone.
        """
        verb = _VERB_OF[type(decision)]
        reason = decision.reason if isinstance(decision, Reject) else ""
        response = decision.text if isinstance(decision, Respond) else ""
        tenant, approval_id = approval.tenant, approval.approval_id
        event = ApprovalDecided(
            approval=approval_id,
            decision=verb,
            by=by,
            revision=approval.revision,
            reason=reason or response,
            grant=grant_id(approval_id) if scope else None,
        )
        reply = await self._scripts.call(
            "decide", self._scripts.keys(tenant), approval_id, "" if revision is None else revision, verb, by, source,
            seal_words(self._seal, tenant, approval_id, reason=reason, response=response),
            self._event(approval, event), scope,
        )  # fmt: skip
        match texts(reply):
            case ["ungrantable"]:
                return NotGrantable()
            case ["won"]:
                return Won(approval=await self.get(tenant, approval_id))
            case ["tallied", votes, quorum, repeated]:
                return Tallied(votes=int(votes), quorum=int(quorum), repeated=repeated == "1")
            case refused:
                return _lost(approval_id, refused)

    async def revise(
        self, approval: Approval, revised: Approval, event: ApprovalRevised, *, source: str
    ) -> int | Lost:
        """Puts ``revised`` in the place of ``approval``; the new revision, or why nothing was changed.

        :raises ApprovalNotFound: the question is gone.
        """
        reply = await self._scripts.call(
            "revise", self._scripts.keys(approval.tenant), approval.approval_id, approval.revision,
            seal_content(revised, self._seal), revised.digest, event.by, source, self._event(approval, event),
        )  # fmt: skip
        match texts(reply):
            case ["revised", revision]:
                return int(revision)
            case refused:
                return _lost(approval.approval_id, refused)

    async def expire(self, limit: int = 100) -> Due:
        """Closes questions whose time is over, and marks those that are due for a reminder."""
        expired: list[str] = []
        reminded: list[str] = []
        for keys in self._scripts.all_keys():
            reply = await self._scripts.call("expire", keys, limit)
            expired.extend(texts(reply[0]))
            reminded.extend(texts(reply[1]))
        return Due(expired=tuple(expired), reminded=tuple(reminded))

    async def stir(self, limit: int = 500) -> list[str]:
        """Lets waiting runs go on whose questions were answered or are gone; the ids of those runs."""
        found: list[str] = []
        for keys in self._scripts.all_keys():
            found.extend(texts(await self._scripts.call("stir", keys, limit)))
        return found

    async def abandon(self, run_id: str, why: RunFailed) -> bool:
        """Ends a waiting run that must not go on; False when it does not wait any more.

        :raises RunNotFound: there is no such run.
        """
        run = await self._runs.get(run_id)
        sealed = self._seal.seal(encode_payload(why), run.tenant, run_id, "event", why.name)
        keys = self._scripts.keys(run.tenant)
        reply = await self._scripts.call("abandon", keys, run_id, why.reason, sealed)
        return bool(reply[0] == b"failed")

    async def locate(self, approval_id: str) -> str:
        """The tenant whose approval this is.

        :raises ApprovalNotFound: nobody's.
        """
        for keys in self._scripts.all_keys():
            async with store_errors():
                tenant = await self._client.hget(keys("approval", approval_id), "tenant")
            if tenant:
                return str(tenant.decode())
        raise ApprovalNotFound(approval_id)

    async def _read(self, keys: Keys, ids: list[str]) -> list[Approval]:
        if not ids:
            return []
        async with store_errors():
            pipe = self._client.pipeline(transaction=False)
            for approval_id in ids:
                pipe.hmget(keys("approval", approval_id), FIELDS)
                pipe.hgetall(keys("votes", approval_id))
            rows = await pipe.execute()
        found = (
            decode_approval(approval_id, rows[2 * at], rows[2 * at + 1], self._seal)
            for at, approval_id in enumerate(ids)
        )
        return [approval for approval in found if approval is not None]

    def _event(self, approval: Approval, payload: Payload) -> bytes:
        return self._seal.seal(
            encode_payload(payload), approval.tenant, approval.run_id, "event", payload.name
        )


def _lost(approval_id: str, reply: list[str]) -> Lost:
    match reply:
        case ["already", decision, by, at]:
            return AlreadyDecided(decision=VERBS.get(decision, "reject"), by=by, at=int(at))
        case ["expired", at]:
            return TooLate(at=int(at))
        case ["stale", revision]:
            return Stale(revision=int(revision))
        case ["ended", state]:
            return RunOver(state=RunState(state))
        case ["kind", kind]:
            return NotApplicable(kind="uncertain" if kind == "uncertain" else "call")
        case ["missing"]:
            raise ApprovalNotFound(approval_id)
        case other:
            raise StoreError(f"a decision was answered {other}")
