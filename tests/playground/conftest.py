"""A playground per test, a bot that listens, a door, and Slack's own client."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import aiohttp
import pytest
from playground.listening_bot import ListeningBot
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Cast, Door, Playground, PlaygroundConfig, start_playground

Start = Callable[[PlaygroundConfig], Awaitable[tuple[Playground, Door]]]

QUICK = PlaygroundConfig(retry_delays=(0.0, 0.02, 0.04), limits="off")


@pytest.fixture
def cast() -> Cast:
    return Cast()


@pytest.fixture
async def bot() -> AsyncIterator[ListeningBot]:
    async with ListeningBot() as listening:
        yield listening


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts playgrounds with a configuration of one's own, and stops them all."""
    async with AsyncExitStack() as stack:

        async def begin(config: PlaygroundConfig) -> tuple[Playground, Door]:
            running = await stack.enter_async_context(await start_playground(config))
            return running, await stack.enter_async_context(Door(running.door_url))

        yield begin


@pytest.fixture
async def playground(start: Start, bot: ListeningBot) -> Playground:
    running, _ = await start(replace(QUICK, bot_url=bot.url))
    return running


@pytest.fixture
async def door(playground: Playground) -> AsyncIterator[Door]:
    async with Door(playground.door_url) as opened:
        yield opened


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as opened:
        yield opened


@pytest.fixture
def client(playground: Playground, session: aiohttp.ClientSession) -> AsyncWebClient:
    """Slack's own client without its retries, so that each test sees the plain answer."""
    config = playground.config
    return AsyncWebClient(
        token=config.bot_token, base_url=playground.api_url, session=session, retry_handlers=[]
    )
