"""kill -9 of the web process around the one write that accepts a message, and a web process without a worker."""

from __future__ import annotations

import time

import pytest
from faults.stories import Measured, Told
from fleet import Fleet
from waiting import wait_until

from bot.playground.records import Delivery, Message
from harness_core import RunState

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("point", ["before:accept", "after:accept"])
async def test_slack_delivers_again_what_a_killed_web_process_did_not_acknowledge(
    fleet: Fleet, told: Told, point: str, measured: Measured
) -> None:
    web = fleet.process("web")
    web.arm(point)
    asked = await fleet.mention("stream for 3s")
    await web.ended(within=10)
    assert not [each for each in await deliveries_of(fleet, asked) if each.status == 200]
    restarted = time.monotonic()
    await fleet.start("web")
    answer = await fleet.completed(asked)
    assert answer.output == told.beside
    tries = await deliveries_of(fleet, asked)
    assert {each.event_type for each in tries if each.status == 200} == {"app_mention", "message"}
    took = answer.at - restarted
    measured(f"kill -9 of web {point}: final text {took:.1f} s after the restart, {len(tries)} deliveries")


async def test_a_message_is_kept_until_a_worker_comes(fleet: Fleet, told: Told, measured: Measured) -> None:
    worker = fleet.process("worker")
    worker.ask_to_stop()
    await worker.ended(within=30)
    asked = await fleet.mention("stream for 3s")
    run = await fleet.run_of(asked)
    assert run.state is RunState.QUEUED
    assert {each.status for each in await deliveries_of(fleet, asked)} == {200}
    began = time.monotonic()
    worker.start()
    answer = await fleet.completed(asked)
    assert answer.run.run_id == run.run_id
    assert answer.output == told.beside
    measured(f"a message without a worker: final text {answer.at - began:.1f} s after one was started")


async def test_a_process_that_is_web_and_worker_at_once_goes_on_where_it_was_killed(
    fleet: Fleet, told: Told, measured: Measured
) -> None:
    for name in ("web", "worker"):
        fleet.process(name).kill()
    await fleet.start("serve")
    asked = await fleet.mention("stream for 3s")
    run = await fleet.run_of(asked)

    async def speaks() -> bool:
        return bool(await fleet.messages_of(asked, run.run_id))

    await wait_until(speaks, timeout=20, what="the first words are shown")
    serve = fleet.process("serve")
    serve.kill()
    restarted = time.monotonic()
    serve.start()
    answer = await fleet.completed(asked)
    assert answer.output == told.beside
    assert answer.run.takeovers == 1
    measured(f"kill -9 of serve: final text {answer.at - restarted:.1f} s after the restart")


async def deliveries_of(fleet: Fleet, asked: Message) -> list[Delivery]:
    """Every attempt to hand the two events of a post to the bot, once no more are under way."""

    async def settled() -> bool:
        tries = await tried(fleet, asked)
        return len({each.event_type for each in tries}) == 2

    await wait_until(settled, timeout=10, what="both events were tried")
    return await tried(fleet, asked)


async def tried(fleet: Fleet, asked: Message) -> list[Delivery]:
    return [each for each in await fleet.door.deliveries() if each.payload["event"].get("ts") == asked.ts]
