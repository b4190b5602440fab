"""``checkpointer: {kind: sqlite}`` with the bot's own processes: a file in HARNESS_DATA, and one worker for it."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fleet import Fleet, Request, start_fleet
from front_end.command_line import bot
from front_end.stage import environment
from sealing import SEAL

from bot.check import check
from bot.findings import Finding
from bot.playground import Playground, PlaygroundConfig, start_playground
from bot.settings import Purpose, read_settings
from harness_core import Store


@pytest.fixture
async def fleet() -> AsyncIterator[Fleet]:
    async with start_fleet() as running:
        keep_in(running.team.workspace, "sqlite")
        yield running


@pytest.fixture
async def environ(redis_url: str, tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    async with await start_playground(PlaygroundConfig(limits="off")) as slack:
        yield prepared(slack, redis_url, tmp_path)


def prepared(slack: Playground, redis_url: str, folder: Path) -> dict[str, str]:
    given = environment(slack, redis_url, folder)
    keep_in(folder / "workspace", "sqlite")
    return given


def keep_in(workspace: Path, kind: str) -> None:
    """The Runtime of the workspace says where checkpoints are kept."""
    (file,) = workspace.glob("*.yaml")
    text = file.read_text(encoding="utf-8")
    said = f"kind: Runtime\ncheckpointer: {{kind: {kind}}}\n"
    file.write_text(text.replace("kind: Runtime\n", said, 1), encoding="utf-8")


def threads_in(data: Path) -> int:
    with sqlite3.connect(data / "checkpoints.sqlite") as file:
        ((count,),) = file.execute("SELECT COUNT(DISTINCT thread_id) FROM checkpoints")
    file.close()
    return int(count)


@pytest.mark.parametrize("roles", [("serve",), ("web", "worker")])
async def test_an_approval_outlives_the_worker_with_its_conversation_in_the_file(
    fleet: Fleet, roles: tuple[str, ...]
) -> None:
    await fleet.start(*roles)
    request = await Request.make(fleet)
    await request.parked()
    await request.card()
    fleet.process(roles[-1]).kill()
    await fleet.start(roles[-1])
    await request.approve()
    await fleet.completed(request.asked, cards=1)

    assert len(await request.effects()) == 1
    assert threads_in(fleet.team.data) == 1
    store = await fleet.store()
    assert [key async for key in store.client.scan_iter(match="*:ck:*")] == []


async def test_the_terminal_tries_an_agent_whose_checkpoints_are_in_a_file(environ: dict[str, str]) -> None:
    ended = await bot("try", "ops", "say 2 words", environ=environ | {"LOG_LEVEL": "warning"})

    assert (ended.status, ended.err) == (0, "")
    assert ended.out.strip()


async def checkpoints(environ: dict[str, str]) -> list[Finding]:
    settings = read_settings(environ, Purpose.CHECK, terminal=False)
    return [each async for each in check(settings) if each.subject == "checkpoints"]


async def test_one_worker_is_told_what_it_gives_up(environ: dict[str, str]) -> None:
    (finding,) = await checkpoints(environ)

    assert finding.level == "warning"
    assert "conversations of guide, ops are in a file in HARNESS_DATA (checkpointer: sqlite)" in finding.text
    assert "no worker on another host has them" in finding.text
    assert "checkpointer: {kind: redis}" in finding.text


async def test_several_workers_that_are_alive_are_an_error(environ: dict[str, str]) -> None:
    store = await Store.open(environ["REDIS_URL"], seal=SEAL)
    for name in ("one", "two"):
        await store.presence.beat(name, 60)
    await store.close()

    (finding,) = await checkpoints(environ)

    assert finding.level == "error"
    assert "2 workers that are alive lose each other's" in finding.text


async def test_what_is_kept_in_memory_is_said_to_end_with_the_worker_and_redis_needs_no_word(
    environ: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "workspace" / "team.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("kind: sqlite", "kind: memory"), encoding="utf-8")
    (finding,) = await checkpoints(environ)
    file.write_text(text.replace("kind: sqlite", "kind: redis"), encoding="utf-8")

    assert "gone when it ends" in finding.text
    assert await checkpoints(environ) == []
