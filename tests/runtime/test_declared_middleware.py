"""Middleware declared in a workspace, at work in an agent: each type does what it is for, behind the one gate."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from openai_stand_in import Call, CallTools, Refuse, Reply, Say, StandIn, openai_stand_in
from runtime import room_middleware
from runtime.room_graphs import graphs_behind, is_gated
from runtime.room_leases import Leases
from runtime.room_turns import read, results, run
from runtime.room_workspace import DEMO, agent

from harness_core.errors import ModelFailed, PolicyBlocked
from harness_core.runtime import AgentRuntime, Chunk, Finished, InterruptChunk, StepChunk
from harness_core.store import Seal, Store
from harness_core.workspace import load_workspace

HEAD = (
    "kind: Runtime\nrouting: {default_agent: ops}\ntool_packages: [runtime]\n"
    "approvals: {approvers: {users: [U2]}}\n"
)
SAFE = "approval: never\nidempotent: true\n"
ALWAYS = "approval: always\n"


@dataclass
class Room:
    folder: Path
    store: Store
    seal: Seal
    leases: Leases

    def runtime(self, *documents: str, model: str = DEMO) -> AgentRuntime:
        """Agents of a workspace whose calls ``U2`` may approve, with a model ``fast``."""
        everything = [HEAD, f"kind: Model\nname: fast\n{model}", *documents]
        (self.folder / "all.yaml").write_text("---\n".join(everything))
        return AgentRuntime(load_workspace(self.folder, {}), self.store, self.seal)

    async def say(
        self, text: str, *documents: str, into: list[Chunk] | None = None, model: str = DEMO
    ) -> list[Chunk]:
        """The chunks of one run of an agent ``ops``."""
        return await run(self.runtime(*documents, model=model), await self.leases.claim(), text, into=into)


@pytest.fixture
def room(tmp_path: Path, store: Store, seal: Seal, leases: Leases) -> Room:
    room_middleware.runs.clear()
    return Room(tmp_path, store, seal, leases)


def tool(name: str, rest: str = SAFE) -> str:
    return f"kind: Tool\nname: {name}\npython: runtime.room_middleware:{name}\n{rest}"


def with_middleware(*declared: str, tools: str = "", extra: str = "") -> str:
    lines = "".join(f"  - {each}\n" for each in declared)
    return f"kind: Agent\nname: ops\nmodel: fast\ntools: [{tools}]\n{extra}middleware:\n{lines}"


def served(server: StandIn) -> str:
    return (
        f"provider: openai\nmodel: gpt-5-mini\nbase_url: {server.base_url}\napi_key: {server.api_key}\n"
        "params: {max_retries: 0}\n"
    )


def model(name: str, server: StandIn) -> str:
    return f"kind: Model\nname: {name}\n{served(server)}"


def outputs(chunks: Sequence[Chunk]) -> list[str]:
    return [result.output for result in results(chunks)]


# Around the model


async def test_a_model_call_that_may_pass_is_repeated(room: Room) -> None:
    async with openai_stand_in([Refuse(503), Refuse(429), Say("Here now.")]) as server:
        chunks = await room.say(
            "hi", with_middleware("{type: model_retry, initial_delay: 1ms}"), model=served(server)
        )
    assert read(chunks) == "Here now."
    assert len(server.requests) == 3


@pytest.mark.parametrize(("status", "requests"), [(401, 1), (400, 1), (500, 3)])
async def test_a_model_call_that_cannot_pass_is_not_repeated_and_the_run_fails(
    room: Room, status: int, requests: int
) -> None:
    async with openai_stand_in([Refuse(status)]) as server:
        with pytest.raises(ModelFailed):
            await room.say(
                "hi", with_middleware("{type: model_retry, initial_delay: 0}"), model=served(server)
            )
    assert len(server.requests) == requests


async def test_another_model_answers_for_one_that_does_not(room: Room) -> None:
    async with openai_stand_in([Refuse(503)]) as broken, openai_stand_in([Say("From the spare.")]) as spare:
        chunks = await room.say(
            "hi",
            model("spare", spare),
            with_middleware("{type: model_fallback, models: [spare]}"),
            model=served(broken),
        )
    assert read(chunks) == "From the spare."
    assert (len(broken.requests), len(spare.requests)) == (1, 1)


async def test_a_run_that_calls_the_model_too_often_ends_in_words_that_people_and_the_history_have(
    room: Room,
) -> None:
    runtime = room.runtime(
        tool("mail"), with_middleware("{type: model_call_limit, run_limit: 2}", tools="mail")
    )
    fence = await room.leases.claim()
    chunks = await run(runtime, fence, "; ".join(['call mail {"address": "a"}'] * 5))
    assert room_middleware.runs["mail"] == 2
    assert "limit" in read(chunks)
    assert await runtime.position(fence) == Finished(text=read(chunks))


async def test_a_limit_that_is_an_error_is_a_refusal_that_says_which(room: Room) -> None:
    limited = with_middleware("{type: model_call_limit, run_limit: 1, exit_behavior: error}", tools="mail")
    with pytest.raises(PolicyBlocked) as refused:
        await room.say('call mail {"address": "a"}', tool("mail"), limited)
    assert refused.value.reasons == ("The agent reached its limit of 1 model calls in one run.",)


async def test_tool_calls_beyond_the_limit_are_answered_and_do_not_run(room: Room) -> None:
    limited = with_middleware("{type: tool_call_limit, tool_name: mail, run_limit: 1}", tools="mail")
    text = 'call mail {"address": "a"} & call mail {"address": "b"}; say "done"'
    chunks = await room.say(text, tool("mail"), limited)
    assert room_middleware.runs["mail"] == 1
    assert sorted(result.is_error for result in results(chunks)) == [False, True]
    assert read(chunks).endswith("done")


BEYOND = 'call mail {"address": "a"}; call mail {"address": "b"}; say "never"'


async def test_tool_calls_beyond_the_limit_end_the_run_in_words_where_that_is_wanted(room: Room) -> None:
    limited = with_middleware("{type: tool_call_limit, run_limit: 1, exit_behavior: end}", tools="mail")
    said = read(await room.say(BEYOND, tool("mail"), limited))
    assert "limit" in said
    assert "never" not in said
    assert room_middleware.runs["mail"] == 1


async def test_tool_calls_beyond_the_limit_refuse_the_run_where_that_is_wanted(room: Room) -> None:
    limited = with_middleware("{type: tool_call_limit, run_limit: 1, exit_behavior: error}", tools="mail")
    with pytest.raises(PolicyBlocked) as refused:
        await room.say(BEYOND, tool("mail"), limited)
    assert refused.value.reasons == ("The agent reached its limit of 1 tool calls in one run.",)
    assert room_middleware.runs["mail"] == 1


async def test_personal_data_does_not_reach_the_model(room: Room) -> None:
    declared = (
        "{type: pii, pii_type: email}",
        "{type: pii, pii_type: staff, detector: 'E-[0-9]+', strategy: mask, apply_to_tool_results: true}",
    )
    script: list[Reply] = [CallTools((Call("mail", {"address": "E-4711"}),)), Say("Done.")]
    async with openai_stand_in(script) as server:
        await room.say(
            "I am ana@example.com, E-1234, not e-99",
            tool("mail"),
            with_middleware(*declared, tools="mail"),
            model=served(server),
        )
    first, last = server.requests[0]["messages"][-1], server.requests[-1]["messages"][-1]
    assert "ana@example.com" not in first["content"]
    assert "E-1234" not in first["content"]
    assert "[REDACTED_EMAIL]" in first["content"]
    assert "e-99" in first["content"]
    assert "E-4711" not in json.dumps(last["content"])


async def test_blocked_data_refuses_the_run_without_being_repeated(room: Room) -> None:
    with pytest.raises(PolicyBlocked) as refused:
        await room.say(
            "my card is 4242 4242 4242 4242",
            with_middleware("{type: pii, pii_type: credit_card, strategy: block}"),
        )
    assert refused.value.reasons == (
        "The conversation holds data that must not reach the model (credit card).",
    )
    assert refused.value.__cause__ is None


async def test_a_plan_is_written_through_the_gate_and_stays_in_the_graph(room: Room) -> None:
    todos = json.dumps({"todos": [{"content": "look", "status": "in_progress"}]})
    chunks = await room.say(f'call write_todos {todos}; say "planned"', with_middleware("{type: todo_list}"))
    (result,) = results(chunks)
    assert not result.is_error
    assert "look" in result.output
    assert read(chunks).endswith("planned")


async def test_a_long_conversation_is_summarised_for_the_model_and_the_summary_is_not_the_answer(
    room: Room,
) -> None:
    script = [Say("One."), Say("Two."), Say("SUMMARY OF ALL."), Say("Three.")]
    declared = "{type: summarization, trigger: [{messages: 4}, {tokens: 900000}], keep: {messages: 1}}"
    async with openai_stand_in(script) as server:
        runtime = room.runtime(with_middleware(declared), model=served(server))
        for text, answer in (("first", "One."), ("second", "Two."), ("third", "Three.")):
            fence = await room.leases.claim()
            chunks = await run(runtime, fence, text)
            assert read(chunks) == answer
            assert await runtime.position(fence) == Finished(text=answer)
            await room.leases.finish(fence)
    asked = json.dumps(server.requests[-1]["messages"])
    assert "SUMMARY OF ALL." in asked
    assert "One." not in asked


async def test_old_results_of_tools_are_cleared_for_the_model(room: Room) -> None:
    calls = [CallTools((Call("mail", {"address": f"{number}@" + "x" * 400}),)) for number in range(3)]
    declared = "{type: context_editing, edits: [{type: clear_tool_uses, trigger: 50, keep: 1}]}"
    async with openai_stand_in([*calls, Say("Done.")]) as server:
        await room.say("go", tool("mail"), with_middleware(declared, tools="mail"), model=served(server))
    answers = [message["content"] for message in server.requests[-1]["messages"] if message["role"] == "tool"]
    assert answers[:2] == ["[cleared]", "[cleared]"]
    assert answers[2].startswith("sent to 2@")


async def test_a_model_picks_the_tools_that_the_other_sees_and_its_choice_is_not_the_answer(
    room: Room,
) -> None:
    picks = [Say('{"tools": ["mail"]}')]
    async with openai_stand_in(picks) as selector, openai_stand_in([Say("Hello.")]) as server:
        chunks = await room.say(
            "hi",
            model("small", selector),
            tool("mail"),
            tool("flaky"),
            with_middleware("{type: llm_tool_selector, model: small, max_tools: 1}", tools="mail, flaky"),
            model=served(server),
        )
    assert read(chunks) == "Hello."
    assert [each["function"]["name"] for each in server.requests[0]["tools"]] == ["mail"]


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


@pytest.fixture
def _pipes_left_open() -> Iterator[None]:
    """The library lets go of the pipes of a shell without closing them: that is to be seen here and not later."""
    yield
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
