"""What Slack sends, written out, and signed as Slack signs it."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from slack_sdk.signature import SignatureVerifier

from bot.playground import Cast

CAST = Cast()
SECRET = "a-signing-secret"

_numbers = itertools.count(1)


def new_ts() -> str:
    """A ts that no other message of this test run has."""
    return f"{1_700_000_000 + next(_numbers)}.000100"


def event_body(
    event: Mapping[str, Any], *, team: str = CAST.team, event_id: str | None = None
) -> dict[str, Any]:
    """The outer envelope of the Events API."""
    return {
        "token": "unused",
        "team_id": team,
        "context_team_id": team,
        "api_app_id": CAST.app,
        "event": dict(event),
        "type": "event_callback",
        "event_id": event_id or f"Ev{next(_numbers):010d}",
        "event_time": 1_700_000_000,
        "authorizations": [
            {"enterprise_id": None, "team_id": team, "user_id": CAST.bot_user, "is_bot": True}
        ],
    }


def message(text: str, **fields: Any) -> dict[str, Any]:
    """A ``message`` event in the general channel."""
    ts = fields.pop("ts", None) or new_ts()
    return {
        "type": "message",
        "channel": CAST.general,
        "channel_type": "channel",
        "user": CAST.requester,
        "text": text,
        "ts": ts,
        "event_ts": ts,
        "team": CAST.team,
        **fields,
    }


def mention(text: str, **fields: Any) -> dict[str, Any]:
    """The ``app_mention`` event of a post; it does not name the type of the channel."""
    event = message(f"<@{CAST.bot_user}> {text}".rstrip(), **fields) | {"type": "app_mention"}
    del event["channel_type"]
    return event


def action(action_id: str, value: str, *, user: str = CAST.requester, **fields: Any) -> dict[str, Any]:
    """A press on a button below a message."""
    return {
        "type": "block_actions",
        "team": {"id": CAST.team, "domain": "playground"},
        "user": {"id": user, "team_id": CAST.team},
        "api_app_id": CAST.app,
        "container": {"type": "message", "message_ts": new_ts(), "channel_id": CAST.general},
        "trigger_id": "1.2.3",
        "channel": {"id": CAST.general, "name": "general"},
        "actions": [{"type": "button", "action_id": action_id, "block_id": "b", "value": value}],
        **fields,
    }


def command(text: str, *, user: str = CAST.requester, **fields: str) -> dict[str, str]:
    """The fields of a slash command."""
    return {
        "command": "/harness",
        "text": text,
        "team_id": CAST.team,
        "channel_id": CAST.general,
        "user_id": user,
        "api_app_id": CAST.app,
        "trigger_id": "1.2.3",
        "response_url": "",
        **fields,
    }


def as_form(fields: Mapping[str, str]) -> tuple[bytes, str]:
    return urlencode(fields).encode(), "application/x-www-form-urlencoded"


def as_json(body: Any) -> tuple[bytes, str]:
    return json.dumps(body).encode(), "application/json"


def as_payload(body: Any) -> tuple[bytes, str]:
    """Interactivity comes as JSON in a form."""
    return as_form({"payload": json.dumps(body)})


def signed(
    body: bytes, content_type: str, *, secret: str = SECRET, at: float | None = None
) -> dict[str, str]:
    """The headers of a request that Slack sent at Unix time ``at``."""
    timestamp = str(int(time.time() if at is None else at))
    signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body)
    assert signature is not None
    return {
        "Content-Type": content_type,
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": signature,
    }
