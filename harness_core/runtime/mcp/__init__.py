"""Servers that speak the Model Context Protocol: lasting sessions with them, and their tools."""

from harness_core.runtime.mcp.address import HttpServer, ServerAddress, StdioServer, address_of
from harness_core.runtime.mcp.servers import ToolServers
from harness_core.runtime.mcp.session import McpSession, ServerUnreachable
from harness_core.runtime.mcp.tools import load_server_tools

__all__ = [
    "HttpServer",
    "McpSession",
    "ServerAddress",
    "ServerUnreachable",
    "StdioServer",
    "ToolServers",
    "address_of",
    "load_server_tools",
]
