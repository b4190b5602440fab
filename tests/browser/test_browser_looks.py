"""What keeps people from using a page: size, contrast, names, motion; and what makes one slow."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from browser.desk import CAST, Desk
from playground.scripted_app import button, context, mrkdwn, plain
from playground.test_playground_drawing import CONFIRM, EVERY_MESSAGE_BLOCK, OPTIONS
from playwright.async_api import ViewportSize, expect

pytestmark = pytest.mark.asyncio(loop_scope="module")

NARROW: ViewportSize = {"width": 375, "height": 740}
LEAST = 44


async def serious(desk: Desk, *rules: str) -> list[str]:
    """What axe finds that is serious or critical, by these rules, or by any."""
    only = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else {}
    found = await Axe().run(desk.page, options=only)
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found.response["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


async def settled(desk: Desk) -> None:
    """A thread with everything in it: an answer, a card, a whisper, a verdict."""
    await desk.write("@harness why is checkout slow?")
    await expect(desk.answer).to_be_visible()
    await desk.write("@harness restart checkout in prod")
    await desk.button("approval:approve").click()
    await desk.page.click("#confirm-yes")
    await expect(desk.page.locator("article.ephemeral")).to_be_visible()


@pytest.mark.parametrize(("theme", "rules"), [("light", ()), ("dark", ("color-contrast",))])
async def test_a_checker_finds_nothing_serious(desk: Desk, theme: str, rules: tuple[str, ...]) -> None:
    await desk.page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]  # one of the two
    await desk.page.click("[data-fault=twice]")
    await expect(desk.page.locator("[data-verdict=twice].good")).to_be_visible()
    await desk.page.click("#leave-thread")
    await settled(desk)
    assert await desk.page.evaluate("document.documentElement.dataset.theme") == theme
    assert await serious(desk, *rules) == []
    await desk.button("approval:edit").click()
    await desk.page.locator("#modal").get_by_label("service").fill("x")
    await desk.page.click("#modal-submit")
    await expect(desk.page.locator(".problem:not(:empty)")).to_be_visible()
    assert await serious(desk, *rules) == []


async def test_a_checker_finds_nothing_serious_where_it_is_narrow(desk: Desk) -> None:
    await desk.page.set_viewport_size(NARROW)
    await settled(desk)
    for tab in ("Thread", "What happened"):
        await desk.page.get_by_role("tab", name=tab).click()
        assert await serious(desk) == []


async def test_the_colours_are_chosen_by_the_person_and_kept(desk: Desk) -> None:
    root = desk.page.locator("html")
    await expect(root).to_have_attribute("data-theme", "light")
    await desk.page.get_by_role("button", name="Dark").click()
    await expect(root).to_have_attribute("data-theme", "dark")
    await desk.open()
    await expect(root).to_have_attribute("data-theme", "dark")
    assert await desk.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(26, 29, 33)"
    await desk.page.get_by_role("button", name="Light").click()
    assert await desk.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


async def too_small(desk: Desk) -> list[str]:
    """Whatever can be pressed and is in sight, but smaller than a finger. Links within text are exempt."""
    return list(
        await desk.page.evaluate(
            """(least) => [...document.querySelectorAll("button, select, textarea, summary, [role=option], #roles label")]
                .filter((node) => node.checkVisibility())
                .map((node) => [node, node.getBoundingClientRect()])
                .filter(([, box]) => box.width < least || box.height < least)
                .map(([node, box]) => `${node.tagName} ${node.id} ${node.textContent.trim()} ${box.width}x${box.height}`)""",
            LEAST,
        )
    )


async def overflow(desk: Desk) -> list[str]:
    """What is wider than the screen, and makes the page scroll sideways."""
    return list(
        await desk.page.evaluate(
            """() => document.documentElement.scrollWidth <= innerWidth ? [] :
                [...document.querySelectorAll("body *")]
                    .filter((node) => node.getBoundingClientRect().right > innerWidth + 1)
                    .map((node) => `${node.tagName} ${node.id} ${node.className}`)"""
        )
    )


@pytest.mark.parametrize("width", [375, 768, 1280])
async def test_everything_fits_and_is_large_enough_for_a_finger(desk: Desk, width: int) -> None:
    await desk.page.set_viewport_size({"width": width, "height": 740})
    await settled(desk)
    for part in ("places", "talk", "evidence"):
        if width < 900:
            await desk.page.click(f"#tab-{part}")
        assert await too_small(desk) == []
        assert await overflow(desk) == []
        assert (await desk.page.locator("main > :visible").count()) == (1 if width < 900 else 3)
    thread = await desk.page.locator("#messages").bounding_box()
    assert thread is None or thread["width"] <= 720


async def test_the_columns_become_tabs_that_the_arrow_keys_walk_and_the_guide_lights_up(desk: Desk) -> None:
    await desk.page.set_viewport_size(NARROW)
    await expect(desk.lit).to_have_text("Send")
    await desk.page.get_by_role("tab", name="Thread").focus()
    await desk.page.keyboard.press("ArrowRight")
    happened = desk.page.get_by_role("tab", name="What happened")
    await expect(happened).to_be_focused()
    await expect(happened).to_have_attribute("aria-selected", "true")
    await expect(desk.page.locator("#talk")).to_be_hidden()
    await expect(desk.lit).to_have_text("Thread")
    await desk.page.click("#guide-show")
    await expect(desk.page.locator("#send")).to_be_focused()


async def test_nothing_moves_for_those_who_do_not_want_that(desk: Desk) -> None:
    running = "document.getAnimations().filter((each) => each.playState === 'running').length"
    await expect(desk.lit).to_be_visible()
    assert await desk.page.evaluate(running) > 0
    await desk.page.emulate_media(reduced_motion="reduce")
    await settled(desk)
    assert await desk.page.evaluate(running) == 0


async def test_every_block_that_slack_knows_has_a_place_on_the_page(desk: Desk) -> None:
    await desk.without_guide()
    for blocks in _in_messages():
        await desk.app.api.chat_postMessage(channel=CAST.ops, text="x", blocks=blocks)
    await expect(desk.articles).to_have_count(len(list(_in_messages())))
    shown = await desk.page.evaluate(
        "() => [...document.querySelectorAll('.parts')].filter((parts) => !parts.childElementCount).length"
    )
    assert shown == 0
    assert await desk.page.locator("#messages img").count() == 0, "images of other hosts are not loaded"
    assert await overflow(desk) == []
    assert await serious(desk) == []


def _in_messages() -> list[list[dict[str, Any]]]:
    """Every block in a message of its own, since one may hold only one table."""
    rare = {
        "type": "actions",
        "elements": [
            button("plain", "Plain"),
            button("danger", "Danger", style="danger", confirm=CONFIRM),
            button("primary", "Primary", style="primary"),
            {"type": "static_select", "action_id": "one", "placeholder": plain("Where?"), "options": OPTIONS},
            {"type": "overflow", "action_id": "more", "options": OPTIONS},
            {"type": "datepicker", "action_id": "date", "initial_date": "2026-01-31"},
            {"type": "timepicker", "action_id": "time", "initial_time": "12:30"},
            {"type": "checkboxes", "action_id": "boxes", "options": OPTIONS},
            {"type": "radio_buttons", "action_id": "radios", "options": OPTIONS},
            {"type": "users_select", "action_id": "user"},
        ],
    }
    quoted = {"type": "section", "text": mrkdwn("*b* _i_ ~s~ `c` <https://e.example|link>\n```x\ny```")}
    return [[rare], [quoted, context("small")], *([block] for block, _ in EVERY_MESSAGE_BLOCK.values())]


async def test_a_choice_in_a_message_reaches_the_app_at_once(desk: Desk) -> None:
    await desk.without_guide()
    (row, *_), *_ = _in_messages()
    await desk.app.api.chat_postMessage(channel=CAST.ops, text="x", blocks=[row])
    await desk.button("one").select_option("prod")
    await desk.page.locator("[data-action=boxes] input").first.check()
    await desk.page.locator("[data-action=date]").fill("2026-02-01")
    await desk.page.locator("[data-action=date]").blur()

    async def chosen() -> list[dict[str, Any]] | None:
        clicks = await desk.door.deliveries("block_actions")
        return [click.payload["actions"][0] for click in clicks] if len(clicks) == 3 else None

    actions = await desk.door.wait_for(chosen, what="three choices")
    assert actions[0]["selected_option"]["value"] == "prod"
    assert [option["value"] for option in actions[1]["selected_options"]] == ["dev"]
    assert actions[2]["selected_date"] == "2026-02-01"


async def test_a_thread_of_300_messages_is_changed_one_message_at_a_time(desk: Desk) -> None:
    await desk.without_guide()
    root = await desk.door.post(CAST.ops, "the root")
    row = {"type": "actions", "elements": [button("b", "Button")]}
    posts = await asyncio.gather(
        *(
            desk.app.api.chat_postMessage(
                channel=CAST.ops, thread_ts=root.ts, text="x", blocks=[context(f"reply {number}"), row]
            )
            for number in range(299)
        )
    )
    await desk.page.locator("#messages").get_by_role("button", name="299 replies").click()
    await expect(desk.articles).to_have_count(300)
    await desk.watch_changes("#messages")
    for number in range(40):
        blocks = [context(f"edit {number}"), row]
        await desk.app.api.chat_update(channel=CAST.ops, ts=posts[150]["ts"], text="x", blocks=blocks)
    await expect(desk.page.locator(f"article[data-ts='{posts[150]['ts']}']")).to_contain_text("edit 39")
    changes = await desk.changes()
    assert set(changes["gone"]) == {"SPAN."}, "an edit changes the text that it changes"
    assert changes["added"] == changes["removed"] <= 40
    await desk.app.api.chat_postMessage(channel=CAST.ops, thread_ts=root.ts, text="one more")
    await expect(desk.articles).to_have_count(301)
    assert (await desk.changes())["gone"].count("ARTICLE.") == 0
    at_end = "(node) => node.scrollTop + node.clientHeight >= node.scrollHeight - 1"
    assert await desk.page.locator("#messages").evaluate(at_end), "the newest message is in sight"


async def test_a_run_of_200_steps_grows_two_nodes_and_one_line(desk: Desk) -> None:
    await desk.without_guide()
    desk.app.steps, desk.app.step = 200, 0.0
    desk.app.gate.clear()
    await desk.write("@harness work hard")
    await expect(desk.button("run:stop")).to_be_visible()
    await desk.watch_changes("main")
    desk.app.gate.set()
    await expect(desk.answer).to_be_visible()
    assert len(await desk.door.calls("chat.update")) == 200
    changes = await desk.changes()
    whole = [
        gone for gone in changes["gone"] if gone.startswith(("ARTICLE", "SECTION", "DIV.body", "DIV.parts"))
    ]
    assert whole == []
    assert changes["removed"] < 200 * 4, "a step changes three short texts and a piece of the answer"
    edits = desk.page.locator("#timeline .line").filter(has_text="Bot edits its message")
    await expect(edits).to_have_count(1)
    await expect(edits).to_contain_text("× 200")


async def test_a_long_timeline_keeps_only_its_newest_lines_in_the_page(desk: Desk) -> None:
    await desk.without_guide()
    await asyncio.gather(*(desk.door.post(CAST.general, f"message {number}") for number in range(209)))
    await desk.door.post(CAST.general, "message 209")
    await expect(desk.page.locator("#timeline .line").last).to_be_visible()
    await expect(desk.page.locator("#timeline")).to_contain_text("message 209")
    assert await desk.page.locator("#timeline .line").count() <= 400
