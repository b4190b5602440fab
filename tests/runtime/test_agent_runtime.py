"""Turns in, chunks out, over a real store."""

from __future__ import annotations

import json
from pathlib import Path

from runtime import room_tools
from runtime.room_leases import Leases
from runtime.room_turns import read, run
from runtime.room_workspace import agent, tool, workspace

from harness_core.runtime import (
    AgentRuntime,
    ContentChunk,
    Finished,
    NoCheckpoint,
    ReasoningChunk,
    StepChunk,
    ToolCallChunk,
    ToolResultChunk,
)
from harness_core.store import Seal, Store


async def test_an_answer_streams_word_by_word_and_position_reads_the_same_text(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases
) -> None:
    runtime = AgentRuntime(workspace(tmp_path, agent()), store, seal)
    fence = await leases.claim()
    assert await runtime.position(fence) == NoCheckpoint()

    chunks = await run(runtime, fence, "think 3 words & say 30 words")

    texts = [chunk for chunk in chunks if isinstance(chunk, ContentChunk)]
    assert len(texts) == 30
    assert len({chunk.message for chunk in texts}) == 1
    assert [chunk.text for chunk in chunks if isinstance(chunk, ReasoningChunk)] == [
        "a ",
        "steady ",
        "stream",
    ]
    steps = [(chunk.kind, chunk.phase, chunk.ok) for chunk in chunks if isinstance(chunk, StepChunk)]
    assert steps == [("model", "started", True), ("model", "completed", True)]
    assert await runtime.position(fence) == Finished(text=read(chunks))


async def test_a_question_calls_the_fitting_tools_and_each_is_told_once(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases
) -> None:
    tools = [
        tool("status", extra='label: "Reading the status of {service}"\n'),
        tool("logs", extra='label: "Reading {lines} lines of {service}"\n'),
        tool("deploys"),
    ]
    runtime = AgentRuntime(workspace(tmp_path, *tools, agent("status", "logs", "deploys")), store, seal)
    fence = await leases.claim()

    chunks = await run(runtime, fence, "why is checkout slow?")

    calls = {chunk.tool: chunk for chunk in chunks if isinstance(chunk, ToolCallChunk)}
    assert len(calls) == len([chunk for chunk in chunks if isinstance(chunk, ToolCallChunk)]) == 3
    assert {name: json.loads(call.arguments) for name, call in calls.items()} == {
        name: {"service": "checkout"} for name in ("status", "logs", "deploys")
    }
    assert calls["status"].label == "Reading the status of checkout"
    results = {chunk.tool: chunk for chunk in chunks if isinstance(chunk, ToolResultChunk)}
    assert json.loads(results["status"].output)["state"] == "degraded"
    assert not any(result.is_error for result in results.values())
    for name, call in calls.items():
        own = [chunk for chunk in chunks if isinstance(chunk, StepChunk) and chunk.step == call.call]
        assert [chunk.phase for chunk in own] == ["started", "completed"], name
        assert chunks.index(call) < chunks.index(own[0]) < chunks.index(own[1]) < chunks.index(results[name])
    assert dict(room_tools.runs) == {"status": 1, "logs": 1, "deploys": 1}
    answer = read(chunks)
    assert answer.startswith("Let me look: ")
    assert "connection pool exhausted" in answer
    assert await runtime.position(fence) == Finished(text=answer)


async def test_the_conversation_is_remembered_from_run_to_run_and_belongs_to_its_thread(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases
) -> None:
    runtime = AgentRuntime(workspace(tmp_path, agent()), store, seal)
    first = await leases.claim()
    await run(runtime, first, "say 3 words")
    await leases.finish(first)

    second = await leases.claim()
    elsewhere = await leases.claim(conversation="C2")

    assert second.thread_id == first.thread_id
    assert await runtime.position(second) == NoCheckpoint()
    assert "say 3 words" in read(await run(runtime, second, "what did I ask before?"))
    assert "first thing" in read(await run(runtime, elsewhere, "what did I ask before?"))


async def test_a_repeated_input_of_the_same_run_is_not_applied_twice(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases
) -> None:
    runtime = AgentRuntime(workspace(tmp_path, agent()), store, seal)
    fence = await leases.claim()
    said = read(await run(runtime, fence, "say 3 words"))

    again = await run(runtime, fence, "say 3 words")

    assert read(again) == ""
    assert await runtime.position(fence) == Finished(text=said)
