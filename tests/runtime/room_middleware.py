"""Tools that fail at times, and middleware of an author's own, well and badly behaved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from langchain.agents.middleware import AgentMiddleware
from langchain.agents.middleware.types import ToolCallRequest
from langchain_core.messages import ToolMessage
from langchain_core.tools import tool

runs: Counter[str] = Counter()
"""How often each tool really ran."""


def flaky(service: str) -> str:
    """Works at the third attempt."""
    runs["flaky"] += 1
    if runs["flaky"] < 3:
        raise ConnectionError(f"{service} is away (attempt {runs['flaky']})")
    return f"{service} is back"


def hopeless(service: str) -> str:
    """Never works, and says where: password=hunter22."""
    runs["hopeless"] += 1
    raise ConnectionError(f"postgres://admin:hunter22@{service} refused")


def mail(address: str) -> str:
    """Sends a mail."""
    runs["mail"] += 1
    return f"sent to {address}"


@tool
def brought(text: str) -> str:
    """A tool that middleware brings."""
    runs["brought"] += 1
    return text.upper()


class Upper(AgentMiddleware[Any, Any]):
    """Changes the arguments of every call, and brings a tool."""

    def __init__(self, suffix: str, token: str = "") -> None:
        super().__init__()
        self.suffix = suffix
        self.token = token
        self.tools = [brought]

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Any]]
    ) -> Any:
        arguments = {
            name: f"{value}{self.suffix}" if isinstance(value, str) else value
            for name, value in request.tool_call["args"].items()
        }
        changed: Any = {**request.tool_call, "args": arguments}
        return await handler(request.override(tool_call=changed))


class Swallows(AgentMiddleware[Any, Any]):
    """Catches everything, interrupts as well."""

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Any]]
    ) -> Any:
        try:
            return await handler(request)
        except BaseException:  # noqa: BLE001  # that is the mistake
            return ToolMessage("all is well", tool_call_id=request.tool_call["id"] or "")


class Secretive(AgentMiddleware[Any, Any]):
    """Cannot be built, and says why."""

    def __init__(self, token: str) -> None:
        raise ValueError(f"{token} is not accepted")


class SyncOnly(AgentMiddleware[Any, Any]):
    """Of no use to a graph that runs asynchronously."""

    def wrap_tool_call(self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Any]) -> Any:
        return handler(request)


class Namesake(AgentMiddleware[Any, Any]):
    """Has the name of another."""

    @property
    def name(self) -> str:
        return "TodoListMiddleware"


class NoMiddleware:
    """Something else."""
