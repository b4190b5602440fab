"""Nobody knows whether it happened: the thread is asked before anything is said again."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from delivery.owners import QUICK, SHORT, Owners
from delivery.slow_wire import SlowWire
from delivery.stage import Stage
from sealing import SEAL_KEY
from waiting import wait_until

from bot.delivery.outbox import Outbox
from bot.delivery.scheduler import Scheduler
from bot.playground.faults import ErrorAnswer, HttpFailure, LoseReply, RateLimited

POST = "chat.postMessage"
ROOT = Path(__file__).resolve().parents[2]


async def test_a_post_whose_answer_was_lost_is_found_and_not_repeated(stage: Stage, owners: Owners) -> None:
    await stage.door.fault(LoseReply(method=POST))
    await owners.start(stage)
    act = await stage.play()
    await act.say("Only once.")
    await act.complete("Only once. Really.")
    await act.says("Really.")
    await act.clean()
    assert len(await act.answers()) == 1
    assert len(await stage.calls(POST)) == 1


async def test_a_post_that_failed_at_slack_is_made_again(stage: Stage, owners: Owners) -> None:
    await stage.door.fault(HttpFailure(method=POST, status=503))
    await owners.start(stage)
    act = await stage.play()
    await act.complete("At last.")
    await act.says("At last.")
    await act.clean()
    assert len(await act.answers()) == 1
    assert [call.status for call in await stage.calls(POST)] == [503, 200]
    assert len(await stage.calls("conversations.replies")) == 1


async def test_a_lost_answer_is_found_on_a_later_page_of_a_busy_thread(
    stage: Stage, owners: Owners, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.web_api.PAGE", 3)
    act = await stage.play()
    for number in range(7):
        await stage.door.post(act.channel, f"noise {number}", thread_ts=act.thread_ts)
    await stage.door.fault(LoseReply(method=POST))
    await owners.start(stage)
    await act.complete("Somewhere in there.")
    await act.says("Somewhere")
    await act.clean()
    assert len(await act.answers()) == 1
    assert len(await stage.calls("conversations.replies")) == 3


async def test_nothing_is_posted_while_the_thread_cannot_be_read(stage: Stage, owners: Owners) -> None:
    await stage.door.fault(LoseReply(method=POST))
    await stage.door.fault(HttpFailure(method="conversations.replies", calls=None, status=500))
    await owners.start(stage)
    act = await stage.play()
    await act.complete("Patience.")

    async def asked_often() -> bool:
        return len(await stage.calls("conversations.replies")) >= 3

    await wait_until(asked_often)
    assert len(await stage.calls(POST)) == 1
    await stage.door.clear_faults()
    await act.clean()
    assert len(await act.answers()) == 1


async def test_a_limit_on_reading_back_is_waited_out(stage: Stage, owners: Owners) -> None:
    await stage.door.fault(LoseReply(method=POST))
    await stage.door.fault(RateLimited(method="conversations.replies", seconds=0.5))
    await owners.start(stage)
    act = await stage.play()
    await act.complete("Patience.")
    await act.clean()
    assert len(await act.answers()) == 1


async def test_an_answer_is_worth_a_second_copy_where_threads_may_never_be_read(
    stage: Stage, owners: Owners
) -> None:
    await stage.door.fault(HttpFailure(method=POST, status=500))
    await stage.door.fault(ErrorAnswer(error="missing_scope", method="conversations.replies", calls=None))
    await owners.start(stage)
    act = await stage.play()
    await act.complete("Not lost.")
    await act.says("Not lost.")
    await act.clean()
    assert len(await act.answers()) == 1


async def test_an_edit_of_unknown_outcome_is_simply_repeated(stage: Stage, owners: Owners) -> None:
    await owners.start(stage)
    act = await stage.play()
    await act.say("One")
    await act.says("One")
    await stage.door.fault(LoseReply(method="chat.update", calls=2))
    await act.complete("One, two, three.")
    await act.says("One, two, three.")
    await act.clean()
    assert len(await act.answers()) == 1
    assert await stage.calls("conversations.replies") == []


async def test_a_refused_connection_is_known_to_have_done_nothing(stage: Stage, owners: Owners) -> None:
    async with SlowWire(stage.playground.api_url, held="") as wire:
        url = wire.url
    api = stage.api(url)
    owner = await owners.start(stage, api=api)
    act = await stage.play()
    await act.complete("Later.")

    async def settled() -> bool:
        found = (await stage.store.deliveries.of_run(act.run_id)).get("0")
        return found is not None and found.state == "shown"

    await wait_until(settled)
    await owners.stop(owner)
    await api.close()
    await owners.start(stage)
    await act.says("Later.")
    assert await stage.calls("conversations.replies") == []


@asynccontextmanager
async def owner_process(stage: Stage, wire: SlowWire) -> AsyncIterator[asyncio.subprocess.Process]:
    """An owner that is a process; dead at the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).with_name("owner_process.py"))),
        *(stage.redis_url, SEAL_KEY.hex(), wire.url, stage.playground.config.bot_token),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()


async def test_a_killed_owner_leaves_one_message(stage: Stage, owners: Owners) -> None:
    async with SlowWire(stage.playground.api_url, held=POST) as wire, owner_process(stage, wire):
        act = await stage.play()
        await act.complete("Posted by the dead.")
        async with asyncio.timeout(20):
            await wire.holding.wait()
    assert (await stage.store.deliveries.of_run(act.run_id))["0"].state == "pending"
    await owners.start(stage)
    await act.clean()
    (message,) = await act.answers()
    record = (await stage.store.deliveries.of_run(act.run_id))["0"]
    assert (record.state, record.external_id) == ("shown", message.ts)
    assert len(await stage.calls(POST)) == 1


async def test_an_owner_that_was_frozen_past_its_lease_writes_nothing_more(
    stage: Stage, owners: Owners
) -> None:
    async with SlowWire(stage.playground.api_url, held=POST) as wire, owner_process(stage, wire) as frozen:
        act = await stage.play()
        await act.say("Said by the sleeper")
        async with asyncio.timeout(20):
            await wire.holding.wait()
        frozen.send_signal(signal.SIGSTOP)
        awake = await owners.start(stage)
        await act.complete("Ended by the one awake.")
        await act.says("Ended by the one awake.")
        await act.clean()
        before = len(await stage.door.calls())
        frozen.send_signal(signal.SIGCONT)
        wire.release()
        for _ in range(10):
            awake.nudge()
            await act.clean()
            await asyncio.sleep(0.05)
        assert len(await act.answers()) == 1
        # The one awake cannot know whether the sleeper's call came after its own, so it says the same again.
        for call in await stage.door.calls(after=before):
            assert call.method == "chat.update"
            assert "Ended by the one awake." in call.args["text"]


async def test_a_post_that_comes_after_the_new_owners_is_taken_back(stage: Stage, owners: Owners) -> None:
    async with (
        SlowWire(stage.playground.api_url, held=POST, before=True) as wire,
        owner_process(stage, wire) as frozen,
    ):
        act = await stage.play()
        await act.complete("Said once.")
        async with asyncio.timeout(20):
            await wire.holding.wait()
        frozen.send_signal(signal.SIGSTOP)
        await owners.start(stage)
        await act.says("Said once.")
        await act.clean()
        (message,) = await act.answers()
        frozen.send_signal(signal.SIGCONT)
        wire.release()

        async def second_copy_is_gone() -> bool:
            return len(await stage.calls(POST)) == 2 and len(await stage.calls("chat.delete")) == 1

        await wait_until(second_copy_is_gone)
        await act.clean()
        assert [each.ts for each in await act.answers()] == [message.ts]
        record = (await stage.store.deliveries.of_run(act.run_id))["0"]
        assert (record.state, record.external_id) == ("shown", message.ts)


async def test_an_edit_that_comes_after_the_new_owners_is_put_right(stage: Stage, owners: Owners) -> None:
    async with (
        SlowWire(stage.playground.api_url, held="chat.update", before=True) as wire,
        owner_process(stage, wire) as frozen,
    ):
        act = await stage.play()
        await act.say("Begun")
        await act.says("Begun", within=20)
        await act.say(" by the sleeper")
        async with asyncio.timeout(20):
            await wire.holding.wait()
        frozen.send_signal(signal.SIGSTOP)
        await owners.start(stage)
        await act.complete("Ended by the one awake.")
        await act.says("Ended by the one awake.")
        await act.clean()
        frozen.send_signal(signal.SIGCONT)
        wire.release()

        async def sleeper_spoke_and_was_corrected() -> bool:
            said = [call.args["text"] for call in await stage.calls("chat.update")]
            return said[-2:] == ["Begun by the sleeper", "Ended by the one awake."]

        await wait_until(sleeper_spoke_and_was_corrected)
        (message,) = await act.answers()
        assert message.text == "Ended by the one awake."


async def test_a_call_that_was_booked_is_not_made_once_the_lease_may_be_over(stage: Stage) -> None:
    api = stage.api()
    scheduler = Scheduler(stage.store, Outbox(stage.store, api, settle=0.1), QUICK, lambda: None)
    act = await stage.play()
    await act.complete("Too late.")
    team = stage.cast.team
    ownership = await stage.store.deliveries.own(team, "slow", 10.0)
    assert ownership is not None
    dirty = await stage.store.deliveries.dirty(team)
    await scheduler.turn(ownership, dirty, until=time.monotonic() - 0.1)
    assert await scheduler.drain(5.0)
    assert scheduler.lost
    assert (await stage.store.deliveries.of_run(act.run_id))["0"].state == "pending"
    await api.close()
    assert await stage.door.calls() == []


async def test_an_owner_that_stops_in_the_middle_of_a_call_waits_for_it(stage: Stage, owners: Owners) -> None:
    async with SlowWire(stage.playground.api_url, held=POST) as wire:
        api = stage.api(wire.url)
        owner = await owners.start(stage, api=api)
        act = await stage.play()
        await act.complete("Finished in peace.")
        async with asyncio.timeout(10):
            await wire.holding.wait()
        stopping = asyncio.create_task(owners.stop(owner))
        wire.release()
        await stopping
        await api.close()
    assert (await stage.store.deliveries.of_run(act.run_id))["0"].state == "shown"
    assert await stage.store.deliveries.own(stage.cast.team, "next", 1.0) is not None, "the lease is free"


async def test_an_owner_that_is_cut_off_in_a_call_keeps_its_lease_until_it_lapses(
    stage: Stage, owners: Owners
) -> None:
    async with SlowWire(stage.playground.api_url, held=POST) as wire:
        api = stage.api(wire.url)
        owner = await owners.start(stage, api=api, lease=replace(SHORT, grace=0.1))
        act = await stage.play()
        await act.complete("One copy.")
        async with asyncio.timeout(10):
            await wire.holding.wait()
        await owners.stop(owner)
        assert await stage.store.deliveries.own(stage.cast.team, "hasty", 1.0) is None
        await api.close()
    await owners.start(stage)
    await act.clean()
    assert len(await act.answers()) == 1
    assert len(await stage.calls(POST)) == 1


async def test_of_two_owners_one_writes(stage: Stage, owners: Owners) -> None:
    workers = [await owners.start(stage), await owners.start(stage)]
    acts = []
    for _ in range(4):
        act = await stage.play()
        acts.append(act)
        await act.say("Hello")
    for act in acts:
        await act.says("Hello")
        await act.complete("Hello and goodbye.")
    for act in acts:
        await act.says("goodbye")
        await act.clean()
        assert len(await act.answers()) == 1
    held = [worker for worker in workers if worker.owned]
    assert len(held) == 1
    assert len(await stage.calls(POST)) == 4


async def test_the_other_owner_goes_on_where_the_first_one_stopped(stage: Stage, owners: Owners) -> None:
    first = await owners.start(stage)
    act = await stage.play()
    await act.say("Begun")
    begun = await act.says("Begun")
    await owners.start(stage)
    await owners.stop(first)
    await act.complete("Begun and ended.")
    ended = await act.says("and ended.", within=SHORT.ttl + 2 * QUICK.patience)
    assert ended.ts == begun.ts


async def test_slack_gets_time_to_finish_even_when_the_run_ends_meanwhile(
    stage: Stage, owners: Owners
) -> None:
    await stage.door.fault(LoseReply(method=POST))
    await owners.start(stage, pace=replace(QUICK, settle=0.6))
    act = await stage.play()
    await act.say("Begun")
    await act.says("Begun")
    await act.complete("Begun and ended.")
    await act.says("Begun and ended.")
    (post,) = await stage.calls(POST)
    (read, *_) = await stage.calls("conversations.replies")
    assert read.at - post.at >= 0.5
