"""`response_url`: five uses within thirty minutes, to answer whoever clicked or typed.

https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
"""

import secrets
import time
from dataclasses import dataclass, replace

from aiohttp import web

from bot.playground.config import PlaygroundConfig
from bot.playground.errors import SlackError
from bot.playground.ledger import Ledger
from bot.playground.records import ApiCall, Ephemeral, Json, Message
from bot.playground.web_api.args import Args, read_args
from bot.playground.web_api.content import Content, read_content
from bot.playground.world import World

METHOD = "response_url"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the person acted; `ts` is the message they clicked, None for a slash command."""

    user: str
    channel: str
    ts: str | None = None


@dataclass(slots=True)
class _Ticket:
    origin: Origin
    expires: float
    uses_left: int


class ResponseUrls:
    def __init__(self, config: PlaygroundConfig, world: World, ledger: Ledger, base_url: str) -> None:
        self._config = config
        self._world = world
        self._ledger = ledger
        self._base_url = base_url
        self._tickets: dict[str, _Ticket] = {}

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/response/{ticket}", self._handle)]

    def issue(self, origin: Origin) -> str:
        ticket = secrets.token_urlsafe(18)
        expires = self._world.clock.now() + self._config.response_url_life
        self._tickets[ticket] = _Ticket(origin, expires, self._config.response_url_uses)
        return f"{self._base_url}/response/{ticket}"

    async def _handle(self, request: web.Request) -> web.Response:
        started, at, args = time.perf_counter(), time.time(), Args({})
        status, body = 200, Json(ok=True)
        try:
            args = await read_args(request)
            self._respond(self._redeem(request.match_info["ticket"]), args)
        except SlackError as refusal:
            status = 404 if refusal.name in {"expired_url", "used_url"} else 400
            body = {"ok": False, "error": refusal.name, "messages": list(refusal.messages)}
        self._ledger.call(
            ApiCall(
                number=0,
                at=at,
                method=METHOD,
                args=args.given,
                status=status,
                ok=status == 200,
                error=body.get("error"),
                answer=body,
                seconds=time.perf_counter() - started,
            ),
        )
        return web.json_response(body, status=status)

    def _redeem(self, name: str) -> Origin:
        ticket = self._tickets.get(name)
        if ticket is None or self._world.clock.now() >= ticket.expires:
            raise SlackError("expired_url")
        if ticket.uses_left == 0:
            raise SlackError("used_url")
        ticket.uses_left -= 1
        return ticket.origin

    def _respond(self, origin: Origin, args: Args) -> None:
        if args.flag("delete_original"):
            self._delete(origin)
            return
        content = read_content(args)
        if content.empty:
            raise SlackError("no_text")
        if args.flag("replace_original"):
            self._replace(origin, content)
        else:
            show_answer(self._world, origin, content, args)

    def _delete(self, origin: Origin) -> None:
        if origin.ts is None:
            raise SlackError("message_not_found")
        if origin.ts in self._world.messages.ephemerals:
            self._world.messages.hush(origin.ts)
        else:
            self._world.messages.delete(self._own_message(origin.channel, origin.ts))

    def _replace(self, origin: Origin, content: Content) -> None:
        if origin.ts is None:
            raise SlackError("message_not_found")
        text, blocks = content.text or "", content.blocks or ()
        if ephemeral := self._world.messages.ephemerals.get(origin.ts):
            self._world.messages.whisper(replace(ephemeral, text=text, blocks=blocks))
            return
        before = self._own_message(origin.channel, origin.ts)
        self._world.messages.edit(before, replace(before, text=text, blocks=blocks))

    def _own_message(self, channel: str, ts: str) -> Message:
        message = self._world.messages.get(channel, ts)
        if message.user != self._world.directory.bot.id:
            raise SlackError("cant_update_message")
        return message


def show_answer(world: World, origin: Origin, content: Content, args: Args) -> None:
    """Show the app's answer where the person acted: to them alone, or with `in_channel` to everybody."""
    bot, text, blocks = world.directory.bot, content.text or "", content.blocks or ()
    if args.text("response_type") == "in_channel":
        world.messages.post(
            Message(
                channel=origin.channel,
                user=bot.id,
                bot_id=bot.bot_id,
                app_id=bot.app_id,
                text=text,
                blocks=blocks,
                thread_ts=args.text("thread_ts"),
            ),
        )
        return
    world.messages.whisper(
        Ephemeral(
            channel=origin.channel,
            to=origin.user,
            ts="",
            author=bot.id,
            text=text,
            thread_ts=args.text("thread_ts"),
            blocks=blocks,
        ),
    )
