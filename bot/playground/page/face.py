"""The page's own HTTP: the page, its state at the start, a stream of what changed since, and what it may press."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import quote

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, select_autoescape
from pydantic import TypeAdapter, ValidationError

from bot.playground.errors import Impossible, SlackError
from bot.playground.evidence.evidence import Evidence
from bot.playground.evidence.scene import Scene
from bot.playground.evidence.verdicts import Fault
from bot.playground.guide import Guide
from bot.playground.page.feed import Feed
from bot.playground.page.snapshot import Snapshot

HERE = Path(__file__).parent
KEEP_ALIVE = 15.0
GATHER = 0.03
"""Seconds for which changes are gathered, so that a burst of them is one piece of work for the browser."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class PressFault:
    """A fault button; `call_off` takes an armed one back."""

    fault: Fault
    user: str
    channel: str
    call_off: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnGuide:
    to: Literal["next", "away", "start"]


class PageFace:
    def __init__(
        self, scene: Scene, evidence: Evidence, guide: Guide, feed: Feed, snapshot: Snapshot
    ) -> None:
        self._scene = scene
        self._evidence = evidence
        self._guide = guide
        self._feed = feed
        self._snapshot = snapshot
        environment = Environment(
            loader=FileSystemLoader(HERE / "templates"), autoescape=select_autoescape(["j2"])
        )
        self._template = environment.get_template("page.html.j2")

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/", self._page),
            web.get("/archives/{channel}/{message}", self._page),
            web.get("/page/state", self._state),
            web.get("/page/stream", self._stream),
            web.get("/page/files/{file}", self._file),
            web.post("/page/fault", self._fault),
            web.post("/page/guide", self._turn),
            web.static("/static", HERE / "static"),
        ]

    async def _page(self, _request: web.Request) -> web.Response:
        cast, users = self._scene.config.cast, self._scene.world.directory.users
        roles = (("Requester", cast.requester), ("Approver", cast.approver), ("Admin", cast.admin))
        commands = [
            {"name": name, "usage": c.usage, "description": c.description, "verbs": c.verbs}
            for name, c in sorted(self._scene.config.commands.items())
        ]
        page = self._template.render(
            team=cast.team_name,
            bot=self._scene.world.directory.bot,
            roles=[(role, users[user_id]) for role, user_id in roles],
            offers=self._snapshot.offers(),
            commands=json.dumps(commands),
            ops=cast.ops,
        )
        return web.Response(text=page, content_type="text/html")

    async def _state(self, request: web.Request) -> web.Response:
        self._guide.look()
        try:
            whole = self._snapshot.whole(request.query.get("user", ""))
        except SlackError as error:
            return web.json_response({"error": str(error)}, status=404)
        # Read after the snapshot was taken, which may itself open somebody's direct message.
        return web.json_response({"latest": self._feed.latest, **whole})

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        user = request.query.get("user", "")
        asked = request.headers.get("Last-Event-ID") or request.query.get("after") or ""
        seen = int(asked) if asked.isdecimal() else self._feed.latest
        pulse = self._scene.pulse
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        try:
            while not pulse.closed:
                beat = pulse.count
                self._guide.look()
                for number, event in self._feed.since(seen, user):
                    await response.write(f"id: {number}\ndata: {json.dumps(event)}\n\n".encode())
                    seen = number
                if await pulse.wait(beat, KEEP_ALIVE) == beat:
                    await response.write(b": still here\n\n")
                await pulse.pause(GATHER)
        except ConnectionError:
            return response
        return response

    async def _file(self, request: web.Request) -> web.Response:
        """A file for the person at the page, who sees one of the channels it is shared in; never to be interpreted."""
        files, user = self._scene.world.files, request.query.get("user", "")
        try:
            info = files.get(request.match_info["file"])
        except SlackError as refusal:
            return web.Response(status=404, text=str(refusal))
        if not any(self._snapshot.sees(user, channel) for channel in info.shared_in):
            return web.Response(status=403, text="This file is in no channel of yours.")
        return web.Response(
            body=files.content(info.id),
            content_type="application/octet-stream",
            headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(info.name)}"},
        )

    async def _fault(self, request: web.Request) -> web.Response:
        def press(asked: PressFault) -> None:
            if asked.call_off:
                self._evidence.trials.call_off(asked.fault)
            else:
                self._evidence.trials.start(asked.fault, asked.user, asked.channel)

        return await _done(request, _FAULT, press)

    async def _turn(self, request: web.Request) -> web.Response:
        turns = {"next": self._guide.go_on, "away": self._guide.put_away, "start": self._guide.start_again}
        return await _done(request, _TURN, lambda asked: turns[asked.to]())


_FAULT: TypeAdapter[PressFault] = TypeAdapter(PressFault)
_TURN: TypeAdapter[TurnGuide] = TypeAdapter(TurnGuide)


async def _done(request: web.Request, kind: TypeAdapter[T], do: Callable[[T], None]) -> web.Response:
    """What was asked for, done; 400 for what is not understood, 409 for what cannot be done."""
    try:
        do(kind.validate_json(await request.read() or b"{}"))
    except ValidationError as error:
        return web.json_response({"error": str(error)}, status=400)
    except (Impossible, SlackError) as error:
        return web.json_response({"error": str(error)}, status=409)
    return web.json_response({"result": None})
