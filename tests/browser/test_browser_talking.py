"""Talking with an app in the browser: what is typed, pressed and shown, and what of it reached the wire."""

from __future__ import annotations

import json

import pytest
from browser.desk import CAST, Desk, contains
from playwright.async_api import expect
from waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_question_opens_its_thread_and_the_answer_grows_in_place(desk: Desk) -> None:
    desk.app.steps = 8
    desk.app.gate.clear()
    await expect(desk.page.locator("#say")).to_have_value("@harness why is checkout slow?")
    await desk.page.click("#send")
    await expect(desk.page.locator("#place")).to_have_text("Thread")
    await desk.button("run:stop").focus()
    await desk.watch_changes("#messages")
    desk.app.gate.set()
    await expect(desk.answer).to_contain_text("The connection pool of checkout is full.")
    await expect(desk.answer.locator("table")).to_contain_text("14:02")
    await expect(desk.articles).to_have_count(2)
    changes = await desk.changes()
    stays = ("ARTICLE", "DIV.body", "DIV.parts", "DIV.html", "DIV.actions")
    assert not [gone for gone in changes["gone"] if gone.startswith(stays)], changes
    assert changes["gone"].count("BUTTON.") == 1, (
        "Stop goes when the run has ended, and no button before that"
    )
    assert [call.ok for call in await desk.door.calls("chat.postMessage")] == [True]
    assert len(await desk.door.calls("chat.update")) == 8
    (mention,) = await desk.door.deliveries("app_mention")
    assert mention.payload["event"]["text"] == f"<@{CAST.bot_user}> why is checkout slow?"


async def test_the_focus_stays_on_a_button_while_the_message_around_it_is_edited(desk: Desk) -> None:
    desk.app.steps = 30
    desk.app.gate.clear()
    await desk.page.click("#send")
    await desk.button("run:steps").focus()
    await desk.watch_changes("#messages")
    desk.app.gate.set()
    await expect(desk.answer).to_be_visible()
    assert await desk.page.evaluate("document.activeElement.dataset.action") == "run:steps"
    assert (await desk.changes())["texts"] + (await desk.changes())["added"] > 20


async def test_a_card_is_decided_with_a_confirmation_and_only_by_another_person(desk: Desk) -> None:
    await desk.without_guide()
    await desk.write("@harness restart checkout in prod")
    await desk.button("approval:approve").click()
    confirm = desk.page.locator("#confirm")
    await expect(confirm).to_contain_text("Restart checkout in prod?")
    await expect(confirm).to_contain_text("This runs now.")
    await desk.page.click("#confirm-no")
    await expect(confirm).to_be_hidden()
    assert desk.app.clicks == [], "who goes back has pressed nothing"
    assert await desk.page.evaluate("document.activeElement.textContent") == "Approve"

    await desk.button("approval:approve").click()
    await desk.page.click("#confirm-yes")
    whisper = desk.page.locator("article.ephemeral")
    await expect(whisper).to_contain_text("Only visible to you")
    await expect(whisper).to_contain_text("You asked for this, so someone else must approve. @amir can.")
    assert desk.app.clicks == [f"{CAST.requester} approval:approve"]

    await desk.be("Approver")
    await expect(whisper).to_have_count(0)
    await desk.button("approval:approve").click()
    await desk.page.click("#confirm-yes")
    await expect(desk.articles.last).to_contain_text(
        contains("Restart checkout in prod", "Approved by @amir")
    )
    await expect(desk.button("approval:approve")).to_have_count(0)
    await expect(desk.answer).to_contain_text("Checkout was restarted in prod.")


async def test_a_dialog_shows_field_errors_keeps_what_was_entered_and_gives_the_focus_back(
    desk: Desk,
) -> None:
    await desk.without_guide()
    await desk.write("@harness restart checkout in prod")
    await desk.be("Approver")
    await desk.button("approval:edit").click()
    modal = desk.page.locator("#modal")
    await expect(modal).to_contain_text("Change the request")
    service, env = modal.get_by_label("service"), modal.get_by_label("env")
    await expect(service).to_have_value("checkout")
    await expect(service).to_be_focused()

    await service.fill("")
    await modal.get_by_role("button", name="Save").click()
    await expect(modal).to_contain_text("Please complete this required field.")
    assert await desk.door.deliveries("view_submission") == []

    await service.fill("chekout")
    await env.select_option(label="staging")
    await modal.get_by_role("button", name="Save").click()
    await expect(modal).to_contain_text("There is no such service: write checkout, payments or search.")
    await expect(service).to_have_attribute("aria-invalid", "true")
    await expect(service).to_be_focused()
    await expect(env.locator("option:checked")).to_have_text("staging")

    await service.fill("checkout")
    await service.press("Enter")
    await expect(modal).to_be_hidden()
    await expect(desk.articles.last).to_contain_text(contains("env: staging", "changed env: prod → staging"))
    assert await desk.page.evaluate("document.activeElement.textContent") == "Edit"
    *_, submission = await desk.door.deliveries("view_submission")
    values = submission.payload["view"]["state"]["values"]
    assert json.loads(values["arg:env"]["value"]["selected_option"]["value"]) == "staging"


async def test_escape_closes_a_dialog_and_tells_nobody_who_did_not_ask(desk: Desk) -> None:
    await desk.without_guide()
    await desk.write("@harness restart checkout in prod")
    await desk.button("approval:edit").click()
    await expect(desk.page.locator("#modal")).to_be_visible()
    await desk.page.keyboard.press("Escape")
    await expect(desk.page.locator("#modal")).to_be_hidden()
    assert await desk.door.views() == []


async def test_commands_and_their_verbs_are_completed_and_answered_to_one_person(desk: Desk) -> None:
    await desk.without_guide()
    box, options = desk.page.locator("#say"), desk.page.locator("#completions [role=option]")
    await box.fill("")
    await box.press_sequentially("/h")
    await expect(options).to_have_count(1)
    await expect(options).to_contain_text("List, show and cancel runs")
    await box.press("Tab")
    await expect(box).to_have_value("/harness ")
    await box.press_sequentially("ca")
    await expect(options).to_have_text(["cancel RUN"])
    await box.press("Enter")
    await expect(box).to_have_value("/harness cancel ")
    await box.press_sequentially("run_1")
    await box.press("Enter")
    await expect(desk.page.locator("article.ephemeral")).to_contain_text("You typed /harness cancel run_1")
    await desk.be("Admin")
    await expect(desk.page.locator("article.ephemeral")).to_have_count(0)
    (typed,) = await desk.door.deliveries("/harness")
    assert (typed.payload["text"], typed.payload["user_id"]) == ("cancel run_1", CAST.requester)


async def test_names_are_completed_and_sent_as_mentions(desk: Desk) -> None:
    box = desk.page.locator("#say")
    await box.fill("")
    await box.press_sequentially("hello @am")
    await expect(desk.page.locator("#completions [role=option]")).to_have_text(["@amir"])
    await box.press("ArrowDown")
    assert await box.get_attribute("aria-activedescendant") == "completion-0"
    await box.press("Enter")
    await box.press_sequentially("& <all>")
    await box.press("Enter")
    await expect(desk.articles.last).to_contain_text("hello @amir & <all>")
    (said,) = await desk.door.messages(CAST.ops)
    assert said.text == f"hello <@{CAST.approver}> &amp; &lt;all&gt;"


async def test_what_the_client_would_not_let_one_do_is_said_beside_the_box(desk: Desk) -> None:
    await desk.without_guide()
    await desk.write("/nothing at all")
    await expect(desk.page.locator("#trouble")).to_contain_text("'/nothing' is not a valid command here")
    desk.complaints.clear()  # the browser tells of every refusal
    await desk.write("@harness why?")
    await expect(desk.page.locator("#place")).to_have_text("Thread")
    await desk.write("/harness runs")
    await expect(desk.page.locator("#trouble")).to_have_text(
        "Slash commands do not work in threads. Go back to the channel."
    )


async def test_the_home_tab_is_published_pressed_and_changed_in_place(desk: Desk) -> None:
    await desk.without_guide()
    await desk.page.get_by_role("button", name="Home").click()
    home = desk.page.locator(".home")
    await expect(home).to_contain_text("Waiting for you")
    await home.get_by_role("button", name="Pressed 0 times").click()
    await expect(home.get_by_role("button", name="Pressed 1 times")).to_be_focused()
    (opened,) = await desk.door.deliveries("app_home_opened")
    assert opened.payload["event"]["user"] == CAST.requester
    (click,) = await desk.door.deliveries("block_actions")
    assert click.payload["container"]["type"] == "view"
    await desk.page.get_by_role("button", name="#ops").click()
    await expect(desk.page.locator("#composer")).to_be_visible()


async def test_files_are_shown_with_a_preview_and_given_to_the_app(desk: Desk) -> None:
    await desk.app.api.files_upload_v2(channel=CAST.ops, filename="report.txt", content="<b>all</b> well")
    file = desk.page.locator(".file")
    await expect(file).to_contain_text(contains("report.txt", "15 bytes", "<b>all</b> well"))
    async with desk.page.expect_download() as coming:
        await file.get_by_role("link").click()
    download = await coming.value
    assert download.suggested_filename == "report.txt"
    assert (await download.path()).read_text() == "<b>all</b> well"

    await desk.page.set_input_files(
        "#files", {"name": "log.bin", "mimeType": "application/octet-stream", "buffer": b"\xff\x00"}
    )
    await expect(desk.page.locator("#attached")).to_have_text("log.bin")
    await desk.write("@harness look at this")
    await expect(desk.articles.first).to_contain_text("log.bin")
    shared = (await desk.door.deliveries("app_mention"))[0].payload["event"]["files"][0]
    assert (shared["name"], shared["size"]) == ("log.bin", 2)


async def test_a_link_to_a_message_leads_there_without_leaving_the_page(desk: Desk) -> None:
    await desk.without_guide()
    root = await desk.door.post(CAST.general, "the root")
    reply = await desk.app.api.chat_postMessage(channel=CAST.general, thread_ts=root.ts, text="the answer")
    link = await desk.app.api.chat_getPermalink(channel=CAST.general, message_ts=reply["ts"])
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": f"<{link['permalink']}|View answer>"}}]
    await desk.app.api.chat_postMessage(channel=CAST.ops, text="x", blocks=blocks)
    await desk.page.get_by_role("link", name="View answer").click()
    await expect(desk.articles.last).to_have_text(contains("the answer"))
    await expect(desk.articles.last).to_be_focused()
    assert desk.page.url == desk.url
    await desk.open(link["permalink"].removeprefix(desk.url))
    await expect(desk.articles.last).to_have_text(contains("the answer"))


async def test_each_person_sees_their_own_channels_and_messages(desk: Desk) -> None:
    await desk.app.api.chat_postMessage(channel=CAST.private, text="for the staff")
    await desk.page.get_by_role("button", name="#incidents").click()
    await expect(desk.articles).to_contain_text("for the staff")
    await desk.page.get_by_role("button", name="Messages").click()
    await desk.write("hello")
    await expect(desk.articles.first).to_contain_text("Rosa Requester")
    await desk.be("Admin")
    await expect(desk.page.locator("#place")).to_have_text("#ops")
    await desk.page.get_by_role("button", name="Messages").click()
    await expect(desk.articles).to_have_count(0)


async def test_after_a_lost_connection_the_page_goes_on_where_it_was(desk: Desk) -> None:
    await desk.without_guide()
    first = await desk.app.api.chat_postMessage(channel=CAST.ops, text="before")
    await expect(desk.articles).to_have_count(1)
    await desk.page.context.set_offline(True)
    await desk.app.api.chat_update(channel=CAST.ops, ts=first["ts"], text="changed meanwhile")
    await desk.app.api.chat_postMessage(channel=CAST.ops, text="said meanwhile")
    await desk.watch_changes("#messages")
    await desk.page.context.set_offline(False)
    await expect(desk.articles).to_have_count(2)
    await expect(desk.articles.first).to_contain_text("changed meanwhile")
    assert not [gone for gone in (await desk.changes())["gone"] if gone.startswith("ARTICLE")]
    desk.complaints.clear()  # the browser itself tells of the connection that broke


async def test_an_app_that_is_not_there_is_said_to_be_gone(desk: Desk) -> None:
    await desk.without_guide()
    await desk.write("@harness restart checkout in prod")
    await expect(desk.button("approval:edit")).to_be_visible()
    await desk.door.point_at("http://127.0.0.1:9/slack/events")
    await desk.button("approval:edit").click()
    await expect(desk.page.locator("#trouble")).to_contain_text("The app is not there.")


async def test_what_the_app_says_it_is_doing_is_shown_and_goes_with_its_answer(desk: Desk) -> None:
    desk.app.gate.clear()
    await desk.page.click("#send")
    await expect(desk.button("run:stop")).to_be_visible()
    root = (await desk.door.messages(CAST.ops))[0]
    await desk.app.api.assistant_threads_setStatus(
        channel_id=CAST.ops, thread_ts=root.ts, status="is reading"
    )
    await expect(desk.page.locator("#status")).to_have_text("Harness · is reading")
    await desk.app.api.chat_postMessage(channel=CAST.ops, thread_ts=root.ts, text="done")
    await expect(desk.page.locator("#status")).to_have_text("")
    await wait_until(lambda: desk.app.asked, what="the question was heard")
