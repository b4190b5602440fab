"""Clicks, modals and commands: what the bot receives, and what its answer does to the person's screen."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from playground.conftest import QUICK, Start
from playground.listening_bot import Heard, ListeningBot
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.playground import Cast, Door, DoorRefused
from bot.playground.records import Message

Json = dict[str, Any]

APPROVE = {"type": "button", "action_id": "approval:approve", "value": "a1:1", "text": {"type": "plain_text", "text": "Approve"}, "style": "primary"}  # fmt: skip
CHOICE = {"type": "static_select", "action_id": "choice", "options": [{"text": {"type": "plain_text", "text": n}, "value": n} for n in ("dev", "prod")]}  # fmt: skip
CARD = [{"type": "actions", "block_id": "row", "elements": [APPROVE, CHOICE]}]


def modal(**more: Any) -> Json:
    def field(block_id: str, element: Json, **rest: Any) -> Json:
        label = {"type": "plain_text", "text": block_id}
        return {
            "type": "input",
            "block_id": block_id,
            "label": label,
            "element": {**element, "action_id": "value"},
        } | rest

    env = {key: CHOICE[key] for key in ("type", "options")} | {"initial_option": CHOICE["options"][0]}
    return {
        "type": "modal",
        "callback_id": "edit",
        "private_metadata": "a1:1",
        "title": {"type": "plain_text", "text": "Edit"},
        "submit": {"type": "plain_text", "text": "Save"},
        "blocks": [
            field("arg:service", {"type": "plain_text_input", "initial_value": "billing", "max_length": 20}),
            field("arg:env", env),
            field("arg:note", {"type": "plain_text_input"}, optional=True),
        ],
    } | more


async def card(client: AsyncWebClient, door: Door, channel: str, **more: Any) -> Message:
    post = await client.chat_postMessage(channel=channel, text="Approval needed", blocks=CARD, **more)
    found = await door.message(channel, post["ts"])
    assert found
    return found


def answering(body: Json) -> Callable[[Heard], Awaitable[web.Response]]:
    async def answer(_heard: Heard) -> web.Response:
        return web.json_response(body)

    return answer


async def open_modal(
    bot: ListeningBot, client: AsyncWebClient, door: Door, cast: Cast, view: Json | None = None
) -> None:
    await door.click(await card(client, door, cast.ops), "approval:approve", user=cast.approver)
    (click,) = await bot.hears(1, lambda heard: heard.json.get("type") == "block_actions")
    await client.views_open(trigger_id=click.json["trigger_id"], view=view or modal())


async def refusal(call: Awaitable[Any]) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_a_click_reaches_the_bot_signed_and_complete(
    bot: ListeningBot, client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    root = await door.post(cast.ops, "root")
    message = await card(client, door, cast.ops, thread_ts=root.ts)
    outcome = await door.click(message, "approval:approve", user=cast.approver)
    assert (outcome.ok, outcome.status) == (True, 200)
    (heard,) = await bot.hears(1, lambda request: "payload=" in request.body)
    assert SignatureVerifier("playground-signing-secret").is_valid_request(heard.body, dict(heard.headers))
    payload = heard.json
    assert payload["type"] == "block_actions"
    assert payload["user"]["id"] == cast.approver
    assert payload["container"] == {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": cast.ops,
        "is_ephemeral": False,
        "thread_ts": root.ts,
    }
    assert payload["actions"][0]["value"] == "a1:1"
    assert payload["actions"][0]["block_id"] == "row"
    assert payload["message"]["ts"] == message.ts


async def test_a_choice_is_reported_with_the_option_chosen(
    bot: ListeningBot, client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    message = await card(client, door, cast.ops)
    await door.click(message, "choice", value="prod")
    (heard,) = await bot.hears(1, lambda request: "payload=" in request.body)
    assert heard.json["actions"][0]["selected_option"]["value"] == "prod"
    with pytest.raises(DoorRefused, match="it offers: dev, prod"):
        await door.click(message, "choice", value="staging")


async def test_nobody_can_click_what_is_not_on_their_screen(
    client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    message = await card(client, door, cast.private)
    with pytest.raises(DoorRefused, match="there is: approval:approve, choice"):
        await door.click(message, "approval:reject")
    with pytest.raises(DoorRefused, match="is not in #incidents"):
        await door.click(message, "approval:approve", user=cast.guest)
    with pytest.raises(DoorRefused, match="deactivated"):
        await door.click(message, "approval:approve", user=cast.deleted)
    await client.chat_update(channel=cast.private, ts=message.ts, text="Approved")
    with pytest.raises(DoorRefused, match="there is: nothing"):
        await door.click(message, "approval:approve")


async def test_a_click_is_never_delivered_again(
    bot: ListeningBot, client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    async def fail(_heard: Heard) -> web.Response:
        return web.Response(status=500)

    bot.answer = fail
    message = await card(client, door, cast.private)
    outcome = await door.click(message, "approval:approve")
    assert (outcome.ok, outcome.failure, outcome.status) == (False, "http_error", 500)
    assert len(await door.deliveries("block_actions")) == 1


async def test_a_trigger_opens_one_modal_within_its_life(
    bot: ListeningBot, client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    await open_modal(bot, client, door, cast)
    (view,) = await door.views(user=cast.approver)
    trigger = next(heard.json["trigger_id"] for heard in bot.heard if "payload=" in heard.body)
    assert await refusal(client.views_open(trigger_id=trigger, view=modal())) == "exchanged_trigger_id"
    assert await refusal(client.views_open(trigger_id="1.2.x", view=modal())) == "invalid_trigger_id"
    assert view.body["private_metadata"] == "a1:1"


async def test_a_trigger_expires(
    start: Start, bot: ListeningBot, session: aiohttp.ClientSession, cast: Cast
) -> None:
    running, door = await start(replace(QUICK, bot_url=bot.url, trigger_life=0.0))
    client = AsyncWebClient(token=running.config.bot_token, base_url=running.api_url, session=session)
    await door.command(cast.ops, "runs")
    (heard,) = await bot.hears(1)
    assert (
        await refusal(client.views_open(trigger_id=heard.json["trigger_id"], view=modal()))
        == "expired_trigger_id"
    )


async def test_a_submission_carries_every_value_and_closes_the_modal(
    bot: ListeningBot, client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    await open_modal(bot, client, door, cast)
    outcome = await door.submit({"arg:service": "search"}, user=cast.approver)
    assert outcome.ok
    (heard,) = await bot.hears(1, lambda request: request.json.get("type") == "view_submission")
    view = heard.json["view"]
    assert (view["callback_id"], view["private_metadata"]) == ("edit", "a1:1")
    values = {block: state["value"] for block, state in view["state"]["values"].items()}
    assert values["arg:service"] == {"type": "plain_text_input", "value": "search"}
    assert values["arg:env"]["selected_option"]["value"] == "dev"
    assert values["arg:note"]["value"] is None
    assert await door.views(user=cast.approver) == []


async def test_the_client_refuses_empty_and_overlong_fields_before_sending(
    bot: ListeningBot, client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    await open_modal(bot, client, door, cast)
    outcome = await door.submit({"arg:service": ""}, user=cast.approver)
    assert (outcome.failure, list(outcome.errors)) == ("client_validation", ["arg:service"])
    outcome = await door.submit({"arg:service": "x" * 21}, user=cast.approver)
    assert "no more than 20" in outcome.errors["arg:service"]
    assert not await door.deliveries("view_submission")


async def test_field_errors_keep_the_modal_open(
    bot: ListeningBot, client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    await open_modal(bot, client, door, cast)
    bot.answer = answering({"response_action": "errors", "errors": {"arg:service": "No such service."}})
    outcome = await door.submit(user=cast.approver)
    assert outcome.errors == {"arg:service": "No such service."}
    assert len(await door.views(user=cast.approver)) == 1
    bot.answer = answering({"response_action": "errors", "errors": {"arg:unknown": "?"}})
    outcome = await door.submit(user=cast.approver)
    assert (outcome.failure or "").startswith("invalid_response")


async def test_a_submission_may_update_push_or_clear(
    bot: ListeningBot, client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    await open_modal(bot, client, door, cast)
    bot.answer = answering({"response_action": "update", "view": modal(callback_id="second")})
    await door.submit(user=cast.approver)
    assert [view.body["callback_id"] for view in await door.views()] == ["second"]
    for depth in (2, 3):
        bot.answer = answering({"response_action": "push", "view": modal(callback_id=f"level-{depth}")})
        assert (await door.submit(user=cast.approver)).ok
        assert len(await door.views()) == depth
    outcome = await door.submit(user=cast.approver)
    assert "push_limit_reached" in (outcome.failure or "")
    bot.answer = answering({"response_action": "clear"})
    await door.submit(user=cast.approver)
    assert await door.views() == []


async def test_views_are_updated_by_id_or_external_id_and_checked_by_hash(
    bot: ListeningBot, client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    await open_modal(bot, client, door, cast, modal(external_id="mine"))
    (view,) = await door.views()
    updated = await client.views_update(
        external_id="mine", hash=view.hash, view=modal(external_id="mine", callback_id="b")
    )
    assert updated["view"]["callback_id"] == "b"
    assert (
        await refusal(client.views_update(view_id=view.id, hash=view.hash, view=modal())) == "hash_conflict"
    )
    assert await refusal(client.views_update(view_id="V0NONE", view=modal())) == "not_found"


async def test_closing_is_told_only_when_asked_for(
    bot: ListeningBot, client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    await open_modal(bot, client, door, cast, modal(notify_on_close=True))
    await door.close_view(user=cast.approver)
    (heard,) = await bot.hears(1, lambda request: request.json.get("type") == "view_closed")
    assert heard.json["is_cleared"] is False
    with pytest.raises(DoorRefused, match="no modal open"):
        await door.close_view(user=cast.approver)


async def test_a_home_tab_is_published_and_clicked(
    bot: ListeningBot, client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    home = {"type": "home", "blocks": CARD}
    view = (await client.views_publish(user_id=cast.approver, view=home))["view"]
    outcome = await door.click_view("approval:approve", user=cast.approver, view_id=view["id"])
    assert outcome.ok
    (heard,) = await bot.hears(1)
    assert (heard.json["view"]["type"], heard.json["container"]["type"]) == ("home", "view")
    with pytest.raises(DoorRefused, match=f"{cast.approver}'s, not {cast.requester}'s"):
        await door.click_view("approval:approve", view_id=view["id"])


async def test_a_command_arrives_as_a_form_and_its_answer_is_seen_by_one_person(
    bot: ListeningBot, door: Door, cast: Cast
) -> None:
    bot.answer = answering({"response_type": "ephemeral", "text": "No runs."})
    outcome = await door.command(cast.ops, "runs completed", user=cast.admin)
    assert outcome.ok
    (heard,) = await bot.hears(1)
    assert (heard.json["command"], heard.json["text"], heard.json["user_id"]) == (
        "/harness",
        "runs completed",
        cast.admin,
    )
    assert heard.json["response_url"].startswith("http://127.0.0.1:")
    assert [shown.text for shown in await door.ephemerals(user=cast.admin)] == ["No runs."]
    assert await door.ephemerals(user=cast.requester) == []
    with pytest.raises(DoorRefused, match="not a valid command"):
        await door.command(cast.ops, command="/nothing")


async def test_a_command_that_is_not_answered_shows_the_clients_error(
    bot: ListeningBot, door: Door, cast: Cast
) -> None:
    async def fail(_heard: Heard) -> web.Response:
        return web.Response(status=500)

    bot.answer = fail
    assert (await door.command(cast.ops, "runs")).failure == "http_error"
    (shown,) = await door.ephemerals()
    assert "dispatch_failed" in shown.text


async def test_a_response_url_works_five_times(bot: ListeningBot, door: Door, cast: Cast) -> None:
    await door.command(cast.ops, "runs")
    (heard,) = await bot.hears(1)
    webhook = AsyncWebhookClient(heard.json["response_url"])
    for number in range(5):
        assert (await webhook.send(text=str(number))).status_code == 200
    refused = await webhook.send(text="six")
    assert (refused.status_code, json.loads(refused.body)["error"]) == (404, "used_url")
    assert [shown.text for shown in await door.ephemerals()] == ["0", "1", "2", "3", "4"]
    assert [call.status for call in await door.calls("response_url")] == [200] * 5 + [404]


async def test_a_response_url_expires(start: Start, bot: ListeningBot, cast: Cast) -> None:
    _, door = await start(replace(QUICK, bot_url=bot.url, response_url_life=0.0))
    await door.command(cast.ops, "runs")
    (heard,) = await bot.hears(1)
    refused = await AsyncWebhookClient(heard.json["response_url"]).send(text="late")
    assert (refused.status_code, json.loads(refused.body)["error"]) == (404, "expired_url")


async def test_a_response_url_replaces_or_deletes_what_was_clicked(
    bot: ListeningBot, client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    await client.chat_postEphemeral(channel=cast.ops, user=cast.requester, text="choose", blocks=CARD)
    (shown,) = await door.ephemerals()
    assert (await door.click(shown, "approval:approve")).ok
    with pytest.raises(DoorRefused, match="is shown to"):
        await door.click(shown, "approval:approve", user=cast.admin)
    (heard,) = await bot.hears(1)
    assert heard.json["container"]["is_ephemeral"]
    assert "message" not in heard.json
    webhook = AsyncWebhookClient(heard.json["response_url"])
    await webhook.send(text="chosen", replace_original=True)
    assert [ephemeral.text for ephemeral in await door.ephemerals()] == ["chosen"]
    await webhook.send(delete_original=True)
    assert await door.ephemerals() == []


async def test_a_response_in_the_channel_is_seen_by_all_and_bad_blocks_are_refused(
    bot: ListeningBot, door: Door, cast: Cast
) -> None:
    await door.command(cast.ops, "runs")
    (heard,) = await bot.hears(1)
    webhook = AsyncWebhookClient(heard.json["response_url"])
    await webhook.send(text="for all", response_type="in_channel")
    assert [message.text for message in await door.messages(cast.ops)] == ["for all"]
    refused = await webhook.send(text="x", blocks=[{"type": "nope"}])
    assert (refused.status_code, json.loads(refused.body)["error"]) == (400, "invalid_blocks")
