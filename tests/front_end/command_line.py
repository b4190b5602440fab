"""``python -m bot`` as a person starts it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
WITHIN = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    status: int
    out: str
    err: str


def environment_of(changes: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}
    return kept | {"PYTHONPATH": str(ROOT)} | dict(changes)


@contextlib.asynccontextmanager
async def started(
    *arguments: str, environ: Mapping[str, str], cwd: Path = ROOT
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that is killed at the end of the block if it still runs."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *arguments),
        env=environment_of(environ),
        cwd=cwd,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def bot(*arguments: str, environ: Mapping[str, str], cwd: Path = ROOT) -> Ended:
    """Runs it to its end."""
    async with started(*arguments, environ=environ, cwd=cwd) as process:
        out, err = await asyncio.wait_for(process.communicate(), WITHIN)
        assert process.returncode is not None
        return Ended(status=process.returncode, out=out.decode(), err=err.decode())


async def line(process: asyncio.subprocess.Process, beginning: str) -> str:
    """Waits for a line of its standard output that begins like this; the rest of it."""
    assert process.stdout is not None
    async with asyncio.timeout(WITHIN):
        async for raw in process.stdout:
            text = raw.decode().strip()
            if text.startswith(beginning):
                return text.removeprefix(beginning).strip()
    assert process.stderr is not None
    raise AssertionError(f"no {beginning!r}: {(await process.stderr.read()).decode()}")
