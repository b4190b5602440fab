"""Tools of servers in the hands of agents: which there are, how careful to be with each, what becomes of failures."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from runtime import room_tools
from runtime.room_leases import Leases
from runtime.room_servers import PROGRAM, effects, http_tickets, running_servers
from runtime.room_turns import read, results, run
from runtime.room_workspace import agent, tool, workspace
from waiting import wait_until

from harness_core.approvals import Effect
from harness_core.errors import OperationTimeout, WorkspaceInvalid
from harness_core.runtime import AgentRuntime, Asking, InterruptChunk, check_runtime, render_runtime_failure
from harness_core.runtime.mcp import ServerUnreachable
from harness_core.runtime.resources import Resources
from harness_core.store import Seal, Store
from harness_core.workspace import Workspace, model_name

ODD = "odd.name/with a very long tail that no provider of chat models would ever accept as it is"
NEVER = "approval: never\nidempotent: true\n"


def over_stdio(
    folder: Path, name: str = "tickets", *, allow: str = "", extra: str = NEVER, listing: str = ""
) -> str:
    server = {
        "transport": "stdio",
        "command": sys.executable,
        "args": [str(PROGRAM), "stdio"],
        "env": {"EFFECTS": str(folder / "effects"), "OF": name, "LISTING": listing},
    }
    allowed = f", allow: [{allow}]" if allow else ""
    return f"kind: Tool\nname: {name}\nmcp: {json.dumps(server)[:-1]}{allowed}}}\n{extra}"


def over_http(url: str, name: str = "tickets", extra: str = NEVER) -> str:
    return f"kind: Tool\nname: {name}\nmcp: {{transport: http, url: '{url}'}}\n{extra}"


def call(name: str, **arguments: Any) -> str:
    return f"call {name} {json.dumps(arguments)}"


class Room:
    """Runtimes that are closed in the end."""

    def __init__(self, store: Store, seal: Seal) -> None:
        self.store, self.seal = store, seal
        self.opened: list[AgentRuntime] = []

    def runtime(self, space: Workspace, resources: Resources | None = None) -> AgentRuntime:
        self.opened.append(AgentRuntime(space, self.store, self.seal, resources=resources))
        return self.opened[-1]


@pytest.fixture
async def room(store: Store, seal: Seal) -> AsyncIterator[Room]:
    room = Room(store, seal)
    yield room
    for each in room.opened:
        await each.aclose()


async def test_an_agent_calls_tools_of_servers_over_both_transports(
    tmp_path: Path, room: Room, leases: Leases
) -> None:
    (tmp_path / "remote").mkdir()
    async with http_tickets(tmp_path / "remote") as server:
        space = workspace(
            tmp_path / "w",
            over_stdio(tmp_path, "local", allow="search, header"),
            over_http(server.url, "remote").replace("url:", "allow: [create, pid], url:"),
            agent("local", "remote"),
        )
        runtime = room.runtime(space)
        text = f"{call('search', query='login')} & {call('create', title='login')}; {call('pid')}"
        chunks = await run(runtime, await leases.claim(), text)
        tools = set((await runtime._bindings.get("ops")).tools)

    # The two are called at the same time, so either may answer first.
    assert {result.output for result in results(chunks)[:2]} == {
        "3 tickets about login",
        json.dumps({"id": 7, "title": "login"}, indent=2),
    }
    assert effects(tmp_path) == ["search login"]
    assert effects(tmp_path / "remote") == ["create login"]
    assert tools == {"search", "header", "create", "pid", "read_stored_output"}


async def test_arguments_reach_a_server_whatever_their_names_are(
    tmp_path: Path, room: Room, leases: Leases
) -> None:
    space = workspace(tmp_path / "w", over_stdio(tmp_path, allow="apply"), agent("tickets"))
    asked = call("apply", target="db", config="PROD", runtime="py", run_manager="me")

    (result,) = results(await run(room.runtime(space), await leases.claim(), asked))

    assert (result.is_error, result.output) == (False, "applied to db")
    assert effects(tmp_path) == ["apply db PROD py me"]


@pytest.mark.parametrize("name", ["odd.name*", "odd_name_with*"])
async def test_a_policy_means_a_tool_by_the_servers_name_and_by_that_of_models(
    tmp_path: Path, room: Room, leases: Leases, name: str
) -> None:
    rule = "{use: allow, approval: always, approvers: {users: [U2]}}"
    policy = f"kind: Policy\nname: careful\ntools:\n  'tickets/{name}': {rule}\n"
    space = workspace(tmp_path / "w", over_stdio(tmp_path), agent("tickets"), policy)

    chunks = await run(room.runtime(space), await leases.claim(), call(model_name(ODD)))

    assert any(isinstance(chunk, InterruptChunk) for chunk in chunks)
    assert results(chunks) == []


@pytest.mark.parametrize("name", [ODD, model_name(ODD)])
async def test_middleware_means_a_tool_by_the_servers_name_and_by_that_of_models(
    tmp_path: Path, room: Room, leases: Leases, name: str
) -> None:
    limit = f"middleware: [{{type: tool_call_limit, tool_name: '{name}', run_limit: 1}}]"
    space = workspace(tmp_path / "w", over_stdio(tmp_path), agent("tickets", extra=limit))
    once = call(model_name(ODD))

    told = results(await run(room.runtime(space), await leases.claim(), f"{once}; {once}"))

    assert [result.is_error for result in told] == [False, True]


async def test_each_tool_has_its_own_rules_and_the_servers_schema(tmp_path: Path, room: Room) -> None:
    extra = (
        'approval: {create: always, "*": never}\nidempotent: {search: true}\n'
        'title: {search: "Search for {query}"}\narguments: {query: {secret: true}}\n'
    )
    runtime = room.runtime(workspace(tmp_path / "w", over_stdio(tmp_path, extra=extra), agent("tickets")))

    tools = (await runtime._bindings.get("ops")).tools

    assert (tools["create"].spec.approval, tools["create"].effect) == ("always", Effect.ONCE)
    assert (tools["search"].spec.approval, tools["search"].effect) == ("never", Effect.IDEMPOTENT)
    assert tools["search"].title({"query": "x"}) == "Search for •••"
    assert tools["search"].spec.source == "tickets"
    schema: Any = tools["search"].tool.tool_call_schema
    assert schema["required"] == ["query"]
    assert schema["properties"]["limit"]["default"] == 3
    odd = next(name for name in tools if name.startswith("odd_name_with"))
    assert len(odd) == 64
    assert tools[odd].spec.name.startswith("odd.name/with a very")


async def test_what_a_server_says_went_wrong_is_an_answer_and_so_are_pictures(
    tmp_path: Path, room: Room, leases: Leases
) -> None:
    space = workspace(tmp_path / "w", over_stdio(tmp_path), agent("tickets"))
    text = f"{call('broken', title='login')}; {call('picture')}; {call('search')}"

    chunks = await run(room.runtime(space), await leases.claim(), text)
    failed, picture, misfit = results(chunks)

    assert failed.is_error
    assert "no tickets today, login" in failed.output
    assert (picture.is_error, picture.output) == (False, "a dot")
    assert misfit.is_error
    assert "query" in misfit.output
    assert effects(tmp_path) == []


async def test_a_failure_that_a_server_tells_is_without_the_secret_arguments(
    tmp_path: Path, room: Room, leases: Leases
) -> None:
    secret = over_stdio(tmp_path, allow="broken", extra=f"{NEVER}arguments: {{title: {{secret: true}}}}\n")
    space = workspace(tmp_path / "w", secret, agent("tickets"))

    (failed,) = results(
        await run(room.runtime(space), await leases.claim(), call("broken", title="hunter2222"))
    )

    assert failed.is_error
    assert "no tickets today, •••" in failed.output


async def test_a_call_that_broke_off_is_asked_about_and_an_idempotent_one_is_an_answer(
    tmp_path: Path, room: Room, leases: Leases
) -> None:
    extra = "approval: never\nidempotent: {search: true}\n"
    people = "approvals: {approvers: {users: [U2]}}\n"
    space = workspace(tmp_path / "w", over_stdio(tmp_path, extra=extra), agent("tickets"), runtime=people)
    runtime = room.runtime(space)
    await runtime.warm()
    fence = await leases.claim()
    working = asyncio.create_task(run(runtime, fence, call("slow", gate=str(tmp_path / "never"))))
    await wait_until(lambda: effects(tmp_path) == ["slow"])
    for process in await asyncio.to_thread(running_servers):
        os.kill(process, signal.SIGKILL)

    chunks = await working

    assert any(isinstance(chunk, InterruptChunk) for chunk in chunks)
    assert isinstance(await runtime.position(fence), Asking)
    assert effects(tmp_path) == ["slow"]


async def test_a_server_that_is_down_stops_only_its_own_agents_and_is_asked_again(
    tmp_path: Path, room: Room, leases: Leases, caplog: pytest.LogCaptureFixture
) -> None:
    async with http_tickets(tmp_path) as server:
        await server.kill()
        space = workspace(
            tmp_path / "w",
            tool("status"),
            over_http(server.url),
            agent("status"),
            agent("tickets", name="desk"),
        )
        runtime = room.runtime(space)
        await runtime.warm()
        assert "agent desk is not ready: the tool server “tickets” cannot be used" in caplog.text

        await run(runtime, await leases.claim(conversation="C1"), call("status", service="web"))
        assert room_tools.runs["status"] == 1
        with pytest.raises(ServerUnreachable) as failure:
            await run(runtime, await leases.claim(conversation="C2"), call("search", query="a"), name="desk")
        assert render_runtime_failure(failure.value, run_id="run_1") == (
            "tool_server",
            "The tool server “tickets” cannot be reached. Press Retry, or ask an admin. Run run_1.",
        )

        await server.start()
        chunks = await run(
            runtime, await leases.claim(conversation="C3"), call("search", query="a"), name="desk"
        )
        assert "3 tickets about a" in read(chunks)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"allow": "serch"}, "allow names serch, and the server has"),
        (
            {"extra": 'approval: {creat: always, "*": never}\nidempotent: true\n'},
            "approval names creat",
        ),
        (
            {"allow": "search", "extra": "approval: {except_when: {argument: query, equals: a}}\n"},
            "is free text",
        ),
        ({"listing": "unreadable"}, "the schema of pid cannot be read"),
    ],
)
async def test_a_server_that_offers_something_else_stops_only_its_own_agents(
    tmp_path: Path, room: Room, leases: Leases, told: dict[str, str], why: str
) -> None:
    server = over_stdio(tmp_path, **told)
    space = workspace(tmp_path / "w", tool("status"), server, agent("status"), agent("tickets", name="desk"))
    runtime = room.runtime(space)
    before = room_tools.runs["status"]

    await runtime.warm()
    await run(runtime, await leases.claim(), call("status", service="web"))

    assert room_tools.runs["status"] == before + 1
    with pytest.raises(WorkspaceInvalid, match=why):
        await run(runtime, await leases.claim(conversation="C2"), call("search", query="a"), name="desk")


async def test_the_time_that_a_server_takes_to_list_its_tools_is_time_of_the_run(
    tmp_path: Path, room: Room, leases: Leases
) -> None:
    space = workspace(
        tmp_path / "w", over_stdio(tmp_path, listing="never"), agent("tickets"), limits="{run: 2s}"
    )

    with pytest.raises(OperationTimeout) as failure:
        await run(room.runtime(space), await leases.claim(), call("search", query="a"))

    assert failure.value.stage == "run"


async def test_two_tools_of_one_name_are_refused_with_where_they_come_from(
    tmp_path: Path, room: Room
) -> None:
    space = workspace(tmp_path / "w", over_stdio(tmp_path, "a"), over_stdio(tmp_path, "b"), agent("a", "b"))

    with pytest.raises(
        WorkspaceInvalid, match="Agent ops: would have two tools called search: of a and of b"
    ):
        await room.runtime(space).warm()


async def test_the_check_names_what_a_server_does_not_have_and_what_it_has(tmp_path: Path) -> None:
    space = workspace(
        tmp_path / "w",
        over_stdio(tmp_path, "typo", allow="serch"),
        over_stdio(tmp_path, "map", extra='approval: {creat: always, "*": never}\nidempotent: true\n'),
        over_http("http://127.0.0.1:9/mcp", "gone"),
        over_stdio(tmp_path, "bare", allow="search", extra=f"{NEVER}arguments: {{qury: {{secret: true}}}}\n"),
        over_stdio(
            tmp_path, "fine", allow="search", extra=f"{NEVER}arguments: {{query: {{secret: true}}}}\n"
        ),
        agent("typo"),
    )

    found = {each.path: each.message for each in await asyncio.to_thread(check_runtime, space)}

    assert found["Tool typo"].startswith(
        "allow names serch, and the server has apply, broken, create, header,"
    )
    assert found["Tool map"].startswith(
        "approval names creat, and the server has apply, broken, create, header,"
    )
    assert found["Tool gone"] == (
        "the tool server “gone” cannot be used: ConnectError: All connection attempts failed"
    )
    assert found["Tool bare: arguments.qury"] == "no tool of the server has such an argument"
    assert len(found) == 4


async def test_versions_of_a_workspace_share_a_session_and_the_last_one_ends_it(
    tmp_path: Path, leases: Leases, store: Store, seal: Seal
) -> None:
    resources = Resources(store, seal)
    server = over_stdio(tmp_path, allow="pid")
    processes = []
    for number in range(2):
        space = workspace(tmp_path / "w", server, agent("tickets", extra=f"description: version {number}\n"))
        runtime = AgentRuntime(space, store, seal, resources=resources)
        (result,) = results(await run(runtime, await leases.claim(conversation=f"C{number}"), call("pid")))
        processes.append((int(result.output), runtime))

    (first, old), (second, new) = processes
    assert first == second
    await old.aclose()
    os.kill(first, 0)
    await new.aclose()
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
    await resources.aclose()
