"""``playground``: a simulated Slack, an embedded Redis and the bot, each a process of its own, under one supervisor.

The bot is started again when it dies. When the supervisor is told to end, or one of the others cannot be kept,
everything ends; the data lives in a temporary folder and goes with it.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from bot.commands.exits import Exit
from bot.errors import PlaygroundFailed
from bot.settings import Settings, child_environment

log = structlog.get_logger(__name__)

_HOST: Final = "127.0.0.1"
_READY_WITHIN: Final = 60.0
_END_WITHIN: Final = 10.0
_TOO_SHORT: Final = 5.0
_TOO_OFTEN: Final = 3
_PAUSE: Final = 0.5
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)

# What the simulated Slack expects when it is told nothing else; it guards nothing.
_SLACK: Final = {
    "SLACK_BOT_TOKEN": "xoxb-playground",
    "SLACK_SIGNING_SECRET": "playground-signing-secret",
    "HARNESS_ADMINS": "U0ADMIN",
}


@dataclass(slots=True)
class Program:
    """One child process. It gets no keyboard signals: the supervisor decides when it ends."""

    name: str
    arguments: Sequence[str]
    environ: Mapping[str, str]
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Starts it, or starts it again."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self.arguments,
            env=dict(self.environ),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )

    async def says(self, beginning: str) -> str:
        """The rest of the first line of its output that begins like this.

        :raises PlaygroundFailed: it ended before, or took too long.
        """
        assert self.process is not None  # noqa: S101 - a programmer's mistake
        assert self.process.stdout is not None  # noqa: S101 - as above
        try:
            async with asyncio.timeout(_READY_WITHIN):
                async for line in self.process.stdout:
                    text = line.decode(errors="replace").strip()
                    if text.startswith(beginning):
                        return text.removeprefix(beginning).strip()
        except TimeoutError:
            pass
        raise PlaygroundFailed(f"The {self.name} did not start; what it said is above.")

    async def ended(self) -> int:
        """Waits for its end; its exit status. Its output is read, so that it never waits for a reader."""
        assert self.process is not None  # noqa: S101 - a programmer's mistake
        if self.process.stdout is not None:
            async for _ in self.process.stdout:
                pass
        return await self.process.wait()

    async def end(self) -> None:
        """SIGTERM, and SIGKILL when that is not enough."""
        if self.process is None or self.process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            self.process.terminate()
        try:
            async with asyncio.timeout(_END_WITHIN):
                await self.ended()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()


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
    with tempfile.TemporaryDirectory(prefix="harness-playground-") as folder:
        port = _free_port()
        slack = _slack(settings, port)
        bot: Program | None = None
        try:
            await slack.start()
            page = await slack.says("Playground:")
            bot = Program("bot", ("-m", "bot", "serve"), _bot_environment(settings, page, port, Path(folder)))
            await bot.start()
            await bot.says("Redis")
            sys.stdout.write(f"Playground: {page}  (end it with ^C)\n")
            sys.stdout.flush()
            await _keep(slack, bot)
        finally:
            if bot is not None:
                await bot.end()
            await slack.end()


async def _keep(slack: Program, bot: Program) -> None:
    """The bot alive, as long as the simulated Slack is.

    :raises PlaygroundFailed: one of them cannot be kept.
    """
    loop = asyncio.get_running_loop()
    short_lives, began = 0, loop.time()
    while await _first_to_end(slack, bot) is bot:
        short_lives = short_lives + 1 if loop.time() - began < _TOO_SHORT else 0
        if short_lives >= _TOO_OFTEN:
            raise PlaygroundFailed("The bot keeps ending right after its start; what it said is above.")
        log.warning("the bot ended and is started again")
        await asyncio.sleep(_PAUSE)
        began = loop.time()
        await bot.start()
    raise PlaygroundFailed("The simulated Slack ended; what it said is above.")


async def _first_to_end(*programs: Program) -> Program:
    ends = {asyncio.ensure_future(program.ended()): program for program in programs}
    try:
        done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in ends:
            task.cancel()
        await asyncio.wait(ends)
    return ends[next(iter(done))]


def _nothing() -> None:
    pass


def _slack(settings: Settings, bot_port: int) -> Program:
    arguments = (
        *("-m", "bot.playground", "--port", str(settings.playground_port)),
        *("--bot-url", f"http://{_HOST}:{bot_port}/slack/events"),
    )
    return Program("simulated Slack", arguments, child_environment(settings, {}))


def _bot_environment(settings: Settings, page: str, port: int, folder: Path) -> dict[str, str]:
    return child_environment(
        settings,
        {
            **_SLACK,
            "SLACK_API_URL": f"{page.rstrip('/')}/api/",
            "HARNESS_WORKSPACE": str(settings.workspace),
            "HARNESS_DATA": str(folder / "data"),
            "HOST": _HOST,
            "PORT": str(port),
            "LOG_LEVEL": settings.log_level if settings.log_level == "debug" else "warning",
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
