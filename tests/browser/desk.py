"""What a person does at the page, and what is seen of it: by the DOM and by what reached the wire."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playground.scripted_app import ScriptedApp
from playwright.async_api import Locator, Page, expect

from bot.playground import Cast, Door

CAST = Cast()
ROLES = {"Requester": CAST.requester, "Approver": CAST.approver, "Admin": CAST.admin}


@dataclass(slots=True, kw_only=True)
class Desk:
    """`complaints` are errors on the console, and exceptions of the page."""

    page: Page
    door: Door
    url: str
    app: ScriptedApp = field(default_factory=ScriptedApp)
    complaints: list[str] = field(default_factory=list)

    def listen(self) -> None:
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console",
            lambda said: self.complaints.append(said.text) if said.type == "error" else None,
        )

    async def open(self, path: str = "") -> None:
        await self.page.goto(f"{self.url}{path}")
        await self.page.wait_for_selector("body[data-ready]")

    async def clear(self) -> None:
        """Back to the beginning, with a page that is loaded anew."""
        app = self.app
        await app.forget()
        app.steps, app.step, app.careless, app.mute, app.script = 3, 0.05, False, False, None
        await self.door.reset()
        await self.door.point_at(app.url)
        await self.page.set_viewport_size({"width": 1280, "height": 800})
        await self.page.emulate_media(color_scheme="light", reduced_motion="no-preference")
        await self.page.evaluate("localStorage.clear()")
        async with self.page.expect_response("**/page/guide"):
            await self.page.evaluate(
                "fetch('/page/guide', { method: 'POST', body: JSON.stringify({ to: 'start' }) })"
            )
        self.complaints.clear()
        await self.open()

    async def be(self, role: str) -> None:
        await self.page.get_by_role("radio", name=role).check(force=True)
        await self.page.wait_for_selector(f"body[data-ready='{ROLES[role]}']")

    async def write(self, text: str) -> None:
        await self.page.fill("#say", text)
        await self.page.click("#send")

    async def without_guide(self) -> None:
        await self.page.click("#guide-away")
        await expect(self.page.locator("#guide")).to_be_hidden()

    @property
    def lit(self) -> Locator:
        """What the guide says is to be pressed now."""
        return self.page.locator("[data-lit]")

    @property
    def articles(self) -> Locator:
        return self.page.locator("#messages article")

    @property
    def answer(self) -> Locator:
        """The run message that has ended."""
        return self.articles.filter(has=self.page.locator("[data-action='run:steps']")).filter(
            has_not=self.page.locator("[data-action='run:stop']")
        )

    def button(self, action: str) -> Locator:
        return self.page.locator(f"#messages [data-action='{action}']")

    async def counters(self) -> dict[str, int]:
        texts: dict[str, str] = await self.page.evaluate(
            "() => Object.fromEntries([...document.querySelectorAll('[data-counter]')]"
            ".map((node) => [node.dataset.counter, node.textContent]))"
        )
        return {name: int(text) for name, text in texts.items()}

    async def watch_changes(self, selector: str) -> None:
        """From now on, count elements that are added to or removed from the part of the page, and texts that change."""
        await self.page.evaluate(
            """(selector) => {
                const seen = (globalThis.seen = { added: 0, removed: 0, texts: 0, gone: [] });
                const elements = (nodes) => [...nodes].filter((node) => node.nodeType === 1);
                new MutationObserver((records) => {
                    for (const record of records) {
                        if (record.type === "characterData") seen.texts += 1;
                        seen.added += elements(record.addedNodes).length;
                        for (const node of elements(record.removedNodes)) {
                            seen.removed += 1;
                            seen.gone.push(node.tagName + "." + node.className);
                        }
                    }
                }).observe(document.querySelector(selector), { childList: true, subtree: true, characterData: true });
            }""",
            selector,
        )

    async def changes(self) -> dict[str, Any]:
        return dict(await self.page.evaluate("() => globalThis.seen"))


@dataclass(frozen=True, slots=True)
class Pictures:
    folder: Path

    async def take(self, page: Page, name: str) -> None:
        """A picture of what is in sight, without a caret that blinks or a ring that pulses."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{name}.png"
        await page.mouse.move(0, 0)
        await page.screenshot(path=path, animations="disabled", caret="hide")
        width, height = struct.unpack(">II", path.read_bytes()[16:24])
        size = page.viewport_size
        assert size is not None
        assert (width, height) == (size["width"], size["height"])


def contains(*texts: str) -> re.Pattern[str]:
    """All of these, in this order."""
    return re.compile(".*".join(map(re.escape, texts)), re.DOTALL)
