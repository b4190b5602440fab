"""A Redis of one test, which keeps what it was told on disk and may be killed and started again."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from harness_core.store.embedded import find_server


class OwnServer:
    """``url`` is the same before and after a restart."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "redis.sock"
        self._process: asyncio.subprocess.Process | None = None
        self.url = f"unix://{self._socket}"

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *(
                find_server().path,
                "--port",
                "0",
                "--unixsocket",
                str(self._socket),
                "--dir",
                str(self._folder),
            ),
            *("--appendonly", "yes", "--maxmemory-policy", "noeviction"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        client = Redis.from_url(self.url)
        try:
            async with asyncio.timeout(20):
                while not await _answers(client):
                    assert self._process.returncode is None
                    await asyncio.sleep(0.02)
        finally:
            await client.aclose()

    async def kill(self) -> None:
        """As a crash would: without a word."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()
        self._socket.unlink(missing_ok=True)


async def _answers(client: Redis) -> bool:
    try:
        return bool(await client.ping())
    except (RedisError, OSError):
        return False


@asynccontextmanager
async def own_server() -> AsyncIterator[OwnServer]:
    # Not pytest's tmp_path: a unix socket's path must stay below about 100 characters.
    folder = Path(tempfile.mkdtemp(prefix="redis-"))
    server = OwnServer(folder)
    try:
        await server.start()
        yield server
    finally:
        if server._process is not None and server._process.returncode is None:
            await server.kill()
        shutil.rmtree(folder)
