"""Events over signed HTTP: what the bot hears, how it is signed, and when it comes again."""

import asyncio
import json
from dataclasses import replace

from aiohttp import web
from playground.conftest import QUICK, Start
from playground.listening_bot import Heard, ListeningBot
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Cast, Door
from bot.playground.people import Attachment
from bot.playground.records import Delivery


async def attempts(door: Door, event_type: str, count: int) -> list[Delivery]:
    async def probe() -> list[Delivery] | None:
        found = await door.deliveries(event_type)
        return found if len(found) >= count else None

    return await door.wait_for(probe, what=f"{count} deliveries of {event_type}")


async def test_deliveries_are_signed_as_slacks_verifier_expects(
    bot: ListeningBot, door: Door, cast: Cast
) -> None:
    await door.post(cast.ops, f"<@{cast.bot_user}> ünïcode")
    for heard in await bot.hears(2):
        assert SignatureVerifier("playground-signing-secret").is_valid_request(
            heard.body, dict(heard.headers)
        )
        assert not SignatureVerifier("another").is_valid_request(heard.body, dict(heard.headers))


async def test_one_mention_makes_two_events_with_one_ts_and_two_ids(
    bot: ListeningBot, door: Door, cast: Cast
) -> None:
    said = await door.post(cast.ops, f"<@{cast.bot_user}> restart it")
    mention, message = await bot.hears_event("app_mention"), await bot.hears_event("message")
    assert mention.event["ts"] == message.event["ts"] == said.ts
    assert mention.json["event_id"] != message.json["event_id"]
    assert "channel_type" not in mention.event
    assert message.event["channel_type"] == "channel"
    envelope = message.json
    assert {"token", "team_id", "api_app_id", "type", "event_time"} <= envelope.keys()
    assert envelope["authorizations"][0]["user_id"] == cast.bot_user


async def test_a_reply_carries_its_root_and_a_private_channel_its_type(
    bot: ListeningBot, door: Door, cast: Cast
) -> None:
    root = await door.post(cast.private, "root")
    await door.post(cast.private, "reply", thread_ts=root.ts)
    heard = await bot.hears(2)
    reply = next(request.event for request in heard if request.event["text"] == "reply")
    assert (reply["thread_ts"], reply["parent_user_id"]) == (root.ts, cast.requester)
    assert reply["channel_type"] == "group"


async def test_a_direct_message_is_a_message_and_never_a_mention(
    bot: ListeningBot, door: Door, cast: Cast
) -> None:
    said = await door.post(cast.bot_user, f"<@{cast.bot_user}> hello")
    heard = await bot.hears_event("message")
    assert (heard.event["channel_type"], heard.event["channel"]) == ("im", said.channel)
    assert [delivery.event_type for delivery in await attempts(door, "message", 1)] == ["message"]
    assert await door.deliveries("app_mention") == []


async def test_nothing_is_heard_of_channels_the_bot_is_not_in(
    bot: ListeningBot, door: Door, cast: Cast
) -> None:
    await door.post(cast.outside, f"<@{cast.bot_user}> hello")
    assert (await door.link()).under_way == 0
    await door.join(cast.outside, cast.bot_user, inviter=cast.admin)
    joined = await bot.hears_event("member_joined_channel")
    assert (joined.event["user"], joined.event["inviter"]) == (cast.bot_user, cast.admin)
    await door.post(cast.outside, f"<@{cast.bot_user}> again")
    assert (await bot.hears_event("app_mention")).event["text"].endswith("again")


async def test_the_bots_own_edit_comes_back_hidden_and_an_edit_of_a_person_too(
    bot: ListeningBot, client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    post = await client.chat_postMessage(channel=cast.ops, text="a")
    await client.chat_update(channel=cast.ops, ts=post["ts"], text="b")
    own = (await bot.hears_event("message", "message_changed")).event
    assert own["hidden"]
    assert (own["message"]["text"], own["previous_message"]["text"]) == ("b", "a")
    assert own["message"]["bot_id"] == cast.bot
    assert own["ts"] != own["message"]["ts"] == post["ts"]
    bot.heard.clear()
    said = await door.post(cast.ops, "mistake")
    await door.edit(cast.ops, said.ts, "correction")
    edited = (await bot.hears_event("message", "message_changed")).event
    assert edited["message"]["edited"]["user"] == cast.requester


async def test_a_deletion_is_told_and_a_root_with_replies_leaves_a_tombstone(
    bot: ListeningBot, client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    lonely = await door.post(cast.ops, "lonely")
    await door.delete(cast.ops, lonely.ts)
    deleted = (await bot.hears_event("message", "message_deleted")).event
    assert (deleted["deleted_ts"], deleted["hidden"]) == (lonely.ts, True)
    root = await door.post(cast.ops, "root")
    await door.post(cast.ops, "reply", thread_ts=root.ts)
    await door.delete(cast.ops, root.ts)
    changed = (await bot.hears_event("message", "message_changed")).event
    assert changed["message"]["subtype"] == "tombstone"
    thread = await client.conversations_replies(channel=cast.ops, ts=root.ts)
    assert [message.get("subtype") for message in thread["messages"]] == ["tombstone", None]


async def test_strangers_are_marked_and_other_bots_carry_their_bot_id(
    bot: ListeningBot, door: Door, cast: Cast
) -> None:
    await door.post(cast.ops, "from outside", user=cast.stranger)
    stranger = await bot.hears_event("message")
    assert stranger.json["is_ext_shared_channel"]
    assert stranger.event["user_team"] == cast.other_team
    bot.heard.clear()
    await door.post(cast.ops, f"<@{cast.bot_user}> beep", user=cast.other_bot_user)
    assert (await bot.hears_event("app_mention")).event["bot_id"] == cast.other_bot


async def test_home_opened_is_told_with_the_persons_direct_message(
    bot: ListeningBot, door: Door, cast: Cast
) -> None:
    await door.open_home(user=cast.admin)
    opened = (await bot.hears_event("app_home_opened")).event
    assert (opened["user"], opened["tab"]) == (cast.admin, "home")
    assert opened["channel"].startswith("D")


async def test_a_file_of_a_person_comes_with_its_private_address(
    bot: ListeningBot, door: Door, cast: Cast
) -> None:
    await door.post(cast.ops, "look", files=[Attachment(name="log.txt", content="boom")])
    event = (await bot.hears_event("message", "file_share")).event
    assert (event["files"][0]["name"], event["files"][0]["mimetype"], event["files"][0]["size"]) == (
        "log.txt",
        "text/plain",
        4,
    )


async def test_a_failing_bot_gets_three_retries_with_number_and_reason(
    bot: ListeningBot, door: Door, cast: Cast
) -> None:
    async def fail(_heard: Heard) -> web.Response:
        return web.Response(status=503)

    bot.answer = fail
    await door.post(cast.general, "hello")
    tries = await attempts(door, "message", 4)
    assert [attempt.retry_num for attempt in tries] == [0, 1, 2, 3]
    assert [attempt.retry_reason for attempt in tries] == [None, "http_error", "http_error", "http_error"]
    assert [attempt.status for attempt in tries] == [503] * 4
    assert len({attempt.event_id for attempt in tries}) == 1
    assert [heard.retry for heard in bot.heard][1:] == [(str(n), "http_error") for n in (1, 2, 3)]
    assert (await door.link()).under_way == 0


async def test_retries_wait_as_long_as_they_are_told_to(start: Start, bot: ListeningBot, cast: Cast) -> None:
    async def fail(_heard: Heard) -> web.Response:
        return web.Response(status=500)

    bot.answer = fail
    _, door = await start(replace(QUICK, bot_url=bot.url, retry_delays=(0.0, 0.3)))
    await door.post(cast.general, "hello")
    first, second, third = await attempts(door, "message", 3)
    assert second.at - (first.at + first.seconds) < 0.29
    assert third.at - second.at >= 0.29


async def test_a_slow_bot_is_a_timeout_and_the_next_try_may_succeed(
    start: Start, bot: ListeningBot, cast: Cast
) -> None:
    _, door = await start(replace(QUICK, bot_url=bot.url, ack_within=0.8))
    forever = asyncio.Event()

    async def slow_once(heard: Heard) -> web.Response:
        if heard.retry == (None, None):
            await forever.wait()
        return web.Response()

    bot.answer = slow_once
    await door.post(cast.general, "hello")
    first, second = await attempts(door, "message", 2)
    forever.set()
    assert first.failure == "http_timeout"
    assert 0.8 <= first.seconds < 3
    assert (second.retry_reason, second.failure, second.status) == ("http_timeout", None, 200)


async def test_a_bot_that_is_not_there_is_a_failed_connection(start: Start, cast: Cast) -> None:
    async with ListeningBot() as gone:
        url = gone.url
    _, door = await start(replace(QUICK, bot_url=url))
    await door.post(cast.general, "hello")
    assert (await attempts(door, "message", 2))[1].retry_reason == "connection_failed"


async def test_too_many_redirects_are_a_reason_of_their_own(
    bot: ListeningBot, door: Door, cast: Cast
) -> None:
    async def around(_heard: Heard) -> web.Response:
        raise web.HTTPTemporaryRedirect(location=bot.url)

    bot.answer = around
    await door.post(cast.general, "hello")
    assert (await attempts(door, "message", 1))[0].failure == "too_many_redirects"


async def test_no_retry_after_the_bot_asks_for_none(bot: ListeningBot, door: Door, cast: Cast) -> None:
    async def refuse(_heard: Heard) -> web.Response:
        return web.Response(status=500, headers={"X-Slack-No-Retry": "1"})

    bot.answer = refuse
    await door.post(cast.general, "hello")

    async def settled() -> bool:
        return (await door.link()).under_way == 0

    await door.wait_for(settled)
    assert len(await door.deliveries()) == 1


async def test_any_event_can_be_delivered_ten_times_at_once(
    bot: ListeningBot, door: Door, cast: Cast
) -> None:
    event = {"type": "message", "channel": cast.ops, "user": cast.requester, "ts": "1.000001", "text": "raw"}
    event_id = await door.deliver(event, copies=10)
    heard = await bot.hears(10)
    assert {request.json["event_id"] for request in heard} == {event_id}
    assert all(json.loads(request.body)["event"] == event for request in heard)


async def test_the_bot_may_move_to_another_address(bot: ListeningBot, door: Door, cast: Cast) -> None:
    async with ListeningBot() as elsewhere:
        await door.point_at(elsewhere.url)
        await door.post(cast.general, "hello")
        await elsewhere.hears(1)
    assert bot.heard == []
