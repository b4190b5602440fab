"""The compiled agents of this process, one set for each version of the workspace.

Building them takes a moment; the first run waits for it, nothing else does. A version becomes the holder's current one
when its agents are built, and not before: everybody in this process judges by what runs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

from harness_core.models import Fence, Thread
from harness_core.runtime import AgentRuntime, LongTermMemory, Resources
from harness_core.store import Store
from harness_core.store.seal import Seal
from harness_core.workspace import Workspace, WorkspaceHolder

log = logging.getLogger(__name__)

LOOK = 1.0
"""Seconds between two looks at whether another version is wanted."""

GRACE = 60.0
"""Seconds beyond the longest run after which agents of an earlier version let go of what they hold."""


class Runtimes:
    """Hands out the runtime of the newest workspace that can be built; a new workspace gets one on first use.

    ``folder`` is where checkpoints go that a workspace keeps in a file.
    """

    def __init__(
        self, store: Store, holder: WorkspaceHolder, seal: Seal, *, folder: Path | None = None
    ) -> None:
        self._store = store
        self._holder = holder
        self._seal = seal
        self._resources = Resources(store, seal, folder=folder)
        self._current: tuple[Workspace, AgentRuntime] | None = None
        self._retiring: dict[AgentRuntime, asyncio.Task[None]] = {}
        self._refused: str | None = None
        self._is_stale = False
        self._lock = asyncio.Lock()

    async def follow(self) -> None:
        """Builds what is wanted, whether or not a run comes, until cancelled."""
        while True:
            await self.current()
            await asyncio.sleep(LOOK)

    def rebuild(self) -> None:
        """The agents are built anew at the next look, though the workspace says what it said: packages that could not
        be loaded and tools that servers have got since are found then.
        """
        self._refused = None
        self._is_stale = True

    async def current(self) -> tuple[Workspace, AgentRuntime]:
        """The workspace that holds now, and its agents, compiled.

        :raises Exception: whatever a model's or tool's package raises while it is loaded.
        """
        async with self._lock:
            workspace = self._holder.wanted
            if self._current is None:
                self._current = (workspace, await self._build(workspace))
            elif self._is_stale or workspace.digest not in {self._current[0].digest, self._refused}:
                self._is_stale = False
                try:
                    built = await self._build(workspace)
                except Exception:
                    # The YAML was fine, a tool's or model's package was not: go on with what worked.
                    self._refused = workspace.digest
                    log.exception("the changed workspace cannot be run, the last good one stays")
                else:
                    self._refused = None
                    self._retire(*self._current)
                    self._current = (workspace, built)
            self._holder.adopt(self._current[0])
            return self._current

    async def files(self, thread: Thread) -> Mapping[str, str]:
        """The files in the state of a thread, by path."""
        _, runtime = await self.current()
        fence = Fence(
            tenant=thread.tenant,
            conversation=thread.conversation,
            thread_id=thread.thread_id,
            run_id=thread.latest_run or "",
            epoch=0,  # nothing is written under it
        )
        return await runtime.files(fence)

    async def memory(self, tenant: str) -> LongTermMemory:
        """The long-term store of ``tenant``.

        :raises WorkspaceInvalid: its embedding model cannot be used.
        """
        _, runtime = await self.current()
        return await runtime.memory(tenant)

    async def forget(self, thread_id: str) -> None:
        """Removes what checkpointers of this process alone hold of a thread that is gone from the store."""
        _, runtime = await self.current()
        await runtime.forget(thread_id)

    async def erase(self, thread_id: str) -> None:
        """As :meth:`forget`, and what was remembered of the thread in this process alone."""
        await self.forget(thread_id)
        self._resources.forget(thread_id)

    async def aclose(self) -> None:
        """Ends sessions with tool servers and closes files. No run may be at work any more."""
        async with self._lock:
            runtimes = [*self._retiring, *([self._current[1]] if self._current else [])]
            for task in self._retiring.values():
                task.cancel()
            self._retiring.clear()
            self._current = None
            self._holder.let_go()
            for runtime in runtimes:
                await runtime.aclose()
            await self._resources.aclose()

    def _retire(self, workspace: Workspace, runtime: AgentRuntime) -> None:
        """Its runs go on with it; none is longer than its limit says."""

        async def later() -> None:
            await asyncio.sleep(workspace.runtime.limits.run + GRACE)
            del self._retiring[runtime]
            await runtime.aclose()

        self._retiring[runtime] = asyncio.create_task(later(), name="retire agents")

    async def _build(self, workspace: Workspace) -> AgentRuntime:
        runtime = AgentRuntime(workspace, self._store, self._seal, resources=self._resources)
        try:
            await runtime.warm()
        except BaseException:
            await runtime.aclose()
            raise
        log.info("agents ready", extra={"agents": sorted(workspace.agents)})
        return runtime
