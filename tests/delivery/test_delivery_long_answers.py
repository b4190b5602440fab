"""Answers that need several messages, and those that somebody waited for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from delivery.owners import QUICK, SHORT, Owners
from delivery.stage import Stage

from bot.delivery.target import place_of
from bot.playground.faults import ErrorAnswer
from bot.playground.records import Message
from harness_core.events import RunResumed

AWAY = 61_000
"""Milliseconds."""


def shown(messages: list[Message]) -> str:
    return "".join(
        block["text"] for message in messages for block in message.blocks if block["type"] == "markdown"
    )


def letters(text: str) -> str:
    return "".join(text.split())


def long_answer(length: int) -> str:
    lines = (f"Line {number}: what was found there, in so many words." for number in range(length))
    return "\n".join(lines)[:length]


async def test_an_answer_of_30_000_characters_comes_whole_and_in_order(stage: Stage, owners: Owners) -> None:
    answer = long_answer(30_000)
    await owners.start(stage)
    act = await stage.play()
    await act.say(answer[:12_000])
    await act.complete(answer)
    await act.clean()
    messages = await act.answers()
    assert len(messages) >= 3
    assert [message.ts for message in messages] == sorted(message.ts for message in messages)
    assert letters(shown(messages)) == letters(answer)


async def test_parts_that_an_interruption_made_needless_say_where_the_answer_is(
    stage: Stage, owners: Owners
) -> None:
    await owners.start(stage)
    act = await stage.play()
    await act.say(long_answer(20_000))
    await act.clean()
    assert len(await act.answers()) == 2
    await act.tell(RunResumed(resume_kind="takeover", text=""))
    await act.complete("Short after all.")
    await act.clean()
    first, second = await act.answers()
    assert "Short after all." in shown([first])
    assert shown([second]) == ""
    assert f"p{first.ts.replace('.', '')}" in second.text


@pytest.mark.parametrize("away", [False, True])
async def test_a_requester_who_had_to_wait_is_pinged_once(away: bool, stage: Stage, owners: Owners) -> None:
    await owners.start(stage)
    act = await stage.play()
    await act.say("Working.")
    await act.says("Working.")
    if away:
        await stage.pass_time(AWAY)
    await act.complete("Worked.")
    await act.says("Worked.")
    await act.clean()
    answer, *pings = await act.answers()
    assert len(pings) == away
    for ping in pings:
        assert f"<@{stage.cast.requester}>, your answer is ready." in ping.text
        assert f"p{answer.ts.replace('.', '')}" in ping.text
    await owners.start(stage, lease=replace(SHORT, contend=0.05))
    await stage.store.deliveries.mark_dirty(act.run_id)
    await act.clean()
    assert len(await act.answers()) == 1 + away


async def test_a_failure_after_a_long_wait_pings_too(stage: Stage, owners: Owners) -> None:
    await owners.start(stage)
    act = await stage.play()
    await stage.pass_time(AWAY)
    await act.fail("The model did not answer.")
    await act.clean()
    assert f"<@{stage.cast.requester}>, your run ended" in (await act.answers())[-1].text


@pytest.mark.parametrize("below", [True, False])
async def test_a_requester_is_pinged_where_people_wrote_below_the_answer(
    below: bool, stage: Stage, owners: Owners
) -> None:
    await owners.start(stage)
    act = await stage.play()
    run = await stage.store.runs.get(act.run_id)
    await stage.store.messages.note_post(run.tenant, run.conversation, place_of(act.thread_ts))
    await act.say("Draft")
    draft = await act.says("Draft")
    if below:
        place = place_of(draft.ts) + 1
        await stage.store.messages.note_post(run.tenant, run.conversation, place)
        await stage.store.messages.note_post(run.tenant, run.conversation, place - 5)
    await act.complete("Draft and end.")
    await act.says("Draft and end.")
    await act.clean()
    texts = [message.text for message in await act.answers()]
    assert texts[0] == "Draft and end."
    assert ["your answer is ready" in text for text in texts[1:]] == [True] * below


async def test_whoever_stopped_a_run_is_not_pinged(stage: Stage, owners: Owners) -> None:
    await owners.start(stage)
    act = await stage.play()
    await stage.pass_time(AWAY)
    await act.stop(stage.cast.admin)
    await act.clean()
    assert len(await act.answers()) == 1


async def test_a_ping_does_without_the_link_where_there_is_none(stage: Stage, owners: Owners) -> None:
    await stage.door.fault(ErrorAnswer(error="missing_scope", method="chat.getPermalink", calls=None))
    await owners.start(stage, pace=QUICK)
    act = await stage.play()
    await stage.pass_time(AWAY)
    await act.complete("Worked.")
    await act.says("your answer is ready.")
    await act.clean()
