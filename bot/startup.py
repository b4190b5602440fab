"""What every process opens first: the store, the workspace, and the team its token belongs to."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog
from pydantic import SecretStr

from bot.delivery.answers import Answer, Done, RateLimited, Refused, Unclear
from bot.delivery.web_api import SingleToken, open_session
from bot.errors import StartupFailed
from bot.ingress.installation import Installation
from bot.metrics import Metrics
from bot.people import People
from bot.seal_key import load_seal_key
from bot.settings import Settings
from bot.slack_api import CountedWebApi
from harness_core import Control, EmbeddedServer, Seal, Store, WorkspaceHolder
from harness_core.errors import EmbeddedServerError, StoreError, WorkspaceInvalid

log = structlog.get_logger(__name__)

_TRIES: Final = 3
_PAUSE: Final = 1.0
_ANY_TEAM: Final = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """The store and what is asked of it. ``redis`` says where it is, without a password."""

    store: Store
    seal: Seal
    control: Control
    redis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """The Slack side: whose bot this is, its way to the Web API, and who the people there are."""

    installation: Installation
    api: CountedWebApi
    people: People


@asynccontextmanager
async def open_core(settings: Settings) -> AsyncIterator[Core]:
    """The configured Redis, or the one that comes along, which is watched and left in the end.

    :raises StartupFailed: with what to do.
    """
    try:
        seal = Seal(await asyncio.to_thread(load_seal_key, settings))
        async with _redis(settings) as (url, where):
            store = await Store.open(url, seal=seal)
            try:
                yield Core(store=store, seal=seal, control=Control(store), redis=where)
            finally:
                await store.close()
    except (EmbeddedServerError, StoreError) as error:
        raise StartupFailed(str(error)) from error


@asynccontextmanager
async def _redis(settings: Settings) -> AsyncIterator[tuple[str, str]]:
    if settings.redis_url is not None:
        url = settings.redis_url.get_secret_value()
        yield url, _without_password(url)
        return
    server = await EmbeddedServer.attach(settings.data)
    watching = asyncio.create_task(server.watch(), name="embedded Redis")
    try:
        yield server.url, f"embedded in {settings.data}"
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await server.leave()


def open_workspace(settings: Settings) -> WorkspaceHolder:
    """The workspace, whose folder's modules can be imported from here on. Blocks for reading files.

    :raises StartupFailed: with the first finding and how to see the others.
    """
    importable(settings.workspace)
    try:
        return WorkspaceHolder(settings.workspace, settings.environ)
    except WorkspaceInvalid as error:
        errors = [each for each in error.findings if getattr(each, "severity", "error") == "error"]
        more = f" and {len(errors) - 1} more" if len(errors) > 1 else ""
        raise StartupFailed(
            f"The workspace in {settings.workspace} cannot be used: {errors[0]}{more}; "
            "`python -m bot check` lists everything."
        ) from error


def importable(folder: Path) -> None:
    """Let the workspace's own Python tools be found, after everything that is installed."""
    path = str(folder.resolve())
    if path not in sys.path:
        sys.path.append(path)


@asynccontextmanager
async def open_team(settings: Settings, metrics: Metrics) -> AsyncIterator[Team]:
    """The team that the bot token belongs to.

    :raises StartupFailed: the token does not work, or Slack cannot be asked.
    """
    token = settings.bot_token or SecretStr("")
    session = open_session(settings.api_url)
    api = CountedWebApi(session, SingleToken(token.get_secret_value()), metrics, base_url=settings.api_url)
    people = People(api)
    try:
        installation = read_installation(await _ask(api), settings)
        log.info("token works", team_id=installation.team)
        yield Team(installation=installation, api=api, people=people)
    finally:
        await people.close()
        await api.close()


async def _ask(api: CountedWebApi) -> Answer:
    answer = await api.auth_test(_ANY_TEAM)
    for _ in range(_TRIES - 1):
        if isinstance(answer, Done | Refused):
            break
        await asyncio.sleep(_PAUSE)
        answer = await api.auth_test(_ANY_TEAM)
    return answer


def read_installation(answer: Answer, settings: Settings) -> Installation:
    """What ``auth.test`` said.

    :raises StartupFailed: it refused, or said too little.
    """
    match answer:
        case Done(data=data):
            told = {name: _text(data.get(name)) for name in ("team_id", "team", "user_id", "bot_id", "url")}
        case Refused(error=error):
            raise StartupFailed(
                f"Slack refuses SLACK_BOT_TOKEN ({error}): copy the Bot User OAuth Token from "
                "“Install App” on your app's page again."
            )
        case RateLimited() | Unclear():
            raise StartupFailed(
                f"Slack could not be asked at {settings.api_url} ({answer!r}): "
                "check the network, or SLACK_API_URL."
            )
    if not (told["team_id"] and told["user_id"]):
        raise StartupFailed(
            f"The answer of auth.test at {settings.api_url} names no team and user: check SLACK_API_URL."
        )
    token = settings.bot_token.get_secret_value() if settings.bot_token else ""
    return Installation(
        team=told["team_id"],
        team_name=told["team"] or told["team_id"],
        bot_user=told["user_id"],
        bot_id=told["bot_id"],
        url=told["url"],
        token=token,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"
