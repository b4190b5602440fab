"""The one way to a tool. Innermost in every graph, so nothing can change a call after it was let through."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from langchain.agents.middleware import AgentMiddleware
from langchain.agents.middleware.types import ToolCallRequest
from langchain_core.messages import ToolMessage
from langgraph.errors import GraphBubbleUp
from langgraph.types import Command

from harness_core.canonical import canonical_json, digest
from harness_core.models import Fence
from harness_core.redaction import redact
from harness_core.runtime.checkpointer import FENCE
from harness_core.runtime.tools import BoundTool, serving
from harness_core.tool_call import ToolCall
from harness_core.workspace import ToolSpec

REQUESTER = "requester"
"""The key in a config's ``configurable`` that says who asked for the run."""

OUTPUT_LIMIT = 64 * 1024
"""Bytes of a tool's output that the model gets to read."""

_REASON_LENGTH = 500


def may_run(spec: ToolSpec) -> bool:
    """Whether a tool needs nobody's decision: it never asks, and running it twice does no harm."""
    return spec.idempotent and spec.approval == "never"


def refusal(title: str) -> str:
    """What the model reads in place of the result of a tool that may not run."""
    return (
        f"Approvals are not available yet, so “{title}” did not run. "
        "Only tools that are idempotent and never need approval can be used."
    )


class ToolGate(AgentMiddleware[Any, Any]):
    """Decides about each call, bounds it in time, and turns whatever goes wrong into a message for the model.

    ``limit`` is in seconds. A tool that raises has ended, and so has one that took too long; neither ends
    the run.
    """

    def __init__(self, tools: Mapping[str, BoundTool], *, limit: float) -> None:
        super().__init__()
        self._tools = dict(tools)
        self._limit = limit

    async def awrap_tool_call(
        self,
        request: ToolCallRequest,
        handler: Callable[[ToolCallRequest], Awaitable[ToolMessage | Command[Any]]],
    ) -> ToolMessage | Command[Any]:
        name, arguments = request.tool_call["name"], request.tool_call["args"]
        tool = self._tools.get(name)
        if tool is None:
            # The model made the name up: without a tool the handler runs nothing and lists the real ones.
            return await handler(request) if request.tool is None else _error(request, refusal(name))
        if not may_run(tool.spec):
            return _error(request, refusal(tool.title(arguments)))
        try:
            async with asyncio.timeout(self._limit) as limit:
                with serving(_identity(request)):
                    return _fitted(await handler(request), tool, arguments)
        except GraphBubbleUp:
            raise
        except Exception as error:  # noqa: BLE001  # whatever a tool raises is for the model to read
            if limit.expired():
                return _error(
                    request, f"“{tool.title(arguments)}” took longer than {self._limit:g} s and was given up."
                )
            return _error(request, _reason(error, tool, arguments))


def _identity(request: ToolCallRequest) -> ToolCall:
    configurable = request.runtime.config.get("configurable", {})
    fence = configurable.get(FENCE)
    run_id = fence.run_id if isinstance(fence, Fence) else str(configurable.get("run_id", ""))
    outer, _, _ = str(configurable.get("checkpoint_ns", "")).rpartition("|")
    return ToolCall(
        key=digest(run_id, outer, _call_id(request)),
        run_id=run_id,
        requester=str(configurable.get(REQUESTER, "")),
    )


def _call_id(request: ToolCallRequest) -> str:
    return request.tool_call["id"] or digest(canonical_json(request.tool_call["args"]))


def _error(request: ToolCallRequest, text: str) -> ToolMessage:
    return ToolMessage(text, name=request.tool_call["name"], tool_call_id=_call_id(request), status="error")


def _reason(error: Exception, tool: BoundTool, arguments: Mapping[str, Any]) -> str:
    text = tool.clean(str(error).strip(), arguments)
    kind = type(error).__name__
    said = f"{kind}: {text}" if text else kind
    return said if len(said) <= _REASON_LENGTH else f"{said[: _REASON_LENGTH - 1]}…"


def _fitted(
    result: ToolMessage | Command[Any], tool: BoundTool, arguments: Mapping[str, Any]
) -> ToolMessage | Command[Any]:
    if not isinstance(result, ToolMessage):
        return result
    content: Any = result.content
    if result.status == "error" and isinstance(content, str):
        content = redact(content, tool.secrets(arguments))
    return result.model_copy(update={"content": _capped(content), "artifact": _plain(result.artifact)})


def _capped(content: Any) -> Any:
    """Text cut to the limit, saying so; of blocks, each text by itself."""
    match content:
        case str():
            data = content.encode()
            if len(data) <= OUTPUT_LIMIT:
                return content
            kept = data[:OUTPUT_LIMIT].decode(errors="ignore")
            return f"{kept}\n[The output was cut: {len(kept.encode())} of {len(data)} bytes are shown.]"
        case list():
            return [_capped(block) for block in content]
        case {"type": "text", "text": str(text), **rest}:
            return {"type": "text", "text": _capped(text), **rest}
        case _:
            return content


def _plain(artifact: Any) -> Any:
    """An artifact that can be kept in a checkpoint, or None: other objects could not be read back."""
    try:
        canonical_json(artifact)
    except (TypeError, ValueError):
        return None
    return artifact
