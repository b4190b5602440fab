"""Outputs of tools that are too long to read at once: the model gets the beginning, and may read on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.messages import ToolMessage
from langchain_core.tools import StructuredTool
from langgraph.types import Command
from openai_stand_in import Call, CallTools, Reply, Say, openai_stand_in
from runtime.room_leases import Leases
from runtime.room_turns import read, results, run
from runtime.room_workspace import agent, tool, workspace

from harness_core.models import Fence
from harness_core.runtime import AgentRuntime
from harness_core.runtime.checkpointer import FENCE
from harness_core.runtime.outputs import StoredOutputs, shortened
from harness_core.runtime.results import OUTPUT_LIMIT, fitted
from harness_core.runtime.tools import BoundTool
from harness_core.store import Seal, Store
from harness_core.workspace import READ_ON, ToolSpec

PICTURE = {"type": "image", "base64": "A" * 600_000, "mime_type": "image/png"}
WHOLE = "é" * 100_000
REFERENCE = re.compile(r'reference="(.+?)", offset=(\d+)')


def tools_of(body: Mapping[str, Any]) -> set[str]:
    return {each["function"]["name"] for each in body.get("tools", ())}


async def test_a_model_reads_on_to_the_end_with_a_tool_that_it_sees_only_then(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases
) -> None:
    def reply(body: Mapping[str, Any]) -> Reply:
        last = body["messages"][-1]
        if last["role"] == "user":
            return CallTools((Call("long_winded", {}),))
        found = REFERENCE.search(str(last["content"])[-300:])
        if found is None:
            return Say("read it all")
        return CallTools((Call(READ_ON, {"reference": found[1], "offset": int(found[2])}),))

    async with openai_stand_in(reply) as server:
        model = f"provider: openai\nmodel: m\nbase_url: {server.base_url}\napi_key: {server.api_key}\n"
        space = workspace(tmp_path, tool("long_winded"), agent("long_winded"), model=model)
        chunks = await run(AgentRuntime(space, store, seal), await leases.claim(), "go")

    pieces = [chunk.output.rpartition("\n")[0] for chunk in results(chunks)]
    assert "".join(pieces) == WHOLE
    assert all(len(piece.encode()) <= OUTPUT_LIMIT for piece in pieces)
    assert len(pieces) == 4
    assert read(chunks) == "read it all"
    assert [READ_ON in tools_of(body) for body in server.requests] == [False, *([True] * 4)]


async def test_a_reference_from_another_conversation_opens_nothing(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases
) -> None:
    space = workspace(tmp_path, tool("long_winded"), agent("long_winded"))
    runtime = AgentRuntime(space, store, seal)
    (long,) = results(await run(runtime, await leases.claim(conversation="C1"), "call long_winded"))
    found = REFERENCE.search(long.output)
    assert found is not None
    reading = f'call {READ_ON} {{"reference": "{found[1]}", "offset": 0}}'

    (elsewhere,) = results(await run(runtime, await leases.claim(conversation="C2"), reading))

    assert elsewhere.output == f"There is no stored output {found[1]} in this conversation."


async def test_what_a_run_may_not_keep_is_cut_and_said_to_be_lost(
    tmp_path: Path, store: Store, seal: Seal, leases: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness_core.store.outputs.PER_RUN", 250_000)
    space = workspace(tmp_path, tool("long_winded"), agent("long_winded"))

    one, two = results(
        await run(
            AgentRuntime(space, store, seal), await leases.claim(), "call long_winded; call long_winded"
        )
    )

    assert f"Read on with {READ_ON}(" in one.output
    assert two.output.endswith("The rest was not kept: this run has kept all it may.]")


@pytest.mark.parametrize("lead", ["", "a"])
async def test_no_character_is_lost_where_one_piece_ends_and_the_next_begins(
    store: Store, leases: Leases, lead: str
) -> None:
    fence = await leases.claim()
    whole = lead + "€" * 50_000
    reference = await store.outputs.keep(fence, "call", whole.encode())
    (reading,) = StoredOutputs(store.outputs).tools
    runtime = SimpleNamespace(config={"configurable": {FENCE: fence}})

    pieces, offset = [], 0
    while offset < len(whole.encode()):
        serve: Any = reading.coroutine  # type: ignore[attr-defined]  # it is a StructuredTool
        piece, _, note = (await serve(reference, runtime, offset)).rpartition("\n")
        pieces.append(piece)
        offset = int(note.split(" to ")[1].split(" ")[0])
    within = await serve(reference, runtime, len(lead) + 1)

    assert "".join(pieces) == whole
    assert within.startswith("€")


async def test_many_texts_of_one_output_are_cut_as_one(store: Store, leases: Leases) -> None:
    blocks = [{"type": "text", "text": "é" * 10_000}, PICTURE, *({"type": "text", "text": "x" * 30_000},) * 3]
    content = await fitting(store, await leases.claim(), blocks)

    assert [block["type"] for block in content] == ["text", "image"]
    assert content[0]["text"].startswith("é" * 10_000 + "\nxxx")
    assert f"{OUTPUT_LIMIT} of 110003 bytes are shown. Read on with {READ_ON}(" in content[0]["text"]


async def test_pictures_that_are_too_large_are_left_out_and_said_to_be(store: Store, leases: Leases) -> None:
    marked = {"type": "text", "text": "b", "annotations": ["x" * 2_000_000]}
    content = await fitting(store, await leases.claim(), ["a", PICTURE, PICTURE, marked, {"type": "file"}])

    assert content == [
        "a",
        PICTURE,
        "b",
        {"type": "file"},
        {"type": "text", "text": "[Left out, because it is too large: image, text.]"},
    ]


async def fitting(store: Store, fence: Fence, content: list[Any]) -> list[Any]:
    """``content`` as the model gets it."""
    found = await shortened(store.outputs, fence, "call", ToolMessage(content, tool_call_id="c1"))
    assert isinstance(found, ToolMessage)
    assert isinstance(found.content, list)
    return found.content


@pytest.mark.parametrize(("length", "kept"), [(1_000, True), (OUTPUT_LIMIT, False)])
def test_a_checkpoint_is_not_filled_with_what_no_model_reads(length: int, kept: bool) -> None:
    artifact = {"structured_content": {"rows": "x" * length}}
    message = ToolMessage("done", tool_call_id="c1", artifact=artifact)
    bound = BoundTool(
        spec=ToolSpec(name="t"), tool=StructuredTool(name="t", description="t", args_schema={}, func=print)
    )

    alone: Any = fitted(message, bound, {})
    inside: Any = fitted(Command(update={"messages": [message]}), bound, {})

    found = [each.artifact for each in (alone, *inside.update["messages"])]
    assert found == [artifact if kept else None] * 2


async def test_a_call_that_is_made_again_replaces_what_it_kept(store: Store, leases: Leases) -> None:
    fence = await leases.claim()

    first = await store.outputs.keep(fence, "call", b"first")
    second = await store.outputs.keep(fence, "call", b"second")

    assert first == second
    assert second is not None
    assert await store.outputs.read(fence.tenant, fence.thread_id, second) == b"second"
