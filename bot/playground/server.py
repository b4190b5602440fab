"""Puts one playground together and serves it on a loopback port."""

import socket
from types import TracebackType
from typing import Self

from aiohttp import web

from bot.playground.config import PlaygroundConfig
from bot.playground.delivery.courier import Courier
from bot.playground.delivery.http import HttpTransport
from bot.playground.delivery.socket_mode import SocketHub
from bot.playground.door import DoorFace, Rooms
from bot.playground.event_feed import EventFeed
from bot.playground.faults import Faults
from bot.playground.files_face import FilesFace
from bot.playground.guard import guard, mark, require_loopback
from bot.playground.ledger import Ledger
from bot.playground.limits import Limits
from bot.playground.page import PageFace
from bot.playground.people import Hands, Interactivity
from bot.playground.people.payloads import Payloads
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
        self, config: PlaygroundConfig, base_url: str, runner: web.AppRunner, courier: Courier, pulse: Pulse
    ) -> None:
        self.config = config
        self.base_url = base_url
        self._runner = runner
        self._courier = courier
        self._pulse = pulse

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
        self._pulse.close()
        await self._courier.close()
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


async def start_playground(config: PlaygroundConfig | None = None) -> Playground:
    """Start serving. Raises OSError when the port is taken, ValueError for a host that is not loopback."""
    config = config or PlaygroundConfig()
    require_loopback(config.host)
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listening = socket.create_server((config.host, config.port), family=family, backlog=1024)
    port = int(listening.getsockname()[1])
    base_url = f"http://{f'[{config.host}]' if ':' in config.host else config.host}:{port}"

    app, courier, pulse = _assembled(config, base_url, port)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=GRACE)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    return Playground(config, base_url, runner=runner, courier=courier, pulse=pulse)


def _assembled(config: PlaygroundConfig, base_url: str, port: int) -> tuple[web.Application, Courier, Pulse]:
    pulse, clock, faults = Pulse(), Clock(), Faults()
    ledger, world = Ledger(pulse), World(config, clock, pulse)
    http, sockets = HttpTransport(config), SocketHub(config, pulse)
    courier = Courier(
        config, http=http, sockets=sockets, faults=faults, ledger=ledger, pulse=pulse, clock=clock
    )
    triggers = Triggers(clock, config.trigger_life)
    response_urls = ResponseUrls(config, world, ledger, base_url)
    hands = Hands(world)
    payloads = Payloads(config, world, triggers, response_urls, base_url)
    world.subscribe(EventFeed(world, courier, base_url))

    api = Api(config=config, world=world, triggers=triggers, sockets=sockets, base_url=base_url)
    limits = Limits(config.limits, config.tiers, clock.now)
    rooms = Rooms(
        config=config,
        world=world,
        hands=hands,
        interactivity=Interactivity(world, courier, hands, payloads),
        courier=courier,
        faults=faults,
        limits=limits,
        ledger=ledger,
        pulse=pulse,
    )
    app = web.Application(middlewares=[guard(port)], client_max_size=LARGEST_BODY)
    app.on_response_prepare.append(mark)
    app.add_routes(
        [
            *WebApi(api, limits=limits, faults=faults, ledger=ledger, pulse=pulse).routes(),
            *sockets.routes(),
            *response_urls.routes(),
            *FilesFace(config, world).routes(),
            *DoorFace(rooms).routes(),
            *PageFace(world, pulse).routes(),
        ],
    )
    return app, courier, pulse
