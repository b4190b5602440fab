"""Rules that do to the store what people, workers, clocks and crashes do, each beside what the model says of it."""

from __future__ import annotations

import asyncio
from enum import Enum, auto

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from store.asking import DIGEST
from store.conversation_checks import agree, nothing_left, stories_hold
from store.conversation_model import LEASE
from store.conversation_workers import EXPIRE_AFTER, PER_TENANT, PER_USER, TENANT, Workers, one_of

from harness_core.approvals import Approval, Approve, Decision, ItIsDone, Reject, RunAgain, Skip, TooLate, Won
from harness_core.errors import StaleFence
from harness_core.events import OutputDelta, RunCompleted
from harness_core.models import Accepted, Duplicate, Fence, Refused, Steered, Submission, WhileRunning
from harness_core.states import RunState
from harness_core.store import Store

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
    TAKE = auto()
    READ = auto()
    SAVE = auto()
    FINISH = auto()
    FAIL = auto()
    HAND_OVER = auto()


class ConversationMachine(Workers):
    """One story of conversations; at its end everything has to come to rest."""

    def __init__(self, loop: asyncio.AbstractEventLoop, store: Store) -> None:
        super().__init__(loop, store)
        self.messages: dict[str, tuple[Submission, str]] = {}  # by name, with the id it was stored under
        self.requests = 0

    def teardown(self) -> None:
        self.settle()

    @initialize(mode=modes)
    def a_day_begins(self, mode: WhileRunning) -> None:
        """With work for two workers, of which one waits for people."""
        for conversation, user in (("C1", "U1"), ("C2", "U2"), ("C2", "U1"), ("C3", "U3")):
            self.deliver(conversation, user, "queue")
        self.claim(want=3)
        self.deliver("C1", "U2", mode)
        self.call(0, "gated", ends=True)
        self.park(0)

    # People.

    @precondition(lambda self: len(self.messages) < 14 and self.claims)
    @rule(which=pick, user=users)
    def steer(self, which: int, user: str) -> None:
        self.deliver(self.worker(which).run.conversation, user, "steer")

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
                assert run.generation == self.model.generation[conversation]
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
        message, stored = one_of(self.messages.values(), which)
        holder = self.model.holder(stored)
        answer = self.do(self.store.runs.accept(message))
        assert isinstance(answer, Duplicate)
        if holder is not None:
            assert self.model.runs[answer.run_id] is holder

    @precondition(lambda self: self.messages)
    @rule(which=pick)
    def edit(self, which: int) -> None:
        message, stored = one_of(self.messages.values(), which)
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
        message, stored = one_of(self.messages.values(), which)
        expected = self.model.withdraw(stored)
        assert self.do(self.store.messages.withdraw(TENANT, message.dedupe[0], "U1")).outcome == expected

    @precondition(lambda self: self.model.runs)
    @rule(which=pick)
    def cancel(self, which: int) -> None:
        live = [run_id for line in self.model.line.values() for run_id in line]
        run_id = one_of(live if live and which % 8 else self.model.runs, which)
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
        run_id = one_of((run_id for run_id, run in self.model.runs.items() if run.held), which)
        self.model.runs[run_id].held = False
        assert self.do(self.store.runs.carry_on(run_id))

    @precondition(lambda self: self.asked)
    @rule(which=pick, yes=st.booleans())
    def click(self, which: int, yes: bool) -> None:
        asked = [each for run in self.model.runs.values() for each in run.asked]
        self.decide(one_of(asked if asked and which % 8 else self.asked, which), yes=yes)

    def decide(self, approval_id: str, *, yes: bool) -> None:
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
            case Deed.TAKE | Deed.READ:
                self.hear(self.worker(which), answered=deed is Deed.READ)
            case Deed.SAVE:
                self.save(which)
            case Deed.FINISH:
                self.finish(which, well=True)
            case Deed.FAIL:
                self.finish(which, well=False)
            case Deed.HAND_OVER:
                self.hand_over(which)

    @rule(want=st.integers(min_value=1, max_value=3))
    def workers_look_for_work(self, want: int) -> None:
        self.claim(want=want)

    @precondition(lambda self: self.claims)
    @rule()
    def workers_renew(self) -> None:
        self.renew()

    @rule(hold=st.booleans())
    def workers_sweep(self, hold: bool) -> None:
        self.sweep(hold=hold)

    # Time, and what is left of workers that are gone.

    @rule(seconds=st.sampled_from([LEASE * 0.4, LEASE * 1.1]))
    def time_passes(self, seconds: float) -> None:
        self.wait(seconds)

    @precondition(lambda self: any(run.asked for run in self.model.runs.values()))
    @rule(swept=st.booleans())
    def expire(self, swept: bool) -> None:
        """Whether or not a worker has noticed it yet: nobody can answer any more."""
        self.wait(EXPIRE_AFTER)
        if swept:
            self.sweep(hold=False)

    @rule(hold=st.booleans())
    def crash(self, hold: bool) -> None:
        """And another one takes over, or leaves the runs where they are."""
        self.wait(LEASE * 1.1)
        self.sweep(hold=hold)
        self.claim(want=3)

    @precondition(lambda self: self.claims)
    @rule(which=pick, answers=st.lists(st.booleans(), max_size=2))
    def crash_inside_a_tool(self, which: int, answers: list[bool]) -> None:
        """Whoever takes over asks what became of the call, and people say so, or say nothing."""
        run_id = self.worker(which).run.run_id
        self.call(which, "free", ends=False)
        self.crash(hold=False)
        for answer in answers:
            if run_id not in self.claims:
                return
            self.call(list(self.claims).index(run_id), "free", ends=False)
            if run_id in self.claims:
                self.park(list(self.claims).index(run_id))
            for place, approval_id in enumerate(self.asked):
                if self.asked[approval_id][0] == run_id:
                    self.decide(list(self.asked)[place], yes=answer)

    @precondition(lambda self: self.zombies)
    @rule(which=pick, deed=st.sampled_from(["append", "finish", "park", "take", "read", "call", "save"]))
    def a_zombie_wakes(self, which: int, deed: str) -> None:
        """A worker that lost its run does not know it yet. Nothing of what it does may count."""
        fence = one_of(self.zombies, which).fence
        deeds = {
            "append": self.store.runs.append(fence, 99, [OutputDelta(text="late")]),
            "finish": self.store.runs.finish(fence, RunState.COMPLETED, RunCompleted(output="late")),
            "park": self.store.runs.park(fence),
            "take": self.store.messages.take(fence, ["x"]),
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
            self.wait(EXPIRE_AFTER)
            self.sweep(hold=False)
            for run_id in [run_id for run_id, run in self.model.runs.items() if run.held]:
                self.model.runs[run_id].held = False
                self.do(self.store.runs.carry_on(run_id))
            self.claim(want=3)
            for claim in list(self.claims.values()):
                self.hear(claim, answered=False)
                self.hear(claim, answered=True)
                self.end(claim, well=True)
        self.do(nothing_left(self.store))
        self.do(stories_hold(self.store, self.model, [stored for _, stored in self.messages.values()]))
        for run_id in list(self.claims):
            self.bury(run_id)
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

    def place(self, run_id: str) -> Fence:
        conversation = self.model.runs[run_id].conversation
        return Fence(tenant=TENANT, conversation=conversation, thread_id="", run_id=run_id, epoch=0)


def _answer(approval: Approval, yes: bool) -> Decision:
    if approval.kind == "uncertain":
        return RunAgain() if yes else Skip() if len(approval.approval_id) % 2 else ItIsDone()
    return Approve() if yes else Reject()
