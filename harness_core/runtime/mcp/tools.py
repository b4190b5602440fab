"""The tools of a server, made ready for a model: each under the rules that the workspace has for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, cast

from langchain_core.tools import StructuredTool
from langchain_mcp_adapters.interceptors import MCPToolCallRequest
from langchain_mcp_adapters.tools import convert_mcp_tool_to_langchain_tool
from mcp import ClientSession
from mcp.types import Tool

from harness_core.foreign_schemas import SchemaUnreadable, check_schema
from harness_core.runtime.handed_over import HandedOver
from harness_core.runtime.mcp.session import McpSession
from harness_core.runtime.tools import BoundTool, ToolUnusable
from harness_core.workspace import ToolObject, model_name
from harness_core.workspace.schema.tools import BY_TOOL, REST


async def load_server_tools(spec: ToolObject, session: McpSession) -> tuple[BoundTool, ...]:
    """The tools of the server that ``spec`` describes, those it allows, by the names the server gives them.

    :raises ServerUnreachable: the server does not answer.
    :raises ToolUnusable: ``spec`` names a tool that the server does not have, or a tool's schema cannot be read.
    """
    offered = {tool.name: tool for tool in await session.list_tools()}
    allowed = spec.mcp.allow if spec.mcp is not None else None
    _refuse_unknown("allow", allowed or (), offered)
    for key in BY_TOOL:
        named = getattr(spec, key)
        if isinstance(named, Mapping):
            _refuse_unknown(key, (name for name in named if name != REST), offered)
    names = offered if allowed is None else allowed
    _refuse_unreadable(offered[name] for name in names)
    return tuple(_bound(spec, offered[name], session) for name in names)


def _bound(spec: ToolObject, offered: Tool, session: McpSession) -> BoundTool:
    def converted(*interceptors: Any) -> StructuredTool:
        # It needs no more of a session than the one method, and ours stays the same when the connection does not.
        made: Any = convert_mcp_tool_to_langchain_tool(
            cast("ClientSession", session),
            offered,
            server_name=spec.name,
            tool_interceptors=list(interceptors),
        )
        return cast("StructuredTool", made)

    async def serve(arguments: dict[str, Any]) -> Any:
        async def as_given(request: MCPToolCallRequest, send: Callable[..., Awaitable[Any]]) -> Any:
            return await send(request.override(args=arguments))

        call: Any = converted(as_given).coroutine
        return await call()

    tool = converted()
    handed = HandedOver(
        name=model_name(offered.name),
        description=tool.description or offered.name,
        args_schema=tool.args_schema,
        response_format=tool.response_format,
        handle_tool_error=tool.handle_tool_error,
        metadata=tool.metadata,
        serve=serve,
    )
    return BoundTool(spec=spec.for_tool(offered.name), tool=handed, source=spec.name)


def _refuse_unknown(key: str, named: Iterable[str], offered: Mapping[str, Any]) -> None:
    unknown = sorted(name for name in named if name not in offered)
    if unknown:
        has = ", ".join(sorted(offered)) or "no tools at all"
        raise ToolUnusable(f"{key} names {', '.join(unknown)}, and the server has {has}")


def _refuse_unreadable(tools: Iterable[Tool]) -> None:
    for tool in tools:
        try:
            check_schema(tool.inputSchema)
        except SchemaUnreadable:
            raise ToolUnusable(
                f"the schema of {tool.name} cannot be read: it is no JSON Schema, or refers to what is not in it; "
                "name the other tools in allow"
            ) from None
