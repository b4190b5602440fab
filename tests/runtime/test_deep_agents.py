"""Deep agents and subagents: the same gate everywhere, files, and interruptions that reach the top."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from deepagents import create_deep_agent
from langchain.agents import create_agent
from langchain.agents.middleware import ToolRetryMiddleware
from runtime import room_tools
from runtime.room_graphs import graphs_behind, innermost, is_gated, tool_node, wrappers
from runtime.room_leases import Leases
from runtime.room_turns import read, results, run
from runtime.room_workspace import agent, tool, workspace

from harness_core.errors import HarnessError
from harness_core.runtime import (
    AgentRuntime,
    Asking,
    ContentChunk,
    Finished,
    InterruptChunk,
    StepChunk,
    Turn,
    Unfinished,
)
from harness_core.runtime.compiling import Blueprint, InnermostGate, compile_graph
from harness_core.runtime.gate import ToolGate
from harness_core.store import Seal, Store
from harness_core.workspace import Workspace

DEEP = "mode: deepagent\n"
FILES = {"ls", "read_file", "write_file", "edit_file", "delete", "glob", "grep"}


def call(name: str, **arguments: Any) -> str:
    return f"call {name} {json.dumps(arguments)}"


def ask(subagent: str, text: str) -> str:
    return call("task", subagent_type=subagent, description=text)


def space(folder: Path, mode: str = DEEP) -> Workspace:
    """A host with a subagent that has a subagent of its own, each with a tool."""
    return workspace(
        folder,
        tool("status"),
        tool("logs"),
        tool("deploys"),
        agent("status", extra=f"{mode}subagents: [researcher]\n"),
        agent("logs", name="researcher", extra="description: Digs.\nsubagents: [digger]\n"),
        agent("deploys", name="digger", extra=mode),
    )


@pytest.fixture(params=["langchain", "deepagent"])
def mode(request: pytest.FixtureRequest) -> str:
    return f"mode: {request.param}\n"


async def test_no_tool_of_any_graph_is_reached_but_through_the_gate(
    tmp_path: Path, store: Store, seal: Seal, mode: str
) -> None:
    runtime = AgentRuntime(space(tmp_path, mode), store, seal)
    graphs = graphs_behind((await runtime._bindings.get("ops")).graph)

    names = sorted(graph.name for graph in graphs)
    extra = ["general-purpose", "general-purpose"] if mode == DEEP else []
    assert names == sorted(["ops", "researcher", "digger", *extra])
    for graph in graphs:
        node = tool_node(graph)
        assert node is not None
        assert is_gated(graph), [type(each).__name__ for each in wrappers(node)]
        assert sum(isinstance(each, ToolGate) for each in wrappers(node)) == 1
        known = innermost(node)._tools
        assert set(node.tools_by_name) == set(known), graph.name


async def test_skills_and_memory_of_a_deep_agent_stand_before_the_gate(
    tmp_path: Path, store: Store, seal: Seal
) -> None:
    extra = f"{DEEP}skills: [/skills/]\nmemory: [/AGENTS.md]\n"
    here = workspace(tmp_path, tool("status"), agent("status", extra=extra))
    runtime = AgentRuntime(here, store, seal)

    graphs = graphs_behind((await runtime._bindings.get("ops")).graph)

    assert len(graphs) == 2
    assert all(map(is_gated, graphs))
    around = {
        type(each).__name__
        for graph in graphs
        for each in wrappers(tool_node(graph) or pytest.fail("no tools"))
    }
    assert "SkillsMiddleware" in around


async def test_the_search_for_graphs_finds_a_gate_that_is_missing_or_not_innermost(
    tmp_path: Path, store: Store, seal: Seal
) -> None:
    runtime = AgentRuntime(space(tmp_path, ""), store, seal)
    binding = await runtime._bindings.get("ops")
    gate = innermost(tool_node(binding.graph) or pytest.fail("no tools"))
    model = runtime._bindings._parts.model("fast").model
    tools: list[Any] = [each.tool for each in binding.tools.values() if each.name == "status"]

    assert is_gated(create_agent(model, tools, middleware=[ToolRetryMiddleware(), gate]))
    assert not is_gated(create_agent(model, tools))
    assert not is_gated(create_agent(model, tools, middleware=[gate, ToolRetryMiddleware()]))
    deep = {
        graph.name: is_gated(graph)
        for graph in graphs_behind(create_deep_agent(model, tools, middleware=[gate]))
    }
    assert deep["general-purpose"] is False


async def test_a_deep_agent_is_not_compiled_with_the_subagent_that_it_would_add_itself(
    tmp_path: Path, store: Store, seal: Seal
) -> None:
    runtime = AgentRuntime(space(tmp_path), store, seal)
    binding = await runtime._bindings.get("ops")
    gate = innermost(tool_node(binding.graph) or pytest.fail("no tools"))
    backend = runtime._bindings._backend(binding.agent, await runtime._bindings.memory())
    model = runtime._bindings._parts.model("fast")
    plan: dict[str, Any] = {"agent": binding.agent, "model": model, "tools": [], "backend": backend}

    with pytest.raises(HarnessError, match="needs a general-purpose subagent with a gate"):
        compile_graph(Blueprint(**plan, middleware=[gate]))
    named: Any = {"name": "general-purpose", "description": "", "runnable": binding.graph}
    with pytest.raises(HarnessError, match="must stand behind its own middleware"):
        compile_graph(Blueprint(**plan, middleware=[ToolGate({}, gate._desk, limit=1)], subagents=[named]))
    assert isinstance(gate, InnermostGate)


async def test_no_agent_runs_commands_and_files_come_with_the_deep_mode_alone(
    tmp_path: Path, store: Store, seal: Seal
) -> None:
    runtime = AgentRuntime(space(tmp_path), store, seal)
    tools = {
        graph.name: set(node.tools_by_name)
        for graph in graphs_behind((await runtime._bindings.get("ops")).graph)
        if (node := tool_node(graph)) is not None
    }

    assert tools["ops"] == {"status", "task", "read_stored_output", *FILES}
    assert tools["researcher"] == {"logs", "task", "read_stored_output"}
    assert not any("execute" in names for names in tools.values())


async def test_a_subagent_works_and_its_words_are_not_the_answer(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases, mode: str
) -> None:
    runtime = AgentRuntime(space(tmp_path, mode), store, seal)
    fence = await leases.claim()

    inner = 'say "inner words" & call logs {"service": "web"}'
    chunks = await run(runtime, fence, f'{ask("researcher", inner)}; say "outer words"')

    assert room_tools.runs["logs"] == 1
    (result,) = results(chunks)
    assert (result.tool, result.is_error) == ("task", False)
    assert "connection pool exhausted" in result.output
    told = "".join(chunk.text for chunk in chunks if isinstance(chunk, ContentChunk))
    assert "inner words" not in told
    assert read(chunks) == "outer words"
    assert [
        (chunk.label, chunk.phase)
        for chunk in chunks
        if isinstance(chunk, StepChunk) and chunk.kind == "tool"
    ] == [("Asking researcher", "started"), ("Asking researcher", "completed")]
    assert await runtime.position(fence) == Finished(text="outer words")


async def test_a_subagent_of_a_subagent_works_too(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases, mode: str
) -> None:
    runtime = AgentRuntime(space(tmp_path, mode), store, seal)
    inner = ask("digger", 'call deploys {"service": "web"}')

    chunks = await run(runtime, await leases.claim(), ask("researcher", inner))

    assert room_tools.runs["deploys"] == 1
    assert "web 4.2 to prod" in read(chunks)


async def test_the_general_purpose_subagent_has_the_tools_and_files_of_its_parent(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases
) -> None:
    runtime = AgentRuntime(space(tmp_path), store, seal)
    fence = await leases.claim()
    inner = f'call status {{"service": "web"}}; {call("write_file", file_path="/found.md", content="slow")}'

    chunks = await run(
        runtime, fence, f"{ask('general-purpose', inner)}; {call('read_file', file_path='/found.md')}"
    )

    assert room_tools.runs["status"] == 1
    assert "slow" in results(chunks)[1].output
    assert await runtime.files(fence) == {"/found.md": "slow"}


async def test_an_unknown_subagent_is_an_answer_that_names_the_real_ones(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases
) -> None:
    runtime = AgentRuntime(space(tmp_path), store, seal)

    (result,) = results(await run(runtime, await leases.claim(), ask("nobody", "hi")))

    assert "researcher" in result.output
    assert "general-purpose" in result.output


async def test_files_of_the_caller_reach_the_agent_and_written_ones_are_read_back(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases
) -> None:
    runtime = AgentRuntime(space(tmp_path), store, seal)
    fence = await leases.claim()
    text = f"{call('read_file', file_path='/in.txt')}; {call('write_file', file_path='/out/a.md', content='ünï')}"
    turn = Turn(fence=fence, agent="ops", text=text, user="U1", files={"in.txt": "given words"})

    chunks = [chunk async for chunk in runtime.stream(turn)]

    assert "given words" in results(chunks)[0].output
    assert await runtime.files(fence) == {"/in.txt": "given words", "/out/a.md": "ünï"}
    await leases.finish(fence)
    later = await leases.claim()
    (result,) = results(await run(runtime, later, call("read_file", file_path="/out/a.md")))
    assert "ünï" in result.output
    other = await leases.claim(conversation="C2")
    assert await runtime.files(other) == {}


async def test_state_of_the_caller_reaches_tools_in_both_modes(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases, mode: str
) -> None:
    here = workspace(tmp_path, tool("state_reader"), agent("state_reader", extra=mode))
    turn = Turn(
        fence=await leases.claim(),
        agent="ops",
        text="call state_reader",
        user="U1",
        state={"region": "eu", "messages": "not these"},
        files={"/a.txt": "text"},
    )

    chunks = [chunk async for chunk in AgentRuntime(here, store, seal).stream(turn)]

    (result,) = results(chunks)
    assert json.loads(result.output) == {
        "given": {"region": "eu", "messages": "not these"},
        "files": {"/a.txt": "text"},
    }


async def test_the_context_of_the_caller_reaches_tools_of_subagents(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases, mode: str
) -> None:
    here = workspace(
        tmp_path,
        tool("context_reader"),
        agent(extra=f"{mode}subagents: [researcher]\n"),
        agent("context_reader", name="researcher", extra=mode),
    )
    text, fence = ask("researcher", "call context_reader"), await leases.claim()
    turn = Turn(fence=fence, agent="ops", text=text, user="U1", context={"region": "eu"})

    (result,) = results([chunk async for chunk in AgentRuntime(here, store, seal).stream(turn)])

    assert "eu" in result.output


async def test_a_question_inside_a_subagent_is_asked_once_at_the_top_and_going_on_repeats_nothing(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases, mode: str
) -> None:
    here = workspace(
        tmp_path,
        tool("status"),
        tool("asks_until_told"),
        agent(extra=f"{mode}subagents: [researcher]\n"),
        agent("status", "asks_until_told", name="researcher", extra=mode),
    )
    runtime = AgentRuntime(here, store, seal)
    fence = await leases.claim()
    inner = 'call status {"service": "web"}; call asks_until_told; say "asked"'

    chunks = await run(runtime, fence, ask("researcher", inner))

    assert sum(isinstance(chunk, InterruptChunk) for chunk in chunks) == 1
    assert isinstance(await runtime.position(fence), Asking)
    room_tools.told.set()
    rest = await run(AgentRuntime(here, store, seal), fence, None)
    assert read(rest)
    assert room_tools.runs["status"] == 1
    assert room_tools.runs["asks_until_told"] == 1
    assert isinstance(await runtime.position(fence), Finished)


async def test_a_takeover_inside_a_subagent_goes_on_where_it_was(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases, mode: str
) -> None:
    here = workspace(
        tmp_path,
        tool("status"),
        tool("waits"),
        agent(extra=f"{mode}subagents: [researcher]\n"),
        agent("status", "waits", name="researcher", extra=mode),
    )
    first = await leases.claim()
    inner = 'call status {"service": "web"}; call waits {"service": "web"}'
    dying = asyncio.create_task(run(AgentRuntime(here, store, seal), first, ask("researcher", inner)))
    await room_tools.started.wait()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)

    second = await leases.take_over(first, worker="w2")
    runtime = AgentRuntime(here, store, seal)
    assert isinstance(await runtime.position(second), Unfinished)
    room_tools.release.set()
    chunks = await run(runtime, second, None)

    assert "web waited" in results(chunks)[0].output
    assert room_tools.runs == {"status": 1, "waits": 2}
