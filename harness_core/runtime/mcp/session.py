"""One lasting session with one server: opened when it is first needed, opened again when it broke.

Opening a session costs up to a second (a process is started), a call within one a few milliseconds. Before a call
the server is asked whether it is still there, so that a call is sent to a live server only. A call that was sent
and got no answer is never sent again: nobody knows whether it happened.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Self, TypeVar

import anyio
from mcp import ClientSession
from mcp.shared.exceptions import McpError
from mcp.shared.session import ProgressFnT
from mcp.types import CONNECTION_CLOSED, CallToolResult, ListToolsResult, PaginatedRequestParams, Tool

from harness_core.errors import HarnessError
from harness_core.runtime.mcp.address import ServerAddress
from harness_core.runtime.mcp.transport import Errors, connected, reason
from harness_core.tool_call import OutcomeUnknown

log = logging.getLogger(__name__)

# It tells the arguments of every call and the ids of sessions to whoever turns debugging on.
logging.getLogger("mcp.client").setLevel(logging.WARNING)

T = TypeVar("T")

PATIENCE = 15.0
"""Seconds for a server to start and say hello, to say that it is still there, and to say which tools it has."""

BEAT = 5.0
"""Seconds between two looks at a server that is working on a call: over HTTP its death is silent."""

PAGES = 100
"""Pages that a server may spread its list of tools over."""

PARTING = 8.0
"""Seconds for a goodbye; a process that does not end when asked is killed well before."""

_CLOSED = (anyio.ClosedResourceError, anyio.BrokenResourceError, anyio.EndOfStream)
_NO_SUCH_SESSION = 32600  # how the protocol's library reports that a server does not know the session


class ServerUnreachable(HarnessError):
    """A tool server cannot be reached or started. Nothing was sent to it."""

    def __init__(self, name: str, why: str) -> None:
        self.name = name
        super().__init__(f"the tool server “{name}” cannot be used: {why}")


class McpSession:
    """The session with the server at ``address``; ``name`` is for people."""

    def __init__(self, name: str, address: ServerAddress, *, patience: float = PATIENCE) -> None:
        self.name = name
        self._address = address
        self._patience = patience
        self._link: _Link | None = None
        self._opening = asyncio.Lock()

    async def list_tools(self) -> list[Tool]:
        """What the server offers.

        :raises ServerUnreachable: it does not answer, or not to an end.
        """
        link, tools, cursor = await self._alive(), list[Tool](), None
        try:
            async with asyncio.timeout(self._patience):
                for _ in range(PAGES):
                    page = await link.ask(_listing(cursor))
                    tools += page.tools
                    cursor = page.nextCursor
                    if not cursor:
                        return tools
        except (McpError, _Gone, *_CLOSED, TimeoutError) as error:
            raise ServerUnreachable(self.name, reason(error, self._address, link.errors)) from error
        raise ServerUnreachable(self.name, f"its list of tools has more than {PAGES} pages")

    async def call_tool(
        self,
        name: str,
        arguments: dict[str, Any] | None = None,
        read_timeout_seconds: timedelta | None = None,
        progress_callback: ProgressFnT | None = None,
    ) -> CallToolResult:
        """Calls a tool. Looks like the library's own method, so that LangChain's adapter can call it.

        :raises ServerUnreachable: the server cannot be reached; the call was not sent.
        :raises OutcomeUnknown: the server went away before it answered.
        :raises McpError: the server refuses the call.
        """

        def send(session: ClientSession) -> Awaitable[CallToolResult]:
            return session.call_tool(name, arguments, read_timeout_seconds, progress_callback)

        link = await self._alive()
        try:
            return await self._sent(link, send)
        except _NotSent:
            link = await self._alive(instead_of=link)
        try:
            return await self._sent(link, send)
        except _NotSent as error:
            raise ServerUnreachable(self.name, "it breaks off every connection") from error

    async def aclose(self) -> None:
        """Ends the session, and the process behind it. A later call opens another one."""
        async with self._opening:
            link, self._link = self._link, None
            if link is not None:
                await link.close()

    async def _sent(self, link: _Link, send: Callable[[ClientSession], Awaitable[T]]) -> T:
        try:
            return await link.ask(send)
        except (anyio.ClosedResourceError, anyio.BrokenResourceError) as error:
            raise _NotSent from error
        except (_Gone, anyio.EndOfStream) as error:
            raise self._gone_away() from error
        except McpError as error:
            if error.error.code == CONNECTION_CLOSED:
                raise self._gone_away() from error
            if _is_over(error):
                raise _NotSent from error
            raise

    def _gone_away(self) -> OutcomeUnknown:
        return OutcomeUnknown(f"the tool server “{self.name}” went away during the call")

    async def _alive(self, instead_of: _Link | None = None) -> _Link:
        """A link to a server that is there."""
        async with self._opening:
            link = self._link
            if link is not None and link is not instead_of and await link.answers(self._patience):
                return link
            if link is not None:
                self._link = None
                await link.close()
            self._link = await _Link.open(self.name, self._address, self._patience)
            return self._link


class _NotSent(Exception):
    """The server did not take the request: it may be sent again."""


class _Gone(Exception):
    """The connection was closed from this side while a request was open."""


class _Link:
    """One connection. Its contexts belong to the task that opened them, so a task of its own holds them."""

    def __init__(self, name: str, address: ServerAddress) -> None:
        self.errors = Errors()
        self._name = name
        self._address = address
        self._opened: asyncio.Future[ClientSession] = asyncio.get_running_loop().create_future()
        self._stop = asyncio.Event()
        self._gone = asyncio.Event()
        self._open_requests = 0
        self._holder = asyncio.create_task(self._hold(), name=f"mcp {name}")

    @classmethod
    async def open(cls, name: str, address: ServerAddress, patience: float) -> Self:
        link = cls(name, address)
        try:
            async with asyncio.timeout(patience):
                await asyncio.shield(link._opened)
        except BaseException as error:
            await link.close()
            if isinstance(error, TimeoutError):
                raise ServerUnreachable(name, reason(error, address, link.errors)) from error
            raise
        return link

    async def ask(self, send: Callable[[ClientSession], Awaitable[T]]) -> T:
        """The answer to a request.

        :raises _Gone: the link was closed meanwhile.
        :raises anyio.ClosedResourceError: it was closed before.
        """
        if self._gone.is_set():
            raise anyio.ClosedResourceError
        asking = asyncio.ensure_future(send(self._opened.result()))
        gone = asyncio.ensure_future(self._gone.wait())
        watching = asyncio.create_task(self._watch())
        self._open_requests += 1
        try:
            await asyncio.wait({asking, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                raise _Gone
            return await asking
        finally:
            self._open_requests -= 1
            for each in (asking, gone, watching):
                each.cancel()

    async def answers(self, patience: float) -> bool:
        """Whether the server is there. One that has a request open may be too busy to say so."""
        if self._gone.is_set():
            return False
        if self._open_requests:
            return True
        try:
            async with asyncio.timeout(patience):
                await self.ask(ClientSession.send_ping)
        except McpError as error:
            return not _is_over(error)
        except (_Gone, *_CLOSED, TimeoutError):
            return False
        return True

    async def close(self) -> None:
        self._stop.set()
        if not self._opened.done():
            self._holder.cancel()
        await asyncio.wait({self._holder}, timeout=PARTING)
        if not self._holder.done():
            self._holder.cancel()
            await asyncio.wait({self._holder})

    async def _hold(self) -> None:
        try:
            async with connected(self._address, self.errors) as session:
                await session.initialize()
                self._opened.set_result(session)
                await self._stop.wait()
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001  # transports raise whatever they meet
            why = reason(error, self._address, self.errors)
            if self._opened.done():
                log.warning("the connection to the tool server %s was lost: %s", self._name, why)
            else:
                failure = ServerUnreachable(self._name, why)
                failure.__cause__ = error
                self._opened.set_exception(failure)
        finally:
            self._gone.set()
            if not self._opened.done():
                self._opened.cancel()

    async def _watch(self) -> None:
        """Notices the end of a server that would not be told otherwise. One that is just busy stays silent."""
        while True:
            await asyncio.sleep(BEAT)
            try:
                # A look that gets lost with the server is never answered, so none is waited for long.
                async with asyncio.timeout(BEAT):
                    await self._opened.result().send_ping()
            except TimeoutError:
                continue
            except McpError as error:
                if not _is_over(error):
                    continue
                self._stop.set()
                return
            except _CLOSED:
                self._stop.set()
                return


def _is_over(error: McpError) -> bool:
    """Whether an error is the library's word for a lost connection or session; any other is an answer of the server."""
    code, message = error.error.code, error.error.message
    return code == CONNECTION_CLOSED or (code == _NO_SUCH_SESSION and message == "Session terminated")


def _listing(cursor: str | None) -> Callable[[ClientSession], Awaitable[ListToolsResult]]:
    return lambda session: session.list_tools(params=PaginatedRequestParams(cursor=cursor))
