"""Middleware inside the gate: it works on calls that were let through, within their one entry in the journal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Any

from langchain.agents.middleware import (
    AgentMiddleware,
    LLMToolEmulator,
    ToolErrorMiddleware,
    ToolRetryMiddleware,
)
from langchain.agents.middleware.types import ToolCallRequest
from langchain_core.messages import ToolMessage
from langgraph.types import Command

from harness_core.approvals import Effect
from harness_core.errors import HarnessError
from harness_core.runtime.middleware.kit import Kit, MiddlewareUnusable
from harness_core.runtime.results import failure
from harness_core.workspace.schema.tool_middleware import LlmToolEmulatorSpec, ToolErrorSpec, ToolRetrySpec

Handler = Callable[[ToolCallRequest], Awaitable[ToolMessage | Command[Any]]]


def through(layers: Sequence[AgentMiddleware[Any, Any]], handler: Handler) -> Handler:
    """``handler`` with the layers around it, the first outermost."""
    for layer in reversed(layers):
        handler = partial(layer.awrap_tool_call, handler=handler)
    return handler


def tool_retry(spec: ToolRetrySpec, kit: Kit) -> AgentMiddleware[Any, Any]:
    """:raises MiddlewareUnusable: it names a tool that must not run twice."""
    once = [name for name in spec.tools or () if name in kit.tools and kit.tools[name].effect is Effect.ONCE]
    if once:
        raise MiddlewareUnusable(
            f"tool_retry would repeat calls that must not happen twice: {', '.join(once)}"
        )
    repeatable = [name for name, tool in kit.tools.items() if tool.effect is Effect.IDEMPOTENT]
    return ToolRetryMiddleware(
        max_retries=spec.max_retries,
        tools=_known(repeatable if spec.tools is None else spec.tools),
        retry_on=lambda error: not isinstance(error, HarnessError),
        on_failure=spec.on_failure,
        backoff_factor=spec.backoff_factor,
        initial_delay=spec.initial_delay,
        max_delay=spec.max_delay,
        jitter=spec.jitter,
    )


def tool_error(spec: ToolErrorSpec, kit: Kit) -> AgentMiddleware[Any, Any]:
    def told(error: Exception, request: ToolCallRequest) -> str | None:
        if isinstance(error, HarnessError):
            return None  # not the tool's: a lost lease or a subagent's model is for the run
        name, arguments = request.tool_call["name"], request.tool_call["args"]
        tool = kit.tools.get(name)
        if spec.expose == "message" and tool is not None:
            return failure(error, tool, arguments)
        return f"“{tool.title(arguments) if tool is not None else name}” failed with {type(error).__name__}."

    return ToolErrorMiddleware(told, tools=None if spec.tools is None else _known(spec.tools))


def tool_emulator(spec: LlmToolEmulatorSpec, kit: Kit) -> AgentMiddleware[Any, Any]:
    return LLMToolEmulator(
        tools=None if spec.tools is None else _known(spec.tools), model=kit.chat_model(spec.model)
    )


def _known(names: Iterable[str]) -> list[Any]:
    """A list as LangChain's signatures have it: of names, or of tools."""
    return list(names)
