"""The tool servers of a process: one session each, shared by all agents and by every version of the workspace."""

from __future__ import annotations

import asyncio
from collections import Counter

from harness_core.runtime.mcp.address import ServerAddress
from harness_core.runtime.mcp.session import McpSession


class ToolServers:
    """Sessions by address. Whoever takes one gives it back; the last one to do so ends it."""

    def __init__(self) -> None:
        self._sessions: dict[ServerAddress, McpSession] = {}
        self._takers: Counter[ServerAddress] = Counter()

    def take(self, name: str, address: ServerAddress) -> McpSession:
        """The session with the server at ``address``; ``name`` is what people know it by."""
        self._takers[address] += 1
        if address not in self._sessions:
            self._sessions[address] = McpSession(name, address)
        return self._sessions[address]

    async def give_back(self, address: ServerAddress) -> None:
        """One taker less."""
        self._takers[address] -= 1
        if self._takers[address] <= 0:
            del self._takers[address]
            session = self._sessions.pop(address, None)
            if session is not None:
                await session.aclose()

    async def aclose(self) -> None:
        """Ends every session, whoever still has it."""
        sessions = list(self._sessions.values())
        self._sessions.clear()
        self._takers.clear()
        await asyncio.gather(*(session.aclose() for session in sessions))
