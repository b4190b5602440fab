"""Middleware of allow-listed packages: found by reference, built, and kept from swallowing what is not theirs."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable
from typing import Any

from langchain.agents.middleware import AgentMiddleware
from langchain.agents.middleware.types import ToolCallRequest
from langchain_core.messages import ToolMessage
from langgraph.errors import GraphBubbleUp
from langgraph.types import Command

from harness_core.redaction import redact
from harness_core.runtime.middleware.kit import Kit, MiddlewareUnusable
from harness_core.workspace import python_reference
from harness_core.workspace.schema.tool_middleware import CustomSpec

Handler = Callable[[ToolCallRequest], Awaitable[ToolMessage | Command[Any]]]


def load_custom(spec: CustomSpec, _kit: Kit) -> AgentMiddleware[Any, Any]:
    """An instance of the class that ``spec`` refers to.

    :raises MiddlewareUnusable: it cannot be imported or built, is no middleware, or wraps calls only where nothing
        waits, which a graph that is run asynchronously refuses.
    """
    found = _import(spec)
    if not isinstance(found, type) or not issubclass(found, AgentMiddleware):
        raise MiddlewareUnusable(f"{spec.python} is not a class of LangChain's AgentMiddleware")
    for hook in ("wrap_tool_call", "wrap_model_call"):
        if _overrides(found, hook) and not _overrides(found, f"a{hook}"):
            raise MiddlewareUnusable(f"{spec.python} has {hook} without a{hook}: agents run asynchronously")
    try:
        made = _open(found)(**spec.clear_params())
    except Exception as error:
        # Somebody else's code: whatever it raises is a finding.
        said = redact(f"{type(error).__name__}: {error}", _secrets(spec))
        raise MiddlewareUnusable(f"{spec.python} cannot be built: {said}") from error
    return made


def _import(spec: CustomSpec) -> Any:
    reference = python_reference(spec.python)
    if reference is None:
        raise MiddlewareUnusable(f"{spec.python} is not a reference: write package.module:Class")
    try:
        return getattr(importlib.import_module(reference.module), reference.attribute)
    except AttributeError:
        raise MiddlewareUnusable(f"{reference.module} has no {reference.attribute}") from None
    except Exception as error:
        raise MiddlewareUnusable(
            f"{reference.module} cannot be imported: {type(error).__name__}: {redact(str(error))}"
        ) from error


def _secrets(spec: CustomSpec) -> list[str]:
    return [value for value in spec.clear_params().values() if isinstance(value, str)]


def _overrides(found: type[AgentMiddleware[Any, Any]], hook: str) -> bool:
    return getattr(found, hook) is not getattr(AgentMiddleware, hook)


def _open(found: type[AgentMiddleware[Any, Any]]) -> type[AgentMiddleware[Any, Any]]:
    """The class, so that interrupts pass through it: one that catches everything would make a question disappear.

    A tool call that waits for people raises out of the handler. When the last call of the handler did, that is
    raised again, whatever the middleware made of it.
    """
    if not _overrides(found, "awrap_tool_call"):
        return found

    async def awrap_tool_call(
        self: Any, request: ToolCallRequest, handler: Handler
    ) -> ToolMessage | Command[Any]:
        raised: GraphBubbleUp | None = None

        async def watched(passed: ToolCallRequest) -> ToolMessage | Command[Any]:
            nonlocal raised
            raised = None
            try:
                return await handler(passed)
            except GraphBubbleUp as signal:
                raised = signal
                raise

        result = await found.awrap_tool_call(self, request, watched)
        if raised is not None:
            raise raised
        return result

    made: type[AgentMiddleware[Any, Any]] = type(
        found.__name__, (found,), {"__module__": found.__module__, "awrap_tool_call": awrap_tool_call}
    )
    return made
