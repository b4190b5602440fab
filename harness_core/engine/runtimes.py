"""The compiled agents of this process, one set for each version of the workspace.

Building them takes a moment; the first run waits for it, nothing else does.
"""

from __future__ import annotations

import asyncio
import logging

from harness_core.runtime import AgentRuntime
from harness_core.store import Store
from harness_core.store.seal import Seal
from harness_core.workspace import Workspace, WorkspaceHolder

log = logging.getLogger(__name__)


class Runtimes:
    """Hands out the runtime of the current workspace; a new workspace gets a new one on first use."""

    def __init__(self, store: Store, holder: WorkspaceHolder, seal: Seal) -> None:
        self._store = store
        self._holder = holder
        self._seal = seal
        self._current: tuple[Workspace, AgentRuntime] | None = None
        self._refused: str | None = None
        self._lock = asyncio.Lock()

    async def current(self) -> tuple[Workspace, AgentRuntime]:
        """The workspace that holds now, and its agents, compiled.

        :raises Exception: whatever a model's or tool's package raises while it is loaded.
        """
        async with self._lock:
            workspace = self._holder.current
            if self._current is None:
                self._current = (workspace, await self._build(workspace))
            elif workspace.digest not in {self._current[0].digest, self._refused}:
                try:
                    self._current = (workspace, await self._build(workspace))
                except Exception:
                    # The YAML was fine, a tool's or model's package was not: go on with what worked.
                    self._refused = workspace.digest
                    log.exception("the changed workspace cannot be run, the last good one stays")
            return self._current

    async def _build(self, workspace: Workspace) -> AgentRuntime:
        runtime = AgentRuntime(workspace, self._store, self._seal)
        await runtime.warm()
        log.info("agents ready", extra={"agents": sorted(workspace.agents)})
        return runtime
