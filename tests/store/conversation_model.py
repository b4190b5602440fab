"""What conversations must do, in a few lines of Python: the lines, the leases, who may be written to, what is passed on.

It knows nothing of Redis. Where it and the scripts disagree, one of them is wrong.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

LEASE = 1000.0
"""Seconds; long, so that a slow machine does not end one by itself."""

MAX_ATTEMPTS = 3
MAX_TAKEOVERS = 10
OVER = frozenset({"completed", "failed", "cancelled"})


@dataclass
class Run:
    """``leased_until`` None: nobody holds it. ``held``: left until somebody lets it go on.

    ``told`` are those of the unread messages that its model is about to read.
    """

    conversation: str
    user: str
    generation: int
    state: str = "queued"
    stopping: bool = False
    held: bool = False
    leased_until: float | None = None
    leased_at: float | None = None
    seen_at: float = 0.0
    worked: float = 0.0
    attempts: int = 0
    takeovers: int = 0
    unread: list[str] = field(default_factory=list)
    told: set[str] = field(default_factory=set)
    read: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def live(self) -> bool:
        return self.state not in OVER

    @property
    def at_work(self) -> bool:
        return self.live and self.state != "queued" and not self.stopping

    @property
    def ready(self) -> bool:
        """Of the first in line: whether a worker may take it."""
        return self.leased_until is None and not self.held and self.state != "waiting_for_approval"


class Conversations:
    """``gone`` are messages that left with a thread or were taken back before anybody read them; ``withdrawn`` those
    that were taken back while a model was told of them.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.runs: dict[str, Run] = {}
        self.line: dict[str, list[str]] = defaultdict(list)
        self.generation: dict[str, int] = defaultdict(lambda: 1)
        self.corrections: set[str] = set()
        self.gone: set[str] = set()
        self.withdrawn: set[str] = set()

    def head(self, conversation: str) -> Run | None:
        line = self.line[conversation]
        return self.runs[line[0]] if line else None

    def fate(self, conversation: str, mode: str) -> str:
        """What becomes of a message that comes now."""
        head = self.head(conversation)
        if mode == "reject" and head and not (head.stopping and len(self.line[conversation]) == 1):
            return "busy"
        if mode == "steer" and head and head.at_work:  # never one of an older thread: it was stopped
            return "steered"
        return "accepted"

    def accept(self, conversation: str, run_id: str, user: str, mode: str) -> int:
        """Adds a run; the number of runs before it."""
        head, line = self.head(conversation), self.line[conversation]
        self.runs[run_id] = Run(conversation, user, self.generation[conversation])
        if head and head.at_work and mode == "interrupt":
            line.insert(1, run_id)
            self.stop(line[0])
        else:
            line.append(run_id)
        return line.index(run_id)

    def stop(self, run_id: str) -> bool:
        """Whether the run has ended by it."""
        run = self.runs[run_id]
        if run.leased_until is not None or (run.state == "running" and not run.held):
            run.stopping = True
            return False
        self.end(run_id, "cancelled")
        return True

    def end(self, run_id: str, state: str) -> None:
        run = self.runs[run_id]
        self.free(run, self.now)
        run.state, run.held = state, False
        run.asked.clear()
        self.line[run.conversation].remove(run_id)
        left, run.unread = [each for each in run.unread if each not in self.corrections], []
        self.gone |= self.withdrawn & set(left)
        left = [each for each in left if each not in self.withdrawn]
        if run.generation != self.generation[run.conversation]:
            self.gone.update(left)
        elif left:
            self.runs[left[0]] = Run(run.conversation, "", run.generation, unread=left[1:])
            self.line[run.conversation].insert(0, left[0])

    def restart(self, conversation: str) -> None:
        self.generation[conversation] += 1
        for run_id in reversed(self.line[conversation].copy()):
            self.stop(run_id)

    def amend(self, message: str) -> str:
        """What a change of a message leads to."""
        holder = self.holder(message)
        if holder is None or not holder.live or holder.stopping:
            return "nothing"
        if message in set(holder.unread) - holder.told or (message in self.runs and holder.state == "queued"):
            return "changed"
        return "corrected"

    def correct(self, run_id: str, message: str, correction: str) -> None:
        """Of two corrections that no model was told the newer one is left."""
        run = self.runs[run_id]
        run.unread = [each for each in run.unread if each in run.told or not each.startswith(f"{message}.")]
        run.unread.append(correction)
        self.corrections.add(correction)

    def withdraw(self, message: str) -> str:
        holder = self.holder(message)
        if holder is None:
            return "nothing"
        if message in holder.told and message in holder.unread:
            self.withdrawn.add(message)
        elif message in holder.unread:
            holder.unread.remove(message)
            self.gone.add(message)
            return "unread"
        if message in self.runs and holder.state == "queued":
            self.stop(message)
            return "cancelled"
        return "nothing"

    def holder(self, message: str) -> Run | None:
        """The run that a message is, or that has it."""
        if message in self.runs:
            return self.runs[message]
        return next((run for run in self.runs.values() if message in run.unread or message in run.read), None)

    def claim(self, run_id: str) -> None:
        run = self.runs[run_id]
        run.leased_at = self.now
        self.keep(run_id)
        if run.state == "queued":
            run.state = "running"

    def holds(self, run_id: str) -> bool:
        until = self.runs[run_id].leased_until
        return until is not None and until > self.now

    def keep(self, run_id: str) -> None:
        run = self.runs[run_id]
        run.seen_at, run.leased_until = self.now, self.now + LEASE

    def free(self, run: Run, till: float) -> None:
        """What was worked until ``till`` is all that counts."""
        if run.leased_at is not None:
            run.worked += till - run.leased_at
        run.leased_at = run.leased_until = None

    def release(self, run_id: str) -> None:
        self.free(self.runs[run_id], self.now)

    def reap(self, *, hold: bool) -> None:
        for run_id, run in list(self.runs.items()):
            if run.leased_until is not None and run.leased_until <= self.now:
                self.free(run, run.seen_at)
                run.attempts += 1
                run.takeovers += 1
                if run.attempts > MAX_ATTEMPTS or run.takeovers > MAX_TAKEOVERS:
                    self.end(run_id, "failed")
                else:
                    run.held = hold and not run.stopping

    def park(self, run_id: str) -> str:
        run = self.runs[run_id]
        if run.stopping:
            return "cancelled"
        if run.asked:
            self.free(run, self.now)
            run.state, run.attempts = "waiting_for_approval", 0
            return "waiting"
        run.state = "resuming"
        return "resuming"

    def answered(self, run_id: str, approval: str) -> None:
        run = self.runs[run_id]
        run.asked = [each for each in run.asked if each != approval]
        if run.state == "waiting_for_approval" and not run.asked:
            run.state, run.attempts = "resuming", 0
