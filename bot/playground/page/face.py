"""The page's own HTTP: the page, its state at the start, and a stream of what changed since."""

import json
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, select_autoescape

from bot.playground.errors import SlackError
from bot.playground.page.rendering import Renderer
from bot.playground.pulse import Pulse
from bot.playground.records import Channel, Json
from bot.playground.world import Change, World
from bot.playground.world.changes import (
    Deleted,
    Edited,
    HomeOpened,
    Hushed,
    Joined,
    Left,
    Opened,
    Posted,
    Reacted,
    Reset,
    StatusChanged,
    ViewChanged,
    Whispered,
)

HERE = Path(__file__).parent
REMEMBERED = 2_000
KEEP_ALIVE = 15.0


class PageFace:
    """Remembers the latest changes, so that a stream can go on from its `Last-Event-ID`."""

    def __init__(self, world: World, pulse: Pulse) -> None:
        self._world = world
        self._pulse = pulse
        self._renderer = Renderer(world)
        self._changes: deque[tuple[int, Change]] = deque(maxlen=REMEMBERED)
        self._latest = 0
        environment = Environment(
            loader=FileSystemLoader(HERE / "templates"), autoescape=select_autoescape(["j2"])
        )
        self._template = environment.get_template("page.html.j2")
        world.subscribe(self._remember)

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/", self._page),
            web.get("/archives/{channel}/{message}", self._page),
            web.get("/page/state", self._state),
            web.get("/page/stream", self._stream),
            web.static("/static", HERE / "static"),
        ]

    async def _page(self, _request: web.Request) -> web.Response:
        cast = self._world.config.cast
        people = [u for u in self._world.directory.users.values() if not u.deleted and u.bot_id is None]
        page = self._template.render(
            team=cast.team_name,
            bot=self._world.directory.bot,
            people=[person for person in people if any(person.id in c.members for c in self._channels())],
        )
        return web.Response(text=page, content_type="text/html")

    async def _state(self, request: web.Request) -> web.Response:
        try:
            user = self._world.directory.user(request.query.get("user", ""))
            dm = self._world.directory.direct(user.id)
        except SlackError as error:
            return web.json_response({"error": str(error)}, status=404)
        mine = [channel for channel in self._channels() if user.id in channel.members]
        seen = {channel.id for channel in mine}
        messages = self._world.messages
        top = self._world.views.top(user.id)
        return web.json_response(
            {
                "latest": self._latest,
                "users": {person.name: person.id for person in self._world.directory.users.values()},
                "channels": [{"id": c.id, "name": c.name, "kind": c.kind, "dm": c.id == dm.id} for c in mine],
                "messages": [self._renderer.message(m) for m in messages.everywhere() if m.channel in seen]
                + [self._renderer.ephemeral(e) for e in messages.ephemerals.values() if e.to == user.id],
                "statuses": [
                    self._status(channel, ts) for channel, ts in messages.statuses if channel in seen
                ],
                "view": self._renderer.view(top) if top else None,
            },
        )

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        user = request.query.get("user", "")
        asked = request.headers.get("Last-Event-ID") or request.query.get("after") or ""
        seen = int(asked) if asked.isdecimal() else self._latest
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        try:
            while not self._pulse.closed:
                beat = self._pulse.count
                for number, event in self._since(seen, user):
                    await response.write(f"id: {number}\ndata: {json.dumps(event)}\n\n".encode())
                    seen = number
                if await self._pulse.wait(beat, KEEP_ALIVE) == beat:
                    await response.write(b": still here\n\n")
        except ConnectionError:
            return response
        return response

    def _remember(self, change: Change) -> None:
        self._latest += 1
        self._changes.append((self._latest, change))

    def _since(self, seen: int, user: str) -> Iterator[tuple[int, Json]]:
        changes = list(self._changes)
        if changes and seen < changes[0][0] - 1:
            yield self._latest, {"kind": "reload"}
            return
        for number, change in changes:
            if number > seen and (event := self._event(change, user)) is not None:
                yield number, event

    def _event(self, change: Change, user: str) -> Json | None:
        match change:
            case Posted(message) | Reacted(message=message) | Edited(after=message):
                rendered = {"kind": "message", "message": self._renderer.message(message)}
                return rendered if self._sees(user, message.channel) else None
            case Deleted(message):
                gone = {"kind": "gone", "channel": message.channel, "ts": message.ts}
                return gone if self._sees(user, message.channel) else None
            case Whispered(ephemeral):
                shown = {"kind": "message", "message": self._renderer.ephemeral(ephemeral)}
                return shown if ephemeral.to == user else None
            case Hushed(ephemeral):
                return {"kind": "gone", "channel": ephemeral.channel, "ts": ephemeral.ts}
            case StatusChanged(status):
                shown = {"kind": "status", "status": self._status(status.channel, status.thread_ts)}
                return shown if self._sees(user, status.channel) else None
            case ViewChanged(view) if view.user == user and view.kind == "modal":
                top = self._world.views.top(user)
                return {"kind": "view", "view": self._renderer.view(top) if top else None}
            case Joined() | Left() | Opened() | Reset():
                return {"kind": "reload"}
            case ViewChanged() | HomeOpened():
                return None

    def _channels(self) -> list[Channel]:
        return list(self._world.directory.channels.values())

    def _sees(self, user: str, channel: str) -> bool:
        found = self._world.directory.channels.get(channel)
        return found is not None and user in found.members

    def _status(self, channel: str, thread_ts: str) -> Json:
        status = self._world.messages.status(channel, thread_ts)
        return {"channel": channel, "root": thread_ts, "text": status.status}
