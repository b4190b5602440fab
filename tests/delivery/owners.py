"""Output owners as worker processes would run them, quicker than in earnest."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from delivery.stage import Stage

from bot.delivery.owner import Lease, OutputOwner
from bot.delivery.scheduler import Pace
from bot.delivery.web_api import WebApi

QUICK = Pace(
    poll=0.03, edit_interval=0.2, post_interval=0.02, patience=0.4, settle=0.1, backoff=0.05, token_pause=0.3
)
SHORT = Lease(ttl=1.0, renew=0.3, contend=0.1, idle_poll=0.05, discover=0.1, grace=1.0)


class Owners:
    """The owners of one test; each is a worker process of its own as far as Redis can tell."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self._tasks: dict[OutputOwner, asyncio.Task[None]] = {}

    async def start(
        self, stage: Stage, *, api: WebApi | None = None, pace: Pace = QUICK, lease: Lease = SHORT
    ) -> OutputOwner:
        if api is None:
            api = stage.api()
            self._stack.push_async_callback(api.close)
        worker = f"worker-{len(self._tasks)}"
        owner = OutputOwner(stage.store, api, worker=worker, pace=pace, lease=lease)
        self._tasks[owner] = asyncio.create_task(owner.run())
        self._stack.push_async_callback(self.stop, owner)
        return owner

    async def stop(self, owner: OutputOwner) -> None:
        """As at a clean shutdown."""
        task = self._tasks[owner]
        task.cancel()
        _, running = await asyncio.wait([task], timeout=10)
        assert not running, "the owner did not stop within 10 s"
        if not task.cancelled() and (error := task.exception()):
            raise error
