"""The built-in model: sensible by rules, exact by rehearsal, the same in every replay."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.tools import StructuredTool
from runtime import room_tools

from harness_core.runtime.demo import DemoChatModel
from harness_core.runtime.demo.model import RehearsedFailure

TOOLS = [
    StructuredTool.from_function(room_tools.status, name="service_status"),
    StructuredTool.from_function(coroutine=room_tools.logs, name="recent_logs"),
    StructuredTool.from_function(coroutine=room_tools.deploys, name="recent_deploys"),
]
PROMPT = SystemMessage("You look after our services.\nBe brief.")


async def answer(
    *messages: BaseMessage | str, tools: Sequence[Any] = TOOLS, delay: float = 0.0
) -> AIMessageChunk:
    model = DemoChatModel(delay=delay).bind_tools(tools)
    given = [HumanMessage(each) if isinstance(each, str) else each for each in messages]
    whole: AIMessageChunk | None = None
    async for chunk in model.astream([PROMPT, *given]):
        assert isinstance(chunk, AIMessageChunk)
        whole = chunk if whole is None else whole + chunk
    assert whole is not None
    return whole


def calls(message: AIMessage) -> list[tuple[str, dict[str, Any]]]:
    return [(call["name"], call["args"]) for call in message.tool_calls]


@pytest.mark.parametrize(
    "question",
    [
        "Why is checkout slow?",
        "why is the checkout service so slow today",
        "what's wrong with checkout?",
        "is checkout down?",
        "investigate checkout, it has timeouts",
    ],
)
async def test_asked_about_trouble_it_looks_at_status_logs_and_deployments_of_the_thing(
    question: str,
) -> None:
    said = await answer(question)

    assert calls(said) == [
        ("service_status", {"service": "checkout"}),
        ("recent_logs", {"service": "checkout"}),
        ("recent_deploys", {"service": "checkout"}),
    ]
    assert "checkout" in said.text


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("show the status of billing", ("service_status", {"service": "billing"})),
        ("the last 5 log lines from payments", ("recent_logs", {"service": "payments", "lines": 5})),
        ("recent deploys for search in staging", ("recent_deploys", {"service": "search", "env": "staging"})),
        ("status service=web-1", ("service_status", {"service": "web-1"})),
    ],
)
async def test_asked_for_one_thing_it_calls_one_tool(
    question: str, expected: tuple[str, dict[str, Any]]
) -> None:
    assert calls(await answer(question)) == [expected]


async def test_a_free_text_argument_gets_the_words_that_carry_meaning() -> None:
    def search_runbooks(query: str) -> str:
        """Find the team's runbooks."""
        return query

    tools = [*TOOLS, StructuredTool.from_function(search_runbooks)]

    said = await answer("show me the runbook for high latency", tools=tools)

    assert ("search_runbooks", {"query": "high latency"}) in calls(said)


async def test_it_asks_back_for_what_it_needs_and_understands_the_reply() -> None:
    asked = await answer("status?")
    assert asked.text == "Which service do you mean? I need it for **service_status**."

    said = await answer("status?", AIMessage(asked.text), "billing")

    assert calls(said) == [("service_status", {"service": "billing"})]


async def test_it_makes_an_answer_of_what_the_tools_said() -> None:
    turn: list[BaseMessage | str] = [
        "why is checkout slow?",
        AIMessage("Let me look."),
        ToolMessage('{"state": "degraded", "p95_ms": 1840}', tool_call_id="1", name="service_status"),
        ToolMessage("12:01 ERROR pool exhausted\n12:02 INFO ok", tool_call_id="2", name="recent_logs"),
        ToolMessage("TimeoutError", tool_call_id="3", name="recent_deploys", status="error"),
    ]

    text = (await answer(*turn)).text

    assert text.startswith(
        "What stands out:\n\n- state: degraded (service_status)\n- 12:01 ERROR pool exhausted (recent_logs)"
    )
    assert "p95_ms: 1840" in text
    assert "**recent_deploys** could not answer: TimeoutError" in text


async def test_it_greets_and_says_what_it_can_do_from_its_prompt_and_tools() -> None:
    hello, able = (await answer("hello")).text, (await answer("what can you do?")).text

    assert hello.startswith("Hello!")
    for text in (hello, able):
        assert "You look after our services." in text
        assert "- **recent_logs**: The newest log lines of a service" in text
    assert "no tools" in (await answer("what can you do?", tools=[])).text


async def test_it_remembers_what_was_asked_earlier() -> None:
    history: list[BaseMessage | str] = [
        "why is web slow?",
        AIMessage("Because."),
        "and billing?",
        AIMessage("Fine."),
    ]

    assert "1. why is web slow?\n2. and billing?" in (await answer(*history, "what did I ask before?")).text
    assert "“why is web slow?”" in (await answer(*history, "what was my first question?")).text
    assert "“and billing?”" in (await answer(*history, "what was my last message?")).text


async def test_a_text_that_no_rule_fits_is_answered_honestly() -> None:
    said = await answer("tell me a joke")

    assert "“tell me a joke”" in said.text
    assert "demo model" in said.text
    assert not said.tool_calls


@pytest.mark.parametrize(
    ("count", "phrase"), [(1, "say 1 word"), (250, "Say 250 words"), (40, "stream for 0.01s; say 40 words")]
)
async def test_say_n_words_says_exactly_so_many(count: int, phrase: str) -> None:
    turns = [phrase] if ";" not in phrase else [phrase, AIMessage("a")]

    assert len((await answer(*turns)).text.split()) == count


async def test_stream_for_a_time_takes_about_that_time() -> None:
    begun = time.monotonic()

    said = await answer("stream for 0.5s")

    assert time.monotonic() - begun >= 0.5
    assert len(said.text.split()) == 5


async def test_a_script_calls_tools_with_any_json_and_goes_on_turn_by_turn() -> None:
    script = (
        'call recent_logs {"service": "a; b & c", "lines": 3} & call service_status then say "fin & done"'
    )

    first = await answer(script)
    assert calls(first) == [("recent_logs", {"service": "a; b & c", "lines": 3}), ("service_status", {})]
    assert len({call["id"] for call in first.tool_calls}) == 2

    second = await answer(script, AIMessage("", tool_calls=first.tool_calls))
    assert second.text == "fin & done"


async def test_thinking_is_reasoning_and_not_text() -> None:
    said = await answer("think 4 words and say 2 words")

    blocks = [(block["type"], block.get("reasoning") or block.get("text")) for block in said.content_blocks]
    assert blocks == [("reasoning", "a steady stream of"), ("text", "a steady")]


async def test_fail_breaks_the_model() -> None:
    with pytest.raises(RehearsedFailure):
        await answer("fail")


@pytest.mark.parametrize(
    "text", ["say hello to Ann", "call me", "fail fast is our motto", "say 3 words please"]
)
async def test_ordinary_sentences_are_not_taken_for_phrases(text: str) -> None:
    said = await answer(text)

    assert not said.tool_calls
    assert len(said.text.split()) > 3


async def test_a_replay_says_and_calls_the_same_under_the_same_ids() -> None:
    first, second = await answer("why is checkout slow?"), await answer("why is checkout slow?")

    assert (first.text, first.tool_calls) == (second.text, second.tool_calls)


async def test_without_streaming_it_says_the_same() -> None:
    model = DemoChatModel(delay=0).bind_tools(TOOLS)
    streamed = await answer("why is checkout slow?")

    whole = model.invoke([PROMPT, HumanMessage("why is checkout slow?")])

    assert isinstance(whole, AIMessage)
    assert (whole.text, whole.tool_calls) == (streamed.text, streamed.tool_calls)
