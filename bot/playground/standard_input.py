"""Lines of a pipe as they come, without a thread that would outlive the program."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from typing import TextIO


async def lines(source: TextIO) -> AsyncIterator[str]:
    """Ends with the pipe. Anything but a pipe (a terminal, a file) is not read, and never ends."""
    mode = os.fstat(source.fileno()).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        await asyncio.Event().wait()
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), source
    )
    try:
        while line := await reader.readline():
            yield line.decode(errors="replace").strip()
    finally:
        transport.close()
