"""The Web API as Slack's own client and plain HTTP meet it."""

import json
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Cast, Door, Playground

MARK = {"event_type": "run_part", "event_payload": {"nonce": "n-1"}}


async def refusal(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_auth_test_names_the_bot_and_its_team(client: AsyncWebClient, cast: Cast) -> None:
    answer = await client.auth_test()
    assert (answer["user_id"], answer["bot_id"], answer["team_id"]) == (cast.bot_user, cast.bot, cast.team)
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


@pytest.mark.parametrize("encoding", ["query", "form", "json", "multipart", "token-in-body"])
async def test_every_encoding_of_a_call_is_understood(
    playground: Playground, session: aiohttp.ClientSession, cast: Cast, encoding: str
) -> None:
    url, token = f"{playground.api_url}chat.postMessage", playground.config.bot_token
    headers = {"Authorization": f"Bearer {token}"}
    blocks = [{"type": "divider"}]
    fields = {"channel": cast.ops, "text": "hello", "blocks": json.dumps(blocks)}
    match encoding:
        case "query":
            request = session.get(url, params=fields, headers=headers)
        case "form":
            request = session.post(url, data=fields, headers=headers)
        case "json":
            request = session.post(url, json=fields | {"blocks": blocks}, headers=headers)
        case "multipart":
            form = aiohttp.FormData(fields, default_to_multipart=True)
            request = session.post(url, data=form, headers=headers)
        case _:
            request = session.post(url, data=fields | {"token": token})
    async with request as answer:
        body = await answer.json()
    assert body["ok"], body
    assert body["message"]["text"] == "hello"
    assert body["message"]["blocks"][0]["type"] == "divider"


@pytest.mark.parametrize(
    ("method", "token", "error"),
    [
        ("auth.test", None, "not_authed"),
        ("auth.test", "xoxb-wrong", "invalid_auth"),
        ("chat.shout", "xoxb-playground", "unknown_method"),
        ("auth.test", "xapp-playground", "not_allowed_token_type"),
        ("apps.connections.open", "xoxb-playground", "not_allowed_token_type"),
    ],
)
async def test_a_wrong_token_or_method_is_named(
    playground: Playground, session: aiohttp.ClientSession, method: str, token: str | None, error: str
) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with session.post(playground.api_url + method, headers=headers) as answer:
        assert (answer.status, await answer.json()) == (200, {"ok": False, "error": error})


@pytest.mark.parametrize(
    ("method", "args", "error"),
    [
        ("chat.postMessage", {"text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "C0OUTSIDE", "text": "x"}, "not_in_channel"),
        ("chat.postMessage", {"channel": "C0OPS"}, "no_text"),
        ("chat.postMessage", {"channel": "C0OPS", "text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
        ("chat.postMessage", {"channel": "C0OPS", "text": "x", "metadata": {"event_type": 1}}, "invalid_metadata_schema"),
        ("chat.postMessage", {"channel": "C0OPS", "text": "x", "blocks": "[{"}, "invalid_blocks_format"),
        ("chat.postMessage", {"channel": "C0OPS", "text": "x", "markdown_text": "y"}, "markdown_text_conflict"),
        ("chat.postMessage", {"channel": "U0DELETED", "text": "x"}, "user_disabled"),
        ("chat.update", {"channel": "C0OPS", "ts": "1.000001", "text": "x"}, "message_not_found"),
        ("chat.delete", {"channel": "C0OPS", "ts": "1.000001"}, "message_not_found"),
        ("chat.postEphemeral", {"channel": "C0PRIVATE", "user": "U0GUEST", "text": "x"}, "user_not_in_channel"),
        ("chat.postEphemeral", {"channel": "C0OPS", "text": "x"}, "invalid_arguments"),
        ("conversations.replies", {"channel": "C0OPS", "ts": "1.000001"}, "thread_not_found"),
        ("conversations.history", {"channel": "C0OUTSIDE"}, "not_in_channel"),
        ("conversations.history", {"channel": "C0OPS", "cursor": "%%%"}, "invalid_cursor"),
        ("conversations.join", {"channel": "C0PRIVATE"}, "method_not_supported_for_channel_type"),
        ("conversations.open", {"users": "U0OTHERBOT"}, "cannot_dm_bot"),
        ("users.info", {"user": "U0NOBODY"}, "user_not_found"),
        ("usergroups.users.list", {"usergroup": "S0NONE"}, "no_such_subteam"),
        ("reactions.add", {"channel": "C0OPS", "timestamp": "1.0", "name": "eyes"}, "message_not_found"),
        ("assistant.threads.setStatus", {"channel_id": "C0OPS", "thread_ts": "1.0", "status": "x"}, "invalid_thread_ts"),
    ],
)  # fmt: skip
async def test_a_bad_argument_gets_the_platforms_own_error(
    client: AsyncWebClient, method: str, args: dict[str, Any], error: str
) -> None:
    assert await refusal(client.api_call(method, json=args)) == error


async def test_metadata_of_a_post_is_read_back_only_when_asked_for(
    client: AsyncWebClient, cast: Cast
) -> None:
    root = await client.chat_postMessage(channel=cast.ops, text="root")
    await client.chat_postMessage(channel=cast.ops, text="part", thread_ts=root["ts"], metadata=MARK)
    with_it = await client.conversations_replies(channel=cast.ops, ts=root["ts"], include_all_metadata=True)
    without = await client.conversations_replies(channel=cast.ops, ts=root["ts"])
    assert [message.get("metadata") for message in with_it["messages"]] == [None, MARK]
    assert all("metadata" not in message for message in without["messages"])
    assert with_it["messages"][0]["reply_count"] == 1


async def test_a_long_thread_is_read_page_by_page(client: AsyncWebClient, cast: Cast) -> None:
    root = await client.chat_postMessage(channel=cast.ops, text="root")
    for number in range(5):
        await client.chat_postMessage(channel=cast.ops, text=str(number), thread_ts=root["ts"])
    pages, cursor = [], None
    while cursor != "":
        answer = await client.conversations_replies(channel=cast.ops, ts=root["ts"], limit=2, cursor=cursor)
        pages.append([message["text"] for message in answer["messages"]])
        cursor = answer["response_metadata"]["next_cursor"] if answer["has_more"] else ""
    assert pages == [["root", "0", "1"], ["root", "2", "3"], ["root", "4"]]


async def test_history_is_newest_first_and_leaves_replies_out(client: AsyncWebClient, cast: Cast) -> None:
    first = await client.chat_postMessage(channel=cast.ops, text="first")
    await client.chat_postMessage(channel=cast.ops, text="reply", thread_ts=first["ts"])
    second = await client.chat_postMessage(channel=cast.ops, text="second")
    answer = await client.conversations_history(channel=cast.ops)
    assert [message["text"] for message in answer["messages"]] == ["second", "first"]
    since = await client.conversations_history(channel=cast.ops, oldest=first["ts"])
    assert [message["ts"] for message in since["messages"]] == [second["ts"]]


async def test_text_alone_removes_blocks_and_marks_the_message_edited(
    client: AsyncWebClient, cast: Cast
) -> None:
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "b"}}]
    post = await client.chat_postMessage(channel=cast.ops, text="a", blocks=blocks, metadata=MARK)
    with_blocks = await client.chat_update(channel=cast.ops, ts=post["ts"], text="b", blocks=blocks)
    assert "edited" not in with_blocks["message"]
    text_only = await client.chat_update(channel=cast.ops, ts=post["ts"], text="c")
    assert "blocks" not in text_only["message"]
    assert text_only["message"]["edited"]["user"] == cast.bot_user
    assert text_only["message"]["metadata"] == MARK
    bare = await client.chat_update(channel=cast.ops, ts=post["ts"], text="d", metadata={})
    assert "metadata" not in bare["message"]


async def test_update_refuses_long_text_no_text_and_other_peoples_messages(
    client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    post = await client.chat_postMessage(channel=cast.ops, text="a")
    said = await door.post(cast.ops, "mine")
    assert (
        await refusal(client.chat_update(channel=cast.ops, ts=post["ts"], text="x" * 4001)) == "msg_too_long"
    )
    assert (
        await refusal(client.api_call("chat.update", json={"channel": cast.ops, "ts": post["ts"]}))
        == "no_text"
    )
    assert await refusal(client.chat_update(channel=cast.ops, ts=said.ts, text="b")) == "cant_update_message"
    assert await refusal(client.chat_delete(channel=cast.ops, ts=said.ts)) == "cant_delete_message"


async def test_a_post_of_more_than_forty_thousand_characters_is_cut_with_a_warning(
    client: AsyncWebClient, cast: Cast
) -> None:
    answer = await client.chat_postMessage(channel=cast.ops, text="x" * 40_001)
    assert answer["warning"] == "message_truncated"
    assert len(answer["message"]["text"]) == 40_000


async def test_a_reply_to_a_reply_is_refused(client: AsyncWebClient, cast: Cast) -> None:
    root = await client.chat_postMessage(channel=cast.ops, text="root")
    reply = await client.chat_postMessage(channel=cast.ops, text="reply", thread_ts=root["ts"])
    call = client.chat_postMessage(channel=cast.ops, text="x", thread_ts=reply["ts"])
    assert await refusal(call) == "cannot_reply_to_message"


async def test_people_channels_and_groups_are_seen_as_the_bot_may_see_them(
    client: AsyncWebClient, cast: Cast
) -> None:
    guest = (await client.users_info(user=cast.guest))["user"]
    stranger = (await client.users_info(user=cast.stranger))["user"]
    assert guest["is_restricted"]
    assert (stranger["team_id"], stranger["is_stranger"]) == (cast.other_team, True)
    assert (await client.users_info(user=cast.deleted))["user"]["deleted"]
    assert (await client.users_info(user=cast.admin))["user"]["is_admin"]
    every = await client.conversations_list(types="public_channel,private_channel")
    assert {c["id"] for c in every["channels"]} == {cast.general, cast.ops, cast.private, cast.outside}
    assert (await client.conversations_info(channel=cast.ops))["channel"]["is_ext_shared"]
    assert cast.approver in (await client.conversations_members(channel=cast.ops))["members"]
    group = await client.usergroups_users_list(usergroup=cast.ops_group)
    assert group["users"] == [cast.approver, cast.admin]
    listed = await client.usergroups_list(include_users=True)
    assert listed["usergroups"][0]["handle"] == "ops"


async def test_the_bot_joins_a_public_channel_and_opens_a_direct_message(
    client: AsyncWebClient, cast: Cast
) -> None:
    assert (await client.conversations_join(channel=cast.outside))["channel"]["is_member"]
    assert (await client.chat_postMessage(channel=cast.outside, text="here"))["ok"]
    opened = await client.conversations_open(users=cast.requester)
    again = await client.conversations_open(users=cast.requester)
    assert not opened["already_open"]
    assert again["already_open"]
    direct = await client.chat_postMessage(channel=cast.requester, text="hello")
    assert direct["channel"] == opened["channel"]["id"] == again["channel"]["id"]


async def test_reactions_permalinks_and_small_reads(client: AsyncWebClient, cast: Cast) -> None:
    post = await client.chat_postMessage(channel=cast.ops, text="a")
    await client.reactions_add(channel=cast.ops, timestamp=post["ts"], name="eyes")
    assert (
        await refusal(client.reactions_add(channel=cast.ops, timestamp=post["ts"], name="eyes"))
        == "already_reacted"
    )
    await client.reactions_remove(channel=cast.ops, timestamp=post["ts"], name="eyes")
    assert (
        await refusal(client.reactions_remove(channel=cast.ops, timestamp=post["ts"], name="eyes"))
        == "no_reaction"
    )
    link = await client.chat_getPermalink(channel=cast.ops, message_ts=post["ts"])
    assert link["permalink"].endswith(f"/archives/{cast.ops}/p{post['ts'].replace('.', '')}")
    assert (await client.bots_info(bot=cast.bot))["bot"]["user_id"] == cast.bot_user
    assert (await client.team_info())["team"]["id"] == cast.team


async def test_a_file_goes_up_in_three_steps_and_comes_back_with_the_token(
    playground: Playground, client: AsyncWebClient, door: Door, session: aiohttp.ClientSession, cast: Cast
) -> None:
    root = await client.chat_postMessage(channel=cast.ops, text="root")
    done = await client.files_upload_v2(
        content="the whole answer",
        filename="answer.txt",
        channel=cast.ops,
        thread_ts=root["ts"],
        initial_comment="All of it",
    )
    shared = (await door.messages(cast.ops, thread_ts=root["ts"]))[-1]
    assert (shared.text, shared.files[0].name, shared.subtype) == ("All of it", "answer.txt", "file_share")
    url = done["file"]["url_private"]
    async with session.get(url) as refused:
        assert refused.status == 403
    async with session.get(url, headers={"Authorization": f"Bearer {playground.config.bot_token}"}) as answer:
        assert await answer.text() == "the whole answer"
        assert answer.headers["Content-Disposition"] == "attachment"


async def test_a_status_is_shown_until_the_bot_posts_in_the_thread(
    client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    said = await door.post(cast.ops, f"<@{cast.bot_user}> hello")
    await client.assistant_threads_setStatus(channel_id=cast.ops, thread_ts=said.ts, status="is reading")
    assert [status.status for status in await door.statuses()] == ["is reading"]
    await client.chat_postMessage(channel=cast.ops, thread_ts=said.ts, text="answer")
    assert [status.status for status in await door.statuses()] == [""]


async def test_every_call_is_in_the_log_without_its_token(
    client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    await client.chat_postMessage(channel=cast.ops, text="a", metadata=MARK)
    await refusal(client.api_call("chat.postMessage", json={"channel": cast.ops}))
    posts = await door.calls("chat.postMessage")
    assert [(call.ok, call.error, call.status) for call in posts] == [
        (True, None, 200),
        (False, "no_text", 200),
    ]
    assert posts[0].args == {"channel": cast.ops, "text": "a", "metadata": MARK}
    assert posts[0].answer["ts"]
    assert "token" not in posts[0].args
