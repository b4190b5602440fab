"""The web process answers within three seconds because it never loads the agents' libraries."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from architecture.source_tree import ROOT

HEAVY = re.compile(r"(?:langchain|langgraph|langsmith|deepagents|openai)\w*(?:\..+)?")


def test_importing_bot_web_loads_no_agent_library() -> None:
    program = "import sys, bot.web; print(*sys.modules, sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=False, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    loaded = done.stdout.split()
    assert "bot.web" in loaded
    assert [name for name in loaded if HEAVY.fullmatch(name)] == []


@pytest.fixture
async def web_api() -> AsyncIterator[str]:
    """As much of Slack's Web API as a starting web process asks."""

    async def auth_test(_request: web.Request) -> web.Response:
        who = {
            "ok": True,
            "team": "Acme",
            "team_id": "T1",
            "user": "harness",
            "user_id": "U1",
            "bot_id": "B1",
        }
        return web.json_response(
            {**who, "url": "https://acme.example/"}, headers={"x-oauth-scopes": "chat:write"}
        )

    app = web.Application()
    app.router.add_route("*", "/api/auth.test", auth_test)
    async with TestServer(app, host="127.0.0.1") as server:
        yield str(server.make_url("/api/"))


def tail(log: Path) -> str:
    return log.read_text(encoding="utf-8")[-2000:]


async def wait_until_ready(process: asyncio.subprocess.Process, url: str, log: Path) -> None:
    async with asyncio.timeout(30), aiohttp.ClientSession() as session:
        while True:
            assert process.returncode is None, tail(log)
            try:
                async with session.get(url) as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.05)


async def test_a_ready_web_process_has_loaded_no_agent_library(
    web_api: str, redis_url: str, tmp_path: Path
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        "SLACK_API_URL": web_api,
        "SLACK_BOT_TOKEN": "xoxb-test",
        "SLACK_SIGNING_SECRET": "0" * 32,
        "REDIS_URL": redis_url,
        "HARNESS_SEAL_KEY": base64.b64encode(bytes(32)).decode(),
        "HARNESS_DATA": str(tmp_path / "data"),
        "HOST": "127.0.0.1",
        "PORT": str(port),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "HARNESS_"))}
    log = tmp_path / "imports.log"
    with log.open("wb") as stderr:
        command = [sys.executable, "-X", "importtime", "-m", "bot", "web"]
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=kept | settings, stderr=stderr)
    try:
        await wait_until_ready(process, f"http://127.0.0.1:{port}/readyz", log)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    loaded = re.findall(
        r"^import time:\s+\d+ \|\s+\d+ \|\s*(\S+)$", log.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert "bot.web" in loaded
    assert [name for name in loaded if HEAVY.fullmatch(name)] == []
