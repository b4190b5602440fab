"""kill -9 of the embedded Redis while runs stream."""

from __future__ import annotations

import asyncio
import random
import time

import pytest
from faults.stories import Measured, story
from fleet import Fleet

pytestmark = pytest.mark.asyncio(loop_scope="module")

KILLS = 3
RUNS = 6


async def test_nothing_is_lost_when_redis_is_killed_while_runs_stream(
    fleet: Fleet, measured: Measured
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    rng = random.Random(seed)
    measured(f"seed {seed}")
    cast = fleet.playground.config.cast
    asked = [
        await fleet.mention("stream for 7s" if number % 2 else story()[0], channel=channel)
        for number, channel in zip(range(RUNS), [cast.general, cast.ops, cast.private] * 2, strict=True)
    ]
    for message in asked:
        await fleet.run_of(message)
    for _ in range(KILLS):
        await asyncio.sleep(rng.uniform(0.3, 2.0))
        await fleet.kill_redis()
    last = time.monotonic()
    answers = [await fleet.completed(message, within=30) for message in asked]
    slowest = max(answer.at for answer in answers) - last
    measured(f"kill -9 of Redis, {KILLS} times: the last of {RUNS} runs ended {slowest:.1f} s after the last")
    assert [len(answer.output.split()) for answer in answers[1::2]] == [70] * (RUNS // 2)
    assert len({answer.output for answer in answers[::2]}) == 1
    assert (await fleet.completed(await fleet.mention("say 3 words"))).output
