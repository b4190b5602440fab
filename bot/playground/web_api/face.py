"""The HTTP face of the Web API: token, faults, rate limits, the method, the ledger; in this order."""

import math
import time
from dataclasses import dataclass

from aiohttp import web

from bot.playground.errors import SlackError
from bot.playground.faults import ApiFault, ErrorAnswer, Faults, Hang, HttpFailure, LoseReply, RateLimited
from bot.playground.ledger import Ledger
from bot.playground.limits import Limits
from bot.playground.pulse import Pulse
from bot.playground.records import ApiCall, Json
from bot.playground.web_api.args import Args, read_args
from bot.playground.web_api.method import Api
from bot.playground.web_api.registry import CONNECTIONS_OPEN, METHODS

SCOPES = (
    "app_mentions:read,assistant:write,channels:history,channels:join,channels:read,chat:write,commands,"
    "files:read,files:write,groups:history,groups:read,im:history,im:read,im:write,mpim:history,"
    "reactions:write,team:read,usergroups:read,users:read"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    body: Json
    status: int = 200
    retry_after: int | None = None
    fault: str | None = None


class WebApi:
    def __init__(self, api: Api, *, limits: Limits, faults: Faults, ledger: Ledger, pulse: Pulse) -> None:
        self._api = api
        self._limits = limits
        self._faults = faults
        self._ledger = ledger
        self._pulse = pulse

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/{method}", self._handle, allow_head=False),
            web.post("/api/{method}", self._handle),
        ]

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        started, at = time.perf_counter(), time.time()
        method, args = request.match_info["method"], Args({})
        fault: ApiFault | None = None
        try:
            args = await read_args(request)
            self._authenticate(request, method, args)
            met = self._faults.for_call(method)
            fault = met[0] if met else None
            answer = await self._faulty(*met, method, args) if met else self._limited(method, args)
        except SlackError as refusal:
            answer = _Answer(body=_refused(refusal))
        lost = isinstance(fault, LoseReply | Hang)
        self._ledger.call(
            ApiCall(
                number=0,
                at=at,
                method=method,
                args=args.given,
                status=answer.status,
                ok=bool(answer.body.get("ok")),
                error=answer.body.get("error"),
                answer=answer.body,
                seconds=time.perf_counter() - started,
                fault=fault.kind if fault else None,
                reply_lost=lost,
            ),
        )
        return _cut(request) if lost else _response(answer)

    def _authenticate(self, request: web.Request, method: str, args: Args) -> None:
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        token = bearer.strip() if scheme.lower() == "bearer" and bearer else args.text("token")
        if token is None:
            raise SlackError("not_authed")
        config = self._api.config
        if token not in (config.bot_token, config.app_token):
            raise SlackError("invalid_auth")
        if method not in METHODS:
            raise SlackError("unknown_method")
        wanted = config.app_token if method == CONNECTIONS_OPEN else config.bot_token
        if token != wanted:
            raise SlackError("not_allowed_token_type")

    async def _faulty(self, fault: ApiFault, seconds_left: float, method: str, args: Args) -> _Answer:
        match fault:
            case RateLimited():
                return _too_many(max(1, math.ceil(seconds_left)))
            case HttpFailure(status=status):
                return _Answer(body={"ok": False, "error": "internal_error"}, status=status)
            case ErrorAnswer(error=error):
                return _Answer(body={"ok": False, "error": error})
            case Hang(seconds=seconds):
                await self._pulse.pause(seconds)
                return _Answer(body={}, status=0)
            case LoseReply():
                return self._limited(method, args)

    def _limited(self, method: str, args: Args) -> _Answer:
        wait = self._limits.check(self._api.team, method, args.text("channel"))
        if wait:
            return _too_many(wait)
        try:
            return _Answer(body={"ok": True} | METHODS[method](self._api, args))
        except SlackError as refusal:
            return _Answer(body=_refused(refusal))


def _refused(refusal: SlackError) -> Json:
    body: Json = {"ok": False, "error": refusal.name}
    return body | ({"response_metadata": {"messages": list(refusal.messages)}} if refusal.messages else {})


def _too_many(seconds: int) -> _Answer:
    return _Answer(body={"ok": False, "error": "ratelimited"}, status=429, retry_after=seconds)


def _response(answer: _Answer) -> web.Response:
    headers = {"x-oauth-scopes": SCOPES}
    if answer.retry_after is not None:
        headers["Retry-After"] = str(answer.retry_after)
    return web.json_response(answer.body, status=answer.status, headers=headers)


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
