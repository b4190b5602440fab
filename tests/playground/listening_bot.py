"""A bot reduced to its ears: an HTTP server that notes what it is sent and answers as it is told."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

from aiohttp import web

DEADLINE = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    headers: Mapping[str, str]
    body: str

    @property
    def json(self) -> dict[str, Any]:
        """The payload, whichever of the platform's three encodings it came in."""
        if self.headers["Content-Type"] == "application/json":
            return dict(json.loads(self.body))
        form = dict(parse_qsl(self.body, keep_blank_values=True))
        return dict(json.loads(form["payload"])) if "payload" in form else form

    @property
    def event(self) -> dict[str, Any]:
        return dict(self.json["event"])

    @property
    def retry(self) -> tuple[str | None, str | None]:
        return self.headers.get("X-Slack-Retry-Num"), self.headers.get("X-Slack-Retry-Reason")


Answer = Callable[[Heard], Awaitable[web.Response]]


async def ok(_heard: Heard) -> web.Response:
    return web.Response()


@dataclass(slots=True)
class ListeningBot:
    answer: Answer = ok
    heard: list[Heard] = field(default_factory=list)
    url: str = ""
    _runner: web.AppRunner | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/slack/events", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}/slack/events"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def hears(self, count: int, matches: Callable[[Heard], bool] = lambda _: True) -> list[Heard]:
        """The first `count` requests that match, once there are as many."""
        async with asyncio.timeout(DEADLINE):
            while len(found := [heard for heard in self.heard if matches(heard)]) < count:
                self._news.clear()
                await self._news.wait()
        return found[:count]

    async def hears_event(self, kind: str, subtype: str | None = None) -> Heard:
        def matches(heard: Heard) -> bool:
            event = heard.json.get("event", {})
            return bool(event.get("type") == kind and event.get("subtype") == subtype)

        return (await self.hears(1, matches))[0]

    async def _take(self, request: web.Request) -> web.Response:
        heard = Heard(headers=request.headers.copy(), body=await request.text())
        self.heard.append(heard)
        self._news.set()
        return await self.answer(heard)
