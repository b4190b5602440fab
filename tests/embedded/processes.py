"""The processes of these tests, as seen from outside."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from waiting import wait_until

from harness_core.errors import EmbeddedServerError
from harness_core.store.embedded import EmbeddedServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A process with an embedded server of its own or of others."""

    process: asyncio.subprocess.Process
    errors: Path

    async def ask(self, word: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n".encode())
        await self.process.stdin.drain()
        return await self.answer() if word != "write" else ""

    async def answer(self) -> str:
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), 30)
        assert line, self.errors.read_text()
        return line.decode().strip()

    def restarts(self) -> int:
        return self.errors.read_text().count("was restarted by this process")


def servers_under(folder: Path) -> list[int]:
    """The ids of the processes that work in this folder, as only servers do: their data folder is their own."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append(int(process.name))
    return found


async def only_server(folder: Path) -> int:
    """The id of the one process that serves the folder, after waiting for it."""
    await wait_until(lambda: len(servers_under(folder)) == 1)
    (pid,) = servers_under(folder)
    return pid


async def refusal(data: Path) -> str:
    """The error's text, after a proof that the refused attempt left nothing running and no lock behind."""
    before = servers_under(data)
    with pytest.raises(EmbeddedServerError) as caught:
        await asyncio.wait_for(EmbeddedServer.attach(data), 30)
    assert servers_under(data) == before
    return str(caught.value)
