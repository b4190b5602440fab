"""Cards stand below the run message, once, and change in place while people decide."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from delivery.asking import WAITING, appr, asked, card, decided, part_of, revised, shown, voted
from delivery.owners import QUICK, Owners
from delivery.slow_wire import SlowWire
from delivery.stage import Act, Stage
from delivery.test_delivery_unclear_outcomes import owner_process
from waiting import wait_until

from bot.delivery.scheduler import Pace
from bot.playground.faults import ErrorAnswer, LoseReply
from bot.playground.records import ApiCall
from harness_core.events import (
    ApprovalExpired,
    ApprovalResolved,
    OutputDelta,
    RunResumed,
    StepCompleted,
    StepStarted,
)

POST, UPDATE = "chat.postMessage", "chat.update"


def about(call: ApiCall) -> str:
    """Whether a call is about a card or about the answer."""
    return "card" if any("appr_" in str(block.get("block_id")) for block in call.args["blocks"]) else "answer"


async def said(stage: Stage) -> list[tuple[str, str]]:
    return [(call.method.removeprefix("chat."), about(call)) for call in await stage.calls(POST, UPDATE)]


async def test_a_run_that_asks_shows_its_message_first_and_the_card_below_it_once(
    stage: Stage, owners: Owners
) -> None:
    await owners.start(stage)
    act = await stage.play()
    await act.tell(asked(), WAITING)
    await card(act, "Restart shop-0?")
    await act.clean()
    messages = await act.answers()
    assert [part_of(message) for message in messages] == ["0", "ask:1"]
    assert [message.text for message in messages] == [
        "Waiting for approval: Restart shop-0. See below.",
        f"Approval needed: Restart shop-0 (asked by <@{stage.cast.requester}>)",
    ]
    assert await said(stage) == [("postMessage", "answer"), ("postMessage", "card")]
    record = (await stage.store.deliveries.of_run(act.run_id))["ask:1"]
    assert (record.state, record.external_id) == ("shown", messages[1].ts)


async def test_a_card_is_edited_in_its_place_as_people_vote_change_and_decide(
    stage: Stage, owners: Owners
) -> None:
    await owners.start(stage)
    act = await stage.play()
    await act.tell(asked(quorum=2), WAITING)
    first = await card(act, "0 of 2 approvals")
    await act.tell(voted())
    await card(act, "1 of 2 approvals")
    await act.tell(revised())
    await card(act, "checkout → search")
    await act.tell(decided())
    await card(act, "Running now.")
    await act.tell(ApprovalResolved(approval=appr(), outcome="ran"))
    last = await card(act, "Ran once at")
    await act.clean()
    assert first.ts == last.ts
    assert len(await shown(act, "ask:1")) == 1


async def test_after_the_decision_the_answer_goes_on_in_the_run_message_and_the_card_stays(
    stage: Stage, owners: Owners
) -> None:
    await owners.start(stage)
    act = await stage.play()
    await act.say("Let me restart it.")
    begun = await act.says("Let me restart it.")
    await act.tell(asked(), WAITING)
    asking = await card(act, "Restart shop-0?")
    await act.tell(
        decided(),
        RunResumed(resume_kind="approval", text="Let me restart it."),
        StepStarted(step="call_0", label="Restarting shop-0"),
        StepCompleted(step="call_0"),
        ApprovalResolved(approval=appr(), outcome="ran"),
        OutputDelta(text="It is up again.", message="m2"),
    )
    assert (await act.says("It is up again.")).ts == begun.ts
    await act.complete("Restarted.")
    assert (await act.says("Restarted.")).ts == begun.ts
    await act.clean()
    (kept,) = await shown(act, "ask:1")
    assert kept.ts == asking.ts
    assert "Ran once at" in kept.text


async def test_a_card_comes_before_the_next_edit_of_a_growing_answer(stage: Stage, owners: Owners) -> None:
    await owners.start(stage)
    act = await stage.play()
    await act.say("One ")
    await act.says("One")
    await act.tell(OutputDelta(text="two", message="m1"), asked())
    await act.says("One two")
    await card(act, "Restart shop-0?")
    await act.clean()
    assert await said(stage) == [
        ("postMessage", "answer"),
        ("postMessage", "card"),
        ("update", "answer"),
    ]


async def test_an_answer_to_a_click_does_not_wait_for_a_growing_answer(stage: Stage, owners: Owners) -> None:
    pace = replace(QUICK, edit_interval=30.0, peek=0.05)
    owner = await owners.start(stage, pace=pace)
    act = await stage.play()
    await act.tell(OutputDelta(text="One ", message="m1"), asked())
    await card(act, "Restart shop-0?")
    await act.say("two ")
    outputs = owner._teams[stage.cast.team]._scheduler._outputs
    await wait_until(lambda: outputs[act.run_id].not_before > time.monotonic() + 5, what="the answer waits")
    await act.tell(decided("reject"))
    began = time.monotonic()
    await card(act, "Rejected by")
    took = time.monotonic() - began
    print(f"edit after the click: {took:.2f} s")
    assert took < 2.0
    assert await said(stage) == [("postMessage", "answer"), ("postMessage", "card"), ("update", "card")]


async def test_the_answer_of_an_ended_run_comes_before_its_void_cards(stage: Stage, owners: Owners) -> None:
    await owners.start(stage)
    act = await stage.play()
    await act.tell(asked(), WAITING)
    await card(act, "Restart shop-0?")
    await act.clean()
    before = len(await stage.door.calls())
    await act.stop(stage.cast.admin)
    await card(act, "before anybody decided. It did not run.")
    await act.clean()
    edits = [call for call in await stage.door.calls(after=before) if call.method == UPDATE]
    assert [about(call) for call in edits] == ["answer", "card"]
    assert f"Stopped by <@{stage.cast.admin}>. Nothing was changed." in edits[0].args["text"]


async def test_a_killed_owner_leaves_one_card(stage: Stage, owners: Owners) -> None:
    act = await stage.play()
    owner = await owners.start(stage)
    await act.say("Begun")
    await act.says("Begun")
    await act.clean()
    await owners.stop(owner)
    async with SlowWire(stage.playground.api_url, held=POST) as wire, owner_process(stage, wire):
        await act.tell(asked(), WAITING)
        async with asyncio.timeout(20):
            await wire.holding.wait()
    assert (await stage.store.deliveries.of_run(act.run_id))["ask:1"].state == "pending"
    await owners.start(stage)
    await act.clean()
    (only,) = await shown(act, "ask:1")
    record = (await stage.store.deliveries.of_run(act.run_id))["ask:1"]
    assert (record.state, record.external_id) == ("shown", only.ts)
    assert (await said(stage)).count(("postMessage", "card")) == 1
    await act.tell(decided())
    assert (await card(act, "Approved by")).ts == only.ts


async def test_a_card_whose_answer_was_lost_is_found_and_not_repeated(stage: Stage, owners: Owners) -> None:
    await owners.start(stage)
    act = await stage.play()
    await act.say("Begun")
    await act.says("Begun")
    await stage.door.fault(LoseReply(method=POST))
    await act.tell(asked(), WAITING)
    await card(act, "Restart shop-0?")
    await act.clean()
    assert len(await shown(act, "ask:1")) == 1
    assert len(await stage.calls("conversations.replies")) == 1


async def test_what_a_take_over_tells_again_is_the_same_card(stage: Stage, owners: Owners) -> None:
    first = await owners.start(stage)
    act = await stage.play()
    await act.tell(asked())
    asking = await card(act, "Restart shop-0?")
    await owners.stop(first)
    await owners.start(stage)
    await act.tell(RunResumed(resume_kind="takeover", gap=2_000), asked(), asked(1), WAITING)
    again = await card(act, "Restart shop-1?")
    await act.clean()
    assert again.ts == asking.ts
    assert len(await shown(act, "ask:1")) == 1


async def test_the_next_stretch_and_an_uncertain_outcome_have_cards_of_their_own(
    stage: Stage, owners: Owners
) -> None:
    await owners.start(stage)
    act = await stage.play()
    await act.tell(asked(), asked(1, kind="uncertain"), WAITING)
    await card(act, "Restart shop-0?")
    await card(act, "It may have happened.", f"doubt:{appr(1)}")
    await act.tell(decided(), decided("skip", 1), RunResumed(resume_kind="approval"), asked(2, pause=2))
    await card(act, "Restart shop-2?", "ask:2")
    await card(act, "was not run again", f"doubt:{appr(1)}")
    await act.clean()
    parts = [part_of(message) for message in await act.answers()]
    assert parts == ["0", "ask:1", f"doubt:{appr(1)}", "ask:2"]


async def test_a_card_that_somebody_deletes_is_posted_anew_when_it_changes(
    stage: Stage, owners: Owners
) -> None:
    await owners.start(stage)
    act = await stage.play()
    await act.tell(asked(quorum=2), WAITING)
    gone = await card(act, "0 of 2 approvals")
    await stage.door.delete(act.channel, gone.ts, user=stage.cast.bot_user)
    await act.tell(voted())
    again = await card(act, "1 of 2 approvals")
    assert again.ts != gone.ts
    assert any(block["type"] == "actions" for block in again.blocks)
    await act.tell(decided("reject"))
    assert (await card(act, "Rejected by")).ts == again.ts


async def test_a_waiting_run_that_is_marked_sees_to_it_that_its_open_cards_are_there(
    stage: Stage, owners: Owners
) -> None:
    await owners.start(stage)
    act = await stage.play()
    await act.tell(asked(), asked(1, pause=2), WAITING)
    gone = await card(act, "Restart shop-0?")
    kept = await card(act, "Restart shop-1?", "ask:2")
    await act.clean()
    await stage.door.delete(act.channel, gone.ts, user=stage.cast.bot_user)
    await stage.store.deliveries.mark_dirty(act.run_id)
    await act.clean()
    assert (await card(act, "Restart shop-0?")).ts != gone.ts
    assert (await card(act, "Restart shop-1?", "ask:2")).ts == kept.ts
    calls = len(await stage.door.calls())
    await act.clean()
    assert len(await stage.door.calls()) == calls, "it looks once for each mark"


async def test_a_card_that_slack_refuses_is_shown_with_the_least_there_is(
    stage: Stage, owners: Owners
) -> None:
    await owners.start(stage)
    act = await stage.play()
    await act.say("Begun")
    await act.says("Begun")
    await stage.door.fault(ErrorAnswer(error="invalid_blocks", method=POST))
    await act.tell(asked(), WAITING)
    found = await card(act, "Restart shop-0")
    labels = [element["text"]["text"] for element in found.blocks[-1]["elements"]]
    assert labels == ["Review", "Reject"]
    await act.tell(ApprovalExpired(approval=appr()))
    assert (await card(act, "Expired at")).ts == found.ts
    await act.clean()


async def busy(act: Act) -> None:
    number = 0
    while True:
        number += 1
        await act.say(f"word{number} ")
        await asyncio.sleep(0.05)


async def test_cards_are_posted_and_answered_in_time_while_thirty_runs_stream(
    limited_stage: Stage, owners: Owners
) -> None:
    stage = limited_stage
    channels = (stage.cast.ops, stage.cast.general, stage.cast.private)
    await owners.start(stage, pace=Pace(patience=0.4))
    acts = [await stage.play(channel=channels[number % 3]) for number in range(30)]
    streams = [asyncio.create_task(busy(act)) for act in acts]
    asking = acts[:3]
    try:
        await asyncio.gather(*(act.says("word", within=30.0) for act in asking))
        lags = []
        for act in asking:
            for payload, text in ((asked(), "Restart shop-0?"), (decided(), "Approved by")):
                began = time.monotonic()
                await act.tell(payload)
                await card(act, text)
                lags.append(time.monotonic() - began)
    finally:
        for task in streams:
            task.cancel()
        await asyncio.gather(*streams, return_exceptions=True)
    print(f"lag of cards and their edits: {[round(lag, 2) for lag in lags]} s")
    assert [call for call in await stage.door.calls() if call.status == 429] == []
    assert max(lags[1::2]) < 2.0


async def test_marks_that_come_while_it_looks_are_looked_after_too(stage: Stage, owners: Owners) -> None:
    await owners.start(stage)
    act = await stage.play()
    await act.say("Begun")
    await act.tell(asked(), WAITING)
    gone = [await act.says("Begun"), await card(act, "Restart shop-0?")]
    await act.clean()
    for message in gone:
        await stage.store.deliveries.mark_dirty(act.run_id)
        await stage.door.delete(act.channel, message.ts, user=stage.cast.bot_user)
        await stage.store.deliveries.mark_dirty(act.run_id)
    await act.clean()
    assert (await act.says("Begun")).ts != gone[0].ts
    assert (await card(act, "Restart shop-0?")).ts != gone[1].ts
