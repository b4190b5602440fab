from __future__ import annotations

from typing import Any, get_args

import pytest
from front_end.slack_bodies import CAST, action, command, event_body, mention, message
from hypothesis import given
from hypothesis import strategies as st

from bot.ingress.installation import Installation
from bot.ingress.normalise import normalise
from bot.ingress.payloads import (
    Action,
    Command,
    Edited,
    HomeOpened,
    Ignored,
    Interaction,
    Lifecycle,
    News,
    Post,
    Unsupported,
    ViewClosed,
    ViewSubmitted,
)

ME = Installation(
    team=CAST.team, team_name="Playground", bot_user=CAST.bot_user, bot_id=CAST.bot, token="xoxb-test"
)
BOT = f"<@{CAST.bot_user}>"
MEMBERS = (*get_args(Interaction), *get_args(News))

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = (
    "type", "event", "subtype", "channel", "user", "ts", "thread_ts", "text", "message", "previous_message",
    "authorizations", "team", "actions", "container", "view", "command", "bot_id", "state", "deleted_ts",
)  # fmt: skip
KINDS = ("event_callback", "block_actions", "view_submission", "view_closed", "message", "app_mention")


def post(event: dict[str, Any]) -> Post:
    found = normalise(event_body(event), ME)
    assert isinstance(found, Post), found
    return found


@given(st.dictionaries(st.sampled_from(FIELDS), json_values | st.sampled_from(KINDS), max_size=8))
def test_any_body_becomes_a_member_of_the_union(body: dict[str, Any]) -> None:
    for given_body in (body, {"type": "event_callback", "event": body}, body | {"type": "block_actions"}):
        assert isinstance(normalise(given_body, ME), MEMBERS)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (f"{BOT} restart it", "restart it"),
        (f"{BOT}: restart it", "restart it"),
        (f"{BOT}, restart it", "restart it"),
        (f"hey {BOT} restart it", "hey restart it"),
        (f"restart it {BOT}", "restart it"),
        (f"<@{CAST.bot_user}|harness> restart it", "restart it"),
        (f"{BOT}", ""),
        (f"{BOT} ask <@{CAST.approver}> too", f"ask <@{CAST.approver}> too"),
        (f"{BOT} if a &lt; b &amp;&amp; b &gt; c", "if a < b && b > c"),
        (f"{BOT} line one\nline two", "line one\nline two"),
        (f"{BOT} : not a prefix", "not a prefix"),
        (f"<@{CAST.bot_user}X> hello", f"<@{CAST.bot_user}X> hello"),
    ],
)
def test_the_bots_own_mention_is_taken_out_and_others_stay(raw: str, text: str) -> None:
    assert post(message(raw)).text == text


def test_a_message_with_the_mention_is_as_much_a_mention_as_the_mention_event() -> None:
    event = mention("go")
    twin = message(f"{BOT} go", ts=event["ts"])
    first, second = post(event), post(twin)
    assert (first.mentioned, first.text, first.conversation) == (
        second.mentioned,
        second.text,
        second.conversation,
    )


def test_the_conversation_is_the_root_also_for_a_reply() -> None:
    event = message("more", thread_ts="1700000000.000001")
    assert post(event).conversation == f"{CAST.general}:1700000000.000001"
    assert post(event).is_reply


@pytest.mark.parametrize(
    ("text", "for_others"),
    [
        (f"<@{CAST.approver}> what do you think", True),
        (f"  <@{CAST.approver}|amir> hm", True),
        (f"{BOT} and <@{CAST.approver}>", False),
        (f"I asked <@{CAST.approver}>", False),
    ],
)
def test_only_a_message_that_opens_with_somebody_elses_mention_is_for_them(
    text: str, *, for_others: bool
) -> None:
    assert post(message(text)).for_others is for_others


@pytest.mark.parametrize("subtype", ["file_share", "thread_broadcast", "me_message"])
def test_messages_of_people_with_a_subtype_count(subtype: str) -> None:
    assert post(message("hello", subtype=subtype)).text == "hello"


def test_the_installing_team_is_that_of_the_authorization_and_not_of_the_author() -> None:
    body = event_body(message("hello", team="T0AUTHOR")) | {
        "team_id": "T0AUTHOR",
        "context_team_id": "T0AUTHOR",
    }
    found = normalise(body, ME)
    assert found.team == CAST.team


def test_a_link_that_was_unfolded_is_no_edit() -> None:
    inner = {"user": CAST.requester, "text": "see https://example.com", "ts": "1.1"}
    event = {"type": "message", "subtype": "message_changed", "channel": CAST.general, "ts": "2.2"}
    same = event | {"message": inner | {"attachments": [{}]}, "previous_message": inner}
    changed = event | {"message": inner | {"text": "see nothing"}, "previous_message": inner}
    assert normalise(event_body(same), ME) == Ignored(team=CAST.team, reason="unchanged")
    assert isinstance(normalise(event_body(changed), ME), Edited)


def test_every_kind_of_interaction_is_told_apart() -> None:
    view = {"id": "V1", "callback_id": "c", "private_metadata": "m", "state": {"values": {"a": {}}}}
    modal = {"user": {"id": "U1"}, "team": {"id": CAST.team}, "view": view}
    assert isinstance(normalise(action("run:stop", "x"), ME), Action)
    assert isinstance(normalise(command("runs"), ME), Command)
    submitted = normalise(modal | {"type": "view_submission"}, ME)
    assert isinstance(submitted, ViewSubmitted)
    assert (submitted.callback_id, submitted.private_metadata, submitted.values) == ("c", "m", {"a": {}})
    assert isinstance(normalise(modal | {"type": "view_closed"}, ME), ViewClosed)


def test_where_an_organisation_installed_the_app_the_view_names_the_team() -> None:
    body = {
        "type": "view_submission",
        "team": None,
        "user": {"id": "U1", "team_id": "T0OTHER"},
        "view": {"id": "V1", "app_installed_team_id": CAST.team},
    }
    assert normalise(body, ME).team == CAST.team


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"type": "app_uninstalled"}, Lifecycle(team=CAST.team, kind="app_uninstalled")),
        ({"type": "tokens_revoked", "tokens": {}}, Lifecycle(team=CAST.team, kind="tokens_revoked")),
        (
            {"type": "app_home_opened", "user": "U1", "tab": "home"},
            HomeOpened(team=CAST.team, user="U1", tab="home"),
        ),
        ({"type": "emoji_changed"}, Unsupported(team=CAST.team, kind="emoji_changed")),
        ({"type": "message", "channel": "C1", "text": "x"}, Unsupported(team=CAST.team, kind="message")),
    ],
)
def test_other_events_keep_their_names(event: dict[str, Any], expected: object) -> None:
    assert normalise(event_body(event), ME) == expected
