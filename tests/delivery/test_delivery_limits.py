"""Slack's limits as documented, counted by the stand-in: none is ever met, and last words come first."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from delivery.owners import QUICK, Owners
from delivery.stage import Act, Stage
from waiting import wait_until

from bot.delivery.planning import left_behind, nothing_posted, outstanding
from bot.delivery.scheduler import Pace
from bot.playground.faults import RateLimited
from bot.view.message import Part

POST, UPDATE = "chat.postMessage", "chat.update"


async def stream(act: Act) -> None:
    number = 0
    while True:
        number += 1
        await act.say(f"word{number} ")
        await asyncio.sleep(0.05)


async def end(act: Act, streaming: asyncio.Task[None]) -> float:
    """Ends the run; the seconds until its last word was there."""
    streaming.cancel()
    await act.complete("This is the end.")
    asked = time.monotonic()
    await act.says("This is the end.")
    return time.monotonic() - asked


async def test_last_words_come_first_while_thirty_runs_stream(limited_stage: Stage, owners: Owners) -> None:
    stage = limited_stage
    channels = (stage.cast.ops, stage.cast.general, stage.cast.private)
    await owners.start(stage, pace=Pace(patience=0.4))
    acts = [await stage.play(channel=channels[number % 3]) for number in range(30)]
    streams = {act.run_id: asyncio.create_task(stream(act)) for act in acts}
    try:
        await asyncio.gather(*(act.says("word", within=30.0) for act in acts[:9]))
        lags = await asyncio.gather(*(end(act, streams.pop(act.run_id)) for act in acts[:8]))
    finally:
        for task in streams.values():
            task.cancel()
        await asyncio.gather(*streams.values(), return_exceptions=True)
    calls = await stage.door.calls()
    print(f"lag of finals: {sorted(round(lag, 2) for lag in lags)} s; {len(calls)} calls")
    assert [call for call in calls if call.status == 429] == []
    assert max(lags) < 2.0


async def test_a_limit_closes_one_method_and_the_last_word_comes_after_it(
    stage: Stage, owners: Owners
) -> None:
    await owners.start(stage)
    slow, slower = await stage.play(), await stage.play()
    for act in (slow, slower):
        await act.say("Begun")
        await act.says("Begun")
    await stage.door.fault(RateLimited(method=UPDATE, seconds=1.2))
    closed = time.time()
    await slow.say(" and going")

    async def refused_once() -> bool:
        return any(call.status == 429 for call in await stage.calls(UPDATE))

    await wait_until(refused_once)
    await slower.say(" and going")
    other = await stage.play()
    await other.complete("Posted meanwhile.")
    await other.says("Posted meanwhile.", within=1.0)
    for act in (slow, slower):
        await act.complete("Begun and ended.")
    for act in (slow, slower):
        await act.says("Begun and ended.")
        await act.clean()
    refused, *updates = await stage.calls(UPDATE)
    assert refused.status == 429
    assert [call.status for call in updates] == [200, 200], "nobody asked while it was closed"
    assert min(call.at for call in updates) - closed >= 1.0
    (post,) = (call for call in await stage.calls(POST) if "meanwhile" in call.args["text"])
    assert post.at < updates[0].at


async def test_a_last_word_that_cannot_be_edited_soon_is_posted_and_the_draft_becomes_a_link(
    stage: Stage, owners: Owners
) -> None:
    first = await owners.start(stage, pace=replace(QUICK, replace_after=0.5))
    act = await stage.play()
    await act.say("Draft")
    draft = await act.says("Draft")
    await stage.door.fault(RateLimited(method=UPDATE, seconds=3))
    await act.complete("The end.")
    final = await act.says("The end.", within=2.0)
    assert final.ts > draft.ts
    await owners.stop(first)
    await owners.start(stage)
    link = await act.says("The answer is in another message")
    assert link.ts == draft.ts
    assert final.ts.replace(".", "") in link.text
    await act.clean()
    assert [message.ts for message in await act.answers()] == [draft.ts, final.ts]


def test_a_message_that_was_never_replaced_after_all_does_not_become_a_link_to_itself() -> None:
    standing = replace(nothing_posted("run", "0"), external_id="1.0")
    records = {record.part: record for record in (standing, left_behind(standing))}
    answer = Part(name="0", text="The end.", blocks=(), final=True)
    assert [call.part for call in outstanding("run", [answer], records, shown=1)] == [answer]


async def test_who_looked_away_is_pinged_before_a_replaced_draft_may_be_edited(
    stage: Stage, owners: Owners
) -> None:
    await owners.start(stage, pace=replace(QUICK, replace_after=0.5))
    act = await stage.play()
    await act.say("Draft")
    await act.says("Draft")
    await stage.pass_time(61_000)
    await stage.door.fault(RateLimited(method=UPDATE, seconds=30))
    await act.complete("The end.")
    ping = await act.says("your answer is ready", within=5.0)
    final = await act.says("The end.")
    assert final.ts.replace(".", "") in ping.text


async def test_a_store_that_is_away_delays_and_loses_nothing(stage: Stage, owners: Owners) -> None:
    await owners.start(stage, pace=QUICK)
    act = await stage.play()
    await act.say("Before")
    await act.says("Before")
    await stage.pause_store(seconds=1.0)
    await act.complete("Before and after.")
    await act.says("Before and after.")
    await act.clean()
    assert len(await act.answers()) == 1
