"""Child processes of a command: started, listened to, held still, ended."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

END_WITHIN: Final = 10.0
_LONGEST_LINE: Final = 1 << 20
_STOP_LOOK: Final = 0.005


def _ignore(_line: str) -> None:
    pass


@dataclass(slots=True, kw_only=True)
class Program:
    """One Python program as a child process. It gets no keyboard signals: whoever started it decides when it ends.

    ``hears`` and ``mutters`` get the lines of its standard output and of its standard error. Its standard input
    is a pipe that ends with this process.
    """

    name: str
    arguments: Sequence[str]
    environ: Mapping[str, str]
    hears: Callable[[str], None] = _ignore
    mutters: Callable[[str], None] | None = None
    process: asyncio.subprocess.Process | None = None
    _readers: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def lives(self) -> bool:
        return self.process is not None and self.process.returncode is None

    @property
    def pid(self) -> int:
        """Of its latest life; 0 before the first one."""
        return self.process.pid if self.process is not None else 0

    async def start(self) -> None:
        """Starts it, or starts it again."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self.arguments,
            env=dict(self.environ),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE if self.mutters else None,
            start_new_session=True,
            limit=_LONGEST_LINE,
        )
        # Always read, so that it never waits for a reader.
        self._readers = [asyncio.create_task(_read(self.process.stdout, self.hears))]
        if self.mutters is not None:
            self._readers.append(asyncio.create_task(_read(self.process.stderr, self.mutters)))

    async def ended(self) -> str:
        """Waits for its end: the name of the signal that ended it, or its exit status."""
        assert self.process is not None  # noqa: S101 - a programmer's mistake
        status = await self.process.wait()
        with suppress(TimeoutError):
            # What it said last is worth more than an instant; a grandchild may hold the pipes for ever.
            async with asyncio.timeout(1.0):
                await asyncio.gather(*self._readers, return_exceptions=True)
        return signal.Signals(-status).name if status < 0 else str(status)

    def tell(self, line: str) -> None:
        """A line on its standard input; lost when it is gone."""
        if self.lives and self.process is not None and self.process.stdin is not None:
            self.process.stdin.write(f"{line}\n".encode())

    async def hold(self) -> None:
        """Returns when it stands still. Only :meth:`kill` or :meth:`end` may follow."""
        if not self.lives:
            return
        os.kill(self.pid, signal.SIGSTOP)
        while not _stands_still(self.pid):  # noqa: ASYNC110 - the kernel tells nobody but a waiter
            await asyncio.sleep(_STOP_LOOK)

    def kill(self) -> None:
        """SIGKILL, also to one that stands still."""
        if self.lives and self.process is not None:
            with suppress(ProcessLookupError):
                self.process.kill()

    async def end(self) -> None:
        """SIGTERM, and SIGKILL when that is not enough."""
        if not self.lives or self.process is None:
            return
        with suppress(ProcessLookupError):
            self.process.terminate()
            self.process.send_signal(signal.SIGCONT)
        try:
            async with asyncio.timeout(END_WITHIN):
                await self.process.wait()
        except TimeoutError:
            self.kill()
            await self.process.wait()


def _stands_still(pid: int) -> bool:
    """Whether it was stopped, or is gone. Takes nothing from whoever waits for its end."""
    if not hasattr(os, "waitid"):
        return True  # a macOS before Python 3.13 cannot be asked; the signal is on its way
    try:
        return os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


async def _read(pipe: asyncio.StreamReader | None, hears: Callable[[str], None]) -> None:
    assert pipe is not None  # noqa: S101 - it was asked for
    while line := await pipe.readline():
        hears(line.decode(errors="replace").rstrip())
