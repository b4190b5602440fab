from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest
from front_end.command_line import WITHIN, bot, line, started
from front_end.slack_bodies import CAST, SECRET
from front_end.stage import environment, raised_stage
from waiting import wait_until

from bot.errors import StartupFailed
from bot.playground import Door, Playground, PlaygroundConfig, start_playground


@pytest.fixture
async def slack() -> AsyncIterator[Playground]:
    config = PlaygroundConfig(signing_secret=SECRET, limits="off", retry_delays=(0.1, 0.1, 0.1))
    async with await start_playground(config) as running:
        yield running


@pytest.fixture
async def door(slack: Playground) -> AsyncIterator[Door]:
    async with Door(slack.door_url) as opened:
        yield opened


@pytest.fixture
def environ(slack: Playground, redis_url: str, tmp_path: Path) -> dict[str, str]:
    return environment(slack, redis_url, tmp_path)


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield int(holder.getsockname()[1])


async def get(url: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status


def processes_with(word: str) -> list[int]:
    """Every process whose command line or working directory holds ``word``."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                text = (entry / "cmdline").read_bytes().decode() + str((entry / "cwd").readlink())
            except OSError:
                continue
            if word in text:
                found.append(int(entry.name))
    return found


async def test_serve_says_what_it_serves_answers_and_drains_at_sigterm(
    door: Door, environ: dict[str, str]
) -> None:
    async with started("serve", environ=environ) as process:
        address = (await line(process, "mode")).removeprefix("HTTP at ")
        assert await line(process, "team") == "Playground (T0PLAY1)"
        assert await line(process, "workspace") == environ["HARNESS_WORKSPACE"]
        assert (await line(process, "Redis")).startswith("unix://")
        assert await get(f"{address}/readyz") == 200, "ready before the agents are warm"
        await door.point_at(f"{address}/slack/events")
        asked = await door.post(CAST.general, f"<@{CAST.bot_user}> hello")
        await door.wait_for_message(
            CAST.general, lambda message: message.user == CAST.bot_user, thread_ts=asked.ts, within=WITHIN
        )
        process.send_signal(signal.SIGTERM)
        _, err = await asyncio.wait_for(process.communicate(), 30)
        assert process.returncode == 0, err.decode()
        assert b"Traceback" not in err


async def test_a_second_signal_ends_it_at_once(environ: dict[str, str]) -> None:
    async with started("web", environ=environ) as process:
        await line(process, "Redis")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        await asyncio.wait_for(process.communicate(), 10)
        assert process.returncode == 0


async def test_a_worker_listens_only_where_it_is_told_to(environ: dict[str, str]) -> None:
    with taken_port() as port:
        pass
    given = environ | {"HARNESS_METRICS_PORT": str(port)}
    async with started("worker", environ=given) as process:
        assert await line(process, "mode") == "worker"
        base = f"http://127.0.0.1:{port}"

        async def answers() -> bool:
            try:
                return await get(f"{base}/metrics") == 200
            except aiohttp.ClientError:
                return False

        await wait_until(answers, timeout=WITHIN)
        assert await get(f"{base}/slack/events") == 404
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), 30)
        assert process.returncode == 0


async def test_a_taken_port_is_a_sentence(environ: dict[str, str]) -> None:
    with taken_port() as port:
        ended = await bot("web", environ=environ | {"PORT": str(port), "LOG_LEVEL": "error"})
    assert (ended.status, ended.out) == (1, "")
    assert re.fullmatch(rf"Cannot listen on 127\.0\.0\.1:{port} \(.*\): .* set PORT .*\.\n", ended.err)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb-another"}, r"Slack refuses SLACK_BOT_TOKEN \(invalid_auth\): .*"),
        ({"SLACK_API_URL": "http://127.0.0.1:1/"}, r"Slack could not be asked at http://127.0.0.1:1/ .*"),
        ({"REDIS_URL": "redis://:hush@127.0.0.1:1"}, r"Redis did not do what was asked .*"),
        ({"HARNESS_WORKSPACE": "/nowhere/at/all"}, r"The workspace in /nowhere/at/all cannot be used: .*"),
        ({"SLACK_APP_TOKEN": "xapp-another"}, r"Slack refuses the app token .*\(invalid_auth\): .*"),
    ],
)
async def test_what_keeps_it_from_starting_is_one_sentence(
    redis_url: str, tmp_path: Path, changes: dict[str, str], said: str
) -> None:
    with pytest.raises(StartupFailed) as failed:
        async with raised_stage(redis_url, tmp_path, changes):
            pass
    assert re.fullmatch(said, str(failed.value)), failed.value
    assert "hush" not in str(failed.value)


@pytest.fixture
def short() -> Iterator[Path]:
    """A temporary folder in whose sub-folders a socket can be."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.soak
async def test_the_playground_answers_survives_a_kill_of_the_bot_and_leaves_nothing_behind(
    short: Path,
) -> None:
    with taken_port() as port:
        pass
    environ = {"HARNESS_PLAYGROUND_PORT": str(port), "HARNESS_DATA": str(short), "TMPDIR": str(short)}
    async with started("playground", environ=environ) as process:
        page = (await line(process, "Playground:")).split()[0]
        assert page == f"http://127.0.0.1:{port}/"
        async with Door(f"{page}door") as door:
            await ask_about_checkout(door)
            before = bots(process.pid)
            os.kill(children(process.pid, "worker")[0], signal.SIGKILL)
            await wait_until(
                lambda: len(bots(process.pid)) == 2 and not bots(process.pid) & before,
                timeout=WITHIN,
                what="both were started again",
            )

            async def takes_commands() -> bool:
                return (await door.command(CAST.general, "help")).ok

            await wait_until(takes_commands, timeout=WITHIN)
            await ask_about_checkout(door)
        process.send_signal(signal.SIGINT)
        await asyncio.wait_for(process.communicate(), 30)
        assert process.returncode == 0
    assert processes_with(str(short)) == []
    assert left_in(short) == []


@pytest.mark.soak
async def test_nothing_is_left_behind_when_the_playground_is_ended_while_its_bot_is_dead(short: Path) -> None:
    with taken_port() as port:
        pass
    environ = {"HARNESS_PLAYGROUND_PORT": str(port), "TMPDIR": str(short)}
    async with started("playground", environ=environ) as process:
        await line(process, "Playground:")
        for pid in bots(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), 30)
        assert process.returncode == 0
    assert processes_with(str(short)) == []
    assert left_in(short) == []


async def test_no_process_outlives_a_playground_that_was_killed(short: Path) -> None:
    with taken_port() as port:
        pass
    environ = {"HARNESS_PLAYGROUND_PORT": str(port), "TMPDIR": str(short)}
    async with started("playground", environ=environ) as process:
        await line(process, "Playground:")
        pids = bots(process.pid) | set(children(process.pid, "bot.playground.effects"))
        assert len(pids) == 3
        process.kill()
        await process.wait()
        await wait_until(
            lambda: (
                not [pid for pid in pids if Path(f"/proc/{pid}").exists()] and not processes_with(str(short))
            ),
            timeout=40,
            what="every process has ended by itself",
        )


def bots(pid: int) -> set[int]:
    """The processes of the playground's bot."""
    return {*children(pid, "web"), *children(pid, "worker")}


async def ask_about_checkout(door: Door) -> None:
    asked = await door.post(CAST.general, f"<@{CAST.bot_user}> why is checkout slow?")
    await door.wait_for_message(
        CAST.general,
        lambda message: "orders-db" in message.text and message.user == CAST.bot_user,
        thread_ts=asked.ts,
        within=WITHIN,
    )


def left_in(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


def children(pid: int, word: str) -> list[int]:
    """Children of a process whose last argument is ``word``."""
    found = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        arguments = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
        if word.encode() in arguments:
            found.append(int(child))
    return found


async def test_a_taken_playground_port_is_a_sentence(tmp_path: Path) -> None:
    with taken_port() as port:
        ended = await bot(
            "playground", environ={"HARNESS_PLAYGROUND_PORT": str(port), "HARNESS_DATA": str(tmp_path)}
        )
    assert ended.status == 1
    assert ended.err.startswith(f"Port {port} is taken")
    assert len(ended.err.splitlines()) == 1
