"""One Chromium for each file, and a desk for each test: the page in front of a playground with a scripted app."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from browser.desk import Desk, Pictures
from playground.scripted_app import ScriptedApp
from playwright.async_api import Browser, BrowserContext, async_playwright, expect
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Door, PlaygroundConfig, start_playground
from bot.playground.config import Patience
from bot.playground.processes import Processes

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
WITHIN = 20_000
"""Milliseconds that the page may take for anything, on a machine with other things to do."""

expect.set_options(timeout=WITHIN)
CONFIG = PlaygroundConfig(
    limits="off", retry_delays=(0.0, 0.1, 0.1), patience=Patience(quiet=0.4, within=5.0, away=0.2, armed=20.0)
)


def chromium() -> str:
    """Its path. Without one the tests fail where CI=true, and are skipped elsewhere."""
    spec = importlib.util.spec_from_file_location("browser_script", ROOT / "scripts" / "browser.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    path = script.find()
    if path is None and os.environ.get("CI") == "true":
        pytest.fail("There is no Chromium, which CI=true demands: python scripts/browser.py says why.")
    if path is None:
        pytest.skip(f"no Chromium: {script.HOW}")
    return str(path)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    path = chromium()
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield started
        await started.close()


@asynccontextmanager
async def context_of(browser: Browser, **options: Any) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(
        **{"viewport": {"width": 1280, "height": 800}, "locale": "en-GB", **options}
    )
    context.set_default_timeout(WITHIN)
    try:
        yield context
    finally:
        await context.close()


@asynccontextmanager
async def desk_of(
    browser: Browser, config: PlaygroundConfig = CONFIG, processes: Processes | None = None, **app: Any
) -> AsyncIterator[Desk]:
    """A playground with a scripted app, and its page. Nothing may be written to the console as an error."""
    async with AsyncExitStack() as stack:
        scripted = await stack.enter_async_context(ScriptedApp(**{"step": 0.05, **app}))
        config = replace(config, bot_url=scripted.url)
        playground = await stack.enter_async_context(await start_playground(config, processes))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        scripted.api = AsyncWebClient(
            token=config.bot_token, base_url=playground.api_url, session=session, retry_handlers=[]
        )
        door = await stack.enter_async_context(Door(playground.door_url))
        context = await stack.enter_async_context(context_of(browser))
        page = await context.new_page()
        desk = Desk(page=page, door=door, url=playground.page_url, app=scripted)
        desk.listen()
        await desk.open()
        yield desk
        assert desk.complaints == []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(browser: Browser) -> AsyncIterator[Desk]:
    async with desk_of(browser) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def desk(shared: Desk) -> AsyncIterator[Desk]:
    """The desk of the file, cleared: nothing was said yet, and Rosa is at the first step of the guide."""
    await shared.clear()
    yield shared
    assert shared.complaints == []


@pytest.fixture
def pictures(request: pytest.FixtureRequest, tmp_path: Path) -> Pictures:
    """Where pictures go: to docs/ with `--pictures`, else away with the test."""
    kept = request.config.getoption("--pictures")
    return Pictures(ROOT / "docs" / "pictures" if kept else tmp_path)


def tracked() -> set[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(listed.stdout.splitlines())
