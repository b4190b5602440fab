"""Counts effects, and serves the count.

`POST /effects` is an effect: any JSON object, of which `key` (the call's idempotency key), `what` and the
other texts are kept. `GET /effects?after=N&within=S` answers with those after number N, at the latest in S
seconds. `POST /hold` keeps the answer to the next effect back, `POST /release` gives it.
"""

import asyncio
import json
import time
from dataclasses import dataclass

from aiohttp import web
from pydantic_core import to_json

from bot.playground.pulse import Pulse

LONGEST_WAIT = 30.0
LONGEST_HOLD = 120.0
SHOWN = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One thing that a tool did. `at` is Unix time; `held` says that the tool was not told yet."""

    number: int
    at: float
    key: str
    what: str
    held: bool


class EffectCounter:
    """Numbers start at 1 and have no gaps; an effect counts when it arrives, not when it is answered."""

    def __init__(self, pulse: Pulse) -> None:
        self._pulse = pulse
        self._hold_next = False
        self._released = asyncio.Event()
        self.effects: list[Effect] = []

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/effects", self._take),
            web.get("/effects", self._show),
            web.post("/hold", self._hold),
            web.post("/release", self._release),
        ]

    async def _take(self, request: web.Request) -> web.Response:
        try:
            said = json.loads(await request.text())
        except ValueError:
            said = None
        if not isinstance(said, dict):
            return web.json_response({"error": "An effect is a JSON object."}, status=400)
        held, self._hold_next = self._hold_next, False
        number = len(self.effects) + 1
        self.effects.append(
            Effect(number=number, at=time.time(), key=_text(said.get("key")), what=_sentence(said), held=held)
        )
        self._pulse.beat()
        if held:
            async with asyncio.timeout(LONGEST_HOLD):
                await self._released.wait()
        return web.json_response({"number": number})

    async def _show(self, request: web.Request) -> web.Response:
        after, within = request.query.get("after", "0"), request.query.get("within", "0")
        if not after.isdecimal() or not within.isdecimal():
            return web.json_response({"error": "after and within are whole numbers."}, status=400)
        deadline = min(float(within), LONGEST_WAIT)
        # The number of effects is the count of beats: nothing else beats here.
        await self._pulse.wait(int(after), deadline)
        return web.Response(body=to_json(self.effects[int(after) :]), content_type="application/json")

    async def _hold(self, _request: web.Request) -> web.Response:
        self._hold_next = True
        self._released.clear()
        return web.json_response({})

    async def _release(self, _request: web.Request) -> web.Response:
        self._hold_next = False
        self._released.set()
        return web.json_response({})


def _sentence(said: dict[str, object]) -> str:
    """The `what` and every other text beside the key: `restart_service checkout prod`."""
    texts = [_text(value) for name, value in said.items() if name not in {"key", "what"}]
    return " ".join(text for text in [_text(said.get("what")), *texts] if text)[:SHOWN] or "something"


def _text(value: object) -> str:
    return value[:SHOWN] if isinstance(value, str) else ""
