"""Pages of other origins on the same machine, in a real browser: they can neither read nor press anything."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from browser.conftest import context_of
from browser.desk import CAST, Desk
from playwright.async_api import Browser, expect
from waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="module")

# What a page may try against another origin. Each attempt tells what it got.
ATTEMPTS = """
async (target) => {
    const got = {};
    const attempt = async (name, what) => {
        try { got[name] = await what(); } catch (error) { got[name] = `refused: ${error.name}`; }
    };
    const body = JSON.stringify({ channel: "C0OPS", text: "forged" });
    await attempt("read the state", async () => (await fetch(`${target}page/state?user=U0REQUESTER`)).text());
    await attempt("read it blindly", async () => (await fetch(`${target}page/state?user=U0REQUESTER`, { mode: "no-cors" })).text());
    await attempt("post as JSON", async () => (await fetch(`${target}door/post`, { method: "POST", headers: { "Content-Type": "application/json" }, body })).status);
    await attempt("post as text", async () => (await fetch(`${target}door/post`, { method: "POST", mode: "no-cors", body })).type);
    await attempt("press a fault", async () => (await fetch(`${target}page/fault`, { method: "POST", mode: "no-cors", body: JSON.stringify({ fault: "twice", user: "U0REQUESTER", channel: "C0OPS" }) })).type);
    await attempt("call the Web API", async () => (await fetch(`${target}api/chat.postMessage?token=xoxb-playground&channel=C0OPS&text=forged`, { mode: "no-cors" })).type);
    await attempt("listen to the stream", () => new Promise((resolve, reject) => {
        const stream = new EventSource(`${target}page/stream?user=U0REQUESTER&after=0`);
        stream.onopen = () => resolve("open");
        stream.onerror = () => { stream.close(); reject(new Error()); };
    }));
    await attempt("load its script", () => new Promise((resolve, reject) => {
        const script = Object.assign(document.createElement("script"), { src: `${target}static/dom.js`, type: "module" });
        script.onload = () => resolve("loaded");
        script.onerror = () => reject(new Error());
        document.head.append(script);
    }));
    await attempt("submit a form", () => new Promise((resolve) => {
        const frame = Object.assign(document.createElement("iframe"), { name: "sink" });
        const form = Object.assign(document.createElement("form"), { action: `${target}door/post`, method: "POST", target: "sink", enctype: "text/plain" });
        form.append(Object.assign(document.createElement("input"), { name: '{"channel":"C0OPS","text":"forged","x":"', value: '"}' }));
        frame.onload = () => resolve("sent");
        document.body.append(frame, form);
        form.submit();
    }));
    await attempt("frame the page", () => new Promise((resolve) => {
        const frame = document.createElement("iframe");
        frame.onload = () => { try { resolve(frame.contentDocument ? "readable" : "opaque"); } catch { resolve("opaque"); } };
        frame.src = target;
        document.body.append(frame);
    }));
    await attempt("upgrade to a socket", () => new Promise((resolve, reject) => {
        const socket = new WebSocket(`${target.replace("http", "ws")}link/?ticket=x`);
        socket.onopen = () => resolve("open");
        socket.onerror = () => reject(new Error());
    }));
    return got;
}
"""


@asynccontextmanager
async def other_origin() -> AsyncIterator[int]:
    """A server of somebody else on this machine; its port."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>another</title>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    listening = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listening).start()
    try:
        yield listening.getsockname()[1]
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_page_of_another_origin_can_neither_read_nor_press(
    desk: Desk, browser: Browser, host: str
) -> None:
    await desk.door.post(CAST.ops, "a secret")
    await expect(desk.articles).to_have_count(1)
    calls = len(await desk.door.calls())
    async with other_origin() as port, context_of(browser) as context:
        page = await context.new_page()
        await page.goto(f"http://{host}:{port}/")
        got: dict[str, Any] = await page.evaluate(ATTEMPTS, desk.url)
    assert "secret" not in str(got)
    done = {name: what for name, what in got.items() if not str(what).startswith("refused")}
    # A form is sent whatever the other side says, and a frame is drawn: with the refusal in it.
    assert done == {"submit a form": "sent", "frame the page": "opaque"}
    assert [message.text for message in await desk.door.messages()] == ["a secret"]
    assert len(await desk.door.calls()) == calls
    assert await desk.page.locator("[data-verdict=twice]").text_content() == ""


async def test_another_page_cannot_even_open_this_one(desk: Desk, browser: Browser) -> None:
    async with other_origin() as port, context_of(browser) as context:
        page = await context.new_page()
        await page.goto(f"http://127.0.0.1:{port}/")
        async with context.expect_page() as coming:
            await page.evaluate("(target) => { globalThis.opened = window.open(target); }", desk.url)
        popup = await coming.value
        await expect(popup.locator("body")).to_have_text(
            "The playground does not answer to pages of other origins."
        )
        await wait_until(lambda: page.evaluate("globalThis.opened.closed"), what="the opener lost it")


async def test_a_name_that_leads_to_this_machine_is_no_way_in(browser: Browser, desk: Desk) -> None:
    """DNS rebinding: the browser believes that the page is of that host, the playground does not."""
    port = desk.url.rstrip("/").rpartition(":")[2]
    async with context_of(browser) as context:
        page = await context.new_page()
        answer = await page.goto(f"http://rebound.localhost:{port}/")
    assert answer is not None
    assert answer.status == 403


async def test_the_page_itself_lets_no_text_become_markup(desk: Desk) -> None:
    await desk.without_guide()
    attack = "<img src=x onerror=document.title='owned'> <script>document.title='owned'</script>"
    blocks: list[dict[str, Any]] = [
        {"type": "markdown", "text": f"{attack} [x](javascript:document.title='owned')"},
        {"type": "section", "text": {"type": "mrkdwn", "text": f"{attack} <javascript:alert(1)|link>"}},
        {"type": "header", "text": {"type": "plain_text", "text": attack[:140]}},
    ]
    await desk.app.api.chat_postMessage(channel=CAST.ops, text=attack, blocks=blocks)
    await desk.door.post(CAST.ops, attack)
    await desk.app.api.files_upload_v2(channel=CAST.ops, filename="<b>.txt", content=attack, title=attack)
    await expect(desk.articles).to_have_count(3)
    assert await desk.page.locator("#messages img, #messages script").count() == 0
    assert await desk.page.locator("#messages a[href^=javascript]").count() == 0
    assert "owned" not in await desk.page.title()
    for sink in ("document.body.innerHTML = 'x'", "document.write('x')", "eval('1')", "new Function('1')()"):
        refused = await desk.page.evaluate(
            "(code) => { const script = document.createElement('script'); try { script.textContent = code; "
            "document.head.append(script); return 'ran'; } catch (error) { return error.name; } }",
            sink,
        )
        assert refused == "TypeError", sink
    desk.complaints.clear()  # the browser tells what it refused
