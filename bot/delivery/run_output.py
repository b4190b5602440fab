"""What the owner knows of one run while it shows it: the folded view, the records, when it may speak next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from bot.delivery.budgets import Method
from bot.delivery.parts import FIRST, PING, STATUS, ping, plain, unreachable, wants_ping
from bot.delivery.planning import Call, asked_anew, is_left_behind, nothing_posted, outstanding
from bot.delivery.target import Target, place_of
from bot.view.approval_card import card_name, cards
from bot.view.fold import RunView, fold, start
from bot.view.message import Part, render
from bot.view.questions import Edit
from bot.view.reminders import reminders
from harness_core.events import Event
from harness_core.models import UNDELIVERABLE, Delivery, Run
from harness_core.states import RunState

REPOSTS_WHILE_RUNNING: Final = 2
"""Messages that are posted anew for one part before its run ends: somebody may delete each as it appears."""
_ABOUT_QUESTIONS: Final = "approval."


@dataclass(frozen=True, slots=True)
class Held:
    """Nothing is said before ``seconds`` are over."""

    seconds: float


@dataclass(slots=True)
class RunOutput:
    """One run. Times are seconds of the monotonic clock.

    ``not_before`` keeps the pace; its last word and what people wait for need not heed it. ``retry_at`` follows a
    fault. ``peeked`` is the newest event of which at least the name is known, and ``called`` that one was about a
    question. ``sent`` is when each part was last spoken of. ``closed`` is Slack's name for why nothing can be said in
    the thread any more, ``posted`` the place of the newest message there that is a person's, once the run has ended.
    """

    run: Run
    target: Target
    view: RunView
    request_url: str
    deliveries: dict[str, Delivery]
    not_before: float = 0.0
    retry_at: float = 0.0
    peeked: int = 0
    called: bool = False
    urgent: bool = False
    closed: str | None = None
    failures: int = 0
    posted: int | None = None
    touched: float = 0.0
    seen: float | None = None
    started: float | None = None
    sent: dict[str, float] = field(default_factory=dict)
    plain: set[str] = field(default_factory=set)
    checked: set[str] = field(default_factory=set)
    reposts: Counter[str] = field(default_factory=Counter)
    compared: dict[str, Edit | None] = field(default_factory=dict)

    @classmethod
    def of(
        cls, run: Run, target: Target, deliveries: dict[str, Delivery], request_url: str = ""
    ) -> RunOutput:
        """``request_url`` leads to the message that asked for the run."""
        return cls(run=run, target=target, view=start(run), deliveries=deliveries, request_url=request_url)

    def take(self, events: list[Event], now: float) -> None:
        """Folds what is new."""
        self.view = fold(self.view, events)
        self.peeked = max(self.peeked, self.view.seq)
        self.seen = now if self.seen is None else self.seen
        if self.started is None and self.view.started_at is not None:
            self.started = now

    def peek(self, names: Sequence[str]) -> None:
        """Takes note of the names of what is new."""
        self.peeked += len(names)
        self.called = self.called or any(name.startswith(_ABOUT_QUESTIONS) for name in names)

    def uncompared(self) -> list[str]:
        """Open questions that have not been compared with what was approved before."""
        asked = (question for question in self.view.open_questions if not question.uncertain)
        return [question.approval_id for question in asked if question.approval_id not in self.compared]

    @property
    def first(self) -> Delivery | None:
        return self.deliveries.get(FIRST)

    @property
    def streaming(self) -> bool:
        """Whether it will need edits and an end."""
        return self.view.state in {RunState.RUNNING, RunState.RESUMING}

    @property
    def next_call(self) -> tuple[Method, bool]:
        """The method and urgency that its next call most likely has, without rendering anything."""
        posted = self.first is not None and self.first.external_id is not None
        return (Method.UPDATE if posted else Method.POST), self.urgent

    def opening(self, now: float, patience: float) -> Held | None:
        """How long the first message waits for something to say; None once it may be posted.

        A status line covers the wait of a run that is next, for a moment: Slack takes it away after a while, and it
        cannot be cancelled. Where it failed, the message comes at once.
        """
        first, status = self.first, self.deliveries.get(STATUS)
        queued = self.view.state is RunState.QUEUED
        until = (now if self.seen is None else self.seen) + patience
        if queued and (first is not None or now >= until):
            self.view = replace(self.view, delayed=True)
        view = self.view
        if (
            view.delayed
            or first is not None
            or view.ended
            or view.text
            or view.calls
            or (queued and view.position)
        ):
            return None
        if status is not None and status.state == "undeliverable":
            return None
        if queued:
            return Held(until - now)
        if self.started is not None and now < self.started + patience and view.state is RunState.RUNNING:
            return Held(self.started + patience - now)
        return None

    def status_failed(self) -> None:
        """Notes that there will be no status line, so the message does not wait."""
        self.deliveries[STATUS] = nothing_posted(self.run.run_id, STATUS, state="undeliverable")

    def status_call(self) -> Call | None:
        """The call that says at once that the message was seen, before there is a message."""
        if STATUS in self.deliveries:
            return None
        before = nothing_posted(self.run.run_id, STATUS)
        return Call(
            method=Method.STATUS,
            part=Part(name=STATUS, text="", blocks=(), final=False),
            pending=replace(before, state="pending", shown=self.view.seq),
            before=before,
        )

    def calls(self) -> list[Call]:
        """What is to be said now; rendered at this moment, so nothing that was overtaken is ever sent."""
        if self.is_closed:
            told = unreachable(self.view.requester, self.target.channel, self.closed or "")
            return self._outstanding([] if self.target.is_direct else [told])
        parts = [*self._answer(), *self._cards(), *reminders(self.view, direct=self.target.is_direct)]
        first = self.first
        if wants_ping(self.view, out_of_sight=self._is_out_of_sight()) and (
            first is None or first.state != "undeliverable"
        ):
            parts.append(ping(self.view, ""))
        found = self._outstanding(parts)
        if any(call.part.urgent for call in found):
            # People wait for what stands below the first message, so nothing else comes before that one.
            found = [self._hurried(call) if self._opens(call) else call for call in found]
        return sorted(found, key=self._rank)

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be said in the thread any more, as this or a former owner found out."""
        failure = self.view.failure
        return self.closed is not None or (failure is not None and failure.reason == UNDELIVERABLE)

    @property
    def pressing(self) -> bool:
        """Whether people wait for a card to be shown or changed, found without rendering an answer that grows."""
        asked = bool(self.view.approvals) and not self.view.ended and not self.is_closed
        return asked and bool(self._outstanding(self._cards()))

    def _is_out_of_sight(self) -> bool:
        """Whether a person wrote below the last message of the answer."""
        answer = (record for part, record in self.deliveries.items() if part[:1].isdecimal())
        places = [place_of(record.external_id) for record in answer if record.external_id is not None]
        return self.posted is not None and bool(places) and self.posted > max(places)

    def checks(self) -> list[Call]:
        """Edits of messages as they stand, which finds those that somebody deleted: the answer's and open cards.

        For a run that was marked as lagging though nothing happened to it.
        """
        shown = max((record.shown for record in self.deliveries.values()), default=0)
        if self.view.ended or shown < self.view.seq or self.is_closed:
            return []
        asked = {card_name(question) for question in self.view.open_questions}
        needed = [*self._answer(), *(card for card in self._cards() if card.name in asked)]
        anew = [
            asked_anew(part, self.deliveries[part.name], self.view.seq)
            for part in needed
            if part.name in self.deliveries and part.name not in self.checked
        ]
        return [call for call in anew if call is not None]

    def _answer(self) -> list[Part]:
        return [
            piece
            for part in render(self.view)
            for piece in (plain(part) if part.name in self.plain else [part])
        ]

    def _cards(self) -> list[Part]:
        return [*cards(self.view, request_url=self.request_url, brief=self.plain, last=self.compared)]

    def _outstanding(self, parts: list[Part]) -> list[Call]:
        found = outstanding(self.run.run_id, parts, self.deliveries, shown=self.view.seq)
        if self.view.ended:
            return found
        spent = {part for part, count in self.reposts.items() if count > REPOSTS_WHILE_RUNNING}
        return [call for call in found if not (call.method is Method.POST and call.part.name in spent)]

    def _opens(self, call: Call) -> bool:
        """Whether ``call`` brings the message under which all others stand."""
        return call.part.name == FIRST and call.pending.external_id is None

    def _hurried(self, call: Call) -> Call:
        return replace(call, part=replace(call.part, urgent=True))

    def _rank(self, call: Call) -> int:
        """The first message, then what people wait for, then the rest; of an ended run the answer comes first.

        A message that another one replaced waits until it may be edited, so nothing else waits for it.
        """
        if self._opens(call):
            return 0
        if is_left_behind(call.part.name):
            return 5
        if call.part.urgent:
            return 3 if self.view.ended else 1
        return 4 if call.part.name == PING else 2

    def wait_for(self, call: Call, now: float, interval: float) -> float:
        """Seconds until ``call`` may follow the last one about the same message. A last word does not wait."""
        last = self.sent.get(call.part.name)
        if last is None or call.urgent or call.method is not Method.UPDATE:
            return 0.0
        return max(0.0, last + interval - now)

    def settled(self) -> Delivery:
        """Any record, to store that everything up to now is shown."""
        record = self.first or next(iter(self.deliveries.values()))
        return replace(record, shown=max(record.shown, self.view.seq))
