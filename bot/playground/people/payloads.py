"""Interaction and command payloads, as the bot receives them. Each carries a fresh trigger id."""

from bot.playground.config import PlaygroundConfig
from bot.playground.payloads import message_json
from bot.playground.people.forms import state_values
from bot.playground.records import Channel, Ephemeral, Json, Message, User
from bot.playground.response_urls import Origin, ResponseUrls
from bot.playground.triggers import Triggers
from bot.playground.world import World

TOKEN = "playground-verification"  # noqa: S105 - the deprecated field that apps must not rely on


class Payloads:
    def __init__(
        self,
        config: PlaygroundConfig,
        world: World,
        triggers: Triggers,
        response_urls: ResponseUrls,
        base_url: str,
    ) -> None:
        self._cast = config.cast
        self._world = world
        self._triggers = triggers
        self._response_urls = response_urls
        self._base_url = base_url

    def message_click(self, user: User, channel: Channel, message: Message | Ephemeral, action: Json) -> Json:
        """A click in a message; that of an ephemeral one comes without the message itself."""
        url = self._response_urls.issue(Origin(user=user.id, channel=channel.id, ts=message.ts))
        container: Json = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": channel.id,
            "is_ephemeral": isinstance(message, Ephemeral),
        }
        if message.thread_ts is not None:
            container["thread_ts"] = message.thread_ts
        body = self._common("block_actions", user) | {
            "container": container,
            "channel": {"id": channel.id, "name": channel.name},
            "state": {"values": state_values(message.blocks, {})},
            "actions": [action],
            "response_url": url,
        }
        if isinstance(message, Message):
            body["message"] = message_json(self._world, message, self._base_url)
        return body

    def view_click(self, user: User, view: Json, action: Json) -> Json:
        container = {"type": "view", "view_id": view["id"]}
        return self._common("block_actions", user) | {
            "container": container,
            "view": view,
            "actions": [action],
        }

    def submission(self, user: User, view: Json) -> Json:
        return self._common("view_submission", user) | {"view": view, "response_urls": []}

    def closed(self, user: User, view: Json, *, cleared: bool) -> Json:
        body = self._common("view_closed", user) | {"view": view, "is_cleared": cleared}
        del body["trigger_id"]
        return body

    def command(self, user: User, channel: Channel, command: str, text: str) -> Json:
        return {
            "token": TOKEN,
            "team_id": self._cast.team,
            "team_domain": self._cast.team_name.lower(),
            "channel_id": channel.id,
            "channel_name": "privategroup" if channel.kind == "private" else channel.name,
            "user_id": user.id,
            "user_name": user.name,
            "command": command,
            "text": text,
            "api_app_id": self._cast.app,
            "is_enterprise_install": "false",
            "response_url": self._response_urls.issue(Origin(user=user.id, channel=channel.id)),
            "trigger_id": self._triggers.issue(user.id),
        }

    def _common(self, kind: str, user: User) -> Json:
        return {
            "type": kind,
            "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team},
            "api_app_id": self._cast.app,
            "token": TOKEN,
            "team": {"id": self._cast.team, "domain": self._cast.team_name.lower()},
            "enterprise": None,
            "is_enterprise_install": False,
            "trigger_id": self._triggers.issue(user.id),
        }
