"""Declared middleware around tools, the tools that some brings, and classes of one's own: all behind the one gate."""

from __future__ import annotations

import gc
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai_stand_in import Say, openai_stand_in
from runtime import room_middleware
from runtime.room_declared import ALWAYS, Room, model, outputs, tool, with_middleware
from runtime.room_graphs import graphs_behind, is_gated
from runtime.room_leases import Leases
from runtime.room_turns import read, results
from runtime.room_workspace import agent

from harness_core.runtime import InterruptChunk, StepChunk
from harness_core.runtime.middleware.file_search import FileSearch
from harness_core.store import Seal, Store


@pytest.fixture
def room(tmp_path: Path, store: Store, seal: Seal, leases: Leases) -> Room:
    room_middleware.runs.clear()
    return Room(tmp_path, store, seal, leases)


# Around the tools


async def test_an_idempotent_tool_is_tried_again_within_one_step(room: Room) -> None:
    retried = with_middleware("{type: tool_retry, initial_delay: 1ms}", tools="flaky")
    chunks = await room.say('call flaky {"service": "db"}', tool("flaky"), retried)
    assert room_middleware.runs["flaky"] == 3
    assert outputs(chunks) == ["db is back"]
    steps = [chunk for chunk in chunks if isinstance(chunk, StepChunk) and chunk.kind == "tool"]
    assert [step.phase for step in steps] == ["started", "completed"]


async def test_a_call_that_has_used_up_its_tries_has_failed_in_the_words_of_the_gate(room: Room) -> None:
    retried = with_middleware("{type: tool_retry, initial_delay: 0, max_retries: 1}", tools="hopeless")
    chunks = await room.say('call hopeless {"service": "db"}', tool("hopeless"), retried)
    assert room_middleware.runs["hopeless"] == 2
    (result,) = results(chunks)
    assert result.is_error
    assert result.output.startswith("ConnectionError")
    assert "hunter22" not in result.output


async def test_only_the_tools_that_are_named_are_tried_again(room: Room) -> None:
    retried = with_middleware("{type: tool_retry, initial_delay: 0, tools: [mail]}", tools="mail, hopeless")
    await room.say('call hopeless {"service": "db"}', tool("mail"), tool("hopeless"), retried)
    assert room_middleware.runs["hopeless"] == 1


@pytest.mark.parametrize(
    ("expose", "said"),
    [("type_only", "“hopeless” failed with ConnectionError."), ("message", "ConnectionError: postgres://")],
)
async def test_the_model_reads_as_much_of_a_failure_as_it_may(room: Room, expose: str, said: str) -> None:
    declared = (f"{{type: tool_error, expose: {expose}}}", "{type: tool_retry, initial_delay: 0}")
    chunks = await room.say(
        'call hopeless {"service": "db"}', tool("hopeless"), with_middleware(*declared, tools="hopeless")
    )
    (result,) = results(chunks)
    assert result.is_error
    assert result.output.startswith(said)
    assert "hunter22" not in result.output
    assert room_middleware.runs["hopeless"] == 3


EMULATED = "{type: llm_tool_emulator, tests_only: true, model: dreamer}"


async def test_a_made_up_result_stands_in_for_a_tool_that_does_not_run(room: Room) -> None:
    text = 'call mail {"address": "a"}; say "done"'
    async with openai_stand_in([Say("made up")]) as dreamer:
        chunks = await room.say(
            text, model("dreamer", dreamer), tool("mail"), with_middleware(EMULATED, tools="mail")
        )
    assert outputs(chunks) == ["made up"]
    assert read(chunks).endswith("done")
    assert "made up" not in read(chunks)
    assert room_middleware.runs["mail"] == 0


async def test_a_result_is_not_made_up_before_people_have_approved(room: Room) -> None:
    async with openai_stand_in([Say("made up")]) as dreamer:
        chunks = await room.say(
            'call mail {"address": "a"}',
            model("dreamer", dreamer),
            tool("mail", ALWAYS),
            with_middleware(EMULATED, tools="mail"),
        )
    assert any(isinstance(chunk, InterruptChunk) for chunk in chunks)
    assert (results(chunks), dreamer.requests) == ([], [])


# Tools that middleware brings


async def test_files_of_a_folder_are_found_and_none_outside_of_it(room: Room) -> None:
    (room.folder / "handbook").mkdir()
    (room.folder / "handbook" / "start.md").write_text("Restart it first.")
    (room.folder / "secret.md").write_text("Restart nothing.")
    (room.folder / "handbook" / "link.md").symlink_to(room.folder / "secret.md")
    searching = with_middleware("{type: file_search, root_path: handbook, use_ripgrep: false}")
    text = 'call glob_search {"pattern": "*.md"} & call grep_search {"pattern": "Restart", "output_mode": "content"}'
    escape = ' & call glob_search {"pattern": "*.md", "path": "/../"}'
    found = outputs(await room.say(text + escape, searching))
    assert len(found) == 3
    assert any("start.md" in output for output in found)
    assert any("Restart it first" in output for output in found)
    assert not any("secret.md" in output or "nothing" in output for output in found)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ('grep_search {"pattern": "(a+)+$"}', "No matches found"),
        ('grep_search {"pattern": "(a+)+$", "include": "*.{md,txt}"}', "No matches found"),
        ('grep_search {"pattern": "(a+)+!"}', "/trap.md"),
        ('grep_search {"pattern": "(?=a)a"}', "Invalid regex pattern"),
        ('grep_search {"pattern": "a", "include": "' + "{a,b}" * 30 + '"}', "Invalid include pattern"),
        ('glob_search {"pattern": "' + "**/" * 20 + '*.md"}', "Invalid glob pattern"),
    ],
)
async def test_no_pattern_makes_a_search_of_files_go_on_and_on(room: Room, call: str, said: str) -> None:
    (room.folder / "handbook").mkdir()
    (room.folder / "handbook" / "trap.md").write_text("a" * 40 + "!")
    searching = with_middleware("{type: file_search, root_path: handbook}")
    began = time.perf_counter()
    (found,) = outputs(await room.say(f"call {call}", searching))
    assert said in found
    assert time.perf_counter() - began < 10.0


async def test_a_search_of_too_much_ends_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("line\n" * 10)
    searching = FileSearch(root_path=str(tmp_path), use_ripgrep=False, max_file_size_mb=1, seconds=0)
    with pytest.raises(TimeoutError, match="took longer than 0 s"):
        await searching.tools[1].ainvoke({"pattern": "line"})


@pytest.fixture
def _pipes_left_open() -> Iterator[None]:
    """The library lets go of the pipes of a shell without closing them: that is to be seen here and not later."""
    yield
    gc.collect()  # ends the shell of a run that parked
    for thread in threading.enumerate():
        if thread.name.endswith("(_enqueue_stream)"):  # holds its pipe until it has read the end of it
            thread.join(timeout=20)
    gc.collect()


leaves_pipes_open = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@leaves_pipes_open
@pytest.mark.usefixtures("_pipes_left_open")
async def test_a_shell_runs_commands_without_the_environment_of_the_bot(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOT_TOKEN_OF_OURS", "tell-nobody")
    shell = (
        "{type: shell, allow_host: true, approval: never, execution_policy: {type: host}, env: {GIVEN: here}}"
    )
    command = json.dumps({"command": 'echo "<$GIVEN|$BOT_TOKEN_OF_OURS>"'})
    (output,) = outputs(await room.say(f"call shell {command}", with_middleware(shell)))
    assert "<here|>" in output


@leaves_pipes_open
@pytest.mark.usefixtures("_pipes_left_open")
async def test_a_shell_command_waits_for_people_unless_the_workspace_says_otherwise(room: Room) -> None:
    shell = "{type: shell, allow_host: true, execution_policy: {type: host}, workspace_root: work}"
    chunks = await room.say(f"call shell {json.dumps({'command': 'touch ran'})}", with_middleware(shell))
    assert any(isinstance(chunk, InterruptChunk) for chunk in chunks)
    assert results(chunks) == []
    assert not (room.folder / "work" / "ran").exists()


# Classes of one's own


def custom(name: str, params: str = "{}") -> str:
    return f"{{type: custom, python: 'runtime.room_middleware:{name}', params: {params}}}"


async def test_a_class_of_ones_own_stands_before_the_gate_and_brings_tools(room: Room) -> None:
    text = 'call mail {"address": "a"} & call brought {"text": "b"}'
    own = with_middleware(custom("Upper", "{suffix: '!'}"), tools="mail")
    found = outputs(await room.say(text, tool("mail"), own))
    assert sorted(found) == ["B!", "sent to a!"]


async def test_middleware_that_swallows_everything_does_not_make_a_question_disappear(room: Room) -> None:
    careless = with_middleware(custom("Swallows"), tools="mail")
    chunks = await room.say('call mail {"address": "a"}', tool("mail", ALWAYS), careless)
    assert any(isinstance(chunk, InterruptChunk) for chunk in chunks)
    assert results(chunks) == []
    assert room_middleware.runs["mail"] == 0


# Deep agents and subagents


@pytest.mark.parametrize("mode", ["langchain", "deepagent"])
async def test_declared_middleware_leaves_the_gate_innermost_in_every_graph(room: Room, mode: str) -> None:
    declared = (
        "{type: pii, pii_type: email}",
        "{type: summarization, trigger: {messages: 50}}",
        "{type: todo_list}",
        "{type: model_retry}",
        "{type: patch_tool_calls}",
        custom("Upper", "{suffix: '!'}"),
        "{type: tool_error}",
        "{type: tool_retry}",
    )
    runtime = room.runtime(
        tool("flaky"),
        with_middleware(*declared, tools="flaky", extra=f"mode: {mode}\nsubagents: [inner]\n"),
        agent("flaky", name="inner", extra="middleware:\n  - {type: tool_retry, initial_delay: 0}\n"),
    )
    graphs = graphs_behind((await runtime._bindings.get("ops")).graph)
    assert len(graphs) == (3 if mode == "deepagent" else 2)
    assert all(map(is_gated, graphs))


async def test_a_subagent_has_the_middleware_that_it_declares(room: Room) -> None:
    ask: dict[str, Any] = {"subagent_type": "inner", "description": 'call flaky {"service": "db"}'}
    await room.say(
        f"call task {json.dumps(ask)}",
        tool("flaky"),
        agent(extra="subagents: [inner]\n"),
        agent("flaky", name="inner", extra="middleware:\n  - {type: tool_retry, initial_delay: 0}\n"),
    )
    assert room_middleware.runs["flaky"] == 3


async def test_what_a_deep_agent_hands_to_itself_keeps_to_the_same_middleware(room: Room) -> None:
    ask = {"subagent_type": "general-purpose", "description": 'call flaky {"service": "db"}'}
    await room.say(
        f"call task {json.dumps(ask)}",
        tool("flaky"),
        with_middleware("{type: tool_retry, initial_delay: 0}", tools="flaky", extra="mode: deepagent\n"),
    )
    assert room_middleware.runs["flaky"] == 3
