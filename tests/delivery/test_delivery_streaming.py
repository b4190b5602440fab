"""What a person sees while a run goes on."""

from __future__ import annotations

import asyncio
import itertools
import time

from delivery.owners import QUICK, Owners
from delivery.stage import Stage
from waiting import wait_until

from bot.delivery.owner import Lease
from bot.delivery.scheduler import Pace
from bot.playground.faults import ErrorAnswer
from harness_core.events import ReasoningDelta


async def test_a_run_has_one_message_that_grows_and_ends_with_the_whole_answer(
    stage: Stage, owners: Owners
) -> None:
    await owners.start(stage)
    act = await stage.play()
    await act.say("The service ")
    first = await act.says("The service")
    await act.say("is slow")
    await act.says("The service is slow")
    await act.complete("The service is slow because of its index.")
    last = await act.says("because of its index.")
    await act.clean()
    assert first.ts == last.ts
    assert [message.ts for message in await act.answers()] == [first.ts]
    assert last.edited_ts is None, "an edit with blocks shows no “(edited)”"


async def test_every_post_carries_text_blocks_and_metadata_of_ids_alone(stage: Stage, owners: Owners) -> None:
    await owners.start(stage)
    act = await stage.play()
    await act.complete("Done, <!channel> and &.")
    message = await act.says("Done")
    await act.clean()
    (record,) = (
        each for part, each in (await stage.store.deliveries.of_run(act.run_id)).items() if part == "0"
    )
    payload = {"run_id": act.run_id, "part": "0", "nonce": record.nonce}
    assert message.metadata == {"event_type": "harness_run", "event_payload": payload}
    assert record.external_id == message.ts
    assert record.final
    (post,) = await stage.calls("chat.postMessage")
    assert post.args["blocks"]
    assert post.args["text"]
    assert (post.args["parse"], post.args["link_names"]) == ("none", False)
    assert (post.args["unfurl_links"], post.args["unfurl_media"]) == (False, False)


async def test_edits_of_one_message_keep_their_distance_however_much_is_said(
    stage: Stage, owners: Owners
) -> None:
    await owners.start(stage)
    act = await stage.play()
    until = time.monotonic() + 1.5
    number = 0
    while time.monotonic() < until:
        number += 1
        await act.say(f"word{number} ")
        await asyncio.sleep(0.01)
    await act.says(f"word{number}")
    sent = [call.at for call in await stage.calls("chat.postMessage", "chat.update")]
    gaps = [after - before for before, after in itertools.pairwise(sent)]
    assert len(gaps) >= 4, gaps
    assert min(gaps) > QUICK.edit_interval * 0.9, gaps


async def test_a_last_word_does_not_wait_for_the_next_edit_to_be_due(stage: Stage, owners: Owners) -> None:
    owner = await owners.start(stage)
    act = await stage.play()
    await act.say("almost ")
    await act.says("almost")
    await act.say("there")
    await act.complete("almost there, and here.")
    owner.nudge()
    await act.says("and here.")
    sent = [call.at for call in await stage.calls("chat.postMessage", "chat.update")]
    assert len(sent) == 2
    assert sent[1] - sent[0] < QUICK.edit_interval


async def test_what_nobody_can_see_costs_no_call(stage: Stage, owners: Owners) -> None:
    await owners.start(stage)
    act = await stage.play()
    await act.say("Visible.")
    await act.says("Visible.")
    await act.clean()
    before = len(await stage.door.calls())
    await act.tell(ReasoningDelta(text="hm", message="m1"))
    await act.clean()
    assert len(await stage.door.calls()) == before


async def test_a_status_line_says_at_once_that_the_message_was_seen(stage: Stage, owners: Owners) -> None:
    await owners.start(stage)
    act = await stage.ask()

    async def status() -> str:
        return "".join(each.status for each in await stage.door.statuses())

    assert "is reading your message" in await wait_until(status)
    assert await act.answers() == []
    await act.start()
    await act.say("Here.")
    await act.says("Here.")
    assert await status() == ""
    assert len(await stage.calls("assistant.threads.setStatus")) == 1


async def test_a_run_that_says_nothing_gets_its_message_after_a_moment(stage: Stage, owners: Owners) -> None:
    await owners.start(stage)
    act = await stage.play()
    started = time.time()
    await act.says("is reading your message")
    (post,) = await stage.calls("chat.postMessage")
    assert post.at - started > QUICK.patience * 0.8


async def test_the_first_step_opens_the_message(stage: Stage, owners: Owners) -> None:
    await owners.start(stage)
    act = await stage.play()
    started = time.time()
    await act.step("s1", "Reading the log")

    async def shown() -> bool:
        return any("Reading the log" in str(message.blocks) for message in await act.answers())

    await wait_until(shown)
    (post,) = await stage.calls("chat.postMessage")
    assert post.at - started < QUICK.patience


async def test_a_refused_status_line_brings_the_message_at_once(stage: Stage, owners: Owners) -> None:
    await stage.door.fault(ErrorAnswer(error="missing_scope", method="assistant.threads.setStatus"))
    await owners.start(stage)
    act = await stage.ask()
    await act.says("is reading your message")
    await act.clean()


async def test_a_queued_run_says_its_place_in_line_at_once(stage: Stage, owners: Owners) -> None:
    await owners.start(stage)
    first = await stage.play()
    second = await stage.ask(thread_ts=first.thread_ts)
    queued = await second.says("Queued, 1st in line.")
    await first.complete("First answer.")
    await first.says("First answer.")
    await second.start()
    await second.complete("Second answer.")
    answered = await second.says("Second answer.")
    assert answered.ts == queued.ts


async def test_a_run_that_nobody_takes_up_soon_says_that_it_waits_and_can_be_cancelled(
    stage: Stage, owners: Owners
) -> None:
    first = await owners.start(stage)
    act = await stage.ask()
    queued = await act.says("Queued.")
    assert [button["text"]["text"] for button in queued.blocks[-1]["elements"]] == ["Cancel"]
    (post,) = await stage.calls("chat.postMessage")
    assert post.at - float(act.thread_ts) > QUICK.patience * 0.8
    await act.clean()
    await owners.stop(first)
    await owners.start(stage)
    await stage.store.deliveries.mark_dirty(act.run_id)
    await act.clean()
    assert (await act.says("Queued.")).ts == queued.ts, "whoever shows it next says the same"
    await act.start()
    await act.complete("Done.")
    assert (await act.says("Done.")).ts == queued.ts


async def test_a_run_that_was_stopped_before_it_began_still_ends_in_words(
    stage: Stage, owners: Owners
) -> None:
    await owners.start(stage)
    act = await stage.ask()
    await act.clean()
    await stage.store.runs.cancel(act.run_id, stage.cast.admin)
    await act.says(f"Stopped by <@{stage.cast.admin}>.")


async def test_an_idle_owner_hardly_speaks_to_redis(stage: Stage, owners: Owners) -> None:
    await owners.start(stage, pace=Pace(), lease=Lease())
    act = await stage.play()
    await act.complete("Done.")
    await act.says("Done.")
    await act.clean()

    async def commands() -> int:
        return int((await stage.store.client.info("stats"))["total_commands_processed"])

    before = await commands()
    await asyncio.sleep(1.0)
    spent = await commands() - before - 1
    print(f"redis commands in an idle second: {spent}")
    assert 2 <= spent <= 8


async def test_a_run_at_work_that_is_marked_sees_to_it_that_its_message_is_there(
    stage: Stage, owners: Owners
) -> None:
    await owners.start(stage)
    act = await stage.play()
    await act.say("Thinking about it")
    gone = await act.says("Thinking")
    await act.clean()
    await stage.door.delete(act.channel, gone.ts, user=stage.cast.bot_user)
    await stage.store.deliveries.mark_dirty(act.run_id)
    await act.clean()
    assert (await act.says("Thinking")).ts != gone.ts
    assert len(await act.answers()) == 1
    calls = len(await stage.door.calls())
    await act.clean()
    assert len(await stage.door.calls()) == calls, "it looks once for each mark"
