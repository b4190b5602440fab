from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from embedded.processes import Client, servers_under

from harness_core.store.embedded import EmbeddedServer

PROGRAM = Path(__file__).with_name("embedded_client.py")
ROOT = PROGRAM.parents[2]

StartClient = Callable[[Path], Awaitable[Client]]
Attach = Callable[..., Awaitable[EmbeddedServer]]


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder with a short path; whatever still serves it afterwards is ended."""
    folder = Path(tempfile.mkdtemp(prefix="embedded-")).resolve()
    yield folder / "data"
    for pid in servers_under(folder):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder)


@pytest.fixture
async def start_client(tmp_path: Path) -> AsyncIterator[StartClient]:
    """Starts a client process, which need not be attached yet."""
    clients: list[Client] = []

    async def start(data: Path) -> Client:
        name = f"client{len(clients)}"
        errors = tmp_path / f"{name}.stderr"
        with errors.open("wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, PROGRAM, data, name),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=stderr,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
            )
        clients.append(Client(process=process, errors=errors))
        return clients[-1]

    yield start
    for client in clients:
        if client.process.returncode is None:
            client.process.kill()
        await client.process.communicate()


@pytest.fixture
async def attach() -> AsyncIterator[Attach]:
    """Attaches in this process, and leaves at the end."""
    servers: list[EmbeddedServer] = []

    async def attach(data: Path, **options: str) -> EmbeddedServer:
        servers.append(await EmbeddedServer.attach(data, **options))  # type: ignore[arg-type]  # one option, checked by the callers' tests
        return servers[-1]

    yield attach
    for server in servers:
        await asyncio.wait_for(server.leave(), 30)
