"""Rate limits in both models, by a clock of the test's own, and over HTTP."""

import asyncio
from itertools import pairwise

import aiohttp
import pytest
from playground.conftest import Start
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Cast, PlaygroundConfig
from bot.playground.config import LimitModel
from bot.playground.limits import Limits


class HandClock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def limits(model: LimitModel, clock: HandClock, **tiers: int) -> Limits:
    return Limits(model, {name.replace("_", "."): tier for name, tier in tiers.items()}, clock)


def taken(subject: Limits, method: str, channel: str | None = None) -> int:
    """How many calls in one instant are allowed before the first refusal."""
    count = 0
    while subject.check("T1", method, channel) == 0:
        count += 1
        assert count < 10_000
    return count


def test_the_bucket_holds_a_fifth_of_the_tier_and_refills_at_the_tier() -> None:
    clock = HandClock()
    subject = limits("bucket", clock)
    assert taken(subject, "chat.update") == 10
    assert subject.check("T1", "chat.update") == 2, "50 a minute is one in 1.2 s, told as whole seconds"
    clock.now += 60
    allowed = 0
    for _ in range(600):
        clock.now += 0.1
        allowed += subject.check("T1", "chat.update") == 0
    assert 50 <= allowed <= 61


def test_the_window_lets_the_whole_tier_through_and_then_makes_everybody_wait() -> None:
    clock = HandClock()
    subject = limits("window", clock)
    assert taken(subject, "chat.update") == 50
    assert subject.check("T1", "chat.update") == 60
    clock.now += 59.5
    assert subject.check("T1", "chat.update") == 1
    clock.now += 0.5
    assert taken(subject, "chat.update") == 50


def test_waiting_for_retry_after_is_always_enough() -> None:
    clock = HandClock()
    subject = limits("bucket", clock)
    taken(subject, "chat.update")
    for _ in range(20):
        clock.now += subject.check("T1", "chat.update")
        assert subject.check("T1", "chat.update") == 0
        taken(subject, "chat.update")


def test_posts_go_out_once_a_second_per_channel_with_a_burst_of_three() -> None:
    clock = HandClock()
    subject = limits("bucket", clock)
    assert taken(subject, "chat.postMessage", "C1") == 3
    assert taken(subject, "chat.postMessage", "C2") == 3
    clock.now += 1
    assert taken(subject, "chat.postMessage", "C1") == 1


def test_a_refused_post_is_not_charged_to_the_workspace() -> None:
    clock = HandClock()
    subject = limits("bucket", clock, chat_postMessage=50)
    assert taken(subject, "chat.postMessage", "C1") == 3
    for _ in range(100):
        assert subject.check("T1", "chat.postMessage", "C1") > 0
    assert sum(taken(subject, "chat.postMessage", channel) for channel in ("C2", "C3", "C4")) == 7


def test_teams_and_methods_do_not_share_a_budget() -> None:
    clock = HandClock()
    subject = limits("bucket", clock)
    taken(subject, "chat.update")
    assert subject.check("T1", "chat.delete") == 0
    assert subject.check("T2", "chat.update") == 0


def test_limits_can_be_switched_off() -> None:
    subject = limits("off", HandClock())
    assert all(subject.check("T1", "chat.update") == 0 for _ in range(1000))


async def test_over_http_a_limited_call_is_a_429_with_whole_seconds(
    start: Start, session: aiohttp.ClientSession, cast: Cast
) -> None:
    running, door = await start(PlaygroundConfig(tiers={"chat.update": 5}))
    config = running.config
    client = AsyncWebClient(
        token=config.bot_token, base_url=running.api_url, session=session, retry_handlers=[]
    )
    post = await client.chat_postMessage(channel=cast.ops, text="a")
    await client.chat_update(channel=cast.ops, ts=post["ts"], text="b")
    with pytest.raises(SlackApiError) as caught:
        await client.chat_update(channel=cast.ops, ts=post["ts"], text="c")
    refused = caught.value.response
    assert (refused.status_code, refused["error"]) == (429, "ratelimited")
    assert 1 <= int(refused.headers["Retry-After"]) <= 12
    assert (await client.chat_postMessage(channel=cast.ops, text="other methods go on"))["ok"]
    assert (await door.messages(cast.ops))[0].text == "b", "the refused call did nothing"


async def test_three_hundred_posts_in_a_second_are_taken_and_delivered(
    start: Start, session: aiohttp.ClientSession, cast: Cast
) -> None:
    running, door = await start(PlaygroundConfig(limits="off"))
    client = AsyncWebClient(
        token=running.config.bot_token, base_url=running.api_url, session=session, retry_handlers=[]
    )
    loop = asyncio.get_running_loop()
    began = loop.time()
    said = await asyncio.gather(*(door.post(cast.ops, f"<@{cast.bot_user}> {n}") for n in range(300)))
    took = loop.time() - began
    began = loop.time()
    await asyncio.gather(*(client.chat_postMessage(channel=cast.ops, text=str(n)) for n in range(300)))
    answered = loop.time() - began
    print(f"300 posts by people: {took:.2f} s; 300 by the bot: {answered:.2f} s")
    stamps = [float(message.ts) for message in await door.messages(cast.ops)]
    assert len(stamps) == 600
    assert all(earlier < later for earlier, later in pairwise(stamps)), "timestamps only grow"
    assert len({message.ts for message in said}) == 300
    assert took < 10
    assert answered < 10
