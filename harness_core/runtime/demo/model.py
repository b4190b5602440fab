"""The demo chat model itself: what it is told, decided by rules, streamed word by word."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, message_chunk_to_message
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, Field

from harness_core.canonical import digest_of
from harness_core.runtime.demo import conversation, rehearsal
from harness_core.runtime.demo.choosing import Missing, Tool, choose
from harness_core.runtime.demo.rehearsal import Act, Call, Fail, Say, Think

_PIECES = re.compile(r"\s*\S+\s*")
_ARGUMENT_PIECE = 24  # characters of a call's arguments per chunk, as real providers split them


class RehearsedFailure(RuntimeError):
    """The person asked the demo model to fail."""


class DemoChatModel(BaseChatModel):
    """Answers by rules. What it says follows from the messages and tools alone, so a replay says the same.

    It greets, says what it can do, remembers what was asked earlier, and picks tools whose name, description
    or arguments share words with the question: asked why something is slow, it looks at status, log and
    deployments of it, where such tools are bound.

    ``delay`` is the time per word in seconds.

    A text that consists of *rehearsal phrases* is carried out to the letter instead, to try an agent, its
    tools and what people see of them:

    ==========================  ==============================================================
    ``say 200 words``           exactly that many words
    ``say "any text"``          that text (a JSON string)
    ``think 20 words``          reasoning
    ``stream for 4s``           words for about four seconds
    ``call TOOL {"a": 1}``      one call of a tool; the arguments may be left out
    ``fail``                    the model breaks down
    ==========================  ==============================================================

    ``;``, a new line or ``then`` begins the next turn of the model, ``&`` or ``and`` joins phrases to one
    turn: ``call status {"service": "checkout"} & call logs {"service": "checkout"}; say 50 words``. A script
    that ends with a call is followed by a summary of what the tools said.
    """

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    delay: float = Field(default=0.02, ge=0, le=10)
    model: str = "demo"

    @property
    def _llm_type(self) -> str:
        return "demo"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.model}

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,  # noqa: ARG002  # the rules choose by themselves
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002  # the base class's
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002  # the base class's
        **kwargs: Any,
    ) -> ChatResult:
        chunks = [chunk for chunk, _ in _chunks(decide(messages, _bound(kwargs)), messages)]
        whole = chunks[0]
        for chunk in chunks[1:]:
            whole += chunk
        message = message_chunk_to_message(whole)
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002  # the base class's
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        for chunk, pace in _chunks(decide(messages, _bound(kwargs)), messages):
            delay = self.delay if pace is None else pace
            if delay and chunk.content:
                await asyncio.sleep(delay)
            generation = ChatGenerationChunk(message=chunk)
            if run_manager:
                await run_manager.on_llm_new_token(str(chunk.text), chunk=generation)
            yield generation


def decide(messages: Sequence[BaseMessage], tools: Sequence[Tool]) -> tuple[Act, ...]:
    """What to do next, from the conversation alone."""
    question, turn = conversation.current_turn(messages)
    spoken = conversation.replies(turn)
    script = rehearsal.parse(question, {tool.name for tool in tools})
    if script is not None:
        return script[spoken] if spoken < len(script) else (Say(conversation.summary(turn)),)
    if spoken:
        return (Say(conversation.summary(turn)),)
    talk = conversation.small_talk(
        question, conversation.earlier_questions(messages), conversation.instructions(messages), tools
    )
    if talk is not None:
        return (Say(talk),)
    asked_back = conversation.awaited(messages)
    if asked_back is not None and len(question.split()) == 1:
        return (Call(asked_back.tool, {asked_back.argument: question.rstrip(".!?")}),)
    match choose(question, tools):
        case Missing() as missing:
            return (Say(conversation.which(missing)),)
        case ():
            return (Say(conversation.no_match(question, tools)),)
        case calls:
            return (Say(conversation.announcement(calls)), *calls)


def _bound(kwargs: dict[str, Any]) -> list[Tool]:
    return [Tool.from_openai(schema) for schema in kwargs.get("tools") or ()]


def _chunks(
    acts: Sequence[Act], messages: Sequence[BaseMessage]
) -> Iterator[tuple[AIMessageChunk, float | None]]:
    """The message in pieces, each with its own pace or None; the last one closes it."""
    written = 0
    for index, act in enumerate(acts):
        match act:
            case Say(text=text, pace=pace):
                for piece in _PIECES.findall(text):
                    written += 1
                    yield AIMessageChunk(content=[{"type": "text", "text": piece, "index": index}]), pace
            case Think(text=text):
                for piece in _PIECES.findall(text):
                    block = {"type": "reasoning", "reasoning": piece, "index": index}
                    yield AIMessageChunk(content=[block]), None
            case Call():
                yield from ((chunk, None) for chunk in _call_chunks(act, index, messages))
            case Fail():
                raise RehearsedFailure("the demo model was asked to fail")
    read = sum(len(str(message.text).split()) for message in messages)
    yield (
        AIMessageChunk(
            content=[],
            usage_metadata=UsageMetadata(
                input_tokens=read, output_tokens=written, total_tokens=read + written
            ),
            response_metadata={
                "finish_reason": "tool_calls" if any(isinstance(act, Call) for act in acts) else "stop",
                "model_name": "demo",
            },
            chunk_position="last",
        ),
        None,
    )


def _call_chunks(call: Call, index: int, messages: Sequence[BaseMessage]) -> Iterator[AIMessageChunk]:
    arguments = json.dumps(call.arguments, ensure_ascii=False)
    # Unique in the thread and the same in a replay.
    call_id = f"call_{digest_of([len(messages), index, call.tool, arguments])[:20]}"
    opening = tool_call_chunk(name=call.tool, args="", id=call_id, index=index)
    yield AIMessageChunk(content=[], tool_call_chunks=[opening])
    for start in range(0, len(arguments), _ARGUMENT_PIECE):
        piece = arguments[start : start + _ARGUMENT_PIECE]
        more = tool_call_chunk(name=None, args=piece, id=None, index=index)
        yield AIMessageChunk(content=[], tool_call_chunks=[more])
