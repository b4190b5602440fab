"""The composition root: what ``serve``, ``web`` and ``worker`` are made of, and how they end.

Everything is opened in one order and closed in reverse. The first SIGTERM or SIGINT drains: readiness says no,
no more work is taken, running work ends or is handed over. The second one ends at once.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from importlib import import_module
from typing import TYPE_CHECKING, Any

import structlog

from bot.front import Front, open_front
from bot.metrics import Metrics
from bot.run_counts import RunCounts
from bot.settings import Purpose, Settings
from bot.startup import Core, Team, open_core, open_team, open_workspace
from bot.web import WebServer, build_metrics_app
from harness_core import WorkspaceHolder

if TYPE_CHECKING:
    from bot.back import Back

log = structlog.get_logger(__name__)

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class EndRequests:
    """What the operator's signals ask for: ``drain`` at the first, ``now`` at the second."""

    def __init__(self) -> None:
        self.drain = asyncio.Event()
        self.now = asyncio.Event()

    def listen(self) -> None:
        """Take the process's signals from here on."""
        for number in _SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, self._hear)

    def _hear(self) -> None:
        (self.now if self.drain.is_set() else self.drain).set()


async def run(settings: Settings, purpose: Purpose) -> None:
    """Runs one process until it is told to end.

    :raises StartupFailed: it cannot start; the message says what to do.
    """
    requests = EndRequests()
    requests.listen()
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        holder = await asyncio.to_thread(open_workspace, settings)
        core = await stack.enter_async_context(open_core(settings))
        team = await stack.enter_async_context(open_team(settings, metrics))
        front: Front | None = None
        back: Back | None = None
        if purpose is not Purpose.WORKER:
            alone = purpose is Purpose.WEB
            front = await stack.enter_async_context(
                open_front(settings, core, team, holder, metrics, watch_workspace=alone)
            )
        _announce(settings, core, team, front)
        if purpose is not Purpose.WEB:
            working = await stack.enter_async_context(await _open_back(core, team, holder, metrics))
            if front is None:
                working.tasks.start(metrics.watch_loop(), "loop lag")
                await _serve_metrics(stack, settings, core, metrics)
            back = working
        await _until_asked(requests, front, back)
        await _end(requests, front, back)


async def _open_back(
    core: Core, team: Team, holder: WorkspaceHolder, metrics: Metrics
) -> AbstractAsyncContextManager[Back]:
    # LangChain takes seconds to import, and a front of the same process answers meanwhile.
    module = await asyncio.to_thread(import_module, "bot.back")
    opened: AbstractAsyncContextManager[Back] = module.open_back(core, team, holder, metrics)
    return opened


async def _serve_metrics(stack: AsyncExitStack, settings: Settings, core: Core, metrics: Metrics) -> None:
    if settings.metrics_port is None:
        return
    app = build_metrics_app(metrics, RunCounts(core, metrics).measure)
    server = WebServer(app, settings.host, settings.metrics_port, variable="HARNESS_METRICS_PORT")
    await server.start()
    stack.push_async_callback(server.close)


async def _until_asked(requests: EndRequests, front: Front | None, back: Back | None) -> None:
    """Until a signal, or until a part ends that should not; then raises what it raised."""
    waits: list[asyncio.Task[Any]] = [asyncio.create_task(requests.drain.wait())]
    waits += [asyncio.create_task(part.tasks.first_end()) for part in (front, back) if part is not None]
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in waits:
            task.cancel()


async def _end(requests: EndRequests, front: Front | None, back: Back | None) -> None:
    if front is not None:
        await front.drain()
    if back is None:
        return
    draining = asyncio.create_task(back.drain())
    now = asyncio.create_task(requests.now.wait())
    await asyncio.wait({draining, now}, return_when=asyncio.FIRST_COMPLETED)
    for task in (draining, now):
        task.cancel()
    await asyncio.wait({draining, now})


def _announce(settings: Settings, core: Core, team: Team, front: Front | None) -> None:
    for notice in settings.notices:
        log.warning(notice)
    who = f"{team.installation.team_name} ({team.installation.team})"
    mode = f"{front.mode} at {front.url}" if front is not None else "worker"
    lines = (
        f"mode       {mode}",
        f"team       {who}",
        f"workspace  {settings.workspace}",
        f"Redis      {core.redis}",
    )
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
