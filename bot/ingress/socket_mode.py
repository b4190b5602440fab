"""Socket Mode: the same dispatch over a WebSocket, kept alive by a watchdog.

The SDK reconnects by itself, but has been seen to stall silently
(https://github.com/slackapi/bolt-python/issues/1529); a connection that stays away is thrown away as a whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Final

import structlog
from pydantic import SecretStr
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import SocketRefused

log = structlog.get_logger(__name__)

PATIENCE: Final = 30.0
"""Seconds without a connection after which it is rebuilt."""

_LOOK_EVERY: Final = 1.0
_PING_EVERY: Final = 10.0
_CLOSE_WITHIN: Final = 5.0
_CONNECT_WITHIN: Final = 10.0

# Its errors come with stack traces and its debug lines with whole messages; the watchdog says what matters.
_sdk_log = logging.getLogger(f"{__name__}.sdk")
_sdk_log.setLevel(logging.CRITICAL)


class SocketMode:
    """One connection, rebuilt when it stays away. ``client`` is for opening connections and needs no token."""

    def __init__(
        self,
        app: AsyncApp,
        token: SecretStr,
        client: AsyncWebClient,
        *,
        patience: float = PATIENCE,
        look_every: float = _LOOK_EVERY,
    ) -> None:
        self._app = app
        self._token = token
        self._client = client
        self._patience = patience
        self._look_every = look_every
        self._handler: AsyncSocketModeHandler | None = None

    async def check(self) -> None:
        """Ask Slack for a socket once, so that a wrong token is told at the start.

        :raises SocketRefused: with what to do.
        """
        try:
            async with asyncio.timeout(_CONNECT_WITHIN):
                await self._client.apps_connections_open(app_token=self._token.get_secret_value())
        except SlackApiError as error:
            reason = error.response.get("error", "no reason given")
            raise SocketRefused(
                f"Slack refuses the app token for Socket Mode ({reason}): SLACK_APP_TOKEN must be an app-level "
                "token with the scope connections:write, and Socket Mode must be on in the app's settings."
            ) from error
        except (TimeoutError, OSError) as error:
            raise SocketRefused(
                f"Slack could not be asked for a socket ({type(error).__name__}): check the network."
            ) from error

    async def run(self) -> None:
        """Connected until cancelled."""
        loop = asyncio.get_running_loop()
        seen = loop.time()
        try:
            await self._build()
            while True:
                await asyncio.sleep(self._look_every)
                if await self.connected():
                    seen = loop.time()
                elif loop.time() - seen > self._patience:
                    log.warning(
                        "the socket to Slack stays away and is rebuilt", seconds=round(loop.time() - seen)
                    )
                    await self._tear_down()
                    await self._build()
                    seen = loop.time()
        finally:
            await self._tear_down()

    async def connected(self) -> bool:
        """Whether messages can come in at the moment."""
        return self._handler is not None and bool(await self._handler.client.is_connected())

    async def _build(self) -> None:
        self._handler = AsyncSocketModeHandler(
            self._app,
            self._token.get_secret_value(),
            logger=_sdk_log,
            web_client=self._client,
            ping_interval=_PING_EVERY,
        )
        # The SDK tries for ever; the watchdog decides how long that makes sense.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                await self._handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt leaves it bare
                log.info("socket to Slack is open")

    async def _tear_down(self) -> None:
        handler, self._handler = self._handler, None
        if handler is None:
            return
        try:
            async with asyncio.timeout(_CLOSE_WITHIN):
                await handler.close_async()  # type: ignore[no-untyped-call]  # as above
        except Exception as error:  # noqa: BLE001 - the SDK closes what is broken already; it goes away anyhow
            log.info("the old socket did not close", error=repr(error))
