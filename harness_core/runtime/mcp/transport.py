"""Connections to servers, as the protocol's own library makes them, and what it means when one fails."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import TextIO

import anyio
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.exceptions import McpError
from mcp.types import CONNECTION_CLOSED, CallToolResult

from harness_core.redaction import redact
from harness_core.runtime.mcp.address import HttpServer, ServerAddress, StdioServer

log = logging.getLogger(__name__)

_KEPT_LINES = 20
_SHOWN = 200


class Errors:
    """The last lines a server wrote to its error stream, which are for operators and not for models."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=_KEPT_LINES)

    @property
    def last(self) -> str:
        return next((line for line in reversed(self.lines) if line.strip()), "")


class _Session(ClientSession):
    """Takes what a call gave as it came. The library would hold it against a schema of the server, whose patterns may
    run for ever, and ask for that schema without a time limit.
    """

    async def _validate_tool_result(self, name: str, result: CallToolResult) -> None:
        del name, result


@asynccontextmanager
async def connected(address: ServerAddress, errors: Errors) -> AsyncIterator[ClientSession]:
    """A session that is not yet initialised. Raises groups of whatever the transport met."""
    match address:
        case HttpServer(url=url, headers=headers):
            async with (
                create_mcp_http_client(headers=dict(headers)) as client,
                streamable_http_client(url, http_client=client) as (read, write, _),
                _Session(read, write) as session,
            ):
                yield session
        case StdioServer(command=command, args=args, env=env, cwd=cwd):
            server = StdioServerParameters(command=command, args=list(args), env=dict(env), cwd=cwd)
            async with (
                _listening(address, errors) as stderr,
                stdio_client(server, errlog=stderr) as (read, write),
                _Session(read, write) as session,
            ):
                yield session


def reason(error: BaseException, address: ServerAddress, errors: Errors) -> str:
    """Why a connection could not be made or was lost, in a few words and without secrets."""
    found = list(_leaves(error))
    telling = next((each for each in found if not isinstance(each, McpError)), found[0])
    response = getattr(telling, "response", None)
    match telling:
        case _ if response is not None:
            said = f"it answers with status {response.status_code}"
        case FileNotFoundError() | PermissionError() | NotADirectoryError() if isinstance(
            address, StdioServer
        ):
            said = f"“{address.command}” cannot be started: {telling.strerror}"
        case TimeoutError():
            said = "it does not answer in time"
        case _ if _is_closed(telling):
            said = f"it ended: {errors.last[:_SHOWN]}" if errors.last else "it closed the connection"
        case _:
            said = f"{type(telling).__name__}: {telling}" if str(telling) else type(telling).__name__
    return redact(said, address.secrets)


def _is_closed(error: BaseException) -> bool:
    if isinstance(error, McpError):
        return error.error.code == CONNECTION_CLOSED
    return isinstance(error, anyio.BrokenResourceError | anyio.ClosedResourceError | anyio.EndOfStream)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _leaves(each)
    else:
        yield error


@asynccontextmanager
async def _listening(address: ServerAddress, errors: Errors) -> AsyncIterator[TextIO]:
    """A file for a process to write to, each line of which is logged: our own error stream stays ours."""
    read_end, write_end = os.pipe()
    reader = asyncio.StreamReader(limit=2**20)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb", buffering=0)
    )

    async def listen() -> None:
        with contextlib.suppress(ValueError):  # a line without an end
            async for line in reader:
                text = redact(line.decode(errors="replace").rstrip(), address.secrets)
                errors.lines.append(text)
                log.debug("%r: %s", address, text)

    listener = asyncio.create_task(listen(), name="mcp stderr")
    try:
        with os.fdopen(write_end, "w") as file:
            yield file
    finally:
        # The process has gone, so what it said has an end; a child of its own may keep the pipe open.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                await asyncio.shield(listener)
        listener.cancel()
        transport.close()
