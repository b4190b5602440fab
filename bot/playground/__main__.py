"""`python -m bot.playground`: a playground in a process of its own, until SIGINT or SIGTERM.

With `--supervised` it also takes news from its standard input and gives orders on its standard output (see
`processes.py`), and ends when its input ends.
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from bot.playground.config import PlaygroundConfig, Suggestions
from bot.playground.processes import Processes
from bot.playground.server import start_playground
from bot.playground.standard_input import lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    config: PlaygroundConfig
    supervised: bool


def parse(arguments: Sequence[str]) -> Program:
    defaults = PlaygroundConfig()
    parser = argparse.ArgumentParser(
        prog="python -m bot.playground", description="A local stand-in for Slack."
    )
    parser.add_argument("--port", type=int, default=8080, help="0 picks a free one (default: %(default)s)")
    parser.add_argument(
        "--bot-url", help="where the bot takes events; without it the playground speaks Socket Mode"
    )
    parser.add_argument("--signing-secret", default=defaults.signing_secret)
    parser.add_argument("--bot-token", default=defaults.bot_token)
    parser.add_argument("--app-token", default=defaults.app_token)
    parser.add_argument("--limits", choices=("bucket", "window", "off"), default=defaults.limits)
    parser.add_argument("--effects-url", help="the effect counter, see bot.playground.effects")
    parser.add_argument("--workspace", help="the folder of the bot's agents, to be shown")
    parser.add_argument("--ask", default=defaults.suggestions.ask, help="what the page proposes to ask")
    parser.add_argument(
        "--act", default=defaults.suggestions.act, help="what it proposes to change; '' is nothing"
    )
    parser.add_argument(
        "--supervised", action="store_true", help="speak with a supervisor over stdin and stdout"
    )
    options = parser.parse_args(arguments)
    return Program(
        config=PlaygroundConfig(
            port=options.port,
            bot_url=options.bot_url,
            signing_secret=options.signing_secret,
            bot_token=options.bot_token,
            app_token=options.app_token,
            limits=options.limits,
            effects_url=options.effects_url,
            workspace=options.workspace,
            suggestions=Suggestions(ask=options.ask, act=options.act or None),
        ),
        supervised=options.supervised,
    )


async def serve(program: Program) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    processes = Processes(order=_say if program.supervised else None)
    async with await start_playground(program.config, processes) as playground:
        _say(f"Playground: {playground.page_url}")
        listening = asyncio.create_task(_listen(processes, stop)) if program.supervised else None
        await stop.wait()
        if listening is not None:
            listening.cancel()


async def _listen(processes: Processes, stop: asyncio.Event) -> None:
    """Without a supervisor nothing would end this program, nor the bot that it was started with."""
    async for line in lines(sys.stdin):
        processes.hear(line)
    if not stop.is_set():
        for pid in processes.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
    stop.set()


def _say(line: str) -> None:
    with suppress(BrokenPipeError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def main(arguments: Sequence[str]) -> int:
    program = parse(arguments)
    try:
        asyncio.run(serve(program))
    except OSError as error:
        host, port = program.config.host, program.config.port
        sys.stderr.write(f"The playground cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
