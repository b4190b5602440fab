"""``provider: openai`` over real HTTP."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from openai_stand_in import Break, Call, CallTools, Refuse, Reply, Say, Stall, StandIn, openai_stand_in
from runtime import room_tools
from runtime.room_leases import Leases
from runtime.room_turns import read, results, run
from runtime.room_workspace import agent, tool, workspace

from harness_core.errors import ModelFailed, OperationTimeout
from harness_core.runtime import (
    AgentRuntime,
    Chunk,
    ContentChunk,
    Finished,
    StepChunk,
    ToolCallChunk,
    Unfinished,
    render_runtime_failure,
)
from harness_core.store import Seal, Store


def openai(server: StandIn, *, key: str | None = None, retries: int = 0) -> str:
    return (
        f"provider: openai\nmodel: gpt-stand-in\nbase_url: {server.base_url}\n"
        f"api_key: {key or server.api_key}\nparams: {{max_retries: {retries}}}\n"
    )


async def test_text_streams_and_tool_calls_split_over_chunks_are_put_together(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases
) -> None:
    asked = CallTools(
        (Call("status", {"service": "checkout"}), Call("logs", {"service": "checkout", "lines": 5})),
        text="I will look. ",
    )
    async with openai_stand_in([asked, Say("The connection pool is exhausted.")]) as server:
        documents = (tool("status"), tool("logs"), agent("status", "logs", extra="instructions: Be brief.\n"))
        space = workspace(tmp_path, *documents, model=openai(server))
        runtime = AgentRuntime(space, store, seal)
        fence = await leases.claim()

        chunks = await run(runtime, fence, "why is checkout slow?")

        assert read(chunks) == "I will look. \n\nThe connection pool is exhausted."
        assert len([chunk for chunk in chunks if isinstance(chunk, ContentChunk)]) == 8
        calls = [chunk for chunk in chunks if isinstance(chunk, ToolCallChunk)]
        assert [(call.tool, json.loads(call.arguments)) for call in calls] == [
            ("status", {"service": "checkout"}),
            ("logs", {"service": "checkout", "lines": 5}),
        ]
        assert dict(room_tools.runs) == {"status": 1, "logs": 1}
        assert await runtime.position(fence) == Finished(text=read(chunks))
        first, second = server.requests
        assert [message["role"] for message in first["messages"]] == ["system", "user"]
        assert {each["function"]["name"] for each in first["tools"]} == {"status", "logs"}
        assert [message["role"] for message in second["messages"]] == [
            *("system", "user", "assistant", "tool", "tool")
        ]
        assert "degraded" in second["messages"][3]["content"]


async def test_a_refused_key_is_told_without_the_key_and_without_a_second_try(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases
) -> None:
    async with openai_stand_in([Say("never")]) as server:
        space = workspace(tmp_path, agent(), model=openai(server, key="sk-wrong-5f3a9c1d7e", retries=2))
        runtime = AgentRuntime(space, store, seal)

        with pytest.raises(ModelFailed) as failure:
            await run(runtime, await leases.claim(), "hi")

        assert failure.value.__cause__ is not None
        code, sentence = render_runtime_failure(failure.value, run_id="run_1")
        assert code == "model_key_refused"
        assert "api_key" in sentence
        assert "run_1" in sentence
        assert "sk-wrong" not in sentence + str(failure.value)
        assert len(server.requests) == 1


async def test_a_server_error_is_tried_again_and_only_one_answer_comes(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases
) -> None:
    async with openai_stand_in([Refuse(500), Say("All is well.")]) as server:
        space = workspace(tmp_path, agent(), model=openai(server, retries=1))
        runtime = AgentRuntime(space, store, seal)

        assert read(await run(runtime, await leases.claim(), "hi")) == "All is well."
        assert len(server.requests) == 2


async def test_a_model_that_never_recovers_says_how_often_it_was_tried(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases
) -> None:
    async with openai_stand_in([Refuse(500)]) as server:
        space = workspace(tmp_path, agent(), model=openai(server, retries=1))
        runtime = AgentRuntime(space, store, seal)

        with pytest.raises(ModelFailed) as failure:
            await run(runtime, await leases.claim(), "hi")

        assert render_runtime_failure(failure.value, run_id="run_1") == (
            "model_failed",
            "The model did not answer after 2 tries. Press Retry, or ask an admin. Run run_1.",
        )
        assert len(server.requests) == 2


async def test_a_connection_cut_in_mid_answer_fails_the_turn_and_continuing_asks_the_model_once_more(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases
) -> None:
    script: list[Reply] = [
        CallTools((Call("status", {"service": "web"}),)),
        Break("It is the connec"),
        Say("It is the pool."),
    ]
    async with openai_stand_in(script) as server:
        space = workspace(tmp_path, tool("status"), agent("status"), model=openai(server))
        runtime = AgentRuntime(space, store, seal)
        fence = await leases.claim()

        with pytest.raises(ModelFailed):
            await run(runtime, fence, "why is web slow?")
        assert await runtime.position(fence) == Unfinished(text="", finished_steps=1)

        again = AgentRuntime(space, store, seal)
        assert read(await run(again, fence, None)) == "It is the pool."
        assert await again.position(fence) == Finished(text="It is the pool.")
        assert len(server.requests) == 3
        assert room_tools.runs["status"] == 1


async def test_silence_in_mid_answer_ends_after_its_limit(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases
) -> None:
    async with openai_stand_in([Stall("Let me think")]) as server:
        space = workspace(
            tmp_path, agent(), model=openai(server), limits="{stream_idle: 300ms, model_call: 20s}"
        )
        runtime = AgentRuntime(space, store, seal)

        with pytest.raises(OperationTimeout) as timeout:
            await run(runtime, await leases.claim(), "hi")

        assert (timeout.value.stage, timeout.value.limit) == ("stream_idle", 0.3)


async def test_a_model_that_does_not_begin_ends_after_the_limit_of_a_call(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases
) -> None:
    async with openai_stand_in([Stall()]) as server:
        space = workspace(
            tmp_path, agent(), model=openai(server), limits="{stream_idle: 100ms, model_call: 300ms}"
        )
        runtime = AgentRuntime(space, store, seal)
        fence = await leases.claim()

        with pytest.raises(OperationTimeout) as timeout:
            await run(runtime, fence, "hi")

        assert timeout.value.stage == "model_call"
        assert await runtime.position(fence) == Unfinished(text="", finished_steps=0)


async def test_a_failed_model_turn_is_told_as_a_failed_step(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases
) -> None:
    async with openai_stand_in([Refuse(500)]) as server:
        space = workspace(tmp_path, agent(), model=openai(server))
        runtime = AgentRuntime(space, store, seal)
        fence = await leases.claim()
        seen: list[Chunk] = []
        with pytest.raises(ModelFailed):
            await run(runtime, fence, "hi", into=seen)

        assert [(chunk.phase, chunk.ok) for chunk in seen if isinstance(chunk, StepChunk)] == [
            ("started", True),
            ("completed", False),
        ]
        assert results(seen) == []
