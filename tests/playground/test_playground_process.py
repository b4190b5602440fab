"""`python -m bot.playground` as a process of its own."""

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playground.listening_bot import ListeningBot

from bot.playground import Cast, Door

DEADLINE = 20.0


@asynccontextmanager
async def process(*arguments: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The process and the address it printed; killed at the end if it still runs."""
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.playground", *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert started.stdout is not None
        async with asyncio.timeout(DEADLINE):
            line = (await started.stdout.readline()).decode()
        yield started, line.removeprefix("Playground: ").strip()
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


async def test_it_prints_its_address_serves_and_ends_on_sigterm(bot: ListeningBot, cast: Cast) -> None:
    async with process("--port", "0", "--bot-url", bot.url, "--signing-secret", "s") as (running, url):
        assert url.startswith("http://127.0.0.1:")
        async with Door(f"{url}door") as door:
            await door.post(cast.ops, f"<@{cast.bot_user}> hello")
            await bot.hears_event("app_mention")
        running.send_signal(signal.SIGTERM)
        async with asyncio.timeout(DEADLINE):
            assert await running.wait() == 0
        assert running.stderr is not None
        assert await running.stderr.read() == b""


async def test_a_taken_port_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with process("--port", str(port)) as (running, _):
            assert running.stderr is not None
            async with asyncio.timeout(DEADLINE):
                problem = (await running.stderr.read()).decode()
                assert await running.wait() == 1
    assert problem == f"The playground cannot listen on 127.0.0.1:{port}: Address already in use.\n"


def test_it_loads_nothing_of_the_bot_or_the_library() -> None:
    program = (
        "import sys, bot.playground.__main__;"
        "ours = [m for m in sys.modules if m.startswith(('bot.', 'harness_core')) and not m.startswith('bot.playground')];"
        "print(ours, [m for m in ('langchain', 'langgraph', 'slack_sdk', 'slack_bolt') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[] []"
