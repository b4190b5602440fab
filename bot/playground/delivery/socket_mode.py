"""Socket Mode: tickets, hello, envelopes, acknowledgements, disconnects.

An event goes to one of the open connections; at most ten may be open.
https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import asyncio
import json
import secrets
import time
import uuid
from itertools import count
from typing import Literal

from aiohttp import WSMsgType, web

from bot.playground.config import PlaygroundConfig
from bot.playground.delivery.parcel import Parcel, Reply, Retry
from bot.playground.pulse import Pulse
from bot.playground.records import Json

MOST_CONNECTIONS = 10
HEARTBEAT = 20.0

DisconnectReason = Literal["warning", "refresh_requested", "link_disabled", "too_many_websockets"]


class _Connection:
    """One websocket and the envelopes it has not acknowledged."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self.unacked: dict[str, asyncio.Future[Json]] = {}

    def settle(self, answer: Json) -> None:
        waiting = self.unacked.pop(str(answer.get("envelope_id")), None)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    def drop(self) -> None:
        for waiting in self.unacked.values():
            if not waiting.done():
                waiting.set_exception(ConnectionError("closed before the acknowledgement"))


class SocketHub:
    """The open connections of the app, as a transport."""

    name: Literal["socket"] = "socket"

    def __init__(self, config: PlaygroundConfig, pulse: Pulse) -> None:
        self._config = config
        self._pulse = pulse
        self._tickets: set[str] = set()
        self._connections: list[_Connection] = []
        self._turn = count()

    @property
    def open_connections(self) -> int:
        return len(self._connections)

    def issue_ticket(self) -> str:
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        return ticket

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/link/", self._link)]

    async def deliver(self, parcel: Parcel, retry: Retry | None) -> Reply:
        started = time.perf_counter()
        if not self._connections:
            return Reply(seconds=0.0, failure="connection_failed", body="no open connection")
        connection = self._connections[next(self._turn) % len(self._connections)]
        envelope_id = str(uuid.uuid4())
        acked: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        connection.unacked[envelope_id] = acked
        try:
            async with asyncio.timeout(self._config.ack_within):
                await connection.socket.send_str(json.dumps(_envelope(envelope_id, parcel, retry)))
                answer = await acked
        except TimeoutError:
            return Reply(seconds=time.perf_counter() - started, failure="http_timeout")
        except ConnectionError as error:
            return Reply(seconds=time.perf_counter() - started, failure="connection_failed", body=str(error))
        finally:
            connection.unacked.pop(envelope_id, None)
        payload = answer.get("payload")
        body = "" if payload is None else json.dumps(payload)
        return Reply(seconds=time.perf_counter() - started, status=200, body=body)

    async def disconnect(self, reason: DisconnectReason) -> int:
        """Ask every connection to go, as before a refresh; the app is expected to connect anew."""
        message = json.dumps({"type": "disconnect", "reason": reason, "debug_info": {"host": "playground"}})
        for connection in list(self._connections):
            await connection.socket.send_str(message)
        return len(self._connections)

    async def drop(self) -> int:
        """Cut every connection without a word; what was not acknowledged is delivered again."""
        dropped = list(self._connections)
        for connection in dropped:
            connection.drop()
            await connection.socket.close()
        return len(dropped)

    async def _link(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            raise web.HTTPForbidden(
                text="The ticket is unknown or was used before; call apps.connections.open."
            )
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT)
        await socket.prepare(request)
        if len(self._connections) >= MOST_CONNECTIONS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        await self._serve(_Connection(socket))
        return socket

    async def _serve(self, connection: _Connection) -> None:
        self._connections.append(connection)
        try:
            await connection.socket.send_json(self._hello())
            self._pulse.beat()
            async for message in connection.socket:
                if message.type is WSMsgType.TEXT:
                    connection.settle(_parsed(message.data))
        finally:
            self._connections.remove(connection)
            connection.drop()
            self._pulse.beat()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._connections),
            "connection_info": {"app_id": self._config.cast.app},
            "debug_info": {"host": "playground", "build_number": 1, "approximate_connection_time": 18_060},
        }


def _envelope(envelope_id: str, parcel: Parcel, retry: Retry | None) -> Json:
    envelope: Json = {
        "envelope_id": envelope_id,
        "type": parcel.kind,
        "payload": parcel.payload,
        "accepts_response_payload": parcel.kind != "events_api",
    }
    if parcel.kind == "events_api":
        reason = "timeout" if retry and retry.reason == "http_timeout" else (retry.reason if retry else "")
        envelope |= {"retry_attempt": retry.number if retry else 0, "retry_reason": reason}
    return envelope


def _parsed(data: str) -> Json:
    try:
        answer = json.loads(data)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
