"""Slack's Web API, typed: every call returns an :data:`~bot.delivery.answers.Answer` and raises nothing.

Nothing is ever repeated here: the SDK's own retry handler would post a message twice after a broken
connection (https://github.com/slackapi/python-slack-sdk/issues/1013). One session serves all calls; without one
the SDK opens a new TLS connection for each.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, Self
from urllib.parse import urlsplit

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.delivery.answers import Answer, Done, RateLimited, Refused, Unclear, read_refusal

SLACK_API: Final = "https://slack.com/api/"
TIMEOUT: Final = 10.0
PAGE: Final = 200
"""Messages of one page of a thread; Slack recommends no more."""
MEMBERS_PAGE: Final = 500
"""Members of one page of a channel; Slack allows fewer than 1,000."""

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_NOT_INSTALLED: Final = "not_installed"
"""Our own name beside Slack's: the team has no token."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)
_sdk_log = logging.getLogger(f"{__name__}.sdk")
_sdk_log.setLevel(logging.WARNING)  # below it the SDK logs whole bodies

Json = Mapping[str, Any]
Blocks = Sequence[Json]


class TokenSource(Protocol):
    """Where the bot token of a team comes from."""

    async def token(self, tenant: str) -> str:
        """:raises LookupError: the app is not installed there."""
        ...


@dataclass(frozen=True, slots=True)
class SingleToken:
    """The same token for every team: an app that is installed in one."""

    value: str

    async def token(self, tenant: str) -> str:  # noqa: ARG002 - the protocol asks with it
        return self.value


def open_session(base_url: str = SLACK_API, timeout: float = TIMEOUT) -> aiohttp.ClientSession:
    """The session that all of a process's Slack calls share. Proxies come from the environment, as aiohttp reads it."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=timeout, connect=min(timeout, 5.0)),
        trust_env=urlsplit(base_url).hostname not in _LOOPBACK,
    )


class WebApi:
    """The methods this bot uses. ``tenant`` is the team whose token is taken; times are seconds."""

    def __init__(
        self, session: aiohttp.ClientSession, tokens: TokenSource, *, base_url: str = SLACK_API
    ) -> None:
        self.session = session
        self._tokens = tokens
        self._base_url = base_url if base_url.endswith("/") else f"{base_url}/"
        self._clients: dict[str, AsyncWebClient] = {}

    @classmethod
    def open(cls, tokens: TokenSource, *, base_url: str = SLACK_API, timeout: float = TIMEOUT) -> Self:
        """An API with a session of its own; :meth:`close` ends it."""
        return cls(open_session(base_url, timeout), tokens, base_url=base_url)

    async def close(self) -> None:
        """Closes the session."""
        await self.session.close()

    async def auth_test(self, tenant: str) -> Answer:
        return await self._call(tenant, "auth.test", {})

    async def post_message(
        self,
        tenant: str,
        channel: str,
        text: str,
        *,
        blocks: Blocks = (),
        thread_ts: str | None = None,
        metadata: Json | None = None,
    ) -> Answer:
        """Posts a message; ``data["ts"]`` names it. Links are not unfurled, names not linked."""
        body = _message(channel, text, blocks) | {
            "thread_ts": thread_ts,
            "metadata": metadata,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        return await self._call(tenant, "chat.postMessage", body)

    async def update_message(
        self, tenant: str, channel: str, ts: str, text: str, *, blocks: Blocks = ()
    ) -> Answer:
        """Replaces a message's text and blocks; its metadata stays.

        ``parse`` and ``link_names`` are sent each time, since an update that leaves them out resets them.
        """
        return await self._call(tenant, "chat.update", _message(channel, text, blocks) | {"ts": ts})

    async def delete_message(self, tenant: str, channel: str, ts: str) -> Answer:
        """Removes a message of the bot's own."""
        return await self._call(tenant, "chat.delete", {"channel": channel, "ts": ts})

    async def post_ephemeral(
        self,
        tenant: str,
        channel: str,
        user: str,
        text: str,
        *,
        blocks: Blocks = (),
        thread_ts: str | None = None,
    ) -> Answer:
        body = _message(channel, text, blocks) | {"user": user, "thread_ts": thread_ts}
        return await self._call(tenant, "chat.postEphemeral", body)

    async def permalink(self, tenant: str, channel: str, ts: str, *, within: float = TIMEOUT) -> Answer:
        query = {"channel": channel, "message_ts": ts}
        return await self._call(tenant, "chat.getPermalink", query, read=True, within=within)

    async def thread_replies(
        self,
        tenant: str,
        channel: str,
        thread_ts: str,
        *,
        oldest: str | None = None,
        cursor: str | None = None,
    ) -> Answer:
        """One page of a thread with all metadata, the root first, then oldest first."""
        query = {
            "channel": channel,
            "ts": thread_ts,
            "oldest": oldest,
            "cursor": cursor,
            "limit": PAGE,
            "include_all_metadata": True,
        }
        return await self._call(tenant, "conversations.replies", query, read=True)

    async def set_status(
        self, tenant: str, channel: str, thread_ts: str, status: str, *, within: float = TIMEOUT
    ) -> Answer:
        """The line below a thread that says what the app is doing; the next post clears it, or two minutes."""
        body = {"channel_id": channel, "thread_ts": thread_ts, "status": status}
        return await self._call(tenant, "assistant.threads.setStatus", body, within=within)

    async def add_reaction(self, tenant: str, channel: str, ts: str, name: str) -> Answer:
        return await self._call(tenant, "reactions.add", {"channel": channel, "timestamp": ts, "name": name})

    async def user_info(self, tenant: str, user: str, *, within: float = TIMEOUT) -> Answer:
        return await self._call(tenant, "users.info", {"user": user}, read=True, within=within)

    async def channel_info(self, tenant: str, channel: str, *, within: float = TIMEOUT) -> Answer:
        return await self._call(tenant, "conversations.info", {"channel": channel}, read=True, within=within)

    async def channel_members(
        self, tenant: str, channel: str, *, cursor: str | None = None, within: float = TIMEOUT
    ) -> Answer:
        """One page of the ids of a channel's members."""
        query = {"channel": channel, "cursor": cursor, "limit": MEMBERS_PAGE}
        return await self._call(tenant, "conversations.members", query, read=True, within=within)

    async def group_members(self, tenant: str, group: str, *, within: float = TIMEOUT) -> Answer:
        """The ids of the people of a user group."""
        return await self._call(
            tenant, "usergroups.users.list", {"usergroup": group}, read=True, within=within
        )

    async def groups(self, tenant: str, *, within: float = TIMEOUT) -> Answer:
        """Every user group of the team, with its handle."""
        return await self._call(tenant, "usergroups.list", {}, read=True, within=within)

    async def open_view(self, tenant: str, trigger_id: str, view: Json, *, within: float = TIMEOUT) -> Answer:
        """Opens a modal; a trigger id lives three seconds and works once."""
        return await self._call(tenant, "views.open", {"trigger_id": trigger_id, "view": view}, within=within)

    async def update_view(self, tenant: str, view_id: str, view: Json, *, hash_: str | None = None) -> Answer:
        """Replaces an open modal, unless it changed since ``hash_``."""
        return await self._call(tenant, "views.update", {"view_id": view_id, "view": view, "hash": hash_})

    async def respond(self, response_url: str, body: Json) -> Answer:
        """Answers a click or a command at the address that came with it; no token, no method limit."""
        try:
            async with self.session.post(response_url, json=body) as response:
                await response.read()
                answer = _of_status(response.status)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            answer = _unclear(error)
        return _told("response_url", answer)

    async def _call(
        self, tenant: str, method: str, arguments: Json, *, read: bool = False, within: float | None = None
    ) -> Answer:
        try:
            client = await self._client(tenant)
        except LookupError:
            return _told(method, Refused(_NOT_INSTALLED), tenant)
        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            async with asyncio.timeout(within):
                response = await (
                    client.api_call(method, http_verb="GET", params=given)
                    if read
                    else client.api_call(method, json=given)
                )
            answer: Answer = Done(_body(response.data))
        except SlackApiError as error:
            answer = read_refusal(error)
        except (TimeoutError, aiohttp.ClientError, OSError, SlackClientError) as error:
            answer = _unclear(error)
        except AttributeError:  # the SDK asks a body of plain text for its "ok"
            answer = Unclear("unreadable_answer", answered=True)
        return _told(method, answer, tenant)

    async def _client(self, tenant: str) -> AsyncWebClient:
        token = await self._tokens.token(tenant)
        client = self._clients.get(tenant)
        if client is None or client.token != token:
            client = AsyncWebClient(
                token, base_url=self._base_url, session=self.session, retry_handlers=[], logger=_sdk_log
            )
            client.proxy = (
                None  # the SDK would send even loopback calls to HTTPS_PROXY; the session knows better
            )
            self._clients[tenant] = client
        return client


def _message(channel: str, text: str, blocks: Blocks) -> dict[str, Any]:
    given = {"channel": channel, "text": text, "parse": "none", "link_names": False}
    return {**given, "blocks": list(blocks)} if blocks else given


def _body(data: Any) -> Json:
    return data if isinstance(data, Mapping) else {}


def _of_status(status: int) -> Answer:
    match status:
        case _ if status < 300:
            return Done({})
        case 429:
            return RateLimited(1.0)
        case _ if status < 500:
            return Refused(f"http_{status}")
        case _:
            return Unclear(f"http_{status}", answered=True)


def _unclear(error: BaseException) -> Unclear:
    return Unclear(type(error).__name__, sent=not isinstance(error, aiohttp.ClientConnectorError))


def _told(method: str, answer: Answer, tenant: str | None = None) -> Answer:
    """Logs what went wrong, by name only: bodies are people's words."""
    match answer:
        case RateLimited(seconds=seconds):
            _log.warning("slack.rate_limited", method=method, seconds=seconds, team_id=tenant)
        case Refused(error=error):
            _log.info("slack.refused", method=method, error=error, team_id=tenant)
        case Unclear(cause=cause, sent=sent):
            _log.warning("slack.unclear", method=method, cause=cause, sent=sent, team_id=tenant)
        case Done():
            pass
    return answer
