"""What the agents of a process share, whatever version of the workspace they come from."""

from __future__ import annotations

from pathlib import Path

from harness_core.runtime.checkpointer import Savers
from harness_core.runtime.mcp import ToolServers
from harness_core.runtime.memory import ProcessShelf, Shelf
from harness_core.store import Seal, Store
from harness_core.workspace import RuntimeSpec


class Resources:
    """Checkpointers, long-term items and sessions with tool servers: they outlive a reload of the workspace.

    One for each process; ``folder`` is where the workspace's files of checkpoints go.
    """

    def __init__(self, store: Store, seal: Seal, *, folder: Path | None = None) -> None:
        self.store = store
        self.savers = Savers(store.checkpoints, seal, folder)
        self.servers = ToolServers()
        self._here = ProcessShelf()

    def shelf(self, runtime: RuntimeSpec) -> Shelf:
        """Where the workspace keeps long-term items."""
        return self._here if runtime.store.kind == "memory" else self.store.items

    def forget(self, thread_id: str) -> None:
        """Drops the long-term items of a thread that this process alone holds."""
        self._here.forget(thread_id)

    async def aclose(self) -> None:
        """Ends sessions with tool servers and closes files. The store stays open."""
        await self.servers.aclose()
        await self.savers.aclose()
