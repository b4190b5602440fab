"""The one place every payload passes: normalise, store, answer.

It is Bolt's last global middleware, so it runs after the signature was verified and before anything is
acknowledged. An event is answered here, with 200 once it is stored and with 503 otherwise, which makes Slack
deliver it again; it never depends on a listener that matches. What needs an answer of its own (commands,
buttons, modals) goes on to the listeners, as a typed payload.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal, Protocol

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.ingress.installation import Installation
from bot.ingress.normalise import normalise
from bot.ingress.payloads import (
    Action,
    Command,
    Deleted,
    Edited,
    HomeOpened,
    Ignored,
    Lifecycle,
    News,
    OwnDeleted,
    Post,
    Unsupported,
    ViewClosed,
    ViewSubmitted,
)
from bot.metrics import Metrics
from harness_core.errors import HarnessError

log = structlog.get_logger(__name__)

STORE_WITHIN: Final = 2.0
"""Seconds an event may take to be stored; Slack waits three for the answer."""

PAYLOAD: Final = "harness_payload"
"""Where listeners find the typed payload in Bolt's context."""


Taken = Literal["done", "duplicate", "left"]
"""What became of a message: something came of it, it had come before, or it is not for the bot."""


class MessageSink(Protocol):
    """What becomes of messages. All raise when the store does not answer."""

    async def take(self, post: Post) -> Taken: ...

    async def amend(self, edited: Edited) -> None: ...

    async def withdraw(self, deleted: Deleted) -> None: ...

    async def show_again(self, gone: OwnDeleted) -> None: ...


class Intake(AsyncMiddleware):
    """Bolt's last global middleware."""

    def __init__(self, installation: Installation, messages: MessageSink, metrics: Metrics) -> None:
        self._installation = installation
        self._messages = messages
        self._metrics = metrics

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,  # noqa: ARG002 - Bolt's signature
        next: Callable[[], Awaitable[Any]],  # noqa: A002 - Bolt's signature
    ) -> BoltResponse | None:
        """The answer to an event; None for what the listeners answer."""
        payload = normalise(req.body, self._installation)
        self._metrics.received(type(payload).__name__)
        if payload.team != self._installation.team and not isinstance(payload, Unsupported):
            log.warning(
                "dropped: not installed in this team", kind=type(payload).__name__, team_id=payload.team
            )
            return BoltResponse(status=200)
        match payload:
            case Command() | Action() | ViewSubmitted() | ViewClosed():
                req.context[PAYLOAD] = payload
                await next()
                return None
            case news:
                return await self._store(news)

    async def _store(self, payload: News) -> BoltResponse:
        try:
            async with asyncio.timeout(STORE_WITHIN):
                await self._keep(payload)
        except (HarnessError, TimeoutError) as error:
            log.warning("not stored: Slack delivers it again", kind=type(payload).__name__, error=repr(error))
            return BoltResponse(status=503)
        return BoltResponse(status=200)

    async def _keep(self, payload: News) -> None:
        match payload:
            case Post():
                if await self._messages.take(payload) == "duplicate":
                    self._metrics.duplicate()
            case Edited():
                await self._messages.amend(payload)
            case Deleted():
                await self._messages.withdraw(payload)
            case OwnDeleted():
                await self._messages.show_again(payload)
            case Lifecycle(kind="app_uninstalled" | "tokens_revoked" | "app_rate_limited" as kind):
                log.warning("Slack says", kind=kind, team_id=payload.team)
            case Unsupported(kind=kind):
                log.info("nothing to do with this payload", kind=kind)
            case HomeOpened() | Lifecycle() | Ignored():
                pass


def build_app(
    installation: Installation, intake: Intake, *, signing_secret: str | None, client: AsyncWebClient
) -> AsyncApp:
    """Bolt with its signature check and Socket Mode, and none of its own ideas about tokens and loops.

    ``client`` must carry no token: Bolt would warn that ``authorize`` wins. Without a signing secret the app
    serves Socket Mode alone; a request over HTTP then fails verification.
    """

    async def authorize() -> AuthorizeResult:
        """Answers from memory. Bolt answers 200 to a call of Slack's that fails here, and the event is lost."""
        return AuthorizeResult(
            enterprise_id=None,
            team_id=installation.team,
            bot_id=installation.bot_id,
            bot_user_id=installation.bot_user,
            bot_token=installation.token,
        )

    app = AsyncApp(
        name="harness",
        signing_secret=signing_secret or "",
        client=client,
        authorize=authorize,
        process_before_response=True,
        ignoring_self_events_enabled=False,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
        ssl_check_enabled=False,
    )
    app.middleware(intake)
    return app
