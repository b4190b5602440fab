"""The HTTP server: Slack's door, two kinds of health, and what Prometheus reads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from aiohttp import web

from bot.errors import AddressTaken
from bot.ingress.http import MAX_BODY, SlackEvents
from bot.metrics import CONTENT_TYPE, Metrics
from bot.readiness import Readiness

log = structlog.get_logger(__name__)

_END_WITHIN: Final = 5.0
_COUNT_WITHIN: Final = 1.0


class WebServer:
    """Listens from :meth:`start` to :meth:`close`. Nothing of a request is logged."""

    def __init__(self, app: web.Application, host: str, port: int, *, variable: str = "PORT") -> None:
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_END_WITHIN)
        self._host = host
        self._port = port
        self._variable = variable

    async def start(self) -> None:
        """:raises AddressTaken: with the variable that chooses another one."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise AddressTaken(
                f"Cannot listen on {self._host}:{self._port} ({error.strerror or error}): "
                f"end what uses the port, or set {self._variable} to another one."
            ) from error

    @property
    def port(self) -> int:
        """The port it listens on, also where any free one was asked for."""
        return int(self._runner.addresses[0][1])

    @property
    def url(self) -> str:
        """Where a person on this machine reaches it."""
        host = "localhost" if self._host in ("0.0.0.0", "::") else self._host  # noqa: S104 - compared, not bound
        return f"http://{host}:{self.port}"

    async def close(self) -> None:
        """Stops listening, and gives answers that are on their way a moment."""
        await self._runner.cleanup()


def build_web(
    *,
    slack_events: SlackEvents | None,
    readiness: Readiness,
    metrics: Metrics,
    measure: Callable[[], Awaitable[None]],
) -> web.Application:
    """The routes of a process that takes traffic. Without ``slack_events`` (Socket Mode) that route is off."""
    app = web.Application(client_max_size=MAX_BODY)
    if slack_events is not None:
        app.router.add_post("/slack/events", slack_events.__call__)
    app.router.add_get("/livez", _livez)
    app.router.add_get("/readyz", _readyz(readiness))
    app.router.add_get("/metrics", _metrics(metrics, measure))
    return app


def build_metrics_app(metrics: Metrics, measure: Callable[[], Awaitable[None]]) -> web.Application:
    """The routes of a worker."""
    app = web.Application(client_max_size=MAX_BODY)
    app.router.add_get("/livez", _livez)
    app.router.add_get("/metrics", _metrics(metrics, measure))
    return app


async def _livez(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


def _readyz(readiness: Readiness) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def readyz(_request: web.Request) -> web.Response:
        failing = await readiness.failing()
        status = "unavailable" if failing else "ok"
        return web.json_response({"status": status, "failing": failing}, status=503 if failing else 200)

    return readyz


def _metrics(
    metrics: Metrics, measure: Callable[[], Awaitable[None]]
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def scrape(_request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(_COUNT_WITHIN):
                await measure()
        except Exception as error:  # noqa: BLE001 - the other figures are worth reading, most of all now
            log.warning("runs could not be counted", error=repr(error))
        return web.Response(body=metrics.exposition(), headers={"Content-Type": CONTENT_TYPE})

    return scrape
