"""Lasting sessions with tool servers: real processes, over their standard streams and over HTTP."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp.shared.exceptions import McpError
from mcp.types import TextContent
from runtime.room_servers import PROGRAM, effects, http_tickets
from waiting import wait_until

from harness_core.runtime.mcp import HttpServer, McpSession, ServerUnreachable, StdioServer, ToolServers
from harness_core.tool_call import OutcomeUnknown

TOKEN = "tok-0123456789abcdef"


def stdio(folder: Path, **env: str) -> StdioServer:
    pairs = {"EFFECTS": str(folder / "effects"), **env}
    return StdioServer(command=sys.executable, args=(str(PROGRAM), "stdio"), env=tuple(pairs.items()))


@asynccontextmanager
async def session(address: Any, **more: Any) -> AsyncIterator[McpSession]:
    opened = McpSession("tickets", address, **more)
    try:
        yield opened
    finally:
        await opened.aclose()


async def said(tickets: McpSession, name: str, /, **arguments: Any) -> str:
    result = await tickets.call_tool(name, arguments)
    (content,) = result.content
    assert isinstance(content, TextContent)
    assert not result.isError, content.text
    return content.text


async def test_over_standard_streams_one_process_serves_every_call(tmp_path: Path) -> None:
    async with session(stdio(tmp_path)) as tickets:
        offered = {tool.name for tool in await tickets.list_tools()}
        processes = {await said(tickets, "pid") for _ in range(3)}
        both = tuple(
            await asyncio.gather(said(tickets, "search", query="a"), said(tickets, "search", query="b"))
        )

    assert {"search", "create", "pid"} <= offered
    assert len(processes) == 1
    assert both == ("3 tickets about a", "3 tickets about b")
    await wait_until(lambda: not _lives(int(processes.copy().pop())))


async def test_a_process_that_died_is_started_again_for_the_next_call(tmp_path: Path) -> None:
    async with session(stdio(tmp_path)) as tickets:
        first = int(await said(tickets, "pid"))
        os.kill(first, signal.SIGKILL)
        second = int(await said(tickets, "pid"))

    assert first != second


async def test_a_process_that_dies_in_a_call_leaves_its_outcome_unknown_and_nothing_is_sent_again(
    tmp_path: Path,
) -> None:
    async with session(stdio(tmp_path)) as tickets:
        process = int(await said(tickets, "pid"))
        call = asyncio.create_task(said(tickets, "slow", gate=str(tmp_path / "never")))
        await wait_until(lambda: effects(tmp_path) == ["slow"])
        os.kill(process, signal.SIGKILL)
        with pytest.raises(OutcomeUnknown, match="tool server “tickets” went away during the call"):
            await call
        assert await said(tickets, "search", query="a") == "3 tickets about a"

    assert effects(tmp_path) == ["slow", "search a"]


@pytest.mark.parametrize(
    ("address", "why", "patience"),
    [
        (StdioServer(command="no-such-program"), "“no-such-program” cannot be started: No such file", 20),
        (StdioServer(command="true"), "it closed the connection", 20),
        (HttpServer(url="http://127.0.0.1:9/mcp"), "ConnectError: All connection attempts failed", 20),
        (StdioServer(command="sleep", args=("30",)), "it does not answer in time", 0.5),
    ],
)
async def test_a_server_that_cannot_be_used_says_why(address: Any, why: str, patience: float) -> None:
    async with session(address, patience=patience) as tickets:
        with pytest.raises(ServerUnreachable, match=f"the tool server “tickets” cannot be used: {why}"):
            await tickets.list_tools()


async def test_a_server_that_does_not_list_its_tools_cannot_be_used_and_calls_need_no_list(
    tmp_path: Path,
) -> None:
    async with session(stdio(tmp_path, LISTING="never")) as tickets:
        assert json.loads(await said(tickets, "create", title="a"))["id"] == 7
        tickets._patience = 1.0  # seconds
        with pytest.raises(ServerUnreachable, match="it does not answer in time"):
            await tickets.list_tools()


async def test_a_list_of_tools_without_an_end_is_given_up(tmp_path: Path) -> None:
    async with session(stdio(tmp_path, LISTING="endless")) as tickets:
        with pytest.raises(ServerUnreachable, match="its list of tools has more than 100 pages"):
            await tickets.list_tools()


async def test_what_a_process_said_last_is_told_without_its_secrets(tmp_path: Path) -> None:
    async with session(stdio(tmp_path, REFUSE="1", SECRET=TOKEN)) as tickets:
        with pytest.raises(ServerUnreachable, match="it ended: cannot start: the database of tickets"):
            await tickets.list_tools()
        link = tickets._link
    assert link is None


async def test_over_http_headers_are_sent_and_appear_in_no_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with http_tickets(tmp_path) as server:
        address = HttpServer(url=server.url, headers=(("Authorization", f"Bearer {TOKEN}"),))
        async with session(address) as tickets:
            assert await said(tickets, "header", name="authorization") == f"Bearer {TOKEN}"
            caplog.clear()  # that answer itself
            await said(tickets, "search", query="a")
            await server.kill()
            with pytest.raises(ServerUnreachable):
                await tickets.list_tools()

    assert caplog.records
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(address)


async def test_over_http_a_server_that_was_started_again_is_met_again(tmp_path: Path) -> None:
    async with http_tickets(tmp_path) as server, session(HttpServer(url=server.url)) as tickets:
        assert await said(tickets, "search", query="a") == "3 tickets about a"
        await server.kill()
        with pytest.raises(ServerUnreachable, match="cannot be used: ConnectError"):
            await said(tickets, "search", query="b")
        await server.start()
        assert await said(tickets, "search", query="c") == "3 tickets about c"

    assert effects(tmp_path) == ["search a", "search c"]


async def test_over_http_the_death_of_a_server_in_a_call_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness_core.runtime.mcp.session.BEAT", 0.1)
    async with http_tickets(tmp_path) as server, session(HttpServer(url=server.url)) as tickets:
        call = asyncio.create_task(said(tickets, "slow", gate=str(tmp_path / "never")))
        await wait_until(lambda: effects(tmp_path) == ["slow"])
        await server.kill()
        with pytest.raises(OutcomeUnknown):
            await call


async def test_over_http_a_server_that_forgot_the_session_in_a_call_leaves_its_outcome_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness_core.runtime.mcp.session.BEAT", 0.5)
    async with http_tickets(tmp_path) as server, session(HttpServer(url=server.url)) as tickets:
        call = asyncio.create_task(said(tickets, "slow", gate=str(tmp_path / "never")))
        await wait_until(lambda: effects(tmp_path) == ["slow"])
        await server.kill()
        await server.start()
        with pytest.raises(OutcomeUnknown):
            await call
        assert await said(tickets, "search", query="a") == "3 tickets about a"

    assert effects(tmp_path) == ["slow", "search a"]


async def test_a_call_that_the_server_refuses_is_an_error_and_the_session_stays(tmp_path: Path) -> None:
    async with session(stdio(tmp_path)) as tickets:
        before = await said(tickets, "pid")
        result = await tickets.call_tool("no_such_tool", {})
        assert result.isError
        with pytest.raises(McpError):
            await tickets._link.ask(lambda live: live.read_resource("x://none"))  # type: ignore[union-attr,arg-type]  # what a server without resources refuses outright
        assert await said(tickets, "pid") == before


async def test_a_server_that_does_not_know_the_question_whether_it_is_there_is_there(tmp_path: Path) -> None:
    async with session(stdio(tmp_path, NO_PING="1")) as tickets:
        assert len({await said(tickets, "pid") for _ in range(3)}) == 1


async def test_a_call_that_is_given_up_leaves_the_session_usable(tmp_path: Path) -> None:
    async with session(stdio(tmp_path)) as tickets:
        before = await said(tickets, "pid")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await said(tickets, "slow", gate=str(tmp_path / "never"))
        assert await said(tickets, "pid") == before


async def test_takers_of_one_address_share_a_session_and_the_last_one_ends_it(tmp_path: Path) -> None:
    servers, address = ToolServers(), stdio(tmp_path)
    one, two = servers.take("tickets", address), servers.take("tickets", stdio(tmp_path))
    other = servers.take("tickets", stdio(tmp_path, OTHER="1"))
    process = int(await said(one, "pid"))

    assert one is two
    assert one is not other
    await servers.give_back(address)
    assert int(await said(two, "pid")) == process
    await servers.give_back(address)
    assert not _lives(process)
    await servers.aclose()


async def test_closing_all_ends_every_process(tmp_path: Path) -> None:
    servers = ToolServers()
    processes = [
        int(await said(servers.take("tickets", stdio(tmp_path, N=str(number))), "pid")) for number in range(2)
    ]

    await servers.aclose()

    assert not any(map(_lives, processes))


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
