"""The page: what it serves, what it streams, and whom it does not answer."""

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

import bot.playground.page
from bot.playground import Cast, Door, Playground, PlaygroundConfig, start_playground


async def test_the_page_is_served_under_a_strict_policy(
    playground: Playground, session: aiohttp.ClientSession
) -> None:
    async with session.get(playground.page_url) as answer:
        page, policy = await answer.text(), answer.headers["Content-Security-Policy"]
    assert "Rosa Requester" in page
    assert "Dana Departed" not in page
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script>" not in page
    assert " style=" not in page
    assert " onclick=" not in page
    for asset in ("page.js", "page.css"):
        async with session.get(f"{playground.page_url}static/{asset}") as answer:
            assert answer.status == 200
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_script_writes_markup_only_where_the_server_rendered_markdown() -> None:
    script = (Path(bot.playground.page.__file__).parent / "static" / "page.js").read_text()
    assert script.count("innerHTML") == 1
    assert "node.innerHTML = part.html" in script
    assert "eval(" not in script
    assert "insertAdjacentHTML" not in script


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
        "door/messages",
        "static/page.js",
        "api/auth.test",
    ):
        async with session.get(playground.page_url + path, headers=headers) as answer:
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
        async with session.get(f"{playground.page_url}page/state", params={"user": user}) as answer:
            state = await answer.json()
        return [message["blocks"][0]["text"] for message in state["messages"]]

    assert await texts(cast.guest) == ["just you"]
    assert await texts(cast.requester) == ["secret"]


async def test_markdown_is_rendered_without_raw_html_or_images(
    playground: Playground, session: aiohttp.ClientSession, client: AsyncWebClient, cast: Cast
) -> None:
    text = "**bold** <script>alert(1)</script> ![x](https://evil.example/i.png) [x](javascript:alert(1)) <@U0REQUESTER>"
    await client.chat_postMessage(channel=cast.ops, text="t", blocks=[{"type": "markdown", "text": text}])
    async with session.get(f"{playground.page_url}page/state", params={"user": cast.requester}) as answer:
        (part,) = (await answer.json())["messages"][0]["blocks"]
    assert part["kind"] == "html"
    assert "<strong>bold</strong>" in part["html"]
    assert "&lt;script&gt;" in part["html"]
    assert "<img" not in part["html"]
    assert 'href="javascript' not in part["html"]
    assert "@rosa" in part["html"]


async def events(stream: aiohttp.ClientResponse, count: int) -> list[tuple[int, dict[str, Any]]]:
    found: list[tuple[int, dict[str, Any]]] = []
    number = 0
    async for raw in stream.content:
        line = raw.decode().strip()
        if line.startswith("id: "):
            number = int(line[4:])
        if line.startswith("data: "):
            found.append((number, json.loads(line[6:])))
        if len(found) == count:
            return found
    raise AssertionError(f"the stream ended after {len(found)} events")


async def test_the_stream_tells_of_posts_edits_and_deletions_and_goes_on_where_it_stopped(
    playground: Playground, session: aiohttp.ClientSession, client: AsyncWebClient, cast: Cast
) -> None:
    url = f"{playground.page_url}page/stream?user={cast.requester}&after=0"
    async with session.get(url) as stream:
        post = await client.chat_postMessage(channel=cast.ops, text="a")
        await client.chat_postEphemeral(channel=cast.ops, user=cast.admin, text="not for you")
        await client.chat_update(channel=cast.ops, ts=post["ts"], text="b")
        seen = await events(stream, 2)
    assert [event["message"]["blocks"][0]["text"] for _, event in seen] == ["a", "b"]
    await client.chat_delete(channel=cast.ops, ts=post["ts"])
    async with session.get(url, headers={"Last-Event-ID": str(seen[-1][0])}) as stream:
        ((_, missed),) = await events(stream, 1)
    assert missed == {"kind": "gone", "channel": cast.ops, "ts": post["ts"]}


async def test_buttons_selects_and_inputs_are_drawn_as_data(
    playground: Playground, session: aiohttp.ClientSession, client: AsyncWebClient, cast: Cast
) -> None:
    plain = {"type": "plain_text", "text": "Stop"}
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": plain},
        {"type": "section", "text": {"type": "mrkdwn", "text": "<@U0APPROVER> &lt;b&gt; <https://example.com|here>"}},
        {"type": "actions", "block_id": "row", "elements": [{"type": "button", "action_id": "stop", "text": plain}]},
        {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "{}"}]}]},
    ]  # fmt: skip
    await client.chat_postMessage(channel=cast.ops, text="t", blocks=blocks)
    async with session.get(f"{playground.page_url}page/state", params={"user": cast.requester}) as answer:
        header, section, actions, code = (await answer.json())["messages"][0]["blocks"]
    assert header == {"kind": "header", "text": "Stop"}
    assert section["text"] == "@amir <b> here (https://example.com)"
    assert (
        actions["elements"][0] | {"label": "Stop", "action_id": "stop", "block_id": "row"}
        == actions["elements"][0]
    )
    assert code == {"kind": "code", "text": "{}"}
