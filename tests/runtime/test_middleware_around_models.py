"""Declared middleware around the model, at work in an agent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from openai_stand_in import Call, CallTools, Refuse, Reply, Say, openai_stand_in
from runtime import room_middleware
from runtime.room_declared import Room, model, served, tool, with_middleware
from runtime.room_leases import Leases
from runtime.room_turns import read, results, run

from harness_core.errors import ModelFailed, PolicyBlocked
from harness_core.runtime import Finished
from harness_core.store import Seal, Store


@pytest.fixture
def room(tmp_path: Path, store: Store, seal: Seal, leases: Leases) -> Room:
    room_middleware.runs.clear()
    return Room(tmp_path, store, seal, leases)


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
