from __future__ import annotations

import asyncio
import json
import time

import pytest
from front_end.slack_bodies import CAST, as_form, as_json, as_payload, event_body, mention, signed
from front_end.stage import Stage

Body = tuple[bytes, str]


def question() -> Body:
    return as_json(event_body(mention("is it up?")))


async def test_a_request_without_a_signature_is_refused_and_starts_nothing(stage: Stage) -> None:
    body = question()
    for headers in ({}, {"Content-Type": body[1]}, signed(*body) | {"X-Slack-Signature": ""}):
        assert (await stage.send(body, headers)).status == 401
    assert await stage.runs() == []


async def test_a_signature_of_another_secret_is_refused(stage: Stage) -> None:
    body = question()
    assert (await stage.send(body, signed(*body, secret="another-secret"))).status == 401
    assert await stage.runs() == []


async def test_a_body_that_was_changed_after_signing_is_refused(stage: Stage) -> None:
    raw, content_type = question()
    headers = signed(raw, content_type)
    assert (await stage.send((raw.replace(b"is it up?", b"delete it"), content_type), headers)).status == 401
    assert await stage.runs() == []


@pytest.mark.parametrize("seconds", [-301, 301])
async def test_a_timestamp_five_minutes_off_is_refused(stage: Stage, seconds: int) -> None:
    body = question()
    assert (await stage.send(body, signed(*body, at=time.time() + seconds))).status == 401


@pytest.mark.parametrize(
    "timestamp", ["", "now", "１７００００００００", "1e9", "-1", "9" * 5000, "1700000000.5"]
)
async def test_a_timestamp_that_is_no_number_is_401_and_never_500(stage: Stage, timestamp: str) -> None:
    body = question()
    headers = signed(*body) | {"X-Slack-Request-Timestamp": timestamp}
    assert (await stage.send(body, headers)).status == 401


@pytest.mark.parametrize("signature", ["v0=ü", "v0=" + "ä" * 64, "v1=" + "0" * 64, "0" * 64, "v0="])
async def test_a_signature_that_is_not_ascii_is_401_and_never_500(stage: Stage, signature: str) -> None:
    body = question()
    assert (await stage.send(body, signed(*body) | {"X-Slack-Signature": signature})).status == 401


async def test_a_replay_within_five_minutes_is_200_and_changes_nothing(stage: Stage) -> None:
    body = question()
    headers = signed(*body)
    assert [(await stage.send(body, headers)).status for _ in range(3)] == [200, 200, 200]
    assert len(await stage.runs()) == 1


@pytest.mark.parametrize(
    ("body", "statuses"),
    [
        pytest.param((b"x" * (1024 * 1024 + 1), "application/json"), {413}, id="over 1 MiB"),
        pytest.param((b'{"type": "event_callback"', "application/json"), {400}, id="broken JSON"),
        pytest.param((b'["a list"]', "application/json"), {400}, id="a list"),
        pytest.param((b'"a text"', "application/json"), {400}, id="a text"),
        pytest.param((b"[" * 100_000, "application/json"), {400}, id="deep nesting"),
        pytest.param(as_form({"payload": "{"}), {400}, id="broken JSON in a form"),
        pytest.param(as_form({"payload": "[]"}), {400}, id="a list in a form"),
        pytest.param((b"<xml/>", "text/xml"), {415}, id="XML"),
        pytest.param((b"{}", "text/plain"), {415}, id="plain text"),
    ],
)
async def test_a_body_that_is_none_is_4xx_without_a_stack_trace(
    stage: Stage, body: Body, statuses: set[int]
) -> None:
    reply = await stage.send(body)
    assert reply.status in statuses
    assert "Traceback" not in reply.text
    assert len(reply.text) < 200


async def test_bytes_that_are_no_utf_8_are_400(stage: Stage) -> None:
    headers = signed(b"{}", "application/json")
    assert (await stage.send((b'{"text": "\xff\xfe"}', "application/json"), headers)).status == 400


async def test_half_a_surrogate_pair_in_a_text_is_stored_and_not_an_error(stage: Stage) -> None:
    body = event_body(mention("MARK"))
    raw = json.dumps(body).replace("MARK", "broken \\ud800 emoji").encode()
    assert (await stage.send((raw, "application/json"))).status == 200
    run = await stage.the_run()
    assert (await stage.core.control.run_input(run.run_id)).text == "broken ? emoji"


async def test_slack_can_verify_the_address(stage: Stage) -> None:
    reply = await stage.send(as_json({"type": "url_verification", "challenge": "abc", "token": "t"}))
    assert (reply.status, json.loads(reply.text)) == (200, {"challenge": "abc"})


async def test_what_no_release_knows_yet_is_acknowledged(stage: Stage) -> None:
    for body in (
        as_json(event_body({"type": "something_new"})),
        as_json({"type": "app_rate_limited", "team_id": CAST.team, "minute_rate_limited": 1}),
        as_payload({"type": "message_action", "team": {"id": CAST.team}, "user": {"id": CAST.requester}}),
        as_form({"ssl_check": "1", "token": "t"}),
    ):
        assert (await stage.send(body)).status == 200
    assert await stage.runs() == []


async def test_hundreds_of_bad_requests_at_once_leave_the_door_open(stage: Stage) -> None:
    bad = [stage.send((b"{", "application/json"), {"X-Slack-Signature": "v0=?"}) for _ in range(200)]
    assert {reply.status for reply in await asyncio.gather(*bad)} == {401}
    assert (await stage.send(question())).status == 200
