from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import redis.asyncio
from embedded.conftest import Attach, StartClient
from embedded.processes import Client, only_server, servers_under
from redis.exceptions import RedisError
from waiting import wait_until

from harness_core.store.embedded import EmbeddedServer


async def test_a_killed_server_comes_back_once_and_no_acknowledged_write_is_lost(
    data: Path, attach: Attach, start_client: StartClient
) -> None:
    server = await attach(data)
    writers = [await start_client(data) for _ in range(2)]
    assert await asyncio.gather(*(writer.answer() for writer in writers)) == ["attached"] * 2
    await asyncio.gather(*(writer.ask("write") for writer in writers))

    for restarts in range(1, 4):
        before = await lengths(server)
        killed = await only_server(data)
        began = time.monotonic()
        os.kill(killed, signal.SIGKILL)
        await wait_until(lambda: answering(server), what="an answer of the new server")
        print(f"answers again after {time.monotonic() - began:.2f} s")
        await wait_until(partial(grown, server, before), what="both writers write on")
        assert await only_server(data) != killed
        await wait_until(partial(told, writers, restarts), what="exactly one of the two says it restarted it")

    acknowledged = [int(await writer.ask("stop")) for writer in writers]
    print("acknowledged writes:", acknowledged)
    async with redis.asyncio.from_url(server.url) as client:
        for number, count in enumerate(acknowledged):
            kept = {int(item) for item in await client.lrange(f"client{number}", 0, -1)}
            assert set(range(count)) - kept == set()
    assert [writer.process.returncode for writer in writers] == [None, None]


async def test_when_starter_and_server_are_both_killed_another_watcher_restarts_it(
    data: Path, attach: Attach, start_client: StartClient
) -> None:
    starter = await start_client(data)
    assert await starter.answer() == "attached"
    survivor = await attach(data)
    async with watching(survivor):
        pid = await only_server(data)
        starter.process.kill()
        os.kill(pid, signal.SIGKILL)

        await wait_until(lambda: answering(survivor))

        assert await only_server(data) != pid


async def test_a_watcher_says_why_a_restart_fails_and_succeeds_once_the_cause_is_gone(
    data: Path, attach: Attach, caplog: pytest.LogCaptureFixture
) -> None:
    server = await attach(data)
    async with redis.asyncio.from_url(server.url) as client:
        await client.set("kept", "yes")
    manifest = data / "appendonlydir" / "appendonly.aof.manifest"
    sound = manifest.read_bytes()
    manifest.write_bytes(b"nonsense\n")

    async with watching(server):
        os.kill(await only_server(data), signal.SIGKILL)
        with caplog.at_level(logging.ERROR):
            await wait_until(lambda: "does not start" in caplog.text and "Trying again in" in caplog.text)
        manifest.write_bytes(sound)
        await wait_until(lambda: answering(server))

    async with redis.asyncio.from_url(server.url) as client:
        assert await client.get("kept") == b"yes"


async def test_nothing_is_restarted_after_leaving(data: Path) -> None:
    server = await EmbeddedServer.attach(data)
    async with watching(server) as watch:
        await server.leave()
        await server.leave()

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(watch), 1)

        assert servers_under(data) == []


@asynccontextmanager
async def watching(server: EmbeddedServer) -> AsyncIterator[asyncio.Task[None]]:
    watch = asyncio.create_task(server.watch())
    yield watch
    assert not watch.done(), "a watch runs until it is cancelled"
    watch.cancel()
    await asyncio.wait([watch])


async def answering(server: EmbeddedServer) -> bool:
    try:
        async with redis.asyncio.from_url(server.url) as client:
            return bool(await client.ping())
    except RedisError:
        return False


def told(writers: list[Client], restarts: int) -> bool:
    return sum(writer.restarts() for writer in writers) == restarts


async def lengths(server: EmbeddedServer) -> list[int]:
    async with redis.asyncio.from_url(server.url) as client:
        return [await client.llen("client0"), await client.llen("client1")]


async def grown(server: EmbeddedServer, before: list[int]) -> bool:
    return all(now > then for now, then in zip(await lengths(server), before, strict=True))
