"""Tool servers as real processes."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from waiting import wait_until

PROGRAM = Path(__file__).with_name("mcp_server.py")


class HttpTickets:
    """The server over HTTP; it can be killed and started again at the same address."""

    def __init__(self, log: Path, effects: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}/mcp"
        self._log = log
        self._effects = effects
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        self._spawn()
        await wait_until(self._listens, timeout=30, what="the tool server listens")

    def _spawn(self) -> None:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("MCP_", "FASTMCP_"))
        }
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, PROGRAM, "http", str(self.port)],
                env={**kept, "EFFECTS": str(self._effects)},
                stdout=log,
                stderr=log,
            )

    async def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            await asyncio.to_thread(self._process.wait, 10)
            self._process = None

    async def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        await writer.wait_closed()
        return True


@asynccontextmanager
async def http_tickets(folder: Path) -> AsyncIterator[HttpTickets]:
    """A running server; what it did is in ``effects`` in ``folder``."""
    server = HttpTickets(folder / "server.log", folder / "effects")
    await server.start()
    try:
        yield server
    finally:
        await server.kill()


def effects(folder: Path) -> list[str]:
    """What the server was asked to do."""
    file = folder / "effects"
    return file.read_text().splitlines() if file.exists() else []


def running_servers() -> list[int]:
    """The tool servers that this process has started and that still run."""
    found = []
    for child in Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split():
        try:
            command = Path(f"/proc/{child}/cmdline").read_bytes()
        except FileNotFoundError:
            continue
        if str(PROGRAM).encode() in command:
            found.append(int(child))
    return found
