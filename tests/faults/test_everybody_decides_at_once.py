"""Twenty people decide in the same instant: one decision, one effect or none, and everybody else is told whose."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from faults.stories import Measured, at_rest
from fleet import Fleet, Request, start_fleet
from fleet.fleet import ANSWER, part_of
from waiting import wait_until

from bot.playground.records import Message, Outcome
from bot.view.values import APPROVAL_APPROVE, APPROVAL_REJECT
from harness_core import RunState
from harness_core.approvals import Approval

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROUNDS = 50
PEOPLE = tuple(f"U0CROWD{number:02}" for number in range(20))
WORDS = {"approve": "approved", "reject": "rejected"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet() -> AsyncIterator[Fleet]:
    """A fleet in which any of twenty people may decide."""
    async with start_fleet(crowd=PEOPLE, approvers=PEOPLE, FAULT_BUDGETS="off") as running:
        await running.start("web", "worker")
        yield running


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """How one went: who wanted to approve, and the question as it was decided."""

    request: Request
    approving: frozenset[str]
    decided: Approval

    @property
    def winner(self) -> str:
        return self.decided.decided_by or ""

    @property
    def told(self) -> str:
        """What everybody else is told."""
        return f"Already {WORDS[self.decided.decision or '']} by <@{self.winner}> at "


async def test_of_twenty_people_who_decide_in_the_same_instant_one_does_and_the_call_runs_as_they_said(
    fleet: Fleet, measured: Measured
) -> None:
    began = time.monotonic()
    cast, seed = fleet.playground.config.cast, random.SystemRandom().randrange(10**6)
    measured(f"seed {seed}")
    chance = random.Random(seed)
    rooms = itertools.cycle((cast.general, cast.ops, cast.private))
    asking = [Request.make(fleet, channel=room) for _, room in zip(range(ROUNDS), rooms, strict=False)]
    requests = await asyncio.gather(*asking)
    cards = await asyncio.gather(*(request.card(within=60) for request in requests))
    asked = time.monotonic()
    rounds = [
        await decide_at_once(request, card, chance, mostly=number % 2 == 0)
        for number, (request, card) in enumerate(zip(requests, cards, strict=True))
    ]
    raced = time.monotonic()
    await wait_until(lambda: all_told(fleet, rounds), timeout=20, what="every loser is told who decided")
    await wait_until(lambda: at_rest(fleet), timeout=60, what="every run has ended and is shown")
    assert {run.state for run in await fleet.runs()} == {RunState.COMPLETED}
    assert await shown(fleet) == {
        (each.request.run_id, part): 1 for each in rounds for part in (ANSWER, "ask:1")
    }
    winners = Counter(each.decided.decision for each in rounds)
    for each in rounds:
        assert len(await each.request.effects()) == (each.decided.decision == "approve"), each
    assert set(winners) == {"approve", "reject"}
    assert await decisions_in_the_audit_chain(fleet) == ROUNDS
    measured(
        f"{ROUNDS} rounds of {len(PEOPLE)}: {dict(winners)}; cards after {asked - began:.1f} s, "
        f"rounds {raced - asked:.1f} s, the rest {time.monotonic() - raced:.1f} s"
    )


async def decide_at_once(request: Request, card: Message, chance: random.Random, *, mostly: bool) -> Round:
    """Some open the modal to reject; then these submit it and all others press Approve, in the same instant.

    ``mostly`` has all but three approve, which now and then is what it takes for Approve to win.
    """
    people = chance.sample(PEOPLE, len(PEOPLE))
    approving = people[:-3] if mostly else people[::2]
    rejecting = [person for person in people if person not in approving]
    door = request.fleet.door
    opened = await asyncio.gather(*(door.click(card, APPROVAL_REJECT, user=each) for each in rejecting))
    assert all(each.ok for each in opened), opened

    def act(person: str) -> asyncio.Task[Outcome]:
        if person in approving:
            return asyncio.create_task(door.click(card, APPROVAL_APPROVE, user=person))
        return asyncio.create_task(door.submit({"reason": f"by {person}"}, user=person))

    outcomes = dict(zip(people, await asyncio.gather(*map(act, people)), strict=True))
    assert all(outcome.ok for outcome in outcomes.values()), outcomes
    (decided,) = await request.questions()
    done = Round(request=request, approving=frozenset(approving), decided=decided)
    assert done.winner in PEOPLE
    assert (done.winner in approving) == (decided.decision == "approve")
    assert decided.reason == ("" if done.winner in approving else f"by {done.winner}")
    for person in set(rejecting) - {done.winner}:
        answer = json.loads(outcomes[person].body)
        assert answer["response_action"] == "update"
        assert done.told in json.dumps(answer["view"]), answer
        await door.close_view(user=person)
    return done


async def all_told(fleet: Fleet, rounds: list[Round]) -> bool:
    """Whether each of those who pressed Approve in vain was told once, in their channel, who had decided."""
    expected = Counter(
        (person, each.request.asked.channel, each.told)
        for each in rounds
        for person in each.approving - {each.winner}
    )
    seen = Counter(
        (shown.to, shown.channel, shown.text.partition(" at ")[0] + " at ")
        for shown in await fleet.door.ephemerals()
    )
    assert seen == expected, (seen - expected, expected - seen)
    return True


async def shown(fleet: Fleet) -> Counter[tuple[str, str]]:
    """How many messages show each part of each run."""
    bot = fleet.playground.config.cast.bot_user
    messages = [each for each in await fleet.door.messages() if each.user == bot and each.metadata]
    return Counter((run_of(each), part_of(each)) for each in messages)


def run_of(message: Message) -> str:
    return str((message.metadata or {})["event_payload"]["run_id"])


async def decisions_in_the_audit_chain(fleet: Fleet) -> int:
    """How many decisions the team's audit chain holds."""
    entries = await (await fleet.store()).audit.read(fleet.playground.config.cast.team)
    return sum(json.loads(entry.data)["what"] == "decided" for entry in entries)
