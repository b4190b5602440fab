"""Rules that do to the store what people, workers, clocks and crashes do, each beside what the model says of it.

Workers here are what is left of one when the agent is taken out: they claim, read, call, ask, park and end.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from enum import Enum, auto
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from store.asking import DIGEST, a_call, a_question
from store.conversation_checks import agree, nothing_left, stories_hold
from store.conversation_model import LEASE, MAX_ATTEMPTS, Conversations

from harness_core.approvals import Approval, Approve, Decision, ItIsDone, Reject, RunAgain, Skip, TooLate, Won
from harness_core.errors import StaleFence, StopRequested, UnreadMessages
from harness_core.events import OutputDelta, Payload, RunCancelled, RunCompleted, RunFailed
from harness_core.models import Accepted, Claim, Duplicate, Fence, Refused, Steered, Submission, WhileRunning
from harness_core.states import RunState
from harness_core.store import Store

T = TypeVar("T")

TENANT = "T1"
PER_TENANT, PER_USER = 2, 1
EXPIRE_AFTER = 5 * LEASE

pick = st.integers(min_value=0, max_value=99)
conversations = st.sampled_from(["C1", "C2", "C3"])
users = st.sampled_from(["U1", "U2", "U3"])
modes: st.SearchStrategy[WhileRunning] = st.sampled_from(["queue", "steer", "steer", "interrupt", "reject"])


class Deed(Enum):
    """What a worker does with a run that it believes to hold."""

    CALL = auto()
    CALL_AND_BREAK_OFF = auto()
    ASK = auto()
    PARK = auto()
    READ = auto()
    SAVE = auto()
    FINISH = auto()
    FAIL = auto()
    HAND_OVER = auto()


class ConversationMachine(RuleBasedStateMachine):
    """One story: a store without a past, the model beside it, and what was seen from outside."""

    def __init__(self, loop: asyncio.AbstractEventLoop, store: Store) -> None:
        super().__init__()
        self.loop = loop
        self.store = store
        self.do(store.client.flushdb())
        self.model = Conversations()
        self.messages: dict[str, tuple[Submission, str]] = {}  # by name, with the id it was stored under
        self.claims: dict[str, Claim] = {}  # of those that a worker still believes in
        self.zombies: list[Claim] = []
        self.requests = 0
        self.asked: dict[str, tuple[str, float]] = {}  # approval -> its run, its deadline
        self.effects: Counter[tuple[str, str]] = Counter()
        self.allowed_again: Counter[tuple[str, str]] = Counter()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        self.settle()

    @initialize(mode=modes)
    def a_day_begins(self, mode: WhileRunning) -> None:
        """With work for two workers, of which one waits for people."""
        for conversation, user in (("C1", "U1"), ("C2", "U2"), ("C2", "U1")):
            self.deliver(conversation, user, "queue")
        self.claim(want=2)
        self.deliver("C1", "U2", mode)
        self.call(0, "gated", ends=True)
        self.park(0)

    # People.

    @precondition(lambda self: len(self.messages) < 14 and self.claims)
    @rule(which=pick, user=users, mode=modes)
    def write_to_who_works(self, which: int, user: str, mode: WhileRunning) -> None:
        self.deliver(self.worker(which).run.conversation, user, mode)

    @precondition(lambda self: len(self.messages) < 14)
    @rule(conversation=conversations, user=users, mode=modes)
    def deliver(self, conversation: str, user: str, mode: WhileRunning) -> None:
        name = f"post-{len(self.messages)}"
        message = Submission(
            tenant=TENANT, conversation=conversation, user=user, text=name, dedupe=(f"event-{name}", name),
            target={}, while_running=mode,
        )  # fmt: skip
        expected = self.model.fate(conversation, mode)
        match self.do(self.store.runs.accept(message)):
            case Accepted(run_id=run_id, position=position):
                assert expected == "accepted"
                assert self.model.accept(conversation, run_id, user, mode) == position
                self.messages[name] = (message, run_id)
            case Steered(run_id=run_id):
                assert expected == "steered"
                assert run_id == self.model.line[conversation][0]
                run = self.model.runs[run_id]
                newest = self.do(self.store.messages.written_to(self.place(run_id)))[-1].message
                run.unread.append(newest)
                self.messages[name] = (message, newest)
            case Refused(reason=reason):
                assert expected == reason == "busy"
                self.messages[name] = (message, "")
            case Duplicate():
                raise AssertionError("a new message is taken for an old one")

    @precondition(lambda self: self.messages)
    @rule(which=pick)
    def deliver_again(self, which: int) -> None:
        message, stored = _one(self.messages.values(), which)
        holder = self.model.holder(stored)
        answer = self.do(self.store.runs.accept(message))
        assert isinstance(answer, Duplicate)
        if holder is not None:
            assert self.model.runs[answer.run_id] is holder

    @precondition(lambda self: self.messages)
    @rule(which=pick)
    def edit(self, which: int) -> None:
        message, stored = _one(self.messages.values(), which)
        expected, stamp = self.model.amend(stored), self.request()
        moved = self.do(
            self.store.messages.amend(
                TENANT, message.dedupe[0], "new", by=message.user, stamp=stamp, correction="Now: new"
            )
        )
        assert moved.outcome == expected
        if moved.outcome == "corrected":
            self.model.correct(moved.run_id, stored, f"{stored}.{stamp}")

    @precondition(lambda self: self.messages)
    @rule(which=pick)
    def delete(self, which: int) -> None:
        message, stored = _one(self.messages.values(), which)
        expected = self.model.withdraw(stored)
        assert self.do(self.store.messages.withdraw(TENANT, message.dedupe[0], "U1")).outcome == expected

    @precondition(lambda self: self.model.runs)
    @rule(which=pick)
    def cancel(self, which: int) -> None:
        live = [run_id for line in self.model.line.values() for run_id in line]
        run_id = _one(live if live and which % 8 else self.model.runs, which)
        run = self.model.runs[run_id]
        expected = "finished" if not run.live else "cancelled" if self.model.stop(run_id) else "requested"
        assert self.do(self.store.runs.cancel(run_id, "U9")) == expected

    @precondition(lambda self: self.messages and sum(self.model.generation.values()) < 5)
    @rule(conversation=conversations)
    def restart(self, conversation: str) -> None:
        names = (f"restart-{self.request()}",)
        began = any(
            message.conversation == conversation for message, stored in self.messages.values() if stored
        )
        outcome = self.do(self.store.messages.restart(TENANT, conversation, "U9", names))
        assert outcome == ("restarted" if began else "unknown")
        if began:
            self.model.restart(conversation)
        assert self.do(self.store.messages.restart(TENANT, conversation, "U9", names)) == "duplicate"

    @precondition(lambda self: any(run.held for run in self.model.runs.values()))
    @rule(which=pick)
    def let_go_on(self, which: int) -> None:
        run_id = _one((run_id for run_id, run in self.model.runs.items() if run.held), which)
        self.model.runs[run_id].held = False
        assert self.do(self.store.runs.carry_on(run_id))

    @precondition(lambda self: self.asked)
    @rule(which=pick, yes=st.booleans())
    def click(self, which: int, yes: bool) -> None:
        asked = [each for run in self.model.runs.values() for each in run.asked]
        approval_id = _one(asked if asked and which % 8 else self.asked, which)
        run_id, deadline = self.asked[approval_id]
        approval = self.do(self.store.approvals.get(TENANT, approval_id))
        outcome = self.do(
            self.store.approvals.decide(
                approval, _answer(approval, yes), revision=None, by="U2", source="message"
            )
        )
        if approval_id not in self.model.runs[run_id].asked:
            assert not isinstance(outcome, Won)
        elif deadline <= self.model.now:
            assert isinstance(outcome, TooLate)
        else:
            assert isinstance(outcome, Won)
            self.model.answered(run_id, approval_id)
            if approval.kind == "uncertain" and yes:
                self.allowed_again[run_id, approval.call_key] += 1
            self.claim(want=1)

    # Workers.

    @precondition(lambda self: self.claims)
    @rule(which=pick, deed=st.sampled_from([*Deed, Deed.CALL, Deed.CALL_AND_BREAK_OFF, Deed.ASK]))
    def somebody_works(self, which: int, deed: Deed) -> None:
        """One rule for all of it: Hypothesis leaves some rules out of each story, and these belong together."""
        match deed:
            case Deed.CALL:
                self.call(which, "free", ends=True)
            case Deed.CALL_AND_BREAK_OFF:
                self.call(which, "free", ends=False)
            case Deed.ASK:
                self.call(which, "gated", ends=which % 2 == 0)
            case Deed.PARK:
                self.park(which)
            case Deed.READ:
                self.read(which)
            case Deed.SAVE:
                self.save(which)
            case Deed.FINISH:
                self.finish(which, well=True)
            case Deed.FAIL:
                self.finish(which, well=False)
            case Deed.HAND_OVER:
                self.hand_over(which)

    @rule(want=st.integers(min_value=1, max_value=3))
    def claim(self, want: int) -> None:
        ready = self.do(self.store.client.zrange("harness:{p0}:ready:T1", 0, -1))
        claims = self.do(
            self.store.runs.claim("w", want=want, per_tenant=PER_TENANT, per_user=PER_USER, lease=LEASE)
        )
        self.first_come([each.decode() for each in ready], [claim.run.run_id for claim in claims], want)
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
            user = self.do(self.store.runs.get(run_id)).user
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
            self.model.runs[asked.run_id].asked.add(asked.approval_id)

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

    def read(self, which: int) -> None:
        claim = self.worker(which)
        run = self.model.runs[claim.run.run_id]
        unread = [each for each in self.do(self.store.messages.written_to(claim.fence)) if not each.read]
        assert [each.message for each in unread] == run.unread
        try:
            self.do(self.store.messages.mark_read(claim.fence, [each.message for each in unread]))
        except StaleFence:
            self.lost(claim)
            return
        run.read += run.unread
        run.unread = []

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

    @rule(hold=st.booleans())
    def sweep(self, hold: bool) -> None:
        before = self.do(self.store.now()) + 1 if hold else None
        self.model.reap(hold=hold)
        self.do(self.store.runs.reap(max_attempts=MAX_ATTEMPTS, hold_before=before))
        self.do(self.store.approvals.expire())
        for approval_id, (run_id, deadline) in self.asked.items():
            if deadline <= self.model.now and approval_id in self.model.runs[run_id].asked:
                self.model.answered(run_id, approval_id)

    @rule()
    def renew(self) -> None:
        renewal = self.do(self.store.runs.renew("w", [claim.fence for claim in self.claims.values()], LEASE))
        for run_id in list(self.claims):
            assert (run_id in renewal.lost) is not self.model.holds(run_id)
            assert run_id in renewal.lost or (run_id in renewal.cancelled) is self.model.runs[run_id].stopping
            if run_id in renewal.lost:
                self.bury(run_id)
            else:
                self.model.runs[run_id].leased_until = self.model.now + LEASE

    # Time, and what is left of workers that are gone.

    @rule(seconds=st.sampled_from([LEASE * 0.4, LEASE * 1.1, EXPIRE_AFTER]))
    def time_passes(self, seconds: float) -> None:
        self.model.now += seconds
        self.do(self.store.client.incrby("harness:{p0}:clock_offset", round(seconds * 1000)))

    @rule(hold=st.booleans())
    def every_worker_dies(self, hold: bool) -> None:
        """And another one takes over, or leaves the runs where they are."""
        self.time_passes(LEASE * 1.1)
        self.sweep(hold=hold)
        self.claim(want=3)

    @precondition(lambda self: self.zombies)
    @rule(which=pick, deed=st.sampled_from(["append", "finish", "park", "read", "call", "save"]))
    def a_zombie_wakes(self, which: int, deed: str) -> None:
        """A worker that lost its run does not know it yet. Nothing of what it does may count."""
        fence = _one(self.zombies, which).fence
        deeds = {
            "append": self.store.runs.append(fence, 99, [OutputDelta(text="late")]),
            "finish": self.store.runs.finish(fence, RunState.COMPLETED, RunCompleted(output="late")),
            "park": self.store.runs.park(fence),
            "read": self.store.messages.mark_read(fence, ["x"]),
            "call": self.store.calls.start(fence, "free", asked=DIGEST, running=DIGEST),
            "save": self.store.checkpoints.put(fence.thread_id, "", "z", header=b"", blobs={}, fence=fence),
        }
        wanted = deeds.pop(deed)
        for other in deeds.values():
            other.close()
        try:
            self.do(wanted)
        except StaleFence:
            return
        raise AssertionError(f"a lost worker could {deed}")

    @invariant()
    def the_store_stands_as_the_model_does(self) -> None:
        self.do(agree(self.store, self.model, PER_TENANT, PER_USER))

    @invariant()
    def no_tool_ran_without_leave(self) -> None:
        assert all(ran <= 1 + self.allowed_again[call] for call, ran in self.effects.items())

    # The end of a story.

    def settle(self) -> None:
        """After the last fault everything comes to an end, and new work goes as if nothing had been."""
        for _ in range(200):
            if not any(self.model.line.values()):
                break
            self.time_passes(EXPIRE_AFTER)
            self.sweep(hold=False)
            for run_id in [run_id for run_id, run in self.model.runs.items() if run.held]:
                self.model.runs[run_id].held = False
                self.do(self.store.runs.carry_on(run_id))
            self.claim(want=3)
            for claim in list(self.claims.values()):
                self.read(list(self.claims.values()).index(claim))
                self.end(claim, well=True)
        self.do(nothing_left(self.store))
        self.do(stories_hold(self.store, self.model, [stored for _, stored in self.messages.values()]))
        for conversation in ("C1", "C2", "C3"):
            self.messages.pop(f"post-{len(self.messages)}", None)
            self.deliver(conversation, "U1", "queue")
            self.claim(want=1)
            (claim,) = self.claims.values()
            self.end(claim, well=True)
        self.do(nothing_left(self.store))

    def request(self) -> int:
        self.requests += 1
        return self.requests

    def worker(self, which: int) -> Claim:
        claim: Claim = _one(self.claims.values(), which)
        return claim

    def lost(self, claim: Claim) -> None:
        assert not self.model.holds(claim.run.run_id)
        self.bury(claim.run.run_id)

    def bury(self, run_id: str) -> None:
        """The worker of this run holds it no more; it may wake up again all the same."""
        if run_id in self.claims:
            self.zombies.append(self.claims.pop(run_id))

    def place(self, run_id: str) -> Fence:
        conversation = self.model.runs[run_id].conversation
        return Fence(tenant=TENANT, conversation=conversation, thread_id="", run_id=run_id, epoch=0)


def _one(choices: Any, which: int) -> Any:
    known = list(choices)
    return known[which % len(known)]


def _answer(approval: Approval, yes: bool) -> Decision:
    if approval.kind == "uncertain":
        return RunAgain() if yes else Skip() if len(approval.approval_id) % 2 else ItIsDone()
    return Approve() if yes else Reject()
