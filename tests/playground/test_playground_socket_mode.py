"""Socket Mode with Bolt as the bot, and with a bare websocket where Bolt would hide the protocol."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from playground.conftest import QUICK, Start
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncSay
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Cast, Door, Playground
from bot.playground.records import Delivery


@pytest.fixture
async def playground(start: Start) -> Playground:
    """No address of a bot: Socket Mode."""
    running, _ = await start(QUICK)
    return running


@asynccontextmanager
async def connected(playground: Playground, app: AsyncApp) -> AsyncIterator[AsyncSocketModeHandler]:
    handler = AsyncSocketModeHandler(app, playground.config.app_token, web_client=app.client, ping_interval=1)
    await handler.connect_async()  # type: ignore[no-untyped-call] # Bolt leaves it untyped
    try:
        yield handler
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call] # as above


@asynccontextmanager
async def socket(
    playground: Playground, session: aiohttp.ClientSession
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A connection that acknowledges nothing by itself; hello is already read."""
    client = AsyncWebClient(base_url=playground.api_url, session=session)
    url = (await client.apps_connections_open(app_token=playground.config.app_token))["url"]
    async with session.ws_connect(url) as opened:
        hello = await opened.receive_json(timeout=5)
        assert hello["type"] == "hello"
        assert hello["connection_info"]["app_id"] == playground.config.cast.app
        yield opened


async def settled(door: Door, count: int) -> list[Delivery]:
    async def probe() -> list[Delivery] | None:
        found = await door.deliveries()
        return found if len(found) >= count else None

    return await door.wait_for(probe, what=f"{count} deliveries")


async def test_bolt_hears_a_mention_and_answers_in_the_thread(
    playground: Playground, client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    app = AsyncApp(client=client, signing_secret="unused")

    @app.event("app_mention")
    async def mentioned(event: dict[str, Any], say: AsyncSay) -> None:
        await say(text="hello back", thread_ts=event["ts"])

    @app.event("message")
    async def said() -> None:
        pass

    async with connected(playground, app):
        said_by_person = await door.post(cast.ops, f"<@{cast.bot_user}> hello")
        answer = await door.wait_for_message(
            cast.ops, lambda m: m.text == "hello back", thread_ts=said_by_person.ts
        )
        assert answer.bot_id == cast.bot
        deliveries = await settled(door, 3)
    assert {delivery.transport for delivery in deliveries} == {"socket"}
    assert all(delivery.failure is None for delivery in deliveries)


async def test_bolt_answers_commands_and_opens_modals_over_the_socket(
    playground: Playground, client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    app = AsyncApp(client=client, signing_secret="unused")
    title = {"type": "plain_text", "text": "T"}
    block = {
        "type": "input",
        "block_id": "b",
        "label": title,
        "element": {"type": "plain_text_input", "action_id": "a"},
    }
    view = {"type": "modal", "callback_id": "c", "title": title, "submit": title, "blocks": [block]}

    @app.command("/harness")
    async def command(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=view)
        await ack("No runs.")

    @app.view("c")
    async def submitted(ack: AsyncAck) -> None:
        await ack(response_action="errors", errors={"b": "Not this."})

    async with connected(playground, app):
        assert (await door.command(cast.ops, "runs")).ok
        assert [shown.text for shown in await door.ephemerals()] == ["No runs."]
        assert (await door.submit({"b": "value"})).errors == {"b": "Not this."}


async def test_bolt_reconnects_when_asked_to(
    playground: Playground, client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    app = AsyncApp(client=client, signing_secret="unused")
    heard = asyncio.Event()

    @app.event("message")
    async def said() -> None:
        heard.set()

    async with connected(playground, app):
        assert await door.disconnect() == 1

        async def again() -> bool:
            return (
                len(await door.calls("apps.connections.open")) == 2
                and (await door.link()).open_connections == 1
            )

        await door.wait_for(again, what="a second connection")
        await door.post(cast.general, "still there?")
        async with asyncio.timeout(5):
            await heard.wait()


async def test_an_unacknowledged_event_comes_again_and_says_so(
    start: Start, session: aiohttp.ClientSession, cast: Cast
) -> None:
    playground, door = await start(replace(QUICK, ack_within=0.8))
    async with socket(playground, session) as bot:
        await door.post(cast.general, "hello")
        first = await bot.receive_json(timeout=5)
        second = await bot.receive_json(timeout=5)
        await bot.send_json({"envelope_id": second["envelope_id"]})
        tries = await settled(door, 2)
    assert (first["type"], first["retry_attempt"], first["retry_reason"]) == ("events_api", 0, "")
    assert (second["retry_attempt"], second["retry_reason"]) == (1, "timeout")
    assert first["envelope_id"] != second["envelope_id"]
    assert first["payload"]["event_id"] == second["payload"]["event_id"]
    assert [attempt.failure for attempt in tries] == ["http_timeout", None]


async def test_a_cut_connection_redelivers_over_the_next_one(
    playground: Playground, session: aiohttp.ClientSession, door: Door, cast: Cast
) -> None:
    async with socket(playground, session) as first, socket(playground, session) as second:
        await door.post(cast.general, "hello")
        reading = [asyncio.create_task(each.receive_json(timeout=5)) for each in (first, second)]
        done, waiting = await asyncio.wait(reading, return_when=asyncio.FIRST_COMPLETED)
        unlucky, lucky = (first, second) if reading[0] in done else (second, first)
        await unlucky.close()
        (other,) = waiting
        envelope = await other
        await lucky.send_json({"envelope_id": envelope["envelope_id"]})
        tries = await settled(door, 2)
    assert envelope["retry_attempt"] == 1
    assert [attempt.failure for attempt in tries] == ["connection_failed", None]


async def test_an_action_is_sent_once_and_its_answer_travels_in_the_acknowledgement(
    start: Start, session: aiohttp.ClientSession, cast: Cast
) -> None:
    playground, door = await start(replace(QUICK, ack_within=0.8))
    async with socket(playground, session) as bot:
        typing = asyncio.create_task(door.command(cast.ops, "runs"))
        envelope = await bot.receive_json(timeout=5)
        assert envelope["type"] == "slash_commands"
        assert envelope["accepts_response_payload"]
        assert envelope["payload"]["text"] == "runs"
        await bot.send_json({"envelope_id": envelope["envelope_id"], "payload": {"text": "No runs."}})
        assert json.loads((await typing).body) == {"text": "No runs."}
        missed = await door.command(cast.ops, "runs")
    assert missed.failure == "http_timeout"
    assert len(await door.deliveries("/harness")) == 2


async def test_an_event_with_nobody_connected_waits_for_its_retries(
    start: Start, session: aiohttp.ClientSession
) -> None:
    running, door = await start(replace(QUICK, retry_delays=(0.0, 1.0)))
    await door.post(running.config.cast.general, "hello")
    await settled(door, 2)
    async with socket(running, session) as bot:
        envelope = await bot.receive_json(timeout=5)
        await bot.send_json({"envelope_id": envelope["envelope_id"]})
    assert (envelope["retry_attempt"], envelope["retry_reason"]) == (2, "connection_failed")


async def test_a_ticket_opens_one_connection_and_ten_are_the_most(
    playground: Playground, session: aiohttp.ClientSession
) -> None:
    client = AsyncWebClient(base_url=playground.api_url, session=session)
    token = playground.config.app_token
    urls = [(await client.apps_connections_open(app_token=token))["url"] for _ in range(11)]
    opened = [await session.ws_connect(url) for url in urls[:10]]
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await session.ws_connect(urls[0])
    assert refused.value.status == 403
    async with session.ws_connect(urls[10]) as one_too_many:
        goodbye = await one_too_many.receive_json(timeout=5)
    assert (goodbye["type"], goodbye["reason"]) == ("disconnect", "too_many_websockets")
    for connection in opened:
        await connection.close()


async def test_only_the_app_token_opens_connections(playground: Playground, client: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        await client.apps_connections_open(app_token=playground.config.bot_token)
