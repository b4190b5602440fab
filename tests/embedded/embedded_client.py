"""A process that uses the embedded server of a folder, for tests to talk to and to kill.

Says ``attached``, and obeys one word a line: ``write`` starts a write loop, ``stop`` ends it and says how many
writes were acknowledged, ``leave`` leaves and ends. Restarts it made are told on stderr.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

import redis.asyncio
from redis.exceptions import ConnectionError as RedisConnectionError

from harness_core.store.embedded import EmbeddedServer


async def serve(data: Path, name: str) -> None:
    server = await EmbeddedServer.attach(data)
    watching = asyncio.create_task(server.watch())
    say("attached")
    writing: asyncio.Task[int] | None = None
    enough = asyncio.Event()
    while word := (await asyncio.to_thread(sys.stdin.readline)).strip():
        match word:
            case "write":
                writing = asyncio.create_task(write(server.url, name, enough))
            case "stop" if writing is not None:
                enough.set()
                say(str(await writing))
            case "leave":
                break
    watching.cancel()
    await server.leave()
    say("left")


async def write(url: str, name: str, enough: asyncio.Event) -> int:
    """Append 0, 1, 2 … to a list, each until it is acknowledged; the number of them."""
    acknowledged = 0
    async with redis.asyncio.from_url(url) as client:
        while not enough.is_set():
            try:
                await client.rpush(name, acknowledged)
            except RedisConnectionError:
                await asyncio.sleep(0.01)
            else:
                acknowledged += 1
    return acknowledged


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2]))
