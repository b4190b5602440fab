"""A stage per test, and owners that are stopped at its end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest
from delivery.owners import Owners
from delivery.stage import Stage

from bot.playground import Door, PlaygroundConfig, start_playground
from harness_core import Store


@asynccontextmanager
async def staged(store: Store, redis_url: str, config: PlaygroundConfig) -> AsyncIterator[Stage]:
    """A stage whose Slack tells nobody of events."""
    quiet = replace(config, subscriptions=frozenset())
    async with await start_playground(quiet) as playground, Door(playground.door_url) as door:
        yield Stage(store=store, redis_url=redis_url, playground=playground, door=door)


@pytest.fixture
async def stage(store: Store, redis_url: str) -> AsyncIterator[Stage]:
    async with staged(store, redis_url, PlaygroundConfig(limits="off")) as opened:
        yield opened


@pytest.fixture
async def limited_stage(store: Store, redis_url: str) -> AsyncIterator[Stage]:
    """A Slack that counts calls as its documentation says."""
    async with staged(store, redis_url, PlaygroundConfig(limits="bucket")) as opened:
        yield opened


@pytest.fixture
async def owners() -> AsyncIterator[Owners]:
    async with AsyncExitStack() as stack:
        yield Owners(stack)
