"""What the bot showed and somebody deleted: told by Slack, and shown again while it is still needed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fleet import Fleet, Request, start_fleet
from front_end.slack_bodies import CAST, mention, new_ts
from front_end.stage import Reply, Stage
from waiting import wait_until

from bot.playground.records import Message
from harness_core.models import Delivery, Run
from harness_core.store import Budget
from harness_core.store.deliveries import Stored

BUDGET = Budget(per_minute=1000, burst=1000)


async def gone(stage: Stage, ts: str, *, root: str, **previous: Any) -> Reply:
    """Slack says that a message of the bot is gone; it does not say who did it."""
    before = {"user": CAST.bot_user, "bot_id": "B0BOT", "ts": ts, "thread_ts": root, "text": "…"}
    event = {
        "type": "message",
        "subtype": "message_deleted",
        "channel": CAST.general,
        "ts": new_ts(),
        "deleted_ts": ts,
        "hidden": True,
        "previous_message": before | previous,
    }
    return await stage.event(event)


async def running(stage: Stage) -> tuple[Run, str]:
    """A run at work whose message stands in the thread: the run, and its message's ts. Nothing is left to show."""
    root = mention("work")
    await stage.event(root)
    store = stage.core.store
    (claim,) = await store.runs.claim("w1", want=1, per_tenant=9, per_user=9, lease=60.0)
    ownership = await store.deliveries.own(CAST.team, "w1", 60.0)
    assert ownership is not None
    record = Delivery(run_id=claim.run.run_id, part="0", state="pending", nonce="n", shown=100)
    await store.deliveries.begin(ownership, record, method="chat.postMessage", room=None, budget=BUDGET)
    shown = Delivery(
        run_id=record.run_id, part="0", state="shown", nonce="n", shown=100, external_id=new_ts()
    )
    assert await store.deliveries.done(ownership, shown, complete=True) == Stored()
    assert await lagging(stage) == []
    return claim.run, shown.external_id or ""


async def lagging(stage: Stage) -> list[str]:
    return [each.run_id for each in await stage.core.store.deliveries.dirty(CAST.team)]


async def test_a_run_whose_message_was_deleted_is_looked_at_again(stage: Stage) -> None:
    run, ts = await running(stage)

    assert (await gone(stage, ts, root=run.target["thread_ts"])).status == 200

    assert await lagging(stage) == [run.run_id]


@pytest.mark.parametrize(
    "changes",
    [
        {"ts": "1700000000.000100"},  # a message that no record names: the bot may have deleted it
        {"root": "1700000000.000200"},  # another conversation
        {"user": CAST.requester, "bot_id": ""},  # a person's message of that ts is not the bot's
        {"user": "U0OTHERBOT", "bot_id": "B0OTHER"},
    ],
)
async def test_a_message_that_shows_no_run_moves_nothing(stage: Stage, changes: dict[str, str]) -> None:
    run, ts = await running(stage)

    said = {"root": run.target["thread_ts"], "ts": ts} | changes
    assert (await gone(stage, said.pop("ts"), **said)).status == 200

    assert await lagging(stage) == []


async def test_what_a_run_that_ended_said_stays_deleted(stage: Stage) -> None:
    run, ts = await running(stage)
    await stage.core.control.cancel(run.run_id, "U1")
    store = stage.core.store
    await store.client.incrby("harness:{p0}:clock_offset", 120_000)
    await store.upkeep.evict(CAST.team, run.run_id, "U1")
    await store.client.delete("harness:{p0}:dirty:" + CAST.team)

    assert (await gone(stage, ts, root=run.target["thread_ts"])).status == 200

    assert await lagging(stage) == []


@asynccontextmanager
async def told_by_slack() -> AsyncIterator[Fleet]:
    async with start_fleet() as fleet:
        await fleet.start("web", "worker")
        yield fleet


async def test_a_card_and_a_message_that_are_deleted_appear_again_and_can_be_used() -> None:
    async with told_by_slack() as fleet:
        request = await Request.make(fleet)
        await request.parked()
        card, message = await request.card(), await request.card("0")
        for each in (card, message):
            await fleet.door.delete(each.channel, each.ts, user=CAST.bot_user)

        async def both_again() -> bool:
            shown = [await request.shown("ask:"), await request.shown("0")]
            return all(shown) and not {each.ts for each in shown if each} & {card.ts, message.ts}

        await wait_until(both_again, timeout=10, what="card and message are there again")
        await request.approve()
        await fleet.answer(request.asked)
        assert len(await request.effects()) == 1


async def test_a_message_of_a_run_that_does_nothing_new_appears_again() -> None:
    async with told_by_slack() as fleet:
        fleet.team.close_gate("ada")
        asked = await fleet.mention('call slow_lookup {"name": "ada"}')
        run = await fleet.run_of(asked)
        await wait_until(lambda: fleet.team.executions("ada"), timeout=20)

        async def newest() -> Message | None:
            found = await fleet.messages_of(asked, run.run_id)
            return found[-1] if found and "Looking up ada" in str(found[-1].blocks) else None

        first = await fleet.door.wait_for(newest, within=10, what="the step is shown")
        await fleet.door.delete(first.channel, first.ts, user=CAST.bot_user)
        again = await fleet.door.wait_for(newest, within=10, what="it is there again")
        assert again.ts != first.ts
        fleet.team.open_gate("ada")
        answer = await fleet.answer(asked)
        assert answer.message.ts == again.ts
