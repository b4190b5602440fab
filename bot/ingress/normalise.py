"""Any body of Slack's to one :data:`~bot.ingress.payloads.Payload`. Never raises, whatever the body holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, cast, get_args

from bot.ingress.installation import Installation
from bot.ingress.payloads import (
    Action,
    ChannelType,
    Command,
    Deleted,
    Edited,
    HomeOpened,
    Ignored,
    Lifecycle,
    LifecycleKind,
    OwnDeleted,
    Payload,
    Post,
    Unsupported,
    ViewClosed,
    ViewSubmitted,
)

Json = Mapping[str, Any]

# Messages of people. The other subtypes are the platform's own remarks: joins, topics, reminders.
# https://docs.slack.dev/reference/events/message
_PEOPLE: Final = frozenset({"", "file_share", "thread_broadcast", "me_message"})
_LIFECYCLE: Final = frozenset(get_args(LifecycleKind))
_CHANNEL_TYPES: Final = frozenset(get_args(ChannelType))
_PLATFORM: Final = "USLACKBOT"
_TOMBSTONE: Final = "tombstone"
"""What stays of a deleted message that has replies: Slack tells of it as of an edit."""
_TS: Final = re.compile(r"[0-9]{1,20}\.[0-9]{1,10}")
_OPENING_MENTION: Final = re.compile(r"\s*<@([A-Z0-9]+)(?:\|[^>]*)?>")
_AFTER_MENTION: Final = re.compile(r"^\s*[:,]\s*")
_ESCAPES: Final = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


def normalise(body: Json, me: Installation) -> Payload:
    """What ``body`` (already verified and parsed) asks of the bot ``me``."""
    kind = _text(body, "type")
    match kind:
        case "event_callback":
            return _event(body, me)
        case "block_actions":
            return _action(body)
        case "view_submission" | "view_closed":
            return _view(body, kind)
        case "app_rate_limited":
            return Lifecycle(team=_team_of_event(body), kind="app_rate_limited")
        case "" if _text(body, "command").startswith("/"):
            return Command(
                team=_text(body, "team_id"),
                channel=_text(body, "channel_id"),
                user=_text(body, "user_id"),
                name=_text(body, "command"),
                text=_clean(_text(body, "text")),
                response_url=_text(body, "response_url"),
            )
        case _:
            return Unsupported(team=_team_of_interaction(body), kind=kind or "unknown")


def _event(body: Json, me: Installation) -> Payload:
    event = _part(body, "event")
    team, kind = _team_of_event(body), _text(event, "type")
    match kind, _text(event, "subtype"):
        case "message", "message_changed" if _text(_part(event, "message"), "subtype") == _TOMBSTONE:
            return _deleted(event, team, me)
        case "message", "message_changed":
            return _edited(event, team, me)
        case "message", "message_deleted":
            return _deleted(event, team, me)
        case (("message" | "app_mention"), subtype):
            return _post(event, team, me, subtype, event_id=_text(body, "event_id") or None)
        case "app_home_opened", _:
            return HomeOpened(team=team, user=_text(event, "user"), tab=_text(event, "tab"))
        case _ if kind in _LIFECYCLE:
            return Lifecycle(team=team, kind=cast("LifecycleKind", kind))
        case _:
            return Unsupported(team=team, kind=kind or "event")


def _post(event: Json, team: str, me: Installation, subtype: str, event_id: str | None) -> Payload:
    if (other := _not_a_person(event, team, me)) is not None:
        return other
    if subtype not in _PEOPLE:
        return Ignored(team=team, reason="subtype")
    channel, user, ts = _text(event, "channel"), _text(event, "user"), _ts(event, "ts")
    if not (channel and user and ts):
        return Unsupported(team=team, kind="message")
    raw = _text(event, "text")
    mine = _mention_of(me)
    mentioned = _text(event, "type") == "app_mention" or mine.search(raw) is not None
    opening = _OPENING_MENTION.match(raw)
    return Post(
        team=team,
        channel=channel,
        channel_type=_channel_type(event, channel),
        user=user,
        ts=ts,
        thread_ts=_ts(event, "thread_ts"),
        text=_without_mention(raw, mine),
        mentioned=mentioned,
        for_others=opening is not None and opening[1] != me.bot_user,
        event_id=event_id,
    )


def _edited(event: Json, team: str, me: Installation) -> Payload:
    message, before = _part(event, "message"), _part(event, "previous_message")
    if (other := _not_a_person(message, team, me)) is not None:
        return other
    if _text(message, "text") == _text(before, "text"):
        return Ignored(team=team, reason="unchanged")  # a link was unfolded, a reply was counted
    channel, ts = _text(event, "channel"), _ts(message, "ts")
    if not (channel and ts):
        return Unsupported(team=team, kind="message_changed")
    return Edited(
        team=team,
        channel=channel,
        user=_text(message, "user"),
        ts=ts,
        thread_ts=_ts(message, "thread_ts"),
        text=_without_mention(_text(message, "text"), _mention_of(me)),
        stamp=int((_ts(_part(message, "edited"), "ts") or _ts(event, "event_ts") or ts).replace(".", "")),
    )


def _deleted(event: Json, team: str, me: Installation) -> Payload:
    before = _part(event, "previous_message")
    channel, ts = _text(event, "channel"), _ts(event, "deleted_ts") or _ts(before, "ts")
    if not (channel and ts):
        return Unsupported(team=team, kind="message_deleted")
    user, thread_ts = _text(before, "user"), _ts(before, "thread_ts")
    if me.is_me(user, _text(before, "bot_id")):
        return OwnDeleted(team=team, channel=channel, ts=ts, thread_ts=thread_ts)
    if (other := _not_a_person(before, team, me)) is not None:
        return other
    return Deleted(team=team, channel=channel, user=user, ts=ts, thread_ts=thread_ts)


def _action(body: Json) -> Payload:
    team = _team_of_interaction(body)
    actions = body.get("actions")
    first = actions[0] if isinstance(actions, list) and actions else None
    if not isinstance(first, Mapping):
        return Unsupported(team=team, kind="block_actions")
    container, message, view = _part(body, "container"), _part(body, "message"), _part(body, "view")
    return Action(
        team=team,
        channel=_text(_part(body, "channel"), "id") or _text(container, "channel_id"),
        user=_text(_part(body, "user"), "id"),
        action_id=_text(first, "action_id"),
        value=_text(first, "value") or _text(_part(first, "selected_option"), "value"),
        message_ts=_text(container, "message_ts") or _text(message, "ts"),
        thread_ts=_ts(container, "thread_ts") or _ts(message, "thread_ts"),
        response_url=_text(body, "response_url"),
        trigger_id=_text(body, "trigger_id"),
        user_team=_text(_part(body, "user"), "team_id"),
        ephemeral=container.get("is_ephemeral") is True,
        view_id=_text(view, "id"),
        view_hash=_text(view, "hash"),
        view_metadata=_text(view, "private_metadata"),
    )


def _view(body: Json, kind: str) -> Payload:
    team, user, view = _team_of_interaction(body), _text(_part(body, "user"), "id"), _part(body, "view")
    callback_id, metadata = _text(view, "callback_id"), _text(view, "private_metadata")
    if kind == "view_closed":
        return ViewClosed(team=team, user=user, callback_id=callback_id, private_metadata=metadata)
    return ViewSubmitted(
        team=team,
        user=user,
        callback_id=callback_id,
        private_metadata=metadata,
        view_id=_text(view, "id"),
        user_team=_text(_part(body, "user"), "team_id"),
        values=_part(_part(view, "state"), "values"),
        view=view,
    )


def _not_a_person(message: Json, team: str, me: Installation) -> Ignored | None:
    """Guards against loops: nothing that a program wrote starts anything."""
    user, bot_id = _text(message, "user"), _text(message, "bot_id")
    if me.is_me(user, bot_id):
        return Ignored(team=team, reason="own")
    if bot_id or user == _PLATFORM or _text(message, "subtype") == "bot_message":
        return Ignored(team=team, reason="bot")
    return None


def _team_of_event(body: Json) -> str:
    """The team this app is installed in, which in a shared channel is not always the author's.

    https://docs.slack.dev/apis/events-api#authorizations
    """
    authorizations = body.get("authorizations")
    first = authorizations[0] if isinstance(authorizations, list) and authorizations else None
    installed = _text(first, "team_id") if isinstance(first, Mapping) else ""
    return installed or _text(body, "context_team_id") or _text(body, "team_id")


def _team_of_interaction(body: Json) -> str:
    return (
        _text(_part(body, "view"), "app_installed_team_id")
        or _text(_part(body, "team"), "id")
        or _text(_part(body, "user"), "team_id")
        or _text(body, "team_id")
    )


def _channel_type(event: Json, channel: str) -> ChannelType:
    """``app_mention`` does not say; there it is never a direct message."""
    told = _text(event, "channel_type")
    if told in _CHANNEL_TYPES:
        return cast("ChannelType", told)
    return "im" if channel.startswith("D") else "channel"


def _mention_of(me: Installation) -> re.Pattern[str]:
    return re.compile(rf"[ \t]*<@{re.escape(me.bot_user)}(?:\|[^>]*)?>[ \t]*")


def _without_mention(raw: str, mine: re.Pattern[str]) -> str:
    opens = mine.match(raw.lstrip())
    text = mine.sub(" ", raw).strip()
    return _clean(_AFTER_MENTION.sub("", text) if opens else text)


def _clean(text: str) -> str:
    """Slack escapes three characters; JSON can hold half a surrogate pair, which no UTF-8 can.

    https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    for escaped, plain in _ESCAPES:
        text = text.replace(escaped, plain)
    return text.encode("utf-8", "replace").decode()


def _part(body: Json, key: str) -> Json:
    value = body.get(key)
    return value if isinstance(value, Mapping) else {}


def _text(body: Json, key: str) -> str:
    value = body.get(key)
    return value if isinstance(value, str) else ""


def _ts(body: Json, key: str) -> str | None:
    value = _text(body, key)
    return value if _TS.fullmatch(value) else None
