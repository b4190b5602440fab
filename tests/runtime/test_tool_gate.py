"""The one way to a tool: what runs, what does not, and what the model reads instead."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.messages import ToolMessage
from runtime import room_tools
from runtime.room_leases import Leases
from runtime.room_turns import read, results, run
from runtime.room_workspace import agent, tool, workspace

from harness_core.errors import HarnessError
from harness_core.runtime import (
    AgentRuntime,
    InterruptChunk,
    StepChunk,
    ToolCallChunk,
    ToolResultChunk,
)
from harness_core.runtime.checkpointer import engine_saver
from harness_core.runtime.compiling import Blueprint, compile_graph
from harness_core.runtime.desk import Desk
from harness_core.runtime.gate import ToolGate
from harness_core.runtime.history import patch_open_calls
from harness_core.runtime.models import load_model
from harness_core.runtime.results import OUTPUT_LIMIT
from harness_core.runtime.tools import BoundTool, load_tool
from harness_core.store import Seal, Store
from harness_core.workspace import ToolSpec, Workspace


@dataclass
class Room:
    folder: Path
    store: Store
    seal: Seal
    leases: Leases

    async def call(
        self, name: str, arguments: Mapping[str, Any], *, extra: str = "", limits: str = "{}"
    ) -> tuple[ToolCallChunk, ToolResultChunk, list[Any]]:
        """One call of a tool, by an agent that has only this one."""
        space = workspace(self.folder, tool(name, extra=extra), agent(name), limits=limits)
        runtime = AgentRuntime(space, self.store, self.seal)
        chunks = await run(runtime, await self.leases.claim(), f"call {name} {json.dumps(arguments)}")
        (called,) = (chunk for chunk in chunks if isinstance(chunk, ToolCallChunk))
        (result,) = results(chunks)
        return called, result, list(chunks)


@pytest.fixture
def room(tmp_path: Path, store: Store, seal: Seal, leases: Leases) -> Room:
    return Room(tmp_path, store, seal, leases)


def spec(**changes: Any) -> ToolSpec:
    given = {"name": "status", "python": "runtime.room_tools:status", "approval": "never", "idempotent": True}
    return ToolSpec.model_validate({**given, **changes})


def desk(space: Workspace, store: Store) -> Desk:
    return Desk(space, store.calls, store.outputs)


def gated(space: Workspace, given: ToolSpec, store: Store, seal: Seal, *, gate: bool = True) -> Any:
    bound = load_tool(given)
    middleware = [
        patch_open_calls(),
        *([ToolGate({given.name: bound}, desk(space, store), limit=5)] if gate else []),
    ]
    model = load_model(space.models["fast"])
    return compile_graph(
        Blueprint(
            agent=space.agents["ops"],
            model=model,
            tools=[bound],
            middleware=middleware,
            checkpointer=engine_saver(store.checkpoints, seal),
        )
    )


def test_no_graph_is_compiled_without_the_gate(tmp_path: Path, store: Store, seal: Seal) -> None:
    with pytest.raises(HarnessError, match="without the tool gate"):
        gated(workspace(tmp_path, agent()), spec(), store, seal, gate=False)


async def test_a_tool_the_gate_does_not_know_is_refused(room: Room) -> None:
    bound = load_tool(spec())

    async def never(_request: object) -> ToolMessage:
        pytest.fail("the tool ran")

    gate = ToolGate({}, desk(workspace(room.folder, agent()), room.store), limit=5)
    answer = await gate.awrap_tool_call(_request(bound, "status"), never)

    assert isinstance(answer, ToolMessage)
    assert answer.status == "error"


async def test_no_tool_runs_outside_of_a_run(room: Room) -> None:
    bound = load_tool(spec())

    async def never(_request: object) -> ToolMessage:
        pytest.fail("the tool ran")

    gate = ToolGate({"status": bound}, desk(workspace(room.folder, agent()), room.store), limit=5)
    with pytest.raises(HarnessError, match="outside of a run"):
        await gate.awrap_tool_call(_request(bound, "status"), never)


async def test_a_name_the_model_made_up_is_answered_with_the_real_ones(room: Room) -> None:
    space = workspace(room.folder, tool("status"), agent("status"))
    runtime = AgentRuntime(space, room.store, room.seal)

    (result,) = results(await run(runtime, await room.leases.claim(), 'call stratus {"service": "web"}'))

    assert result.is_error
    assert "status" in result.output


async def test_a_tool_that_raises_ends_as_a_message_without_secrets_and_the_run_goes_on(room: Room) -> None:
    secret = {"password": "tops3cret-value"}
    extra = 'label: "Trying {password}"\narguments: {password: {secret: true}}\n'

    called, result, chunks = await room.call("breaks", secret, extra=extra)

    assert result.is_error
    assert result.output == "ConnectionError: postgres://•••@db refused •••"
    assert json.loads(called.arguments) == {"password": "•••"}
    assert called.masked == ("password",)
    assert called.label == "Trying •••"
    assert [chunk.ok for chunk in chunks if isinstance(chunk, StepChunk) and chunk.phase == "completed"] == [
        *(True, False, True)
    ]
    assert "could not answer" in read(chunks)
    shown = repr([chunk for chunk in chunks if not isinstance(chunk, InterruptChunk)])
    assert "tops3cret" not in shown
    assert "hunter22" not in shown


async def test_what_stands_inside_a_secret_argument_is_not_told_either(room: Room) -> None:
    secret = {"auth": {"pin": "hunter2222", "codes": ["77881234", 99887766]}}

    _, result, chunks = await room.call("breaks_in", secret, extra="arguments: {auth: {secret: true}}\n")

    assert result.output == "ConnectionError: •••, ••• and ••• were refused"
    shown = repr([chunk for chunk in chunks if not isinstance(chunk, InterruptChunk)])
    assert not any(value in shown for value in ("hunter2222", "77881234", "99887766"))


async def test_a_tool_past_its_time_limit_is_given_up_even_when_it_hangs_in_a_thread(room: Room) -> None:
    _, result, chunks = await room.call("stuck", {"service": "web"}, limits="{tool_call: 200ms}")

    assert result.is_error
    assert result.output == "“stuck” took longer than 0.2 s and was given up."
    assert "could not answer" in read(chunks)


async def test_arguments_that_do_not_fit_are_told_to_the_model_and_nothing_runs(room: Room) -> None:
    _, result, _ = await room.call("status", {"services": "web"})

    assert result.is_error
    assert "service" in result.output
    assert not room_tools.runs


async def test_a_long_output_is_cut_and_says_so(room: Room) -> None:
    _, result, _ = await room.call("long_winded", {})

    assert not result.is_error
    text, _, note = result.output.rpartition("\n")
    assert len(text.encode()) == OUTPUT_LIMIT
    assert note.startswith(f"[The output was cut: {OUTPUT_LIMIT} of 200000 bytes are shown. Read on with ")


async def test_a_result_that_is_no_json_is_an_error_for_the_model(room: Room) -> None:
    _, result, _ = await room.call("odd", {})

    assert result.is_error
    assert "neither text nor JSON" in result.output


async def test_a_tool_learns_who_called_it_under_a_key_of_its_own(room: Room) -> None:
    space = workspace(room.folder, tool("identified"), agent("identified"))
    runtime = AgentRuntime(space, room.store, room.seal)
    fence = await room.leases.claim()
    two = 'call identified {"service": "a"} & call identified {"service": "b"}'

    told = results(await run(runtime, fence, two))

    assert sorted(result.output for result in told) == ["a for U1", "b for U1"]
    assert {(call.run_id, call.requester) for call in room_tools.keys} == {(fence.run_id, "U1")}
    assert len({call.key for call in room_tools.keys}) == 2


async def test_arguments_reach_a_function_whatever_their_names_are(room: Room) -> None:
    given = {"service": "web", "config": "PROD", "runtime": "py", "run_manager": "me", "callbacks": "none"}

    _, result, _ = await room.call("applies", given)

    assert (result.is_error, result.output) == (False, "web PROD py me none")


async def test_the_model_cannot_fill_in_the_call_itself(room: Room) -> None:
    forged = {"service": "web", "call": {"key": "k", "run_id": "r", "requester": "admin"}}

    _, result, _ = await room.call("identified", forged)

    assert result.is_error
    assert not room_tools.keys


async def test_a_question_raised_inside_a_tool_passes_the_gate(room: Room) -> None:
    space = workspace(room.folder, tool("asks"), agent("asks"))
    runtime = AgentRuntime(space, room.store, room.seal)

    chunks = await run(runtime, await room.leases.claim(), "call asks")

    (asked,) = (chunk for chunk in chunks if isinstance(chunk, InterruptChunk))
    assert asked == InterruptChunk(questions=(), foreign=True)
    assert results(chunks) == []


def _request(bound: BoundTool, name: str) -> Any:
    call = {"name": name, "args": {"service": "web"}, "id": "c1", "type": "tool_call"}
    return SimpleNamespace(tool_call=call, tool=bound.tool, runtime=SimpleNamespace(config={}))
