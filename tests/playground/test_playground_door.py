"""The door itself: waiting, refusing, resetting, changing people."""

import asyncio

import aiohttp
import pytest
from playground.listening_bot import ListeningBot
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Cast, Door, DoorRefused, Playground
from bot.playground.faults import Pause


async def test_waiting_ends_with_the_message_it_waited_for(
    client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    root = await door.post(cast.ops, "root")
    waiting = asyncio.create_task(
        door.wait_for_message(cast.ops, lambda message: message.text == "late", thread_ts=root.ts)
    )
    await client.chat_postMessage(channel=cast.ops, text="early", thread_ts=root.ts)
    late = await client.chat_postMessage(channel=cast.ops, text="late", thread_ts=root.ts)
    assert (await waiting).ts == late["ts"]


async def test_waiting_in_vain_says_for_what_and_what_happened_instead(
    client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    await client.chat_postMessage(channel=cast.ops, text="something else")
    with pytest.raises(TimeoutError, match=r"the final text.*something else"):
        await door.wait_for_message(cast.ops, lambda _: False, within=0.1, what="the final text")


async def test_a_message_counts_its_edits(client: AsyncWebClient, door: Door, cast: Cast) -> None:
    post = await client.chat_postMessage(channel=cast.ops, text="a")
    for text in ("b", "c"):
        await client.chat_update(channel=cast.ops, ts=post["ts"], text=text)
    found = await door.message(cast.ops, post["ts"])
    assert found is not None
    assert (found.text, found.revision) == ("c", 2)


async def test_people_and_groups_change_under_the_bots_eyes(
    client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    await door.change_user(cast.approver, deleted=True)
    await door.change_group(cast.ops_group, [cast.admin])
    assert (await client.users_info(user=cast.approver))["user"]["deleted"]
    assert (await client.usergroups_users_list(usergroup=cast.ops_group))["users"] == [cast.admin]
    with pytest.raises(DoorRefused, match="deactivated"):
        await door.post(cast.ops, "still here", user=cast.approver)


async def test_an_archived_channel_takes_no_posts(client: AsyncWebClient, door: Door, cast: Cast) -> None:
    await door.archive(cast.ops)
    with pytest.raises(DoorRefused, match="archived"):
        await door.post(cast.ops, "hello")
    answer = await client.api_call("conversations.list", json={"exclude_archived": True})
    assert cast.ops not in {channel["id"] for channel in answer["channels"]}


async def test_only_the_author_edits_and_an_admin_may_delete(door: Door, cast: Cast) -> None:
    said = await door.post(cast.ops, "mine")
    with pytest.raises(DoorRefused, match="did not write"):
        await door.edit(cast.ops, said.ts, "yours", user=cast.approver)
    with pytest.raises(DoorRefused, match="did not write"):
        await door.delete(cast.ops, said.ts, user=cast.approver)
    await door.delete(cast.ops, said.ts, user=cast.admin)
    assert await door.messages(cast.ops) == []


async def test_a_reset_leaves_the_seed_and_nothing_under_way(
    bot: ListeningBot, client: AsyncWebClient, door: Door, cast: Cast
) -> None:
    await door.fault(Pause())
    await client.chat_postMessage(channel=cast.ops, text="gone soon")
    await door.leave(cast.ops, cast.guest)
    await door.reset()
    assert await door.messages() == []
    assert await door.calls() == []
    assert await door.faults() == []
    ops = next(channel for channel in await door.channels() if channel.id == cast.ops)
    assert cast.guest in ops.members

    async def idle() -> bool:
        return (await door.link()).under_way == 0

    await door.wait_for(idle)
    assert bot.heard == []


async def test_the_door_names_the_verbs_and_nouns_it_knows(
    playground: Playground, session: aiohttp.ClientSession
) -> None:
    async with session.post(f"{playground.door_url}/dance", json={}) as answer:
        assert answer.status == 400
        assert "it knows: post, edit" in (await answer.json())["error"]
    async with session.get(f"{playground.door_url}/secrets") as answer:
        assert answer.status == 400
        assert "it shows: beat, messages" in (await answer.json())["error"]
    async with session.get(f"{playground.door_url}/calls?newer_than=now") as answer:
        assert answer.status == 400
    async with session.post(f"{playground.door_url}/post", json={"text": 1}) as answer:
        assert answer.status == 400
        assert "channel" in (await answer.json())["error"]
