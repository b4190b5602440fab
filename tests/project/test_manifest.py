"""manifest.yml is what Slack accepts, and asks for exactly what the bot uses.

Limits: https://github.com/slackapi/manifest-schema, schemas/manifest.schema.2.0.0.json.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.playground.config import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "manifest.yml").read_text(encoding="utf-8")

#: Path in the manifest ("*" is each of a list) → shortest and longest text.
LENGTHS = {
    "display_information.name": (1, 35),
    "display_information.description": (1, 140),
    "display_information.long_description": (175, 4000),
    "features.bot_user.display_name": (1, 80),
    "features.agent_view.agent_description": (1, 300),
    "features.slash_commands.*.command": (2, 32),
    "features.slash_commands.*.description": (1, 2000),
    "features.slash_commands.*.usage_hint": (1, 1000),
}
COUNTS = {
    "features.slash_commands": 50,
    "oauth_config.scopes.bot": 255,
    "settings.event_subscriptions.bot_events": 100,
}
KNOWN = {
    "": {"_metadata", "display_information", "features", "oauth_config", "settings"},
    "display_information": {"name", "description", "long_description", "background_color"},
    "features": {"app_home", "bot_user", "agent_view", "slash_commands", "shortcuts"},
    "features.app_home": {"home_tab_enabled", "messages_tab_enabled", "messages_tab_read_only_enabled"},
    "features.bot_user": {"display_name", "always_online"},
    "features.agent_view": {"agent_description", "suggested_prompts", "actions"},
    "features.slash_commands.*": {"command", "url", "description", "usage_hint", "should_escape"},
    "oauth_config": {"scopes", "redirect_urls"},
    "settings": {
        *("event_subscriptions", "interactivity", "org_deploy_enabled", "socket_mode_enabled"),
        "token_rotation_enabled",
    },
    "settings.event_subscriptions": {"request_url", "bot_events"},
    "settings.interactivity": {"is_enabled", "request_url"},
}

#: Event → the scopes any one of which lets Slack send it. https://docs.slack.dev/reference/events
EVENT_SCOPES: dict[str, set[str]] = {
    "app_home_opened": set(),
    "app_mention": {"app_mentions:read"},
    "app_uninstalled": set(),
    "member_joined_channel": {"channels:read", "groups:read"},
    "member_left_channel": {"channels:read", "groups:read"},
    "message.channels": {"channels:history"},
    "message.groups": {"groups:history"},
    "message.im": {"im:history"},
    "message.mpim": {"mpim:history"},
    "tokens_revoked": set(),
    "agent_session_stopped": {"chat:write"},
}

#: Scopes → the Web API methods that need them. https://docs.slack.dev/reference/methods
NEEDED_BY = {
    (): "auth.test chat.getPermalink views.open views.update views.publish",
    (
        "chat:write",
    ): "chat.postMessage chat.update chat.delete chat.postEphemeral chat.startStream chat.appendStream"
    " chat.stopStream assistant.threads.setStatus",
    ("assistant:write",): "assistant.threads.setTitle assistant.threads.setSuggestedPrompts",
    (
        "channels:history",
        "groups:history",
        "im:history",
        "mpim:history",
    ): "conversations.replies conversations.history",
    ("channels:read", "groups:read"): "conversations.info conversations.members",
    ("im:write",): "conversations.open",
    ("users:read",): "users.info",
    ("usergroups:read",): "usergroups.list usergroups.users.list",
    ("reactions:write",): "reactions.add reactions.remove",
    ("files:write",): "files.getUploadURLExternal files.completeUploadExternal",
    ("files:read",): "files.info",
}
METHOD_SCOPES = {method: set(scopes) for scopes, methods in NEEDED_BY.items() for method in methods.split()}
FAMILIES = "assistant|auth|chat|conversations|files|reactions|usergroups|users|views"


def manifest(text: str = TEXT) -> dict[str, Any]:
    parsed = yaml.safe_load(text)
    assert isinstance(parsed, dict)
    return parsed


def http_form() -> str:
    """The manifest as its own header says to turn it over for HTTP."""
    told = re.search(r"sed (?:-e '[^']+'[\s\\#]*)+", TEXT)
    assert told is not None
    text = TEXT
    for pattern, replacement in re.findall(r"-e 's\|([^|]+)\|([^|]*)\|'", told.group()):
        text = re.sub(f"{re.escape(pattern)}", replacement, text)
    return text


def reach(node: Any, path: str) -> list[Any]:
    found = [node]
    for step in path.split(".") if path else []:
        found = [child for each in found for child in (each if step == "*" else [each[step]])]
    return found


@pytest.mark.parametrize("text", [TEXT, http_form()], ids=["socket mode", "http"])
def test_both_forms_hold_only_known_fields_of_allowed_lengths(text: str) -> None:
    parsed = manifest(text)
    assert parsed["_metadata"]["major_version"] == 2
    for path, known in KNOWN.items():
        for node in reach(parsed, path):
            assert set(node) <= known, path
    for path, (shortest, longest) in LENGTHS.items():
        for value in reach(parsed, path):
            assert shortest <= len(value) <= longest, path
    for path, most in COUNTS.items():
        (values,) = reach(parsed, path)
        assert 0 < len(values) <= most, path


def test_socket_mode_names_no_address_and_http_names_all_three() -> None:
    addresses = ("features.slash_commands.*", "settings.event_subscriptions", "settings.interactivity")
    socket, http = manifest(), manifest(http_form())
    assert socket["settings"]["socket_mode_enabled"] is True
    assert http["settings"]["socket_mode_enabled"] is False
    for path in addresses:
        (node,) = reach(socket, path)
        assert not {"url", "request_url"} & set(node)
        (node,) = reach(http, path)
        assert (node.get("url") or node.get("request_url")) == "https://bot.example.com/slack/events"


def test_every_scope_and_event_says_why() -> None:
    items = [
        *reach(manifest(), "oauth_config.scopes.bot.*"),
        *reach(manifest(), "settings.event_subscriptions.bot_events.*"),
    ]
    silent = [
        item for item in items if not re.search(rf"^ +- {re.escape(item)} # \S.+\.$", TEXT, re.MULTILINE)
    ]
    assert items
    assert not silent


def test_scopes_and_events_are_listed_once_and_in_order() -> None:
    for path in ("oauth_config.scopes.bot", "settings.event_subscriptions.bot_events"):
        (values,) = reach(manifest(), path)
        assert values == sorted(set(values))


def test_every_event_comes_with_a_scope_that_lets_slack_send_it() -> None:
    scopes = set(manifest()["oauth_config"]["scopes"]["bot"])
    for event in manifest()["settings"]["event_subscriptions"]["bot_events"]:
        assert EVENT_SCOPES[event] <= scopes, event


def test_assistant_write_and_the_agent_view_go_together() -> None:
    """Slack refuses the scope without the view."""
    parsed = manifest()
    assert ("agent_view" in parsed["features"]) == (
        "assistant:write" in parsed["oauth_config"]["scopes"]["bot"]
    )


def test_the_command_delivers_mentions_as_ids_and_buttons_are_on() -> None:
    (command,) = manifest()["features"]["slash_commands"]
    assert (command["command"], command["should_escape"]) == ("/harness", True)
    assert manifest()["settings"]["interactivity"]["is_enabled"] is True
    assert manifest()["features"]["app_home"]["messages_tab_read_only_enabled"] is False


def words_of_the_bot() -> set[str]:
    """Every string and attribute name in the bot, the stand-in for Slack apart."""
    files = [path for path in (ROOT / "bot").rglob("*.py") if "playground" not in path.parts]
    nodes = [node for path in files for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    strings = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return strings | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def test_every_event_the_bot_handles_is_subscribed() -> None:
    subscribed = manifest()["settings"]["event_subscriptions"]["bot_events"]
    handled = words_of_the_bot() & set(EVENT_SCOPES)
    assert "app_mention" in handled
    assert handled <= set(subscribed)


def test_every_web_api_method_the_bot_calls_has_its_scope() -> None:
    methods = {method.replace(".", "_"): method for method in METHOD_SCOPES}
    words = words_of_the_bot()
    called = {word for word in words if re.fullmatch(rf"(?:{FAMILIES})\.[a-zA-Z.]+", word)}
    called |= {methods[word] for word in words if word in methods}
    assert called >= {"auth.test", "chat.postMessage", "chat.update", "conversations.replies"}
    assert called <= set(METHOD_SCOPES), "give the method its row"
    scopes = set(manifest()["oauth_config"]["scopes"]["bot"])
    assert {
        method: METHOD_SCOPES[method] - scopes for method in called if METHOD_SCOPES[method] - scopes
    } == {}


def test_every_scope_the_bot_speaks_of_is_asked_for() -> None:
    scopes = set(manifest()["oauth_config"]["scopes"]["bot"])
    spoken = {word for word in words_of_the_bot() if re.fullmatch(r"[a-z_.]+:(?:read|write|history)", word)}
    assert "chat:write" in spoken
    # connections:write belongs to the app-level token, which no manifest can ask for.
    assert spoken - {"connections:write"} <= scopes


def test_the_playground_offers_the_commands_of_the_app() -> None:
    commands = yaml.safe_load(TEXT)["features"]["slash_commands"]
    assert {each["command"]: (each["usage_hint"], each["description"]) for each in commands} == {
        name: (command.usage, command.description) for name, command in COMMANDS.items()
    }
