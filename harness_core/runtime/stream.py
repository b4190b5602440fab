"""LangGraph's stream → chunks.

Facts this rests on (LangGraph 1.2, LangChain 1.4): a message arrives as deltas under one id, and again whole
in the update of its node; a finished task is reported again after a resume; an interrupt in a subgraph is
reported there and at the root; other models, inside middleware or tools, stream into the same channel. So: text counts only from the
agent's own model node, and everything is told once per id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage

from harness_core.approvals import Effect
from harness_core.redaction import redact
from harness_core.runtime.chunks import (
    Chunk,
    ContentChunk,
    InterruptChunk,
    ReasoningChunk,
    RefusedChunk,
    StepChunk,
    TakenBackChunk,
    ToolCallChunk,
    ToolResultChunk,
)
from harness_core.runtime.limits import Pace
from harness_core.runtime.passing import QUESTION
from harness_core.runtime.steps import CallRefused, ModelStep, Said, ToolStep
from harness_core.runtime.tools import BoundTool

MODES = ("messages", "updates", "custom")
"""The stream modes to ask for, with ``subgraphs=True`` and ``version="v2"``."""

MODEL_LABEL = "Thinking"

_MODEL_NODE = "model"
_NEUTRAL = frozenset({"text", "reasoning"})


class ChunkStream:
    """Turns the parts of one stream into chunks. Keeps what was told already."""

    def __init__(self, tools: Mapping[str, BoundTool], pace: Pace) -> None:
        self._tools = tools
        self._pace = pace
        self._streamed: set[str] = set()  # messages whose text came as deltas
        self._arguments: dict[str, Mapping[str, Any]] = {}  # of every call that was told
        self._started: set[str] = set()
        self._ended: set[str] = set()
        self._ended_steps: set[str] = set()
        self._asked: set[str] = set()
        self._attempt: set[str] = set()  # messages of the model call at work whose text was told
        self._broken: set[str] = set()  # those of calls that broke off, until another one takes their place

    def take(self, part: Mapping[str, Any]) -> Iterator[Chunk]:
        """The chunks that one part amounts to; none for what happens inside subgraphs."""
        match part:
            case {"type": "updates", "data": {"__interrupt__": interrupts}}:
                yield from self._interrupted(interrupts)
            case {"type": "custom", "data": CallRefused() as refused}:
                yield RefusedChunk(
                    call=refused.call, tool=refused.tool, title=refused.title, message=refused.message
                )
            case {"type": "custom", "data": ToolStep(effect=Effect.ONCE) as step}:
                yield from self._tool_step(step)  # whoever makes it, people want to know
            case {"ns": (_, *_)}:
                return
            case {"type": "messages", "data": (AIMessageChunk() as message, metadata)}:
                yield from self._delta(message, metadata)
            case {"type": "updates", "data": dict() as updates}:
                yield from self._updated(updates)
            case {"type": "custom", "data": ModelStep() as step}:
                yield from self._model_step(step)
            case {"type": "custom", "data": ToolStep() as step}:
                yield from self._tool_step(step)
            case {"type": "custom", "data": Said(message=message, text=text)}:
                yield ContentChunk(text=text, message=message)
            case _:
                return

    def _delta(self, message: AIMessageChunk, metadata: Mapping[str, Any]) -> Iterator[Chunk]:
        if metadata.get("langgraph_node") != _MODEL_NODE or "lc_source" in metadata:
            return
        self._pace.expect()
        identity = message.id or ""
        for block in _blocks(message):
            match block:
                case {"type": "text", "text": str(text)} if text:
                    self._streamed.add(identity)
                    self._attempt.add(identity)
                    yield ContentChunk(text=text, message=identity)
                case {"type": "reasoning", "reasoning": str(text)} if text:
                    yield ReasoningChunk(text=text, message=identity)
                case _:
                    pass

    def _updated(self, updates: Mapping[str, Any]) -> Iterator[Chunk]:
        known = bool((updates.get("__metadata__") or {}).get("cached"))
        for node, update in updates.items():
            for message in _messages(update):
                match message:
                    case AIMessage() if node == _MODEL_NODE:
                        yield from self._spoken(message, known=known)
                    case ToolMessage():
                        yield from self._answered(message)
                    case _:
                        pass

    def _spoken(self, message: AIMessage, *, known: bool) -> Iterator[Chunk]:
        """``known``: the model had finished before this stream began, so its text is in the run's position."""
        yield from self._replaced()
        text, identity = str(message.text), message.id or ""
        if text and not known and identity not in self._streamed:  # a model that does not stream
            self._streamed.add(identity)
            yield ContentChunk(text=text, message=identity)
        for call in message.tool_calls:
            yield from self._called(call["id"] or "", call["name"], call["args"])

    def _called(self, call: str, name: str, arguments: Mapping[str, Any]) -> Iterator[Chunk]:
        if call in self._arguments:
            return
        self._arguments[call] = arguments
        tool = self._tools.get(name)
        yield ToolCallChunk(
            call=call,
            tool=name,
            label=tool.label(arguments) if tool else name,
            arguments=tool.shown(arguments) if tool else "{}",
            masked=tuple(sorted(tool.spec.secret_arguments & arguments.keys())) if tool else (),
        )

    def _tool_step(self, step: ToolStep) -> Iterator[Chunk]:
        told = self._started if step.phase == "started" else self._ended_steps
        if step.call in told:
            return
        told.add(step.call)
        yield StepChunk(
            step=step.call, label=step.label, kind="tool", phase=step.phase, ok=step.ok, effect=step.effect
        )

    def _answered(self, message: ToolMessage) -> Iterator[Chunk]:
        call, name = message.tool_call_id, message.name or ""
        if call in self._ended:
            return
        self._ended.add(call)
        is_error = message.status == "error"
        yield ToolResultChunk(call=call, tool=name, output=self._shown(message), is_error=is_error)

    def _shown(self, message: ToolMessage) -> str:
        tool = self._tools.get(message.name or "")
        arguments = self._arguments.get(message.tool_call_id, {})
        return redact(str(message.text), tool.secrets(arguments) if tool else ())

    def _model_step(self, step: ModelStep) -> Iterator[Chunk]:
        self._pace.relax()
        if step.phase == "started":
            yield from self._replaced()
        elif not step.ok:
            self._broken |= self._attempt
        self._attempt.clear()
        told = self._started if step.phase == "started" else self._ended
        if step.step not in told:
            told.add(step.step)
            yield StepChunk(step=step.step, label=MODEL_LABEL, kind="model", phase=step.phase, ok=step.ok)

    def _replaced(self) -> Iterator[Chunk]:
        """Takes back what broke off. Where nothing follows, it stays: it is all there is of an answer."""
        if self._broken:
            yield TakenBackChunk(messages=frozenset(self._broken))
            self._broken.clear()

    def _interrupted(self, interrupts: tuple[Any, ...]) -> Iterator[Chunk]:
        fresh = [each for each in interrupts if each.id not in self._asked]
        self._asked.update(each.id for each in fresh)
        if fresh:
            asked = [_question(each.value) for each in fresh]
            yield InterruptChunk(questions=tuple(filter(None, asked)), foreign=not all(asked))


def _blocks(message: AIMessageChunk) -> Sequence[Any]:
    """The content in LangChain's neutral form, which costs 30 µs per token to ask for and is mostly there already."""
    content = message.content
    if isinstance(content, str):
        if not message.additional_kwargs:
            return ({"type": "text", "text": content},)
    elif all(isinstance(block, dict) and block.get("type") in _NEUTRAL for block in content):
        return content
    return message.content_blocks


def _messages(update: Any) -> Iterator[BaseMessage]:
    """The messages in a node's update, whatever its shape."""
    match update:
        case {"messages": list() as messages}:
            yield from (message for message in messages if isinstance(message, BaseMessage))
        case {"messages": BaseMessage() as message}:
            yield message
        case list():
            for each in update:
                yield from _messages(each)
        case _:
            return


def _question(value: Any) -> str | None:
    """The approval that an interrupt of the gate names; None for one that is not the gate's."""
    found = value.get(QUESTION) if isinstance(value, dict) else None
    return found if isinstance(found, str) else None
