"""Hands payloads to the bot: events with retries and faults, what a person does exactly once.

Retries: at once, after a minute, after five; `X-Slack-No-Retry: 1` ends them. Interactions and commands are
never retried. https://docs.slack.dev/apis/events-api#error-handling
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from dataclasses import replace
from typing import Any, TypeAlias

from bot.playground.config import PlaygroundConfig
from bot.playground.delivery.http import HttpTransport
from bot.playground.delivery.parcel import Parcel, Reply, Retry, Transport
from bot.playground.delivery.socket_mode import SocketHub
from bot.playground.faults import Faults
from bot.playground.ledger import Ledger
from bot.playground.pulse import Pulse
from bot.playground.records import Delivery, Json
from bot.playground.world.clock import Clock, new_id

Around: TypeAlias = Callable[[Parcel], AbstractAsyncContextManager[None]]


class Courier:
    """Owns the delivery tasks; `close` ends them all."""

    def __init__(
        self,
        config: PlaygroundConfig,
        *,
        http: HttpTransport,
        sockets: SocketHub,
        faults: Faults,
        ledger: Ledger,
        pulse: Pulse,
        clock: Clock,
    ) -> None:
        self._config = config
        self.http = http
        self.sockets = sockets
        self._faults = faults
        self._ledger = ledger
        self._pulse = pulse
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._around_acts: list[Around] = []

    @property
    def transport(self) -> Transport:
        return self.http if self.http.configured else self.sockets

    @property
    def under_way(self) -> int:
        """Deliveries that are held back, in flight, or waiting for a retry."""
        return len(self._tasks)

    def send_event(
        self,
        inner: Json,
        *,
        copies: int = 1,
        event_id: str | None = None,
        shared: bool = False,
    ) -> str:
        """Deliver an inner event in the background, `copies` times at once under one event id; that id.

        `shared` says that it happened in a channel shared with another organisation.
        """
        parcel = self._event(inner, event_id or new_id("Ev"), shared=shared)
        for _ in range(copies * self._faults.copies):
            task = asyncio.create_task(self._deliver_until_acked(parcel))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return str(parcel.event_id)

    async def send_act(self, parcel: Parcel) -> Reply:
        """Deliver an interaction or a command: one attempt, and the bot's answer."""
        async with AsyncExitStack() as stack:
            for around in list(self._around_acts):
                await stack.enter_async_context(around(parcel))
            return await self._attempt(parcel, None)

    @contextmanager
    def around_acts(self, around: Around) -> Iterator[None]:
        """Within the block, `around` is entered before anything a person does is handed over, left after the answer."""
        self._around_acts.append(around)
        try:
            yield
        finally:
            self._around_acts.remove(around)

    def forget(self) -> None:
        """Drop every delivery under way."""
        for task in self._tasks:
            task.cancel()

    async def close(self) -> None:
        self.forget()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.http.close()

    async def _deliver_until_acked(self, parcel: Parcel) -> None:
        await self._hold_back()
        retry: Retry | None = None
        for number, delay in enumerate((*self._config.retry_delays, None), start=1):
            reply = await self._attempt(parcel, retry)
            if reply.failure is None or reply.no_retry or delay is None:
                return
            await self._pulse.pause(delay)
            retry = Retry(number=number, reason=reply.failure)

    async def _hold_back(self) -> None:
        await self._pulse.pause(self._faults.delay)
        seen = self._pulse.count
        while self._faults.paused and not self._pulse.closed:
            seen = await self._pulse.wait(seen, 1.0)

    async def _attempt(self, parcel: Parcel, retry: Retry | None) -> Reply:
        at, transport = time.time(), self.transport
        reply = await transport.deliver(parcel, retry)
        lost = parcel.kind == "events_api" and self._faults.loses_ack()
        if lost and reply.failure is None:
            reply = replace(reply, failure="http_timeout")
        self._ledger.delivery(
            Delivery(
                number=0,
                at=at,
                kind=parcel.kind,
                transport=transport.name,
                event_id=parcel.event_id,
                event_type=parcel.event_type,
                payload=parcel.payload,
                retry_num=retry.number if retry else 0,
                retry_reason=retry.reason if retry else None,
                status=reply.status,
                body=reply.body,
                failure=reply.failure,
                seconds=reply.seconds,
                ack_lost=lost,
            ),
        )
        return reply

    def _event(self, inner: Json, event_id: str, *, shared: bool) -> Parcel:
        cast = self._config.cast
        bot: dict[str, Any] = {
            "enterprise_id": None,
            "team_id": cast.team,
            "user_id": cast.bot_user,
            "is_bot": True,
            "is_enterprise_install": False,
        }
        payload = {
            "token": "playground-verification",
            "team_id": cast.team,
            "context_team_id": cast.team,
            "context_enterprise_id": None,
            "api_app_id": cast.app,
            "event": inner,
            "type": "event_callback",
            "event_id": event_id,
            "event_time": int(self._clock.now()),
            "authorizations": [bot],
            "is_ext_shared_channel": shared,
            "event_context": f"4-{event_id}",
        }
        return Parcel(
            kind="events_api",
            payload=payload,
            event_type=str(inner.get("type", "")),
            event_id=event_id,
        )
