"""Three calls in one turn: two that ask, one that is slow. People decide in any order, before and after the run waits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from fleet import ACT, TOOL, Fleet, Request, start_fleet
from fleet.request import new_name
from waiting import wait_until

from bot.view.values import APPROVAL_APPROVE, APPROVAL_REJECT
from harness_core import RunState
from harness_core.approvals import Approval
from harness_core.events import StateChanged

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet() -> AsyncIterator[Fleet]:
    """A fleet with two workers."""
    async with start_fleet(FAULT_BUDGETS="off") as running:
        await running.start("web", "worker", "worker-2")
        yield running


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn with three calls. ``first`` and ``second`` act on their own names, the third looks ``slow`` up."""

    first: Request
    second: Request
    rows: tuple[Approval, Approval]
    slow: str

    @classmethod
    async def begin(cls, fleet: Fleet, channel: str) -> Turn:
        """Asks for all three; returns when both questions are shown and the slow call is at work."""
        names = new_name(), new_name(), new_name()
        calls = [(ACT, names[0]), (TOOL, names[1]), (ACT, names[2])]
        text = " & ".join(f"call {tool} {json.dumps({'name': name})}" for tool, name in calls)
        fleet.team.close_gate(names[1])
        first = await Request.of(fleet, text, name=names[0], channel=channel)
        second = Request(fleet=fleet, name=names[2], asked=first.asked, run_id=first.run_id)

        async def asked() -> dict[str, Approval]:
            found = {str(each.asked.arguments["name"]): each for each in await first.questions()}
            return found if len(found) == 2 and fleet.team.executions(names[1]) else {}

        rows = await wait_until(
            asked, timeout=20, what="both questions are asked, and the slow call is at work"
        )
        turn = cls(first=first, second=second, rows=(rows[names[0]], rows[names[2]]), slow=names[1])
        for row in turn.rows:
            await turn.sees(row)
        return turn

    async def sees(self, row: Approval) -> None:
        """Waits until the card has a button for this row."""

        async def there() -> bool:
            return f"{row.approval_id}:" in str((await self.first.card()).blocks)

        await wait_until(there, timeout=20, what=f"a row for {row.approval_id}")

    async def approve(self, number: int) -> None:
        """The approver approves row 0 or 1."""
        outcome = await self.first.press(APPROVAL_APPROVE, about=self.rows[number])
        assert outcome.ok, outcome
        assert await self.decision(number) == "approve"

    async def reject(self, number: int) -> None:
        """The approver rejects it, with a reason."""
        door, approver = self.first.fleet.door, self.first.fleet.playground.config.cast.approver
        assert (await self.first.press(APPROVAL_REJECT, about=self.rows[number])).ok
        await door.wait_for(lambda: door.views(user=approver), what="the modal")
        outcome = await door.submit({"reason": "not today"}, user=approver)
        assert outcome.ok, outcome
        assert await self.decision(number) == "reject"

    async def decision(self, number: int) -> str | None:
        found = {each.approval_id: each for each in await self.first.questions()}
        return found[self.rows[number].approval_id].decision

    def slow_call_ends(self) -> None:
        self.first.fleet.team.open_gate(self.slow)

    async def at_work(self) -> bool:
        """Whether the slow call is still at work, so the run has not parked."""
        phases = [each.phase for each in self.first.fleet.team.executions(self.slow)]
        return phases == ["began"] and await self.first.state() is RunState.RUNNING

    async def ended(self) -> str:
        """Its answer, once all is as it must be: the slow call ran once, there is one card."""
        answer = await self.first.fleet.completed(self.first.asked, cards=1)
        assert [each.phase for each in self.first.fleet.team.executions(self.slow)] == ["began", "ended"]
        return answer.output

    async def effects(self) -> tuple[int, int]:
        """How often each of the two calls acted."""
        return len(await self.first.effects()), len(await self.second.effects())


async def test_both_rows_that_are_decided_while_the_slow_call_runs_are_not_lost(fleet: Fleet) -> None:
    turn = await Turn.begin(fleet, fleet.playground.config.cast.general)
    await turn.approve(1)
    await turn.approve(0)
    assert await turn.at_work()
    assert await turn.effects() == (0, 0)
    turn.slow_call_ends()
    await turn.ended()
    assert await turn.effects() == (1, 1)
    assert not await has_waited(turn)


async def test_one_row_is_decided_while_the_slow_call_runs_and_the_other_when_the_run_waits(
    fleet: Fleet,
) -> None:
    turn = await Turn.begin(fleet, fleet.playground.config.cast.ops)
    await turn.approve(1)
    assert await turn.at_work()
    turn.slow_call_ends()
    await turn.first.parked()
    assert await turn.effects() == (0, 0)
    await turn.approve(0)
    await turn.ended()
    assert await turn.effects() == (1, 1)
    assert await has_waited(turn)


async def test_the_second_row_is_rejected_before_the_first_is_approved(fleet: Fleet) -> None:
    turn = await Turn.begin(fleet, fleet.playground.config.cast.private)
    turn.slow_call_ends()
    await turn.first.parked()
    await turn.reject(1)
    await turn.approve(0)
    assert "not today" in await turn.ended()
    assert await turn.effects() == (1, 0)
    await turn.first.card_says("Ran once at")
    await turn.first.card_says("“not today” It did not run.")


async def test_rows_of_three_turns_are_decided_criss_cross(fleet: Fleet) -> None:
    cast = fleet.playground.config.cast
    turns = await asyncio.gather(
        *(Turn.begin(fleet, room) for room in (cast.general, cast.ops, cast.private))
    )
    one, two, three = turns
    await two.approve(0)
    await one.approve(1)
    three.slow_call_ends()
    await two.approve(1)
    two.slow_call_ends()
    await three.first.parked()
    await three.approve(1)
    one.slow_call_ends()
    await one.approve(0)
    await three.approve(0)
    for turn in turns:
        await turn.ended()
        assert await turn.effects() == (1, 1)


async def has_waited(turn: Turn) -> bool:
    """Whether the run ever gave its worker up to wait for people."""
    events = await (await turn.first.fleet.store()).events.read(turn.first.run_id)
    moves = [each.payload.target for each in events if isinstance(each.payload, StateChanged)]
    return RunState.WAITING in moves
