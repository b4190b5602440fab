"""The page over HTTP: what it serves, what it streams, what it draws, and whom it does not answer."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playground.conftest import QUICK, Start
from playground.listening_bot import ListeningBot
from slack_sdk.web.async_client import AsyncWebClient

import bot.playground.page
from bot.playground import Cast, Door, Playground, PlaygroundConfig, start_playground

Json = dict[str, Any]
STATIC = Path(bot.playground.page.__file__).parent / "static"


async def state_of(playground: Playground, session: aiohttp.ClientSession, user: str) -> Json:
    async with session.get(f"{playground.page_url}page/state", params={"user": user}) as answer:
        assert answer.status == 200
        return dict(await answer.json())


async def test_the_page_is_served_under_a_strict_policy(
    playground: Playground, session: aiohttp.ClientSession
) -> None:
    async with session.get(playground.page_url) as answer:
        page, policy = await answer.text(), answer.headers["Content-Security-Policy"]
    assert "Rosa Requester" in page
    assert "Gus Guest" not in page
    assert "default-src 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert "<script>" not in page
    assert " style=" not in page
    assert not re.search(r"\son\w+=", page)
    assets = re.findall(r'"/static/([\w.]+)"', page)
    assert len(assets) > 4
    for asset in assets:
        async with session.get(f"{playground.page_url}static/{asset}") as answer:
            assert answer.status == 200, asset
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] == "no-cache"


def test_the_scripts_write_markup_only_where_the_server_rendered_markdown() -> None:
    scripts = {path.name: path.read_text(encoding="utf-8") for path in STATIC.glob("*.js")}
    assert len(scripts) > 8
    writers = {
        name for name, script in scripts.items() if re.search(r"innerHTML|outerHTML|createHTML", script)
    }
    assert writers == {"dom.js"}
    assert scripts["dom.js"].count("innerHTML") == 1
    forbidden = re.compile(
        r"\beval\(|insertAdjacentHTML|document\.write|new Function|\.style\.|setAttribute\(\"on"
    )
    assert [name for name, script in scripts.items() if forbidden.search(script)] == []
    callers = {name for name, script in scripts.items() if "patchMarkup(" in script and name != "dom.js"}
    assert callers == {"parts.js"}


def test_the_scripts_know_each_other_in_one_direction() -> None:
    """A module that is imported by another never imports it, however far around."""
    imports = {
        path.name: set(re.findall(r'from "\./([\w.]+)"', path.read_text(encoding="utf-8")))
        for path in STATIC.glob("*.js")
    }

    def reached(name: str, seen: frozenset[str]) -> set[str]:
        assert name not in seen, f"a circle through {name}"
        return set().union(*(reached(each, seen | {name}) | {each} for each in imports[name]))

    assert reached("main.js", frozenset()) == set(imports) - {"main.js"}, "and none lies around unused"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_foreign_hosts_and_origins_are_refused(
    playground: Playground, session: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    for path in (
        "",
        "page/state?user=U0REQUESTER",
        "page/stream",
        "page/files/F0",
        "door/messages",
        "static/main.js",
        "api/auth.test",
    ):
        async with session.get(playground.page_url + path, headers=headers) as answer:
            assert answer.status == 403, path
    for path in ("page/fault", "page/guide"):
        async with session.post(playground.page_url + path, json={"to": "next"}, headers=headers) as answer:
            assert answer.status == 403, path


async def test_another_loopback_origin_cannot_act(
    playground: Playground, session: aiohttp.ClientSession, door: Door, cast: Cast
) -> None:
    body = {"channel": cast.ops, "text": "forged"}
    async with session.post(
        f"{playground.door_url}/post", json=body, headers={"Origin": "http://localhost:9"}
    ) as answer:
        assert answer.status == 403
    assert await door.messages() == []
    own = playground.page_url.rstrip("/")
    async with session.post(f"{playground.door_url}/post", json=body, headers={"Origin": own}) as answer:
        assert answer.status == 200


async def test_an_address_that_others_could_reach_is_refused() -> None:
    with pytest.raises(ValueError, match="loopback only"):
        await start_playground(PlaygroundConfig(host="0.0.0.0"))


async def test_the_state_shows_each_person_what_they_may_see(
    playground: Playground, session: aiohttp.ClientSession, client: AsyncWebClient, cast: Cast
) -> None:
    await client.chat_postMessage(channel=cast.private, text="secret")
    await client.chat_postEphemeral(channel=cast.ops, user=cast.guest, text="just you")

    async def texts(user: str) -> list[str]:
        state = await state_of(playground, session, user)
        return [message["parts"][0]["spans"][0]["text"] for message in state["messages"]]

    assert await texts(cast.guest) == ["just you"]
    assert await texts(cast.requester) == ["secret"]


async def test_markdown_is_rendered_without_raw_html_or_images(
    playground: Playground, session: aiohttp.ClientSession, client: AsyncWebClient, cast: Cast
) -> None:
    text = "**bold** <script>alert(1)</script> ![x](https://evil.example/i.png) [x](javascript:alert(1)) <@U0REQUESTER>"
    await client.chat_postMessage(channel=cast.ops, text="t", blocks=[{"type": "markdown", "text": text}])
    (part,) = (await state_of(playground, session, cast.requester))["messages"][0]["parts"]
    assert part["kind"] == "html"
    assert "<strong>bold</strong>" in part["html"]
    assert "&lt;script&gt;" in part["html"]
    assert "<img" not in part["html"]
    assert 'href="javascript' not in part["html"]
    assert "@rosa" in part["html"]


async def events(stream: aiohttp.ClientResponse, count: int, *kinds: str) -> list[tuple[int, Json]]:
    """The next `count` events of these kinds."""
    found: list[tuple[int, Json]] = []
    number = 0
    async for raw in stream.content:
        line = raw.decode().strip()
        if line.startswith("id: "):
            number = int(line[4:])
        if line.startswith("data: ") and (event := json.loads(line[6:]))["kind"] in kinds:
            found.append((number, event))
        if len(found) == count:
            return found
    raise AssertionError(f"the stream ended after {len(found)} events")


def text_of(event: Json) -> str:
    return str(event["message"]["parts"][0]["spans"][0]["text"])


async def test_the_stream_tells_of_posts_edits_and_deletions_and_goes_on_where_it_stopped(
    playground: Playground, session: aiohttp.ClientSession, client: AsyncWebClient, cast: Cast
) -> None:
    url = f"{playground.page_url}page/stream?user={cast.requester}&after=0"
    async with session.get(url) as stream:
        post = await client.chat_postMessage(channel=cast.ops, text="a")
        ((_, posted),) = await events(stream, 1, "message", "gone")
        await client.chat_postEphemeral(channel=cast.ops, user=cast.admin, text="not for you")
        await client.chat_update(channel=cast.ops, ts=post["ts"], text="b")
        ((number, edited),) = await events(stream, 1, "message", "gone")
    assert [text_of(posted), text_of(edited)] == ["a", "b"]
    await client.chat_delete(channel=cast.ops, ts=post["ts"])
    async with session.get(url, headers={"Last-Event-ID": str(number)}) as stream:
        ((_, missed),) = await events(stream, 1, "message", "gone")
    assert missed == {"kind": "gone", "channel": cast.ops, "ts": post["ts"]}


async def test_a_reader_who_was_away_is_given_the_newest_state_and_not_every_edit(
    playground: Playground, session: aiohttp.ClientSession, client: AsyncWebClient, cast: Cast
) -> None:
    post = await client.chat_postMessage(channel=cast.ops, text="0")
    for number in range(1, 30):
        await client.chat_update(channel=cast.ops, ts=post["ts"], text=str(number))
    later = await client.chat_postMessage(channel=cast.ops, text="later")
    url = f"{playground.page_url}page/stream?user={cast.requester}&after=0"
    async with session.get(url) as stream:
        seen = await events(stream, 2, "message")
    assert [(event["message"]["ts"], text_of(event)) for _, event in seen] == [
        (post["ts"], "29"),
        (later["ts"], "later"),
    ]


@pytest.mark.parametrize("asked", ["999999", "nonsense"])
async def test_a_stream_from_a_place_that_never_was_begins_with_what_is_new_or_asks_to_load_again(
    playground: Playground, session: aiohttp.ClientSession, client: AsyncWebClient, cast: Cast, asked: str
) -> None:
    url = f"{playground.page_url}page/stream?user={cast.requester}"
    async with session.get(url, headers={"Last-Event-ID": asked}) as stream:
        await client.chat_postMessage(channel=cast.ops, text="new")
        ((_, event),) = await events(stream, 1, "reload", "message")
    assert event["kind"] == ("reload" if asked.isdecimal() else "message")


async def test_a_file_is_given_as_bytes_to_those_who_see_a_channel_it_is_in(
    playground: Playground, session: aiohttp.ClientSession, client: AsyncWebClient, cast: Cast
) -> None:
    await client.files_upload_v2(channel=cast.private, filename="r é.html", content="<script>1</script>")
    state = await state_of(playground, session, cast.requester)
    (file,) = state["messages"][0]["files"]
    assert (file["name"], file["size"], file["preview"]) == ("r é.html", 18, "<script>1</script>")
    url = f"{playground.base_url}{file['url']}"
    async with session.get(url, params={"user": cast.requester}) as answer:
        assert await answer.read() == b"<script>1</script>"
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''r%20%C3%A9.html"
    async with session.get(url, params={"user": cast.guest}) as answer:
        assert answer.status == 403
    async with session.get(f"{playground.page_url}page/files/F0NONE") as answer:
        assert answer.status == 404


@pytest.mark.parametrize(
    ("path", "body", "refusal"),
    [
        ("fault", {"fault": "meteor", "user": "U0ADMIN", "channel": "C0OPS"}, (400, "kill-bot")),
        ("fault", {"fault": "kill-bot", "user": "U0ADMIN", "channel": "C0OPS"}, (409, "Only `make run`")),
        ("fault", {"fault": "kill-tool", "user": "U0ADMIN", "channel": "C0OPS"}, (409, "Only `make run`")),
        ("guide", {"to": "the moon"}, (400, "next")),
        ("guide", {}, (400, "to")),
    ],
)
async def test_what_cannot_be_pressed_is_said(
    playground: Playground,
    session: aiohttp.ClientSession,
    path: str,
    body: Json,
    refusal: tuple[int, str],
) -> None:
    async with session.post(f"{playground.page_url}page/{path}", json=body) as answer:
        assert answer.status == refusal[0]
        assert refusal[1] in (await answer.json())["error"]


async def test_the_commands_of_the_configuration_are_offered_with_their_verbs(
    start: Start, bot: ListeningBot, session: aiohttp.ClientSession
) -> None:
    running, _ = await start(replace(QUICK, bot_url=bot.url))
    async with session.get(running.page_url) as answer:
        page = await answer.text()
    assert "show RUN" in page
    assert "List, show and cancel runs" in page
