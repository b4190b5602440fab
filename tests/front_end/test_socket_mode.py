from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from front_end.slack_bodies import CAST, as_json, event_body, mention
from front_end.stage import Stage, raised_stage
from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient
from waiting import wait_until

from bot.errors import SocketRefused
from bot.ingress.intake import Intake, Taken, build_app
from bot.ingress.payloads import Deleted, Edited, OwnDeleted, Post
from bot.ingress.socket_mode import SocketMode
from bot.playground.faults import ErrorAnswer

OPEN = "apps.connections.open"


@pytest.fixture
async def socket_stage(redis_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """A stage whose events come over a WebSocket; it has no signing secret."""
    changes = {"SLACK_APP_TOKEN": "xapp-playground", "SLACK_SIGNING_SECRET": ""}
    async with raised_stage(redis_url, tmp_path, changes) as raised:
        await connected(raised)
        yield raised


async def connected(stage: Stage) -> None:
    async def is_open() -> bool:
        return (await stage.door.link()).open_connections > 0

    await wait_until(is_open)


async def some_runs(stage: Stage, count: int) -> None:
    async def enough() -> bool:
        return len(await stage.runs()) == count

    await wait_until(enough, timeout=15)


async def ask(stage: Stage, text: str = "up?") -> None:
    await stage.door.post(CAST.general, f"<@{CAST.bot_user}> {text}")


async def test_a_post_starts_one_run_and_a_command_is_answered(socket_stage: Stage) -> None:
    await ask(socket_stage)
    await some_runs(socket_stage, 1)
    outcome = await socket_stage.door.command(CAST.general, "runs")
    assert outcome.ok
    (told,) = await socket_stage.told(CAST.requester)
    assert (await socket_stage.the_run()).run_id in told.text


async def test_without_a_signing_secret_http_takes_no_events_and_health_is_served(
    socket_stage: Stage,
) -> None:
    assert (await socket_stage.send(as_json(event_body(mention("up?"))))).status == 404
    assert (await socket_stage.get("/readyz")).status == 200
    assert await socket_stage.runs() == []


async def test_with_a_signing_secret_http_still_verifies(redis_url: str, tmp_path: Path) -> None:
    async with raised_stage(redis_url, tmp_path, {"SLACK_APP_TOKEN": "xapp-playground"}) as stage:
        body = as_json(event_body(mention("up?")))
        assert (await stage.send(body, {"Content-Type": body[1]})).status == 401
        assert (await stage.send(body)).status == 200


async def test_what_could_not_be_stored_is_not_acknowledged_and_comes_again(
    socket_stage: Stage, redis_pid: int
) -> None:
    os.kill(redis_pid, signal.SIGSTOP)
    try:
        await ask(socket_stage)

        async def given_up() -> bool:
            return any(each.failure for each in await socket_stage.door.deliveries("app_mention"))

        await wait_until(given_up)
    finally:
        os.kill(redis_pid, signal.SIGCONT)
    await some_runs(socket_stage, 1)


@pytest.mark.parametrize("abruptly", [False, True])
async def test_a_connection_that_goes_is_replaced(socket_stage: Stage, *, abruptly: bool) -> None:
    await socket_stage.door.disconnect(abruptly=abruptly)
    await asyncio.sleep(0)
    await ask(socket_stage)
    await some_runs(socket_stage, 1)


async def test_while_draining_the_socket_is_closed_so_that_others_get_the_events(socket_stage: Stage) -> None:
    await socket_stage.front.drain()
    assert (await socket_stage.door.link()).open_connections == 0


class Nothing:
    """Leaves every message alone."""

    async def take(self, _post: Post) -> Taken:
        return "left"

    async def amend(self, _edited: Edited) -> None:
        return

    async def withdraw(self, _deleted: Deleted) -> None:
        return

    async def show_again(self, _gone: OwnDeleted) -> None:
        return


@pytest.fixture
def bare(stage: Stage) -> SocketMode:
    """A socket of its own with little patience, on a stage that speaks HTTP."""
    client = AsyncWebClient(base_url=stage.slack.api_url, session=stage.session)
    client.proxy = None
    intake = Intake(stage.installation, Nothing(), stage.metrics)
    app = build_app(stage.installation, intake, signing_secret=None, client=client)
    return SocketMode(app, SecretStr("xapp-playground"), client, patience=0.3, look_every=0.05)


async def test_a_connection_that_stays_away_is_rebuilt(stage: Stage, bare: SocketMode) -> None:
    await stage.door.fault(ErrorAnswer(error="internal_error", method=OPEN, calls=1))
    running = asyncio.create_task(bare.run())
    try:
        await wait_until(bare.connected, timeout=5)
    finally:
        running.cancel()
        await asyncio.wait({running})
    assert len(await stage.door.calls(OPEN)) >= 2


async def test_a_wrong_app_token_is_told_at_the_start(stage: Stage, bare: SocketMode) -> None:
    await bare.check()
    await stage.door.fault(ErrorAnswer(error="invalid_auth", method=OPEN))
    with pytest.raises(SocketRefused, match=r"invalid_auth.*connections:write"):
        await bare.check()
