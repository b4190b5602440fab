"""Puts one playground together and serves it on a loopback port."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from aiohttp import web

from bot.playground.config import PlaygroundConfig
from bot.playground.delivery.courier import Courier
from bot.playground.delivery.http import HttpTransport
from bot.playground.delivery.socket_mode import SocketHub
from bot.playground.door import DoorFace, Rooms
from bot.playground.effects import Effects
from bot.playground.event_feed import EventFeed
from bot.playground.evidence.evidence import Evidence
from bot.playground.evidence.scene import Scene
from bot.playground.faults import Faults
from bot.playground.files_face import FilesFace
from bot.playground.guard import guard, mark, require_loopback
from bot.playground.guide import Guide
from bot.playground.ledger import Ledger
from bot.playground.limits import Limits
from bot.playground.page import PageFace
from bot.playground.page.feed import Feed
from bot.playground.page.snapshot import Snapshot
from bot.playground.people import Hands, Interactivity
from bot.playground.people.payloads import Payloads
from bot.playground.processes import Processes
from bot.playground.pulse import Pulse
from bot.playground.response_urls import ResponseUrls
from bot.playground.triggers import Triggers
from bot.playground.web_api import Api, WebApi
from bot.playground.world import World
from bot.playground.world.clock import Clock

LARGEST_BODY = 64 * 1024 * 1024
GRACE = 2.0


class Playground:
    """A running playground. `stop` ends every connection, delivery and wait; it is safe to call twice."""

    def __init__(
        self, config: PlaygroundConfig, base_url: str, runner: web.AppRunner, parts: "_Parts"
    ) -> None:
        self.config = config
        self.base_url = base_url
        self._runner = runner
        self._parts = parts

    @property
    def api_url(self) -> str:
        """The Web API's address, with the last slash that clients expect."""
        return f"{self.base_url}/api/"

    @property
    def page_url(self) -> str:
        return f"{self.base_url}/"

    @property
    def door_url(self) -> str:
        return f"{self.base_url}/door"

    async def stop(self) -> None:
        self._parts.scene.pulse.close()
        await self._parts.evidence.trials.close()
        await self._parts.scene.effects.close()
        await self._parts.scene.courier.close()
        await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What has to be ended, and all the routes."""

    scene: Scene
    evidence: Evidence
    routes: Sequence[web.AbstractRouteDef]


async def start_playground(
    config: PlaygroundConfig | None = None, processes: Processes | None = None
) -> Playground:
    """Start serving. Raises OSError when the port is taken, ValueError for a host that is not loopback.

    `processes` are the bot's, where a supervisor tells of them.
    """
    config = config or PlaygroundConfig()
    require_loopback(config.host)
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listening = socket.create_server((config.host, config.port), family=family, backlog=1024)
    port = int(listening.getsockname()[1])
    base_url = f"http://{f'[{config.host}]' if ':' in config.host else config.host}:{port}"

    parts = _assembled(config, base_url, processes or Processes())
    app = web.Application(middlewares=[guard(port)], client_max_size=LARGEST_BODY)
    app.on_response_prepare.append(mark)
    app.add_routes(parts.routes)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=GRACE)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    parts.scene.effects.start()
    return Playground(config, base_url, runner=runner, parts=parts)


def _assembled(config: PlaygroundConfig, base_url: str, processes: Processes) -> _Parts:
    pulse, clock, faults = Pulse(), Clock(), Faults()
    ledger, world = Ledger(pulse), World(config, clock, pulse)
    http, sockets = HttpTransport(config), SocketHub(config, pulse)
    courier = Courier(
        config, http=http, sockets=sockets, faults=faults, ledger=ledger, pulse=pulse, clock=clock
    )
    triggers = Triggers(clock, config.trigger_life)
    response_urls = ResponseUrls(config, world, ledger, base_url)
    scene = Scene(
        config=config,
        world=world,
        hands=Hands(world),
        courier=courier,
        faults=faults,
        ledger=ledger,
        effects=Effects(config.effects_url),
        processes=processes,
        pulse=pulse,
    )
    world.subscribe(EventFeed(world, courier, base_url))

    api = Api(config=config, world=world, triggers=triggers, sockets=sockets, base_url=base_url)
    limits = Limits(config.limits, config.tiers, clock.now)
    payloads = Payloads(config, world, triggers, response_urls, base_url)
    rooms = Rooms(
        config=config,
        world=world,
        hands=scene.hands,
        interactivity=Interactivity(world, courier, scene.hands, payloads),
        courier=courier,
        faults=faults,
        limits=limits,
        ledger=ledger,
        pulse=pulse,
    )
    evidence = Evidence(scene)
    return _Parts(
        scene=scene,
        evidence=evidence,
        routes=[
            *WebApi(api, limits=limits, faults=faults, ledger=ledger, pulse=pulse).routes(),
            *sockets.routes(),
            *response_urls.routes(),
            *FilesFace(config, world).routes(),
            *DoorFace(rooms).routes(),
            *_page(scene, evidence).routes(),
        ],
    )


def _page(scene: Scene, evidence: Evidence) -> PageFace:
    guide = Guide(scene, evidence.trials)
    snapshot = Snapshot(scene, evidence, guide)
    feed = Feed(snapshot)
    scene.world.subscribe(feed.note)
    evidence.subscribe(feed.note)
    guide.subscribe(feed.note)
    return PageFace(scene, evidence, guide, feed, snapshot)
