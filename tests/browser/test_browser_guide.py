"""The guide without a mouse and the faults, with a scripted app that can be made to fail."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from browser.conftest import desk_of
from browser.desk import Desk, contains
from playwright.async_api import Browser, expect
from waiting import wait_until

from bot.playground.processes import Processes

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(slots=True)
class ScriptedSupervisor:
    """Takes orders as the real one does, and tells of them; the app is cut off while the bot is away."""

    processes: Processes = field(default_factory=Processes)
    orders: list[str] = field(default_factory=list)
    gone: Callable[[], None] = lambda: None
    back: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.processes.order = self.take
        self.tell("started", again=False, pids=[1, 2])
        self.tell("ready")

    def take(self, line: str) -> None:
        order = json.loads(line)
        self.orders.append(order["order"])
        loop = asyncio.get_running_loop()
        if order["order"] == "hold":
            loop.call_soon(self.tell, "held")
            return
        loop.call_soon(self.end)
        loop.call_later(order["away"] + 0.1, self.begin)

    def end(self) -> None:
        self.gone()
        self.tell("ended", how="SIGKILL")

    def begin(self) -> None:
        self.tell("started", again=True, pids=[3, 4])
        self.back()
        self.tell("ready")

    def tell(self, news: str, **more: object) -> None:
        self.processes.hear(json.dumps({"news": news, **more}))


@asynccontextmanager
async def supervised(browser: Browser, **app: Any) -> AsyncIterator[tuple[Desk, ScriptedSupervisor]]:
    supervisor = ScriptedSupervisor()
    async with desk_of(browser, processes=supervisor.processes, **app) as desk:
        yield desk, supervisor


HAS_FOCUS = """() => {
    const lit = document.querySelector("[data-lit]"), now = document.activeElement;
    return lit?.contains(now) ? "it" : lit?.parentElement?.matches("#roles") && now.name === "role" ? "its group" : "no";
}"""


async def press_what_is_lit(desk: Desk, text: str) -> None:
    """By Tab, the arrow keys within a group, and Enter; the mouse never moves."""
    await expect(desk.lit).to_have_text(contains(text))
    for _ in range(120):
        match await desk.page.evaluate(HAS_FOCUS):
            case "it":
                await desk.page.keyboard.press("Enter")
                return
            case "its group":
                # An arrow key moves on and chooses at once, as in any group of radio buttons.
                await desk.page.keyboard.press("ArrowRight")
                return
        await desk.page.keyboard.press("Tab")
    pytest.fail(f"{text} cannot be reached by Tab")


async def test_the_guide_can_be_done_without_a_mouse(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.playground.evidence.strikes.SLOW_FOR", 1.0)
    async with supervised(browser) as (desk, supervisor):
        where, text = desk.page.locator("#guide-where"), desk.page.locator("#guide-text")
        await press_what_is_lit(desk, "Send")
        await press_what_is_lit(desk, "Next")

        await expect(where).to_have_text("Step 2 of 6")
        await press_what_is_lit(desk, "Send")
        await press_what_is_lit(desk, "Approve")
        await press_what_is_lit(desk, "Restart")
        await expect(text).to_contain_text("Refused, and only you were told")
        await press_what_is_lit(desk, "Next")

        await expect(where).to_have_text("Step 3 of 6")
        await press_what_is_lit(desk, "Approver")
        await press_what_is_lit(desk, "Edit")
        await expect(desk.page.locator("#modal")).to_be_visible()
        await desk.page.keyboard.press("Tab")
        await desk.page.keyboard.press("s")
        await press_what_is_lit(desk, "Save")
        await expect(desk.page.locator("#modal")).to_be_hidden()
        await expect(desk.articles.last).to_contain_text("prod → staging")
        await press_what_is_lit(desk, "Next")

        await expect(where).to_have_text("Step 4 of 6")
        await press_what_is_lit(desk, "Approve")
        await press_what_is_lit(desk, "Restart")
        await expect(text).to_contain_text("Survived: 1 answer, 1 restart, 0 lost.")
        assert supervisor.orders == ["hold", "kill"]
        await press_what_is_lit(desk, "Next")

        await expect(where).to_have_text("Step 5 of 6")
        await press_what_is_lit(desk, "Deliver everything twice")
        await press_what_is_lit(desk, "Slack says slow down")
        # The second fault asks too: its question comes twice as well, if the first fault still holds by then.
        both = re.compile(
            r"Survived: (1 answer, 3|2 answers, 6) duplicates dropped, 0 lost\. Survived: 1 answer, "
        )
        await expect(text).to_contain_text(both)
        await press_what_is_lit(desk, "Next")

        await expect(where).to_have_text("Step 6 of 6")
        await press_what_is_lit(desk, "Finish")
        await expect(desk.page.locator("#guide")).to_be_hidden()
        await expect(desk.lit).to_have_count(0)


async def test_the_guide_can_be_put_away_and_taken_up_again(browser: Browser) -> None:
    async with supervised(browser) as (desk, _):
        await desk.page.click("#guide-away")
        await expect(desk.page.locator("#guide")).to_be_hidden()
        await expect(desk.page.locator("#say")).to_have_value("")
        await desk.page.click("#guide-open")
        await expect(desk.page.locator("#guide-where")).to_have_text("Step 1 of 6")
        await expect(desk.page.locator("#say")).to_have_value("@harness why is checkout slow?")
        await desk.page.fill("#say", "my own words")
        await desk.page.click("#guide-away")
        await expect(desk.page.locator("#say")).to_have_value("my own words")


async def test_a_bot_that_answers_every_copy_has_not_survived(browser: Browser) -> None:
    async with supervised(browser, careless=True) as (desk, _):
        await desk.without_guide()
        await desk.page.click("[data-fault=twice]")
        verdict = desk.page.locator("[data-verdict=twice]")
        await expect(verdict).to_have_text(contains("Not survived: 4 answers to 1 message"))
        await expect(verdict).to_have_class("verdict bad")
        await expect(desk.page.locator("#timeline .line.verdict.bad")).to_contain_text("Not survived")


async def test_a_bot_that_forgets_what_it_did_when_it_is_killed_has_not_survived(browser: Browser) -> None:
    async with supervised(browser) as (desk, supervisor):
        await desk.without_guide()
        desk.app.gate.clear()

        def die() -> None:
            for task in desk.app._tasks:
                task.cancel()

        supervisor.gone = die
        await desk.page.click("[data-fault=kill-bot]")
        verdict = desk.page.locator("[data-verdict=kill-bot]")
        await expect(verdict).to_have_text("Not survived: 0 answers, 1 restart, 1 lost")
        assert await desk.counters() == {
            "received": 1,
            "duplicates": 1,
            "limited": 0,
            "restarts": 1,
            "effects": 0,
        }
        await expect(desk.page.locator("#timeline")).to_contain_text(contains("Bot is gone", "SIGKILL"))


async def test_an_armed_fault_can_be_called_off(browser: Browser) -> None:
    async with supervised(browser) as (desk, supervisor):
        await desk.without_guide()
        await desk.page.evaluate(
            "fetch('/page/guide', { method: 'POST', body: JSON.stringify({ to: 'start' }) })"
        )
        for _ in range(3):
            await desk.page.evaluate(
                "fetch('/page/guide', { method: 'POST', body: JSON.stringify({ to: 'next' }) })"
            )
        verdict = desk.page.locator("[data-verdict=kill-bot]")
        await expect(verdict).to_have_text("Waits for Approve. Press again to call it off.")
        await desk.page.click("[data-fault=kill-bot]")
        await expect(verdict).to_have_text("Called off.")
        assert supervisor.orders == []


async def test_what_is_wrong_in_the_workspace_is_shown_by_file_and_line_until_it_is_mended(
    browser: Browser,
) -> None:
    async with supervised(browser) as (desk, supervisor):
        finding = "agents.yaml:12: tools[1]: unknown tool (found sarch; did you mean search?)"
        supervisor.tell("workspace", findings=[finding])
        alert = desk.page.locator("#workspace")
        await expect(alert).to_have_text(contains("The last good one stays in use.", finding))
        supervisor.tell("workspace")
        await expect(alert).to_be_hidden()
        supervisor.tell("ended", how="1")
        supervisor.tell("cannot_start", why="SLACK_BOT_TOKEN is not set.")
        await expect(desk.page.locator("#bot-state")).to_have_text("The bot cannot start")
        await expect(alert).to_contain_text("SLACK_BOT_TOKEN is not set.")
        supervisor.begin()
        await expect(alert).to_be_hidden()
        await expect(desk.page.locator("#bot-state")).to_have_text("The bot is up")
        await wait_until(lambda: supervisor.processes.ready, what="ready")
