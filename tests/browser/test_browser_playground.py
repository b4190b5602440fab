"""What `make run` starts, used as a newcomer uses it: the real bot, real kills, and what became of it on the wire."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from browser.conftest import ROOT, context_of
from browser.desk import CAST, Desk, Pictures, contains
from front_end.command_line import line, started
from playwright.async_api import Browser, ViewportSize, expect
from waiting import wait_until

from bot.playground import Door

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

SURVIVED = 60_000
"""Milliseconds in which a verdict comes: a dead worker's lease, a start of the bot, and all that others do here."""

LARGE: ViewportSize = {"width": 1280, "height": 900}


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    url: str
    workspace: Path
    process: asyncio.subprocess.Process


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Running]:
    """With the example's agents in a folder of one's own, where a dead worker is taken over after two seconds."""
    with ExitStack() as stack:
        # Not pytest's tmp_path: the path of a unix socket must stay short.
        folder = Path(tempfile.mkdtemp(prefix="pg-"))
        stack.callback(shutil.rmtree, folder)
        workspace = folder / "workspace"
        shutil.copytree(ROOT / "workspace", workspace, ignore=shutil.ignore_patterns("__pycache__"))
        runtime = workspace / "runtime.yaml"
        runtime.write_text(runtime.read_text().replace("lease: 10s", "lease: 2s"))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        environ = {
            "HARNESS_PLAYGROUND_PORT": str(port),
            "HARNESS_WORKSPACE": str(workspace),
            "TMPDIR": str(folder),
        }
        async with started("playground", environ=environ) as process:
            url = (await line(process, "Playground:")).split()[0]
            yield Running(url=url, workspace=workspace, process=process)
            process.send_signal(signal.SIGINT)
            await asyncio.wait_for(process.communicate(), 30)
            assert process.returncode == 0
        assert left_in(folder) == ["workspace"]


def left_in(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


@pytest_asyncio.fixture(loop_scope="module")
async def desk(browser: Browser, running: Running) -> AsyncIterator[Desk]:
    async with context_of(browser) as context, Door(running.url + "door") as door:
        await door.reset()
        page = await context.new_page()
        desk = Desk(page=page, door=door, url=running.url)
        desk.listen()
        await desk.open()
        await page.evaluate("fetch('/page/guide', { method: 'POST', body: JSON.stringify({ to: 'start' }) })")
        await expect(page.locator("#guide-where")).to_have_text("Step 1 of 6")
        await expect(page.locator("#bot-state")).to_have_text("The bot is up", timeout=SURVIVED)
        yield desk
        assert desk.complaints == []


async def step(desk: Desk, number: int) -> None:
    await expect(desk.page.locator("#guide-where")).to_have_text(f"Step {number} of 6")


async def next_step(desk: Desk) -> None:
    await expect(desk.lit).to_have_text("Next", timeout=SURVIVED)
    await desk.lit.click()


async def texts_of(desk: Desk, method: str) -> list[str]:
    """What the bot showed with the calls of this method that Slack took."""
    calls = [call for call in await desk.door.calls(method) if call.ok]
    return [f"{call.args.get('text')} {call.args.get('blocks')}" for call in calls]


async def ask(desk: Desk, pictures: Pictures) -> None:
    """Three steps and an answer appear."""
    page = desk.page
    await expect(desk.lit).to_have_text("Send")
    await pictures.take(page, "guide")
    await desk.lit.click()
    await expect(desk.button("run:stop")).to_be_visible(timeout=SURVIVED)
    await expect(desk.articles.last).to_contain_text("Done:")
    await pictures.take(page, "running")
    await expect(desk.answer).to_contain_text("orders-db", timeout=SURVIVED)
    await expect(desk.answer).to_contain_text("3 steps")
    assert await desk.counters() == {
        "received": 1,
        "duplicates": 1,
        "limited": 0,
        "restarts": (await desk.counters())["restarts"],
        "effects": (await desk.counters())["effects"],
    }
    assert len(await texts_of(desk, "chat.postMessage")) == 1
    await next_step(desk)


async def ask_for_a_change(desk: Desk, pictures: Pictures) -> None:
    """A card, and a refusal that only the requester sees."""
    page = desk.page
    says = desk.page.locator("#guide-text")
    await step(desk, 2)
    await expect(page.locator("#say")).to_have_value("@harness restart checkout in prod")
    await desk.lit.click()
    await expect(desk.button("approval:approve")).to_be_visible(timeout=SURVIVED)
    card = desk.articles.filter(has=page.locator("[data-action='approval:approve']"))
    await expect(card).to_contain_text(
        contains("Restart checkout in prod?", "env: prod", "40 open connections")
    )
    await expect(desk.lit).to_have_text("Approve")
    await pictures.take(page, "card")
    await page.set_viewport_size({"width": 375, "height": 740})
    await pictures.take(page, "narrow")
    await page.set_viewport_size(LARGE)
    await desk.lit.click()
    await expect(desk.lit).to_have_attribute("id", "confirm-yes")
    await desk.lit.click()
    whisper = page.locator("article.ephemeral")
    await expect(whisper).to_contain_text("You asked for this, so someone else must approve. @amir can.")
    (refused,) = await desk.door.ephemerals(user=CAST.requester)
    assert refused.thread_ts is not None
    await expect(says).to_contain_text("The card still waits.")
    await next_step(desk)


async def change_it(desk: Desk, pictures: Pictures) -> None:
    """Before → after."""
    page = desk.page
    card = desk.articles.filter(has=desk.page.locator("[data-action='approval:approve']"))
    await step(desk, 3)
    await expect(desk.lit).to_have_text("Approver")
    await desk.be("Approver")
    await expect(desk.lit).to_have_text("Edit")
    await desk.lit.click()
    modal = page.locator("#modal")
    await modal.get_by_label("env").select_option(label="staging")
    await expect(desk.lit).to_have_text("Save")
    await pictures.take(page, "edit")
    await desk.lit.click()
    await expect(modal).to_be_hidden()
    await expect(card).to_contain_text("@amir changed env: prod → staging", timeout=SURVIVED)
    (submission,) = await desk.door.deliveries("view_submission")
    assert submission.payload["view"]["state"]["values"].keys() == {"arg:env", "arg:service"}
    await next_step(desk)


async def approve_and_lose_the_bot(desk: Desk, pictures: Pictures) -> None:
    """A real SIGKILL between the decision and the tool; afterwards the tool ran once."""
    page = desk.page
    says = desk.page.locator("#guide-text")
    await step(desk, 4)
    before = await desk.counters()
    pids = await pids_of(desk)
    await expect(desk.lit).to_have_text("Approve")
    await desk.lit.click()
    await desk.lit.click()
    await expect(page.locator("#bot-state")).to_have_text("The bot is down")
    assert [pid for pid in pids if alive(pid)] == []
    assert (await desk.counters())["effects"] == before["effects"], "the blow landed before the tool"
    await expect(says).to_contain_text(
        "Survived: 1 answer, 1 restart, 0 lost. The counter outside the bot saw the tool run 1 time.",
        timeout=SURVIVED,
    )
    await expect(desk.articles.filter(has_text="Ran once at")).to_contain_text("Approved by @amir")
    await expect(desk.answer.last).to_contain_text("Restarted checkout in staging.")
    await expect(desk.answer.last).to_contain_text("Interrupted at")
    after = await desk.counters()
    assert (after["effects"], after["restarts"]) == (before["effects"] + 1, before["restarts"] + 1)
    lines = page.locator("#timeline .line.band")
    for what in (
        "Worker held still",
        "Bot is gone",
        "Bot started again",
        "The tool really ran: restart checkout staging",
    ):
        await expect(lines.filter(has_text=what)).to_have_count(1)
    await pictures.take(page, "decided")
    await next_step(desk)


async def send_twice_and_refuse(desk: Desk, pictures: Pictures) -> None:
    """One answer, and the counters climb."""
    page = desk.page
    await step(desk, 5)
    await expect(desk.lit).to_contain_text("Deliver everything twice")
    await desk.lit.click()
    await expect(desk.lit).to_contain_text("Slack says slow down for 20 s")
    await desk.lit.click()
    await expect(page.locator("[data-verdict=twice]")).to_have_text(
        "Survived: 1 answer, 3 duplicates dropped, 0 lost", timeout=SURVIVED
    )
    await expect(page.locator("[data-verdict=slow-down]")).to_have_text(
        re.compile(r"Survived: 1 answer, \d+ calls? refused, 0 lost"), timeout=SURVIVED
    )
    assert any(call.status == 429 for call in await desk.door.calls())
    assert (await desk.counters())["limited"] > 0
    await expect(desk.answer).to_have_count(1)
    await page.get_by_role("button", name="Dark").click()
    await pictures.take(page, "dark")
    await page.get_by_role("button", name="Light").click()
    await next_step(desk)


async def finish(desk: Desk) -> None:
    """The last word of the guide."""
    page = desk.page
    says = desk.page.locator("#guide-text")
    await step(desk, 6)
    await expect(says).to_contain_text("a mistake is shown here with file and line")
    await expect(desk.lit).to_have_text("Finish")
    await desk.lit.click()
    await expect(page.locator("#guide")).to_be_hidden()


async def test_the_guide_is_done_from_the_first_step_to_the_last(desk: Desk, pictures: Pictures) -> None:
    await desk.page.set_viewport_size(LARGE)
    await ask(desk, pictures)
    await ask_for_a_change(desk, pictures)
    await change_it(desk, pictures)
    await approve_and_lose_the_bot(desk, pictures)
    await send_twice_and_refuse(desk, pictures)
    await finish(desk)


async def pids_of(desk: Desk) -> list[int]:
    """Of the bot's processes, as the timeline named them last."""
    state = await desk.page.evaluate("fetch('/page/state?user=U0REQUESTER').then((answer) => answer.json())")
    return [int(pid) for pid in state["bot"]["pids"]]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_bot_that_is_killed_while_it_works_goes_on_and_answers_once(desk: Desk) -> None:
    await desk.without_guide()
    pids = await pids_of(desk)
    await desk.page.click("[data-fault=kill-bot]")
    verdict = desk.page.locator("[data-verdict=kill-bot]")
    await expect(verdict).to_have_text("Survived: 1 answer, 1 restart, 0 lost", timeout=SURVIVED)
    assert [pid for pid in pids if alive(pid)] == []
    await expect(desk.answer).to_contain_text("orders-db")
    assert len([text for text in await texts_of(desk, "chat.postMessage") if "run:s" in text]) == 1


async def test_a_bot_that_dies_inside_a_tool_asks_a_person_and_does_not_do_it_again(desk: Desk) -> None:
    await desk.without_guide()
    before = (await desk.counters())["effects"]
    await desk.page.click("[data-fault=kill-tool]")
    verdict = desk.page.locator("[data-verdict=kill-tool]")
    await expect(verdict).to_contain_text("Waits for a tool that changes something")
    await expect(desk.button("approval:approve")).to_be_visible(timeout=SURVIVED)
    await desk.be("Approver")
    await desk.button("approval:approve").click()
    await desk.page.click("#confirm-yes")
    await expect(verdict).to_have_text(
        "Survived: 0 answers, 1 restart, 0 lost, the tool ran 1 time, a person is asked", timeout=SURVIVED
    )
    doubt = desk.articles.filter(has=desk.page.locator("[data-action='approval:done']"))
    await expect(doubt).to_contain_text("It may have happened. Check, then choose.")
    assert (await desk.counters())["effects"] == before + 1
    await desk.button("approval:done").click()
    await expect(desk.answer).to_be_visible(timeout=SURVIVED)
    assert (await desk.counters())["effects"] == before + 1


async def test_a_reply_that_never_arrives_makes_no_second_message(desk: Desk) -> None:
    await desk.without_guide()
    await desk.page.click("[data-fault=lose-reply]")
    verdict = desk.page.locator("[data-verdict=lose-reply]")
    await expect(verdict).to_have_text("Survived: 1 answer, 1 reply never arrived, 0 lost", timeout=SURVIVED)
    assert [call.reply_lost for call in await desk.door.calls("chat.postMessage")] == [True]
    assert await desk.door.calls("conversations.replies"), "it looked before it would have posted again"
    await expect(desk.articles).to_have_count(2)


async def test_a_workspace_of_ones_own_is_taken_up_when_it_is_saved_and_its_mistakes_are_shown(
    desk: Desk, running: Running
) -> None:
    await desk.without_guide()
    agents, alert = running.workspace / "agents.yaml", desk.page.locator("#workspace")
    good = agents.read_text()
    number = good.splitlines().index("model: demo") + 1
    agents.write_text(good.replace("model: demo", "model: demmo", 1))
    await expect(alert).to_contain_text(f"agents.yaml:{number}", timeout=SURVIVED)
    await expect(alert).to_contain_text("did you mean demo?")
    await expect(alert).to_contain_text("The last good one stays in use.")
    await expect(desk.page.locator("#timeline")).to_contain_text("Workspace refused")

    agents.write_text(good.replace("Looks into services", "Looks after services", 1))
    await expect(alert).to_be_hidden(timeout=SURVIVED)
    await desk.write("/harness agents")
    await expect(desk.page.locator("article.ephemeral")).to_contain_text("Looks after services")
    agents.write_text(good)
    await expect(desk.page.locator("#timeline")).to_contain_text("Workspace read again × 2", timeout=SURVIVED)


async def test_new_python_code_starts_the_bot_again_also_where_the_folder_has_to_be_mended_first(
    desk: Desk, running: Running
) -> None:
    agents, alert = running.workspace / "agents.yaml", desk.page.locator("#workspace")
    good = agents.read_text()
    restarts = (await desk.counters())["restarts"]
    agents.write_text("kind: Agent\nname: [\n")
    (running.workspace / "acme_tools" / "extra.py").write_text('"""More."""\n')
    await expect(desk.page.locator("#bot-state")).to_have_text("The bot cannot start", timeout=SURVIVED)
    await expect(alert).to_contain_text("agents.yaml:", timeout=SURVIVED)
    await expect(alert).to_contain_text("It is tried again when you save.")
    agents.write_text(good)
    await expect(desk.page.locator("#bot-state")).to_have_text("The bot is up", timeout=SURVIVED)
    await expect(alert).to_be_hidden()
    await wait_until(lambda: _more_restarts(desk, restarts), what="a restart was counted")


async def _more_restarts(desk: Desk, before: int) -> bool:
    return (await desk.counters())["restarts"] > before
