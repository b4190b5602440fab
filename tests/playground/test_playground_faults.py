"""Faults on demand: what the caller sees, and what really happened."""

import asyncio
from dataclasses import replace

import aiohttp
import pytest
from playground.conftest import QUICK, Start
from playground.listening_bot import ListeningBot
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Cast, Door, DoorRefused
from bot.playground.faults import (
    Delay,
    ErrorAnswer,
    Hang,
    HttpFailure,
    LoseAck,
    LoseReply,
    Pause,
    RateLimited,
    Repeat,
)
from bot.playground.records import Delivery


async def test_a_method_says_slow_down_until_the_time_is_over(
    client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    await door.fault(RateLimited(method="chat.postMessage", seconds=20))
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=cast.ops, text="a")
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "20"
    assert (await client.auth_test())["ok"]
    await door.clear_faults()
    assert (await client.chat_postMessage(channel=cast.ops, text="a"))["ok"]
    await door.fault(RateLimited(method="chat.postMessage", seconds=0.0))
    assert (await client.chat_postMessage(channel=cast.ops, text="b"))["ok"], (
        "a fault of no time is over at once"
    )


async def test_a_counted_failure_ends_after_its_count(client: AsyncWebClient, door: Door, cast: Cast) -> None:
    await door.fault(HttpFailure(method="chat.update", calls=2, status=503))
    post = await client.chat_postMessage(channel=cast.ops, text="a")
    for _ in range(2):
        with pytest.raises(SlackApiError) as caught:
            await client.chat_update(channel=cast.ops, ts=post["ts"], text="b")
        assert caught.value.response.status_code == 503
    assert (await client.chat_update(channel=cast.ops, ts=post["ts"], text="c"))["ok"]
    assert [call.fault for call in await door.calls("chat.update")] == ["http_failure", "http_failure", None]


async def test_auth_test_can_be_made_to_fail_for_good(client: AsyncWebClient, door: Door) -> None:
    await door.fault(ErrorAnswer(method="auth.test", error="account_inactive", calls=None))
    for _ in range(3):
        with pytest.raises(SlackApiError, match="account_inactive"):
            await client.auth_test()


async def test_a_lost_reply_did_the_work(client: AsyncWebClient, door: Door, cast: Cast) -> None:
    await door.fault(LoseReply(method="chat.postMessage"))
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.chat_postMessage(channel=cast.ops, text="once")
    assert [message.text for message in await door.messages(cast.ops)] == ["once"]
    (call,) = await door.calls("chat.postMessage")
    assert (call.ok, call.reply_lost, call.answer["ts"]) == (
        True,
        True,
        (await door.messages(cast.ops))[0].ts,
    )


async def test_slacks_client_with_its_default_retries_posts_twice_when_a_reply_is_lost(
    client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    await door.fault(LoseReply(method="chat.postMessage"))
    careless = AsyncWebClient(token=client.token, base_url=client.base_url)
    await careless.chat_postMessage(channel=cast.ops, text="twice")
    assert [message.text for message in await door.messages(cast.ops)] == ["twice", "twice"]


async def test_a_hanging_call_does_nothing_and_is_cut(client: AsyncWebClient, door: Door, cast: Cast) -> None:
    await door.fault(Hang(method="chat.postMessage", seconds=0.05))
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.chat_postMessage(channel=cast.ops, text="never")
    assert await door.messages(cast.ops) == []
    assert (await door.calls("chat.postMessage"))[0].seconds >= 0.05


async def test_stopping_does_not_wait_for_a_hanging_call(
    start: Start, session: aiohttp.ClientSession
) -> None:
    running, door = await start(QUICK)
    await door.fault(Hang(method="auth.test", seconds=600))
    client = AsyncWebClient(
        token=running.config.bot_token, base_url=running.api_url, session=session, retry_handlers=[]
    )
    call = client.auth_test()

    async def hung() -> None:
        with pytest.raises(aiohttp.ClientConnectionError):
            await call

    waiting = asyncio.create_task(hung())
    await door.wait_for(lambda: _spent(door), what="the hanging call to arrive")
    async with asyncio.timeout(5):
        await running.stop()
        await waiting


async def _spent(door: Door) -> bool:
    return await door.faults() == []


async def test_every_event_can_be_delivered_several_times_with_one_id(
    bot: ListeningBot, door: Door, cast: Cast
) -> None:
    await door.fault(Repeat(times=3))
    await door.post(cast.general, "hello")
    heard = await bot.hears(3)
    assert len({request.json["event_id"] for request in heard}) == 1


async def test_a_lost_acknowledgement_brings_the_event_again(
    bot: ListeningBot, door: Door, cast: Cast
) -> None:
    await door.fault(LoseAck(calls=1))
    await door.post(cast.general, "hello")
    first, second = await bot.hears(2)
    assert first.json["event_id"] == second.json["event_id"]
    assert [first.retry, second.retry] == [(None, None), ("1", "http_timeout")]
    deliveries = await door.wait_for(lambda: _settled(door, 2))
    assert [delivery.ack_lost for delivery in deliveries] == [True, False]


async def test_paused_events_are_held_and_then_come(bot: ListeningBot, door: Door, cast: Cast) -> None:
    await door.fault(Pause())
    await door.post(cast.general, "hello")
    assert (await door.link()).under_way == 1
    assert bot.heard == []
    await door.clear_faults()
    assert (await bot.hears_event("message")).event["text"] == "hello"


async def test_delayed_events_come_later(bot: ListeningBot, door: Door, cast: Cast) -> None:
    await door.fault(Delay(seconds=0.2))
    said = await door.post(cast.general, "hello")
    heard = await bot.hears_event("message")
    assert float(heard.headers["X-Slack-Request-Timestamp"]) >= int(float(said.ts))
    (delivery,) = await door.wait_for(lambda: _settled(door, 1))
    assert delivery.at - float(said.ts) >= 0.19


async def test_an_unknown_fault_is_refused_by_the_door(
    start: Start, session: aiohttp.ClientSession, bot: ListeningBot
) -> None:
    running, door = await start(replace(QUICK, bot_url=bot.url))
    async with session.post(f"{running.door_url}/fault", json={"fault": {"kind": "meteor"}}) as answer:
        assert answer.status == 400
        assert "meteor" in (await answer.json())["error"]
    with pytest.raises(DoorRefused, match="is not in #outside"):
        await door.post(running.config.cast.outside, "x", user=running.config.cast.guest)


async def _settled(door: Door, count: int) -> list[Delivery] | None:
    deliveries = await door.deliveries()
    return deliveries if len(deliveries) >= count else None
