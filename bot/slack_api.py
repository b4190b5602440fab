"""The Web API of this process: one session, one team's token, every call counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp

from bot.delivery.answers import Answer
from bot.delivery.web_api import SLACK_API, TokenSource, WebApi
from bot.metrics import Metrics


class CountedWebApi(WebApi):
    """A :class:`WebApi` that tells the metrics how every call ended."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        tokens: TokenSource,
        metrics: Metrics,
        *,
        base_url: str = SLACK_API,
    ) -> None:
        super().__init__(session, tokens, base_url=base_url)
        self._metrics = metrics

    async def respond(self, response_url: str, body: Mapping[str, Any]) -> Answer:
        """Answers at a ``response_url``."""
        return self._counted("response_url", await super().respond(response_url, body))

    async def _call(
        self,
        tenant: str,
        method: str,
        arguments: Mapping[str, Any],
        *,
        read: bool = False,
        within: float | None = None,
    ) -> Answer:
        answer = await super()._call(tenant, method, arguments, read=read, within=within)
        return self._counted(method, answer)

    def _counted(self, method: str, answer: Answer) -> Answer:
        self._metrics.called(method, type(answer).__name__.lower())
        return answer
