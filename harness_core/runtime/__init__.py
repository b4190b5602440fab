"""LangGraph, and nothing else: agents compiled from the workspace, run as turns, told as chunks.

Importing this package imports LangChain, which takes seconds. The web process does not.
"""

from harness_core.runtime.adapter import AgentRuntime
from harness_core.runtime.checkpointer import FencedSaver
from harness_core.runtime.chunks import (
    Asking,
    Chunk,
    ContentChunk,
    Finished,
    GraphPosition,
    HostBinding,
    InterruptChunk,
    NoCheckpoint,
    ReasoningChunk,
    RefusedChunk,
    StepChunk,
    TakenBackChunk,
    ToolCallChunk,
    ToolResultChunk,
    Turn,
    Unfinished,
)
from harness_core.runtime.failures import render_runtime_failure, render_tool_failure
from harness_core.runtime.memory import LongTermMemory
from harness_core.runtime.parts import check_runtime
from harness_core.runtime.resources import Resources

__all__ = [
    "AgentRuntime",
    "Asking",
    "Chunk",
    "ContentChunk",
    "FencedSaver",
    "Finished",
    "GraphPosition",
    "HostBinding",
    "InterruptChunk",
    "LongTermMemory",
    "NoCheckpoint",
    "ReasoningChunk",
    "RefusedChunk",
    "Resources",
    "StepChunk",
    "TakenBackChunk",
    "ToolCallChunk",
    "ToolResultChunk",
    "Turn",
    "Unfinished",
    "check_runtime",
    "render_runtime_failure",
    "render_tool_failure",
]
