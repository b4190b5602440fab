"""What this process does about the wishes of operators: the workspace read again, no more work taken.

Imports no agent framework: a process that only takes messages in follows the workspace, too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from harness_core.errors import StoreError
from harness_core.store import Store
from harness_core.workspace import Reloaded, ReloadRefused, WorkspaceHolder

log = logging.getLogger(__name__)

LOOK = 1.0
"""Seconds between two looks at the switches and at the files of the workspace."""


class Switchboard:
    """Follows the switches in the store and the files of the workspace. ``draining`` is how they stood last.

    ``requested`` is called when an operator asked for a reload and the files were read.
    """

    def __init__(
        self, store: Store, holder: WorkspaceHolder, requested: Callable[[], None] = lambda: None
    ) -> None:
        self.draining = False
        self._requested = requested
        self._store = store
        self._holder = holder
        self._reloads: int | None = None

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK)

    async def look(self) -> None:
        """Looks once. While the store does not answer, what it said last holds."""
        asked = False
        try:
            switches = await self._store.switches.read()
        except StoreError as error:
            log.warning("switches not read: %s", error)
        else:
            self.draining = switches.draining
            asked = self._reloads is not None and switches.reloads != self._reloads
            self._reloads = switches.reloads
        if asked or await asyncio.to_thread(self._holder.changed_on_disk):
            await self._reload()
        if asked:
            self._requested()

    async def _reload(self) -> None:
        match await asyncio.to_thread(self._holder.reload):
            case ReloadRefused(findings=findings):
                log.error("workspace not reloaded: %s", "; ".join(str(each) for each in findings))
            case Reloaded():
                log.info("workspace reloaded")
