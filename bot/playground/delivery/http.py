"""Signed delivery over HTTP. https://docs.slack.dev/authentication/verifying-requests-from-slack"""

import asyncio
import hashlib
import hmac
import json
import time
from typing import Literal
from urllib.parse import urlencode

import aiohttp

from bot.playground.config import PlaygroundConfig
from bot.playground.delivery.parcel import Parcel, Reply, Retry

USER_AGENT = "Slackbot 1.0 (+https://api.slack.com/robots)"
MOST_REDIRECTS = 2
_FORM = "application/x-www-form-urlencoded"


class HttpTransport:
    """Posts to the bot's addresses; `point_at` changes them while the playground runs."""

    name: Literal["http"] = "http"

    def __init__(self, config: PlaygroundConfig) -> None:
        self._config = config
        # Unlimited: a queue inside the client would eat into the bot's three seconds.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=config.ack_within),
        )
        self._urls: dict[str, str | None] = {}
        self.point_at(config.bot_url, config.interactivity_url, config.command_url)

    def point_at(
        self, events: str | None, interactivity: str | None = None, commands: str | None = None
    ) -> None:
        """Send everything to `events`, or each kind to its own address; None switches to Socket Mode."""
        self._urls = {
            "events_api": events,
            "interactive": interactivity or events,
            "slash_commands": commands or events,
        }

    @property
    def configured(self) -> bool:
        return self._urls["events_api"] is not None

    async def close(self) -> None:
        await self._session.close()

    async def deliver(self, parcel: Parcel, retry: Retry | None) -> Reply:
        started = time.perf_counter()
        content_type, body = _encoded(parcel)
        headers = {
            "Content-Type": content_type,
            "User-Agent": USER_AGENT,
            "Accept": "*/*",
            **self._signed(body),
        }
        if retry is not None:
            headers |= {"X-Slack-Retry-Num": str(retry.number), "X-Slack-Retry-Reason": retry.reason}
        url = self._urls[parcel.kind] or ""
        try:
            async with self._session.post(
                url, data=body, headers=headers, max_redirects=MOST_REDIRECTS
            ) as answer:
                text = await answer.text(errors="replace")
        except (aiohttp.ClientError, TimeoutError, asyncio.LimitOverrunError) as error:
            return Reply(seconds=time.perf_counter() - started, failure=_reason(error), body=str(error))
        return Reply(
            seconds=time.perf_counter() - started,
            status=answer.status,
            body=text,
            failure=None if answer.ok and answer.status < 300 else "http_error",
            no_retry=answer.headers.get("X-Slack-No-Retry") == "1",
        )

    def _signed(self, body: bytes) -> dict[str, str]:
        timestamp = str(int(time.time()))
        base = b"v0:" + timestamp.encode() + b":" + body
        digest = hmac.new(self._config.signing_secret.encode(), base, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}


def _encoded(parcel: Parcel) -> tuple[str, bytes]:
    match parcel.kind:
        case "events_api":
            return "application/json", json.dumps(parcel.payload).encode()
        case "interactive":
            return _FORM, urlencode({"payload": json.dumps(parcel.payload)}).encode()
        case "slash_commands":
            return _FORM, urlencode(parcel.payload).encode()


def _reason(error: Exception) -> str:
    match error:
        case TimeoutError():
            return "http_timeout"
        case aiohttp.TooManyRedirects():
            return "too_many_redirects"
        case aiohttp.ClientSSLError():
            return "ssl_error"
        case aiohttp.ClientConnectionError():
            return "connection_failed"
        case _:
            return "unknown_error"
