"""The history of a conversation inside a graph. The checkpoint feeds the model, and nothing else does.

Messages are kept as deltas in every graph, so that what a turn writes does not depend on how long the
conversation has become. A tool call without a result, left behind by a stopped run, gets one before the next
run starts: providers refuse a history with open calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, NotRequired

from deepagents import DeepAgentState
from deepagents.backends.protocol import FileData
from deepagents.middleware.patch_tool_calls import PatchToolCallsMiddleware
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, ToolMessage

PARAGRAPH = "\n\n"
"""Stands between the texts of two model messages of one answer."""

GIVEN = "given"
"""The channel for what a caller put into the state and no other channel takes."""


def _laid_over(held: dict[str, Any] | None, more: dict[str, Any] | None) -> dict[str, Any]:
    return {**(held or {}), **(more or {})}


def _filed(held: dict[str, Any] | None, more: dict[str, Any] | None) -> dict[str, Any]:
    """Deep agents' rule for files: None deletes one."""
    return {path: file for path, file in _laid_over(held, more).items() if file is not None}


class HistoryState(DeepAgentState):
    """The state of a graph: delta messages, the files, and what a caller gave besides.

    Files are kept whole, not as deltas as deep agents have them: a channel that is seldom written is stored whole
    only every five thousand steps, and until then no older checkpoint can go and every reading walks through all.
    """

    files: NotRequired[Annotated[dict[str, FileData], _filed]]
    given: NotRequired[Annotated[dict[str, Any], _laid_over]]


def patch_open_calls() -> PatchToolCallsMiddleware:
    """The middleware that gives open tool calls a result."""
    return PatchToolCallsMiddleware()


def input_message(run_id: str, text: str) -> HumanMessage:
    """The person's message of a run. Its id makes a repeated input replace itself and marks where the run begins."""
    return HumanMessage(text, id=_input_id(run_id))


def of_run(messages: Sequence[AnyMessage], run_id: str) -> Sequence[AnyMessage]:
    """What came after the run's input; everything, where the input itself was summarised away."""
    wanted = _input_id(run_id)
    for index in range(len(messages) - 1, -1, -1):
        if messages[index].id == wanted:
            return messages[index + 1 :]
    return messages


def answer(messages: Sequence[BaseMessage]) -> str:
    """The texts of the model's messages, as a reader of the stream has put them together."""
    return PARAGRAPH.join(
        str(message.text) for message in messages if isinstance(message, AIMessage) and message.text
    )


def ended_calls(messages: Sequence[Any]) -> int:
    return sum(isinstance(message, ToolMessage) for message in messages)


def _input_id(run_id: str) -> str:
    return f"{run_id}:input"
