"""`python -m bot.playground`: a playground in a process of its own, until SIGINT or SIGTERM."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence

from bot.playground.config import PlaygroundConfig
from bot.playground.server import start_playground


def parse(arguments: Sequence[str]) -> PlaygroundConfig:
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
    options = parser.parse_args(arguments)
    return PlaygroundConfig(
        port=options.port,
        bot_url=options.bot_url,
        signing_secret=options.signing_secret,
        bot_token=options.bot_token,
        app_token=options.app_token,
        limits=options.limits,
    )


async def serve(config: PlaygroundConfig) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with await start_playground(config) as playground:
        sys.stdout.write(f"Playground: {playground.page_url}\n")
        sys.stdout.flush()
        await stop.wait()


def main(arguments: Sequence[str]) -> int:
    config = parse(arguments)
    try:
        asyncio.run(serve(config))
    except OSError as error:
        sys.stderr.write(
            f"The playground cannot listen on {config.host}:{config.port}: {os.strerror(error.errno or 0)}.\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
