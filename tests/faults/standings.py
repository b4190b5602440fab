"""Places in the life of a run that asks people, runs that stand there, and how each must end whatever is killed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, Self

from fleet import ACT, ACT_AGAIN, Armed, Fleet, Request
from fleet.request import new_name
from waiting import wait_until

from bot.playground.records import Outcome
from bot.view.values import APPROVAL_AGAIN, APPROVAL_APPROVE, APPROVAL_DONE, APPROVAL_SKIP
from harness_core.approvals import Approval
from harness_core.states import TERMINAL

Victim = Literal["worker", "web", "redis"]

TOLD = {
    APPROVAL_DONE: ("a person found that it is done", "that it is done. It was not run again."),
    APPROVAL_SKIP: ("it was not run again", "skipped it at"),
    APPROVAL_AGAIN: ("it was run again.", "chose to run it again. Ran at"),
}
"""What the card and the uncertain card say in the end, by the button of the latter."""

ANSWERS = {
    None: "{} is done.",
    APPROVAL_DONE: "A person checked: it has happened.",
    APPROVAL_SKIP: "It was not run again.",
    APPROVAL_AGAIN: "{} is done.",
}
"""What the answer says of the call, by the same button; None: nobody was asked."""

WITHIN = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """One place. ``point`` is where a process of ``role`` is held; without one the card waits, or a tool works.

    ``early``: before the card can be seen. ``doubtful``: a worker that dies here leaves an unknown outcome behind.
    """

    name: str
    point: str = ""
    role: Literal["worker", "web"] = "worker"
    tool: str = ACT
    early: bool = False
    inside: bool = False
    doubtful: bool = False
    done: bool = False
    answer: str = APPROVAL_DONE

    @property
    def decided(self) -> bool:
        """Whether somebody has approved by then."""
        return self.role == "worker" and not self.early and (self.inside or bool(self.point))


EARLY = (
    Stand(name="before the card is posted", point="before:chat.postMessage.card", early=True),
    Stand(name="before Slack's word about the card", point="after:chat.postMessage.card", early=True),
)
PLACES = (
    Stand(name="while the card waits"),
    Stand(name="before the call starts", point="before:call_start"),
    Stand(name="after the call has started", point="after:call_start", doubtful=True, answer=APPROVAL_AGAIN),
    Stand(name="inside the tool: done", inside=True, doubtful=True, answer=APPROVAL_DONE),
    Stand(name="inside the tool: again", inside=True, doubtful=True, answer=APPROVAL_AGAIN),
    Stand(name="inside the tool: skip", inside=True, doubtful=True, answer=APPROVAL_SKIP),
    Stand(name="before the result is stored", point="before:call_done", doubtful=True, answer=APPROVAL_SKIP),
    Stand(name="after the result is stored", point="after:call_done", done=True),
    Stand(name="before the writes of the step", point="before:ck_writes", done=True),
    Stand(name="before the checkpoint", point="before:ck_put", done=True),
    Stand(name="before the final edit", point="before:chat.update.final", done=True),
    Stand(name="repeatable, after the call has started", point="after:call_start", tool=ACT_AGAIN),
    Stand(name="repeatable, inside the tool", inside=True, tool=ACT_AGAIN),
    Stand(name="repeatable, before the result is stored", point="before:call_done", tool=ACT_AGAIN),
)
CLICKS = (
    Stand(name="before the decision is stored", point="before:decide", role="web"),
    Stand(name="after the decision is stored", point="after:decide", role="web"),
)
"""A click is acknowledged within three seconds whatever holds it up, so these come last."""
UNASKED = (
    Stand(name="before the question is stored", point="before:call_open", early=True),
    Stand(name="after the question is stored", point="after:call_open", early=True),
    Stand(name="before the run is parked", point="before:park", early=True),
    Stand(name="after the run is parked", point="after:park", early=True),
    Stand(name="before the card is booked", point="before:out_begin", early=True),
)
"""Found by their channel, which nobody else may use meanwhile."""
CLAIM = Stand(name="after the click, before the run goes on", point="after:claim")
"""The worker that stands here claims nothing else, so it comes after the others."""


@dataclass(slots=True, kw_only=True)
class Standing:
    """A run at its place."""

    stand: Stand
    request: Request
    orders: list[Armed] = field(default_factory=list)
    redraw: list[Armed] = field(default_factory=list)
    click: asyncio.Task[Outcome] | None = None
    action: str = "hold"

    @classmethod
    async def ask(cls, fleet: Fleet, stand: Stand, channel: str, *, action: str = "hold") -> Self:
        """Asks for a call; returns when the run waits for people, or came to its place before it could.

        There the process is held, or with ``action`` "kill" it dies.
        """
        name, early = new_name(), list[Armed]()
        if stand.early:
            about = name if stand.point.endswith(".card") else channel
            early = fleet.arm("worker", stand.point, about=about, action=action)
        request = await Request.make(fleet, tool=stand.tool, name=name, channel=channel)
        standing = cls(stand=stand, request=request, orders=early, action=action)
        if stand.early:
            await standing._reached()
        else:
            await request.card()
            await request.parked()
        return standing

    async def take_place(self) -> None:
        """Brings the run that waits to its place; returns when it stands there."""
        stand, request, fleet = self.stand, self.request, self.request.fleet
        if stand.role == "web":
            question = await request.question()
            self.orders = fleet.arm("web", stand.point, about=question.approval_id, action=self.action)
            # The card stays as the person sees it, so there is something to press again.
            self.redraw = fleet.arm("worker", "before:chat.update.card", about=request.name, action="hold")
            self.click = asyncio.create_task(request.press(APPROVAL_APPROVE))
            await self._reached()
        elif stand.inside:
            await fleet.effects.hold(request.name)
            await request.approve()
            await request.acted()
        elif stand.decided:
            self.orders = fleet.arm("worker", stand.point, about=request.run_id, action=self.action)
            await request.approve()
            await self._reached()

    async def _reached(self) -> None:
        await wait_until(
            lambda: not all(each.pending for each in self.orders), timeout=30, what=self.stand.name
        )

    async def let_go(self) -> None:
        """Whatever was held of this run goes on."""
        for order in self.orders:
            order.let_go()
        await self.request.fleet.effects.let_go(self.request.name)

    async def ends_well(self, victim: Victim) -> None:
        """It is decided where it was not, ends, and everything that must hold for it does."""
        request, stand = self.request, self.stand
        if self.click is not None:
            outcome = await self.click
            assert victim != "web" or not outcome.ok, outcome
        if not stand.decided:
            await self._decide(victim)
        for order in self.redraw:
            order.let_go()
        doubt = await self._settled()
        first = len(await request.effects())
        if doubt is None:
            assert not (victim == "worker" and stand.doubtful), "nobody was asked what became of it"
            await request.card_says("Ran once at")
        else:
            self._is_justified(victim, first)
            await self._answer(doubt)
        cards = 1 if doubt is None else 2
        answer = await request.fleet.completed(request.asked, within=WITHIN, cards=cards)
        assert ANSWERS[stand.answer if doubt else None].format(request.name) in answer.output, answer.output
        await self._acted_rightly(victim, first, doubted=doubt is not None)

    async def _decide(self, victim: Victim) -> None:
        """The person approves until it counts: what was under way when the web process died may be lost."""
        request = self.request
        await request.card(within=WITHIN)
        if victim == "web" and self.stand.point == "after:decide":
            await request.approve()
            await self._told_that_it_counted()
            return

        async def counts() -> bool:
            found = await request.questions()
            if found and found[0].state == "open":
                await request.press(APPROVAL_APPROVE)
                found = await request.questions()
            return any(each.state == "decided" for each in found)

        await wait_until(counts, timeout=WITHIN, what=f"a decision about {request.name}")

    async def _told_that_it_counted(self) -> None:
        fleet = self.request.fleet
        approver = fleet.playground.config.cast.approver

        async def told() -> bool:
            said = await fleet.door.ephemerals(user=approver, channel=self.request.asked.channel)
            return any(f"Already approved by <@{approver}>" in each.text for each in said)

        await wait_until(told, what="the approver is told that the first click counted")

    async def _settled(self) -> Approval | None:
        """Waits for its end, or for a question what became of it."""

        async def settled() -> Approval | Literal["ended", ""]:
            for each in await self.request.questions(uncertain=True):
                if each.state == "open":
                    return each
            return "ended" if await self.request.state() in TERMINAL else ""

        found = await wait_until(settled, timeout=WITHIN, what=f"the end of {self.request.run_id}")
        return found if isinstance(found, Approval) else None

    def _is_justified(self, victim: Victim, effects: int) -> None:
        assert self.stand.tool == ACT, "a call that may be repeated was asked about"
        assert victim != "web", "the worker lived, and asked what became of its own call"
        assert not self.stand.done, "the result was stored, and people were asked"
        assert victim == "redis" or self.stand.doubtful, "the call had not started, and people were asked"
        assert effects <= 1, f"{effects} effects before anybody was asked"

    async def _answer(self, doubt: Approval) -> None:
        request, part = self.request, f"doubt:{doubt.approval_id}"
        card = await request.card(part, within=WITHIN)
        assert "It may have happened. Check, then choose." in card.text, card.text
        outcome = await request.press(self.stand.answer, part=part)
        assert outcome.ok, outcome
        on_card, on_doubt = TOLD[self.stand.answer]
        await request.card_says(on_doubt, part, within=WITHIN)
        await request.card_says(on_card, within=WITHIN)

    async def _acted_rightly(self, victim: Victim, first: int, *, doubted: bool) -> None:
        effects = await self.request.effects()
        assert len({each.key for each in effects}) <= 1, effects
        again = doubted and self.stand.answer == APPROVAL_AGAIN
        if self.stand.tool == ACT:
            assert len(effects) == (first + 1 if again else first), effects
            assert doubted or len(effects) == 1, effects
        elif victim == "worker":
            began = self.stand.inside or self.stand.point == "before:call_done"
            assert len(effects) == (2 if began else 1), effects
        else:
            assert len(effects) == 1 or victim == "redis", effects
            assert effects


async def all_end_well(standings: Iterable[Standing], victim: Victim) -> None:
    """Every one of them, side by side; names those that do not."""
    chosen = list(standings)
    ends = await asyncio.gather(*(each.ends_well(victim) for each in chosen), return_exceptions=True)
    failed: list[Exception] = []
    for standing, end in zip(chosen, ends, strict=True):
        if isinstance(end, Exception):
            end.add_note(f"{victim} killed {standing.stand.name}: {standing.request.run_id}")
            failed.append(end)
        elif end is not None:
            raise end
    if failed:
        raise ExceptionGroup(f"{len(failed)} of {len(chosen)} runs did not end well", failed)
