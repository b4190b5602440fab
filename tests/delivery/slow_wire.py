"""A wire between the bot and Slack that can hold calls back, on their way there or on their way back."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web


class SlowWire:
    """Forwards every call. The answers to ``held`` wait until :meth:`release`; or the calls ``before`` they arrive."""

    def __init__(self, api_url: str, held: str, *, before: bool = False) -> None:
        self._before = before
        self._api_url = api_url
        self._held = held
        self._released = asyncio.Event()
        self.holding = asyncio.Event()
        self.url = ""

    def release(self) -> None:
        self._released.set()

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        app = web.Application()
        app.router.add_route("*", "/api/{method}", self._forward)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/api/"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
        await self._runner.cleanup()
        await self._session.close()

    async def _forward(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        headers = {
            name: request.headers[name]
            for name in ("Authorization", "Content-Type")
            if name in request.headers
        }
        body = await request.read()
        if self._before:
            await self._hold(method)
        url = f"{self._api_url}{method}"
        async with self._session.request(
            request.method, url, params=request.query, data=body, headers=headers
        ) as answer:
            body, status = await answer.read(), answer.status
        if not self._before:
            await self._hold(method)
        return web.Response(body=body, status=status, content_type="application/json")

    async def _hold(self, method: str) -> None:
        if method == self._held and not self._released.is_set():
            self.holding.set()
            await self._released.wait()
