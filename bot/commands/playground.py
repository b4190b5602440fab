"""``playground``: a simulated Slack, an effect counter, a Redis and the bot, each a process of its own.

This process supervises them: it starts the bot again when it dies, kills it when the page asks for that, tells the
page how it fares, and ends everything when it is told to end or one of the others cannot be kept. The bot runs as
``web`` and ``worker``, as it would in production, and knows nothing of all this. The data lives in a temporary
folder and goes with it.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from bot.commands.bot_life import BotLife
from bot.commands.exits import Exit
from bot.commands.programs import Program
from bot.errors import PlaygroundFailed
from bot.settings import Settings, child_environment
from harness_core import EmbeddedServer
from harness_core.errors import EmbeddedServerError

_HOST: Final = "127.0.0.1"
_READY_WITHIN: Final = 60.0
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)

# What the simulated Slack expects when it is told nothing else; it guards nothing.
_SLACK: Final = {
    "SLACK_BOT_TOKEN": "xoxb-playground",
    "SLACK_SIGNING_SECRET": "playground-signing-secret",
    "HARNESS_ADMINS": "U0ADMIN",
}


async def command(settings: Settings) -> Exit:
    """Runs until SIGINT or SIGTERM.

    :raises PlaygroundFailed: with what to do.
    """
    work = asyncio.ensure_future(_supervise(settings))
    loop = asyncio.get_running_loop()

    def end() -> None:
        for number in _SIGNALS:  # the end must not be interrupted by impatience
            loop.add_signal_handler(number, _nothing)
        work.cancel()

    for number in _SIGNALS:
        loop.add_signal_handler(number, end)
    with suppress(asyncio.CancelledError):
        await work
    return Exit.OK


async def _supervise(settings: Settings) -> None:
    _require_free(settings.playground_port)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="harness-playground-")))
        data = folder / "data"
        await stack.enter_async_context(_redis(data))
        port = _free_port()
        counter, effects = await _begin(stack, _counter(settings), "Effects:")
        orders: asyncio.Queue[str] = asyncio.Queue()
        slack, page = await _begin(stack, _slack(settings, port, effects), "Playground:", orders.put_nowait)
        life = BotLife(settings.workspace, _bot_environment(settings, page, port, data, effects), slack.tell)
        stack.push_async_callback(life.end)
        living = asyncio.create_task(life.live(), name="bot")
        stack.push_async_callback(_cancelled, living)
        await life.first_news()
        sys.stdout.write(f"Playground: {page}  (end it with ^C)\n")
        sys.stdout.flush()
        await _keep(slack, counter, living, asyncio.create_task(_obey(orders, life)))


@asynccontextmanager
async def _redis(data: Path) -> AsyncIterator[None]:
    """The server that the bot's processes share. It is ours too, so that it ends with us though they were killed."""
    try:
        server = await EmbeddedServer.attach(data)
    except EmbeddedServerError as error:
        raise PlaygroundFailed(str(error)) from error
    try:
        yield
    finally:
        await server.leave()


async def _begin(
    stack: AsyncExitStack, program: Program, beginning: str, then: Callable[[str], None] | None = None
) -> tuple[Program, str]:
    """Starts the program; with it, what its first line says. Later lines go to ``then``.

    :raises PlaygroundFailed: it ended before it said that, or took too long.
    """
    said: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def hears(line: str) -> None:
        if said.done():
            if then is not None:
                then(line)
        elif line.startswith(beginning):
            said.set_result(line.removeprefix(beginning).strip())

    program.hears = hears
    await program.start()
    stack.push_async_callback(program.end)
    ended = asyncio.create_task(program.ended())
    await asyncio.wait({said, ended}, timeout=_READY_WITHIN, return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()
    if not said.done():
        raise PlaygroundFailed(f"The {program.name} did not start; what it said is above.")
    return program, said.result()


async def _keep(slack: Program, counter: Program, *tasks: asyncio.Task[None]) -> None:
    """Until one of the programs ends, or one of the tasks breaks.

    :raises PlaygroundFailed: a program ended.
    """
    ends = {asyncio.create_task(program.ended()): program for program in (slack, counter)}
    waits: set[asyncio.Task[str] | asyncio.Task[None]] = {*ends, *tasks}
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waits:
            task.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
    for task in done:
        task.result()
    gone = next(program.name for task, program in ends.items() if task in done)
    raise PlaygroundFailed(f"The {gone} ended; what it said is above.")


async def _obey(orders: asyncio.Queue[str], life: BotLife) -> None:
    """What the page asks for, one after the other."""
    while True:
        match json.loads(await orders.get()):
            case {"order": "hold"}:
                await life.hold()
            case {"order": "kill", "away": float(away) | int(away)}:
                life.kill(away)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _nothing() -> None:
    pass


def _counter(settings: Settings) -> Program:
    return Program(
        name="effect counter",
        arguments=("-m", "bot.playground.effects"),
        environ=child_environment(settings, {}),
    )


def _slack(settings: Settings, bot_port: int, effects: str) -> Program:
    arguments = [
        *("-m", "bot.playground", "--supervised", "--port", str(settings.playground_port)),
        *("--bot-url", f"http://{_HOST}:{bot_port}/slack/events", "--effects-url", effects),
        *("--workspace", str(settings.workspace)),
    ]
    if not (settings.workspace / "acme_tools").is_dir():
        # Somebody's own agents: nothing is known of what they could be asked.
        arguments += ["--ask", "what can you do?", "--act", ""]
    return Program(name="simulated Slack", arguments=arguments, environ=child_environment(settings, {}))


def _bot_environment(settings: Settings, page: str, port: int, data: Path, effects: str) -> dict[str, str]:
    return child_environment(
        settings,
        {
            **_SLACK,
            "SLACK_API_URL": f"{page.rstrip('/')}/api/",
            "HARNESS_WORKSPACE": str(settings.workspace),
            "HARNESS_DATA": str(data),
            "HOST": _HOST,
            "PORT": str(port),
            "LOG_LEVEL": "debug" if settings.log_level == "debug" else "info",
            "LOG_FORMAT": "json",
            # Read by the example's tools: where what they do has its effect.
            "ACME_RESTART_URL": f"{effects}/effects",
        },
    )


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            raise PlaygroundFailed(
                f"Port {port} is taken ({error.strerror}): end what uses it, "
                "or set HARNESS_PLAYGROUND_PORT to another one."
            ) from error


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])
