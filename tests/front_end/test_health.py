from __future__ import annotations

import asyncio
import json
import os
import re
import signal

import redis
from front_end.slack_bodies import mention
from front_end.stage import Stage
from waiting import wait_until

from bot.playground.faults import ErrorAnswer, RateLimited


async def failing(stage: Stage) -> list[str]:
    reply = await stage.get("/readyz")
    body = json.loads(reply.text)
    assert (reply.status == 200) == (body["failing"] == [])
    assert reply.status in {200, 503}
    assert body["status"] == ("ok" if reply.status == 200 else "unavailable")
    return list(body["failing"])


async def test_a_started_web_process_is_alive_and_ready_without_a_worker(stage: Stage) -> None:
    assert (await stage.get("/livez")).status == 200
    assert await failing(stage) == []


async def test_without_redis_it_is_alive_and_not_ready(stage: Stage, redis_pid: int) -> None:
    os.kill(redis_pid, signal.SIGSTOP)
    try:
        found = await failing(stage)
        assert (await stage.get("/livez")).status == 200
    finally:
        os.kill(redis_pid, signal.SIGCONT)
    assert {"redis", "scripts"} <= set(found)

    async def ready() -> bool:
        return await failing(stage) == []

    await wait_until(ready)


async def test_scripts_that_redis_forgot_are_loaded_again(stage: Stage, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.script_flush()
    assert await failing(stage) == []


async def test_a_token_that_stopped_working_makes_it_not_ready(stage: Stage) -> None:
    await stage.door.fault(ErrorAnswer(error="token_revoked", method="auth.test", calls=None))

    async def noticed() -> bool:
        return await failing(stage) == ["auth.test"]

    await wait_until(noticed)


async def test_a_slack_that_asks_to_slow_down_says_nothing_about_the_token(stage: Stage) -> None:
    await stage.door.fault(RateLimited(seconds=30, method="auth.test"))
    assert await failing(stage) == []


async def test_readiness_asks_slack_once_however_often_it_is_asked(stage: Stage) -> None:
    before = len(await stage.door.calls("auth.test"))
    await asyncio.gather(*(stage.get("/readyz") for _ in range(20)))
    assert len(await stage.door.calls("auth.test")) - before <= 1


async def test_while_draining_it_is_not_ready_and_still_takes_events(stage: Stage) -> None:
    await stage.front.drain()
    assert await failing(stage) == ["draining"]
    assert (await stage.event(mention("one more"))).status == 200
    assert len(await stage.runs()) == 1


async def test_metrics_count_what_came_in_and_what_waits_without_naming_anybody(stage: Stage) -> None:
    event = mention("why?")
    for _ in range(3):
        await stage.event(event, event_id="Ev0SAME")
    reply = await stage.get("/metrics")
    assert reply.status == 200
    for line in (
        'harness_events_received_total{kind="Post"} 3.0',
        "harness_events_duplicate_total 2.0",
        'harness_runs{state="queued"} 1.0',
        "harness_queue_depth 1.0",
        'harness_ack_seconds_count{status="200"} 3.0',
        'harness_slack_calls_total{method="auth.test",outcome="done"} 1.0',
        "harness_loop_lag_seconds_bucket",
    ):
        assert line in reply.text, line
    assert not re.search(r'"[UCTD]0[A-Z0-9]+"|run_', reply.text)


async def test_metrics_are_there_while_redis_is_not(stage: Stage, redis_pid: int) -> None:
    os.kill(redis_pid, signal.SIGSTOP)
    try:
        reply = await stage.get("/metrics")
    finally:
        os.kill(redis_pid, signal.SIGCONT)
    assert reply.status == 200
    assert "harness_events_received_total" in reply.text
