"""The half that faces Slack: takes messages, clicks and commands in, by HTTP or by socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.ingress.http import SlackEvents
from bot.ingress.intake import Intake, build_app
from bot.ingress.socket_mode import SocketMode
from bot.listeners import actions, commands, submissions
from bot.listeners.background import Background
from bot.listeners.messages import Messages
from bot.listeners.services import Services
from bot.metrics import Metrics
from bot.readiness import NotReady, Readiness, TokenProbe
from bot.run_counts import RunCounts
from bot.settings import Settings
from bot.startup import Core, Team
from bot.tasks import LongTasks
from bot.web import WebServer, build_web
from harness_core import Approvals, Switchboard, WorkspaceHolder
from harness_core.models import Fence

log = structlog.get_logger(__name__)

_SOCKET: Final = "socket mode"


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """A running front. ``url`` is where it listens, ``mode`` how events come in."""

    url: str
    mode: str
    readiness: Readiness
    tasks: LongTasks

    async def drain(self) -> None:
        """Readiness says no from here on; a socket is closed, so that Slack uses those of other processes."""
        self.readiness.draining = True
        await self.tasks.stop(_SOCKET)


@asynccontextmanager
async def open_front(
    settings: Settings,
    core: Core,
    team: Team,
    holder: WorkspaceHolder,
    metrics: Metrics,
    *,
    watch_workspace: bool,
) -> AsyncIterator[Front]:
    """Listens within the block. With ``watch_workspace`` it follows changes of the workspace's files.

    :raises StartupFailed: the port is taken, or Slack gives no socket.
    """
    background, tasks = Background(), LongTasks()
    services = Services(
        control=core.control,
        approvals=Approvals(core.store, holder),
        people=team.people,
        metrics=metrics,
        holder=holder,
        api=team.api,
        installation=team.installation,
        background=background,
        named_admins=settings.admins,
    )
    # Bolt makes a client of its own for every request from this one; it gets no token to hand around.
    client = AsyncWebClient(base_url=settings.api_url, session=team.api.session)
    client.proxy = None
    bolt = _bolt(settings, services, client, metrics)
    readiness = _readiness(core, team, holder)
    web = build_web(
        slack_events=SlackEvents(bolt, metrics) if settings.signing_secret else None,
        readiness=readiness,
        metrics=metrics,
        measure=RunCounts(core, metrics).measure,
    )
    server = WebServer(web, settings.host, settings.port)
    try:
        await server.start()
        if settings.app_token is not None:
            socket = SocketMode(bolt, settings.app_token, client)
            await socket.check()
            tasks.start(socket.run(), _SOCKET)
        tasks.start(metrics.watch_loop(), "loop lag")
        if watch_workspace:
            tasks.start(Switchboard(core.store, holder).run(), "workspace")
        mode = "Socket Mode" if settings.socket_mode else "HTTP"
        yield Front(url=server.url, mode=mode, readiness=readiness, tasks=tasks)
    finally:
        await tasks.close()
        await server.close()
        await background.close()


def _bolt(settings: Settings, services: Services, client: AsyncWebClient, metrics: Metrics) -> AsyncApp:
    secret = settings.signing_secret.get_secret_value() if settings.signing_secret else None
    intake = Intake(services.installation, Messages(services), metrics)
    app = build_app(services.installation, intake, signing_secret=secret, client=client)
    commands.register(app, services)
    actions.register(app, services)
    submissions.register(app, services)
    return app


def _readiness(core: Core, team: Team, holder: WorkspaceHolder) -> Readiness:
    return Readiness(
        {
            "redis": core.store.ping,
            "scripts": _scripts(core, team),
            "workspace": _workspace(holder),
            "auth.test": TokenProbe(team.api, team.installation.team),
        }
    )


def _scripts(core: Core, team: Team) -> Callable[[], Awaitable[None]]:
    """Runs a script that changes nothing: a heartbeat for a lease that nobody has."""
    nobody = Fence(tenant=team.installation.team, conversation="", thread_id="", run_id="readiness", epoch=0)

    async def probe() -> None:
        renewal = await core.store.runs.renew("readiness", [nobody], 1.0)
        if "readiness" not in renewal.lost:
            raise NotReady("a lease that nobody has was renewed")

    return probe


def _workspace(holder: WorkspaceHolder) -> Callable[[], Awaitable[None]]:
    async def probe() -> None:
        if not holder.current.agents:
            raise NotReady("the workspace has no agent")

    return probe
