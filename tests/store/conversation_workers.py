"""What is left of workers when the agent is taken out: they claim, read, call, ask, park, save and end.

Each deed is done to the store and to the model, and what the store answers must be what the model says of it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any, TypeVar

from hypothesis.stateful import RuleBasedStateMachine
from store.asking import DIGEST, a_call, a_question
from store.conversation_checks import ready_now
from store.conversation_model import LEASE, MAX_ATTEMPTS, Conversations

from harness_core.approvals import Approval
from harness_core.errors import StaleFence, StopRequested, UnreadMessages
from harness_core.events import Payload, RunCancelled, RunCompleted, RunFailed
from harness_core.models import Claim
from harness_core.states import RunState
from harness_core.store import Store

T = TypeVar("T")

TENANT = "T1"
PER_TENANT, PER_USER = 2, 1
EXPIRE_AFTER = 5 * LEASE


class Workers(RuleBasedStateMachine):
    """A store without a past, the model beside it, and what workers believe, may they hold their runs or not."""

    def __init__(self, loop: asyncio.AbstractEventLoop, store: Store) -> None:
        super().__init__()
        self.loop = loop
        self.store = store
        self.do(store.client.flushdb())
        self.model = Conversations()
        self.claims: dict[str, Claim] = {}  # of those that a worker still believes in
        self.zombies: list[Claim] = []
        self.asked: dict[str, tuple[str, float]] = {}  # approval -> its run, its deadline
        self.effects: Counter[tuple[str, str]] = Counter()
        self.allowed_again: Counter[tuple[str, str]] = Counter()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def claim(self, want: int) -> None:
        ready = self.do(ready_now(self.store))
        claims = self.do(
            self.store.runs.claim("w", want=want, per_tenant=PER_TENANT, per_user=PER_USER, lease=LEASE)
        )
        self.first_come(ready, [claim.run.run_id for claim in claims], want)
        for claim in claims:
            run = self.model.runs[claim.run.run_id]
            run.user = claim.run.user  # of a message that was passed on, the model does not know whose it was
            assert claim.taken_over == (run.state != "queued")
            self.model.claim(claim.run.run_id)
            self.bury(claim.run.run_id)
            self.claims[claim.run.run_id] = claim

    def first_come(self, ready: list[str], claimed: list[str], want: int) -> None:
        """The first in the line of all, but for people who are at their cap."""
        busy = Counter(
            self.model.runs[run_id].user
            for run_id, run in self.model.runs.items()
            if run.leased_until is not None
        )
        room, expected = PER_TENANT - busy.total(), list[str]()
        for run_id in ready:
            user = self.model.runs[run_id].user or self.do(self.store.runs.get(run_id)).user
            if len(expected) < min(want, room) and busy[user] < PER_USER:
                expected.append(run_id)
                busy[user] += 1
        assert claimed == expected

    def call(self, which: int, key: str, *, ends: bool) -> None:
        """A tool that must not run twice; ``ends`` false is a crash inside it, or a worker that is slow."""
        claim = self.worker(which)
        run_id = claim.run.run_id
        try:
            self.do(self.open_call(claim, key))
            attempt = self.do(self.store.calls.start(claim.fence, key, asked=DIGEST, running=DIGEST))
        except StopRequested:
            assert self.model.runs[run_id].stopping
            return
        except StaleFence:
            self.lost(claim)
            return
        assert self.model.holds(run_id)
        if isinstance(attempt, int):
            self.effects[run_id, key] += 1
            if ends:
                self.do(self.store.calls.done(claim.fence, key, ok=True, result=b"r", outcome="ran"))
        elif attempt == "unsure":
            self.ask(claim, key, doubt=True)

    async def open_call(self, claim: Claim, key: str) -> None:
        verdict = "ask" if key == "gated" else "allow"
        question = a_question(claim, key, expire_after=EXPIRE_AFTER) if key == "gated" else None
        await self.store.calls.open(claim.fence, a_call(claim, key, verdict=verdict), question)
        if question is not None:
            self.remember(question.about)

    def ask(self, claim: Claim, key: str, *, doubt: bool) -> None:
        assert doubt
        question = a_question(claim, key, kind="uncertain", expire_after=EXPIRE_AFTER)
        self.do(self.store.calls.open(claim.fence, a_call(claim, key), question))
        self.remember(question.about)

    def remember(self, asked: Approval) -> None:
        if asked.approval_id not in self.asked:
            self.asked[asked.approval_id] = (asked.run_id, self.model.now + EXPIRE_AFTER)
            self.model.runs[asked.run_id].asked.append(asked.approval_id)

    def park(self, which: int) -> None:
        claim = self.worker(which)
        try:
            parked = self.do(self.store.runs.park(claim.fence))
        except StaleFence:
            self.lost(claim)
            return
        assert parked.outcome == self.model.park(claim.run.run_id)
        if parked.outcome == "waiting":
            self.bury(claim.run.run_id)
            self.claim(want=2)

    def hear(self, claim: Claim, *, answered: bool) -> None:
        """The model is about to be told what was written to the run, or has answered to what it was told."""
        try:
            if answered:
                self.read(claim)
            else:
                self.take(claim)
        except StaleFence:
            self.lost(claim)

    def take(self, claim: Claim) -> None:
        run = self.model.runs[claim.run.run_id]
        unread = [each for each in self.do(self.store.messages.written_to(claim.fence)) if not each.read]
        assert [each.message for each in unread] == run.unread
        taken = self.do(self.store.messages.take(claim.fence, run.unread))
        assert taken == {each.message: each.text for each in unread}
        run.told.update(taken)
        assert {each.user for each in unread} <= {*self.do(self.store.runs.get(claim.run.run_id)).requesters}

    def read(self, claim: Claim) -> None:
        run = self.model.runs[claim.run.run_id]
        told = [each for each in run.unread if each in run.told]
        self.do(self.store.messages.mark_read(claim.fence, told))
        run.read += told
        run.unread = [each for each in run.unread if each not in told]

    def save(self, which: int) -> None:
        """A checkpoint: the run has come further."""
        claim = self.worker(which)
        put = self.store.checkpoints.put(
            claim.fence.thread_id, "", "cp", header=b"h", blobs={}, fence=claim.fence
        )
        try:
            self.do(put)
        except StaleFence:
            self.lost(claim)
            return
        self.model.runs[claim.run.run_id].attempts = 0

    def finish(self, which: int, *, well: bool) -> None:
        self.end(self.worker(which), well=well)
        self.claim(want=2)

    def end(self, claim: Claim, *, well: bool) -> None:
        """As an executor does it: who was asked to stop is cancelled, who has something to read goes on."""
        run_id = claim.run.run_id
        run = self.model.runs[run_id]
        try:
            state = RunState.COMPLETED if well else RunState.FAILED
            payload: Payload = RunCompleted(output="x") if well else RunFailed(reason="x")
            stopper = self.do(self.store.runs.finish(claim.fence, state, payload))
            if stopper is not None:
                assert run.stopping
                state = RunState.CANCELLED
                self.do(self.store.runs.finish(claim.fence, state, RunCancelled(by=stopper)))
        except StaleFence:
            self.lost(claim)
            return
        except UnreadMessages:
            assert run.unread
            return
        assert not well or stopper or not run.unread
        self.model.end(run_id, state.value)
        self.bury(run_id)

    def hand_over(self, which: int) -> None:
        claim = self.worker(which)
        try:
            self.do(self.store.runs.release(claim.fence))
        except StaleFence:
            self.lost(claim)
            return
        self.model.release(claim.run.run_id)
        self.bury(claim.run.run_id)

    def renew(self) -> None:
        renewal = self.do(self.store.runs.renew("w", [claim.fence for claim in self.claims.values()], LEASE))
        for run_id in list(self.claims):
            assert (run_id in renewal.lost) is not self.model.holds(run_id)
            assert run_id in renewal.lost or (run_id in renewal.cancelled) is self.model.runs[run_id].stopping
            if run_id in renewal.lost:
                self.bury(run_id)
            else:
                self.model.keep(run_id)

    def sweep(self, hold: bool) -> None:
        before = self.do(self.store.now()) + 1 if hold else None
        self.model.reap(hold=hold)
        self.do(self.store.runs.reap(max_attempts=MAX_ATTEMPTS, hold_before=before))
        self.do(ready_now(self.store))
        self.do(self.store.approvals.expire())
        for approval_id, (run_id, deadline) in self.asked.items():
            if deadline <= self.model.now and approval_id in self.model.runs[run_id].asked:
                self.model.answered(run_id, approval_id)

    def wait(self, seconds: float) -> None:
        self.model.now += seconds
        self.do(self.store.client.incrby("harness:{p0}:clock_offset", round(seconds * 1000)))

    def worker(self, which: int) -> Claim:
        claim: Claim = one_of(self.claims.values(), which)
        return claim

    def lost(self, claim: Claim) -> None:
        assert not self.model.holds(claim.run.run_id)
        self.bury(claim.run.run_id)

    def bury(self, run_id: str) -> None:
        """The worker of this run holds it no more; it may wake up again all the same."""
        if run_id in self.claims:
            self.zombies.append(self.claims.pop(run_id))


def one_of(choices: Any, which: int) -> Any:
    known = list(choices)
    return known[which % len(known)]
