"""A tool server for the tests, a program of its own: ``python mcp_server.py stdio`` or ``… http PORT``.

What it is asked to do it writes into the file that EFFECTS names.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import anyio
from mcp.server.fastmcp import Context, FastMCP
from mcp.types import ImageContent, ListToolsRequest, ListToolsResult, PingRequest, ServerResult, TextContent

server = FastMCP("tickets", host="127.0.0.1", port=int(sys.argv[2]) if len(sys.argv) > 2 else 0)


def _note(what: str) -> None:
    if "EFFECTS" in os.environ:
        with Path(os.environ["EFFECTS"]).open("a") as file:
            file.write(f"{what}\n")


@server.tool()
def search(query: str, limit: int = 3) -> str:
    """Find tickets that say something."""
    _note(f"search {query}")
    return f"{limit} tickets about {query}"


@server.tool()
def create(title: str) -> dict[str, Any]:
    """Open a ticket."""
    _note(f"create {title}")
    return {"id": 7, "title": title}


@server.tool()
def apply(
    target: str, config: str = "DEFAULT", runtime: str = "DEFAULT", run_manager: str = "DEFAULT"
) -> str:
    """Has arguments whose names are also LangChain's."""
    _note(f"apply {target} {config} {runtime} {run_manager}")
    return f"applied to {target}"


@server.tool()
def pid() -> str:
    """Which process this is."""
    return str(os.getpid())


@server.tool()
def broken(title: str) -> str:
    """Fails."""
    raise ValueError(f"no tickets today, {title}")


@server.tool()
async def slow(gate: str) -> str:
    """Works until a file is there."""
    _note("slow")
    file = anyio.Path(gate)
    while not await file.exists():  # noqa: ASYNC110  # another process lays the file there
        await anyio.sleep(0.02)
    return "done"


@server.tool()
def header(name: str, context: Context[Any, Any, Any]) -> str:
    """A header of the request, or a variable of the environment."""
    request = context.request_context.request
    return str(request.headers.get(name)) if request is not None else os.environ.get(name, "none")


@server.tool()
def picture() -> list[TextContent | ImageContent]:
    """Words and a picture."""
    return [
        TextContent(type="text", text="a dot"),
        ImageContent(type="image", data="R0lGODlhAQABAAAAACw=", mimeType="image/gif"),
    ]


@server.tool(name="odd.name/with a very long tail that no provider of chat models would ever accept as it is")
def odd() -> str:
    """Has an odd name."""
    return "odd"


async def _next_page(request: Any) -> ServerResult:
    """A list of tools that goes on for ever."""
    del request
    return ServerResult(ListToolsResult(tools=[], nextCursor="more"))


async def _never_listed(request: Any) -> Any:
    """For a client the list of tools never comes; the server itself, which asks without a request, has it."""
    if request is not None:
        await anyio.sleep_forever()
    return await listed(request)


listed = server._mcp_server.request_handlers[ListToolsRequest]
match os.environ.get("LISTING"):
    case "never":
        server._mcp_server.request_handlers[ListToolsRequest] = _never_listed
    case "endless":
        server._mcp_server.request_handlers[ListToolsRequest] = _next_page
    case "unreadable":
        tool = server._tool_manager.get_tool("pid")
        assert tool is not None
        tool.parameters = {"type": "object", "properties": {"x": {"$ref": "http://127.0.0.1:9/x.json"}}}

if "NO_PING" in os.environ:
    del server._mcp_server.request_handlers[PingRequest]

if __name__ == "__main__":
    print("starting with", os.environ.get("SECRET", "no secret"), file=sys.stderr)
    if "REFUSE" in os.environ:
        sys.exit("cannot start: the database of tickets is not there")
    server.run("stdio" if sys.argv[1] == "stdio" else "streamable-http")
