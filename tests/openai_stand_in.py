"""A small HTTP server that speaks OpenAI's protocol, to test real provider clients: streaming Chat Completions by a
script, and embeddings by the word model of ``word_vectors.py``.

::

    async with openai_stand_in([Say("Hello."), CallTools((Call("status", {"service": "web"}),))]) as server:
        ...  # base_url=server.base_url, api_key=server.api_key
    assert server.requests[0]["messages"][-1]["content"] == "hi"

Each request takes the next reply of the script; a function in its place decides by the request.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from array import array
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from aiohttp import web
from word_vectors import word_vector

PIECE = 7  # characters of text or arguments per chunk


@dataclass(frozen=True)
class Say:
    """Text, a word per chunk. ``delay`` is in seconds per word."""

    text: str
    delay: float = 0.0


@dataclass(frozen=True)
class Call:
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class CallTools:
    """Tool calls, their arguments split over several chunks, after an optional sentence."""

    calls: Sequence[Call]
    text: str = ""


@dataclass(frozen=True)
class Refuse:
    """An error in place of a stream."""

    status: int
    message: str = "refused by the script"


@dataclass(frozen=True)
class Break:
    """Some words, then the connection is cut."""

    text: str


@dataclass(frozen=True)
class Stall:
    """Some words (or, without any, not even a status line), then nothing until the server stops."""

    text: str = ""


Reply: TypeAlias = Say | CallTools | Refuse | Break | Stall
Script: TypeAlias = Sequence[Reply] | Callable[[Mapping[str, Any]], Reply]


@dataclass
class StandIn:
    """A running server. ``requests`` are the bodies of chats it got, refused ones included; ``embedded`` the texts.

    While ``embeds`` is false, embeddings are refused; while ``hangs``, they are not answered.
    """

    script: Script = ()
    embeds: bool = True
    hangs: bool = False
    base_url: str = ""
    api_key: str = "sk-stand-in-0123456789abcdef"
    requests: list[dict[str, Any]] = field(default_factory=list)
    embedded: list[str] = field(default_factory=list)
    stalled: asyncio.Event = field(default_factory=asyncio.Event)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    def stop(self) -> None:
        """Lets stalled answers end."""
        self._stop.set()

    async def complete(self, request: web.Request) -> web.StreamResponse:
        body: dict[str, Any] = await request.json()
        self.requests.append(body)
        number = len(self.requests)
        if request.headers.get("Authorization") != f"Bearer {self.api_key}":
            return _error(401, f"Incorrect API key provided: {request.headers.get('Authorization')}")
        if not body.get("stream"):
            return _error(400, "this server only streams")
        reply = self._next(body)
        if isinstance(reply, Refuse):
            return _error(reply.status, reply.message)
        if reply == Stall():
            self.stalled.set()
            await self._stop.wait()
            return _error(503, "stopped")
        return await self._stream(request, reply, f"chatcmpl-{number}", str(body["model"]))

    async def embed(self, request: web.Request) -> web.Response:
        body: dict[str, Any] = await request.json()
        if request.headers.get("Authorization") != f"Bearer {self.api_key}":
            return _error(401, "Incorrect API key provided")
        if self.hangs:
            self.stalled.set()
            await self._stop.wait()
        if not self.embeds:
            return _error(400, "no embeddings today")
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        if not all(isinstance(text, str) for text in texts):
            return _error(400, "this server reads text, not tokens")
        self.embedded += texts
        data = [
            {"object": "embedding", "index": index, "embedding": _spelt(word_vector(text), body)}
            for index, text in enumerate(texts)
        ]
        usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
        answer = {"object": "list", "model": body["model"], "data": data, "usage": usage}
        return web.json_response(answer, headers={"Connection": "close"})

    def _next(self, body: Mapping[str, Any]) -> Reply:
        if callable(self.script):
            return self.script(body)
        return self.script[min(len(self.requests), len(self.script)) - 1]

    async def _stream(
        self, request: web.Request, reply: Say | CallTools | Break | Stall, identity: str, model: str
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Connection": "close"})
        await response.prepare(request)

        async def send(delta: Mapping[str, Any], finish: str | None = None) -> None:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            await response.write(_event(_chunk(identity, model, choices=[choice])))

        await send({"role": "assistant", "content": ""})
        for word in re.findall(r"\S+\s*|\s+", reply.text):
            if isinstance(reply, Say) and reply.delay:
                await asyncio.sleep(reply.delay)
            await send({"content": word})
        match reply:
            case Break():
                assert request.transport is not None
                request.transport.abort()
                return response
            case Stall():
                self.stalled.set()
                await self._stop.wait()
            case CallTools(calls=calls):
                for index, call in enumerate(calls):
                    for delta in _call_deltas(index, call, f"call_{identity}_{index}"):
                        await send({"tool_calls": [delta]})
            case Say():
                pass
        await send({}, "tool_calls" if isinstance(reply, CallTools) else "stop")
        usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
        await response.write(_event(_chunk(identity, model, choices=[], usage=usage)))
        await response.write(b"data: [DONE]\n\n")
        return response


@asynccontextmanager
async def openai_stand_in(script: Script = ()) -> AsyncIterator[StandIn]:
    """A server on loopback that answers by ``script`` until the block ends."""
    server = StandIn(script)
    app = web.Application()
    app.router.add_post("/v1/chat/completions", server.complete)
    app.router.add_post("/v1/embeddings", server.embed)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield server
    finally:
        server.stop()
        await runner.cleanup()


def _call_deltas(index: int, call: Call, call_id: str) -> list[dict[str, Any]]:
    arguments = json.dumps(call.arguments)
    opening = {
        "index": index,
        "id": call_id,
        "type": "function",
        "function": {"name": call.name, "arguments": ""},
    }
    pieces = [arguments[start : start + PIECE] for start in range(0, len(arguments), PIECE)]
    return [opening, *({"index": index, "function": {"arguments": piece}} for piece in pieces)]


def _spelt(vector: list[float], body: Mapping[str, Any]) -> list[float] | str:
    if body.get("encoding_format") != "base64":
        return vector
    return base64.b64encode(array("f", vector).tobytes()).decode()


def _chunk(identity: str, model: str, **rest: Any) -> dict[str, Any]:
    return {"id": identity, "object": "chat.completion.chunk", "created": 1, "model": model, **rest}


def _event(payload: Mapping[str, Any]) -> bytes:
    return f"data: {json.dumps(payload)}\n\n".encode()


def _error(status: int, message: str) -> web.Response:
    body = {"error": {"message": message, "type": "stand_in", "code": None, "param": None}}
    return web.json_response(body, status=status, headers={"Connection": "close"})
