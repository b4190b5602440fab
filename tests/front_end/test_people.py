from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from front_end.slack_bodies import CAST
from front_end.stage import Stage

from bot.delivery.web_api import SingleToken, WebApi
from bot.people import Kind, People, read_kind
from bot.playground.faults import ErrorAnswer

TEAM = CAST.team


@pytest.fixture
async def people(stage: Stage) -> AsyncIterator[People]:
    token = SingleToken(stage.slack.config.bot_token)
    asked = People(WebApi(stage.session, token, base_url=stage.slack.api_url))
    yield asked
    await asked.close()


@pytest.mark.parametrize(
    ("user", "kind"),
    [
        (CAST.requester, Kind.MEMBER),
        (CAST.guest, Kind.GUEST),
        (CAST.stranger, Kind.STRANGER),
        (CAST.other_bot_user, Kind.BOT),
        (CAST.deleted, Kind.DEACTIVATED),
        ("U0NOBODY", None),
    ],
)
async def test_everybody_is_of_one_kind(people: People, user: str, kind: Kind | None) -> None:
    assert await people.kind(TEAM, user) is kind


def test_a_colleague_on_the_same_grid_is_no_stranger_and_a_single_channel_guest_is_a_guest() -> None:
    elsewhere = {"team_id": "T2", "enterprise_user": {"teams": ["T1", "T2"]}}
    assert read_kind(elsewhere, "T1") is Kind.MEMBER
    assert read_kind(elsewhere | {"enterprise_user": {"teams": ["T2"]}}, "T1") is Kind.STRANGER
    assert read_kind({"team_id": "T1", "is_ultra_restricted": True}, "T1") is Kind.GUEST


async def test_membership_is_asked_for_once_also_by_many_at_the_same_moment(
    stage: Stage, people: People
) -> None:
    many = await asyncio.gather(*(people.in_group(TEAM, CAST.ops_group, CAST.approver) for _ in range(20)))
    assert set(many) == {True}
    assert await people.in_group(TEAM, CAST.ops_group, CAST.requester) is False
    assert len(await stage.door.calls("usergroups.users.list")) == 1
    assert await people.in_channel(TEAM, CAST.private, CAST.requester) is True
    assert await people.in_channel(TEAM, CAST.private, CAST.guest) is False
    assert len(await stage.door.calls("conversations.members")) == 1


@pytest.mark.parametrize("method", ["users.info", "usergroups.users.list", "conversations.members"])
async def test_a_look_up_that_fails_is_no_answer_and_is_not_remembered(
    stage: Stage, people: People, method: str
) -> None:
    async def look() -> object:
        match method:
            case "users.info":
                return await people.kind(TEAM, CAST.approver)
            case "usergroups.users.list":
                return await people.in_group(TEAM, CAST.ops_group, CAST.approver)
            case _:
                return await people.in_channel(TEAM, CAST.ops, CAST.approver)

    await stage.door.fault(ErrorAnswer(error="internal_error", method=method))
    assert await look() is None
    assert await look() in (Kind.MEMBER, True)


async def test_a_caller_waits_no_longer_than_it_said_and_the_next_one_finds_the_answer() -> None:
    gate, asked = asyncio.Event(), 0

    async def users(_request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        await gate.wait()
        return web.json_response({"ok": True, "users": ["U1"]})

    app = web.Application()
    app.router.add_get("/usergroups.users.list", users)
    async with TestServer(app, host="127.0.0.1") as server:
        api = WebApi.open(SingleToken("xoxb-test"), base_url=str(server.make_url("/")))
        people = People(api)
        assert await people.in_group("T1", "S1", "U1", within=0.05) is None
        gate.set()
        assert await people.in_group("T1", "S1", "U1", within=2) is True
        assert asked == 1
        await people.close()
        await api.close()


async def test_an_answer_is_believed_for_minutes_and_a_denial_for_seconds(
    stage: Stage, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = CAST.ops_group
    assert await people.in_group(TEAM, group, CAST.approver) is True
    assert await people.in_group(TEAM, group, CAST.requester) is False
    await stage.door.change_group(group, [CAST.requester])
    assert await people.in_group(TEAM, group, CAST.requester) is False
    monkeypatch.setattr("bot.people.DOUBTED_AFTER", -1.0)
    assert await people.in_group(TEAM, group, CAST.requester) is True
    assert await people.in_group(TEAM, group, CAST.approver) is False
    assert await people.kind(TEAM, CAST.approver) is Kind.MEMBER
    await stage.door.change_user(CAST.approver, deleted=True)
    assert await people.kind(TEAM, CAST.approver) is Kind.MEMBER


@pytest.mark.parametrize(
    ("channel", "public"), [(CAST.general, True), (CAST.private, False), ("C0NOWHERE", False)]
)
async def test_a_channel_is_public_or_not(people: People, channel: str, public: bool) -> None:
    assert await people.is_public(TEAM, channel) is public


async def test_all_pages_of_a_channel_are_read_or_none_counts() -> None:
    pages = {"": (["U1"], "one"), "one": (["U2"], "two"), "two": (["U3"], "")}
    broken: set[str] = set()

    async def members(request: web.Request) -> web.Response:
        cursor = request.query.get("cursor", "")
        if cursor in broken:
            return web.json_response({"ok": False, "error": "fatal_error"})
        users, onward = pages[cursor]
        return web.json_response({"ok": True, "members": users, "response_metadata": {"next_cursor": onward}})

    app = web.Application()
    app.router.add_get("/conversations.members", members)
    async with TestServer(app, host="127.0.0.1") as server:
        api = WebApi.open(SingleToken("xoxb-test"), base_url=str(server.make_url("/")))
        people = People(api)
        broken.add("two")
        assert await people.in_channel("T1", "C1", "U1") is None
        broken.clear()
        assert [await people.in_channel("T1", "C1", user) for user in ("U1", "U3", "U4")] == [
            True,
            True,
            False,
        ]
        await people.close()
        await api.close()
