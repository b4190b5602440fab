"""Every answer of Slack's Web API, and every failure to get one, is one of four cases."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from delivery.stage import Stage

from bot.delivery.answers import Done, RateLimited, Refused, Unclear
from bot.delivery.web_api import SingleToken, WebApi
from bot.playground.faults import ErrorAnswer, Hang, HttpFailure, LoseReply
from bot.playground.faults import RateLimited as SlowDown

POST = "chat.postMessage"


@pytest.fixture
async def api(stage: Stage) -> AsyncIterator[WebApi]:
    opened = stage.api(timeout=0.5)
    yield opened
    await opened.close()


async def test_a_call_that_worked_brings_its_data(stage: Stage, api: WebApi) -> None:
    answer = await api.auth_test(stage.cast.team)
    assert isinstance(answer, Done)
    assert answer.data["user_id"] == stage.cast.bot_user


async def test_a_status_429_says_how_long(stage: Stage, api: WebApi) -> None:
    await stage.door.fault(SlowDown(method=POST, seconds=7))
    answer = await api.post_message(stage.cast.team, stage.cast.ops, "a")
    assert answer == RateLimited(7.0)


@pytest.mark.parametrize("error", ["ratelimited", "rate_limited"])
async def test_a_limit_without_a_time_is_a_limit_too(error: str, stage: Stage, api: WebApi) -> None:
    await stage.door.fault(ErrorAnswer(error=error, method=POST))
    answer = await api.post_message(stage.cast.team, stage.cast.ops, "a")
    assert answer == RateLimited(5.0)


async def test_a_refusal_has_slacks_name_for_it(stage: Stage, api: WebApi) -> None:
    answer = await api.post_message(stage.cast.team, stage.cast.outside, "a")
    assert answer == Refused("not_in_channel")


@pytest.mark.parametrize(
    "fault",
    [
        HttpFailure(method=POST, status=500),
        HttpFailure(method=POST, status=503),
        ErrorAnswer(error="fatal_error", method=POST),
        LoseReply(method=POST),
        Hang(method=POST, seconds=5.0),
    ],
    ids=str,
)
async def test_what_may_have_happened_is_unclear_and_not_repeated(
    fault: HttpFailure | ErrorAnswer | LoseReply | Hang, stage: Stage, api: WebApi
) -> None:
    await stage.door.fault(fault)
    answer = await api.post_message(stage.cast.team, stage.cast.ops, "a")
    assert isinstance(answer, Unclear)
    assert answer.sent
    if not isinstance(fault, Hang):
        assert len(await stage.calls(POST)) == 1


async def test_without_a_connection_nothing_was_sent(stage: Stage, unused_tcp_port: int) -> None:
    api = stage.api(f"http://127.0.0.1:{unused_tcp_port}/api/")
    answer = await api.post_message(stage.cast.team, stage.cast.ops, "a")
    await api.close()
    assert isinstance(answer, Unclear)
    assert not answer.sent


@pytest.mark.parametrize("content_type", ["text/plain", "text/html", "application/json"])
async def test_an_answer_that_nobody_can_read_is_unclear(content_type: str) -> None:
    async def gibberish(_: web.Request) -> web.Response:
        return web.Response(text="<oops", content_type=content_type)

    app = web.Application()
    app.router.add_route("*", "/api/{method}", gibberish)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
    api = WebApi.open(SingleToken("xoxb-1"), base_url=url)
    assert isinstance(await api.auth_test("T1"), Unclear)
    await api.close()
    await runner.cleanup()


async def test_a_team_that_is_not_installed_is_refused_without_a_call(stage: Stage) -> None:
    class Nobody:
        async def token(self, tenant: str) -> str:
            raise LookupError(tenant)

    api = WebApi.open(Nobody(), base_url=stage.playground.api_url)
    assert await api.auth_test("T0OTHER") == Refused("not_installed")
    await api.close()
    assert await stage.door.calls() == []


async def test_logs_name_method_and_error_and_never_what_was_said(
    stage: Stage, api: WebApi, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    await stage.door.fault(ErrorAnswer(error="restricted_action", method=POST))
    await api.post_message(stage.cast.team, stage.cast.ops, "a person's secret")
    await api.post_message(stage.cast.team, stage.cast.ops, "a person's secret")
    said = caplog.text + "".join(capsys.readouterr())
    assert "restricted_action" in said
    assert POST in said
    assert "secret" not in said
    assert stage.playground.config.bot_token not in said


async def test_listeners_reach_people_through_the_same_api(stage: Stage, api: WebApi) -> None:
    team, cast = stage.cast.team, stage.cast
    asked = await stage.door.post(cast.ops, "hello")
    for answer in (
        await api.post_ephemeral(team, cast.ops, cast.requester, "only you"),
        await api.add_reaction(team, cast.ops, asked.ts, "eyes"),
        await api.user_info(team, cast.requester),
        await api.set_status(team, cast.ops, asked.ts, "thinking"),
        await api.permalink(team, cast.ops, asked.ts),
        await api.thread_replies(team, cast.ops, asked.ts),
    ):
        assert isinstance(answer, Done), answer
    assert [each.text for each in await stage.door.ephemerals()] == ["only you"]


async def test_a_response_url_is_answered_and_a_dead_one_is_refused(api: WebApi) -> None:
    received = []

    async def take(request: web.Request) -> web.Response:
        received.append(await request.json())
        return web.Response(status=404 if len(received) > 1 else 200)

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    assert isinstance(await api.respond(url, {"text": "late"}), Done)
    assert await api.respond(url, {"text": "later"}) == Refused("http_404")
    await runner.cleanup()
    assert isinstance(await api.respond(url, {"text": "too late"}), Unclear)
    assert received == [{"text": "late"}, {"text": "later"}]
