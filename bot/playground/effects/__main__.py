"""`python -m bot.playground.effects`: the effect counter as a process, until SIGTERM or the end of its input."""

import argparse
import asyncio
import signal
import socket
import sys
from collections.abc import Sequence

from aiohttp import web

from bot.playground.effects.counter import EffectCounter
from bot.playground.guard import guard, mark
from bot.playground.pulse import Pulse
from bot.playground.standard_input import lines

HOST = "127.0.0.1"


async def serve(port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    pulse = Pulse()
    listening = socket.create_server((HOST, port))
    app = web.Application(middlewares=[guard(int(listening.getsockname()[1]))])
    app.on_response_prepare.append(mark)
    app.add_routes(EffectCounter(pulse).routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    sys.stdout.write(f"Effects: http://{HOST}:{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    ended = asyncio.create_task(_end_of_input(stop))
    await stop.wait()
    ended.cancel()
    pulse.close()
    await runner.cleanup()


async def _end_of_input(stop: asyncio.Event) -> None:
    """Whoever started this program holds its input, so that it does not outlive them."""
    async for _ in lines(sys.stdin):
        pass
    stop.set()


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bot.playground.effects", description="Counts what tools really did."
    )
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one (default: %(default)s)")
    asyncio.run(serve(parser.parse_args(arguments).port))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
