"""The HTTP door: what is not even shaped like a request of Slack's never reaches Bolt.

Bolt answers 500 with a stack trace to a timestamp that is no number, to a signature that is not ASCII and to
a body that is no JSON; those are the caller's mistakes, not ours.
"""

from __future__ import annotations

import asyncio
import re
from typing import Final

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.metrics import Metrics

log = structlog.get_logger(__name__)

MAX_BODY: Final = 1024 * 1024

_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}")
_SIGNATURE: Final = re.compile(r"v0=[0-9a-f]{64}")
_CONTENT_TYPES: Final = frozenset({"application/json", "application/x-www-form-urlencoded"})


class SlackEvents:
    """The handler of ``POST /slack/events``: events, interactivity and commands."""

    def __init__(self, app: AsyncApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, request: web.Request) -> web.Response:
        """Slack's request to an answer; the application limits the size of its body."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        response = await self._answer(request)
        self._metrics.acked(response.status, loop.time() - began)
        return response

    async def _answer(self, request: web.Request) -> web.Response:
        if not _TIMESTAMP.fullmatch(request.headers.get("X-Slack-Request-Timestamp", "")):
            return _refusal(401, "no valid timestamp")
        if not _SIGNATURE.fullmatch(request.headers.get("X-Slack-Signature", "")):
            return _refusal(401, "no valid signature")
        if request.content_type not in _CONTENT_TYPES:
            return _refusal(415, "content type must be JSON or a form")
        try:
            raw = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return _refusal(413, "body over 1 MiB")
        try:
            body = AsyncBoltRequest(
                body=raw.decode(), query=request.query_string, headers=dict(request.headers)
            )
        except Exception as error:  # noqa: BLE001 - Bolt parses in the constructor and lets anything out
            log.info("a body that cannot be read", error=type(error).__name__)
            return _refusal(400, "body cannot be read")
        return await to_aiohttp_response(await self._app.async_dispatch(body))


def _refusal(status: int, reason: str) -> web.Response:
    return web.json_response({"error": reason}, status=status)
