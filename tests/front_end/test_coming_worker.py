"""Who writes while ``serve`` still imports LangChain hears of no missing worker: one is coming."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from front_end.command_line import ROOT, WITHIN, line, started
from front_end.slack_bodies import CAST, SECRET
from front_end.stage import environment
from sealing import SEAL
from waiting import wait_until

from bot.playground import Door, Playground, PlaygroundConfig, start_playground
from harness_core import ComingWorker, Control, Store

SLOW = '''
"""LangGraph is imported only after a file is gone."""

import pathlib
import sys
import time

HELD = pathlib.Path(__file__).with_name("held")


class Slow:
    def find_spec(self, name, path=None, target=None):
        while name == "langgraph" and HELD.exists():
            HELD.with_name("waits").touch()
            time.sleep(0.02)


sys.meta_path.insert(0, Slow())
'''


@pytest.fixture
async def slack() -> AsyncIterator[Playground]:
    config = PlaygroundConfig(signing_secret=SECRET, limits="off", retry_delays=(0.1, 0.1, 0.1))
    async with await start_playground(config) as running:
        yield running


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    """A folder that makes every process slow which has it on Python's path."""
    folder = tmp_path / "slow"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(SLOW, encoding="utf-8")
    (folder / "held").touch()
    return folder


@pytest.fixture
async def control(redis_url: str) -> AsyncIterator[Control]:
    store = await Store.open(redis_url, seal=SEAL)
    yield Control(store)
    await store.close()


async def test_who_writes_while_serve_starts_is_told_of_no_missing_worker_and_answered(
    slack: Playground, slow: Path, redis_url: str, tmp_path: Path, control: Control
) -> None:
    environ = environment(slack, redis_url, tmp_path) | {"PYTHONPATH": f"{slow}:{ROOT}"}
    async with Door(slack.door_url) as door, started("serve", environ=environ) as process:
        address = (await line(process, "mode")).removeprefix("HTTP at ")
        await wait_until((slow / "waits").exists, timeout=WITHIN)
        await door.point_at(f"{address}/slack/events")
        asked = await door.post(CAST.general, f"<@{CAST.bot_user}> hello")
        (coming,) = await control.alive_workers()
        # Longer than a worker is waited for before a person is told that there is none.
        written = time.monotonic()
        await wait_until(lambda: time.monotonic() > written + 4, what="time goes by")
        assert await control.alive_workers() == [coming]
        assert await door.ephemerals(user=CAST.requester) == []

        (slow / "held").unlink()
        await door.wait_for_message(
            CAST.general, lambda message: message.user == CAST.bot_user, thread_ts=asked.ts, within=WITHIN
        )
        assert await control.alive_workers() == [coming]
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), 30)
    assert await control.alive_workers() == []


async def test_a_front_alone_promises_no_worker(
    slack: Playground, redis_url: str, tmp_path: Path, control: Control
) -> None:
    async with started("web", environ=environment(slack, redis_url, tmp_path)) as process:
        address = (await line(process, "mode")).removeprefix("HTTP at ")
        async with aiohttp.ClientSession() as session, session.get(f"{address}/readyz") as answer:
            assert answer.status == 200
        assert await control.alive_workers() == []


async def test_a_worker_that_is_long_in_coming_counts_until_it_gives_up(
    redis_url: str, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness_core.engine.coming.EVERY", 0.05)
    monkeypatch.setattr("harness_core.engine.coming.LASTS", 0.4)
    store = await Store.open(redis_url, seal=SEAL)
    began = time.monotonic()
    async with ComingWorker(store) as coming:
        await wait_until(lambda: time.monotonic() > began + 1, what="a beat is long over")
        assert await control.alive_workers() == [coming.name]
    assert await control.alive_workers() == []
    await store.close()
