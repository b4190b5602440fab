"""Reminders reach those who can decide, once, and say nothing to people outside of the channel."""

from __future__ import annotations

import asyncio
from typing import Any

from delivery.asking import APPROVER, WAITING, asked, card, decided, part_of, reminded
from delivery.owners import Owners
from delivery.slow_wire import SlowWire
from delivery.stage import Act, Stage
from delivery.test_delivery_unclear_outcomes import owner_process
from waiting import wait_until

from bot.delivery.answers import Done
from bot.playground.faults import ErrorAnswer, LoseReply
from bot.playground.records import Message
from harness_core.events import RunResumed

POST = "chat.postMessage"


async def asking(stage: Stage, *, channel: str | None = None, **changes: Any) -> Act:
    """A run that waits for people, whose card is there."""
    act = await stage.play(channel=channel)
    await act.tell(asked(**changes), WAITING)
    await card(act, "Restart shop-0?")
    await act.clean()
    return act


async def written_to(stage: Stage, user: str) -> list[Message]:
    """What the bot wrote to ``user`` alone."""
    direct = [each.id for each in await stage.door.channels() if each.kind == "im" and user in each.members]
    return [
        message
        for channel in direct
        for message in await stage.door.messages(channel)
        if message.bot_id is not None
    ]


async def test_a_named_approver_gets_a_direct_message_that_leads_to_the_card(
    stage: Stage, owners: Owners
) -> None:
    await owners.start(stage)
    act = await asking(stage)
    before = await act.answers()
    await act.tell(reminded())
    await act.clean()
    (told,) = await written_to(stage, APPROVER)
    assert told.text.startswith(
        f"<@{stage.cast.requester}> is waiting for you: Restart shop-0. Expires <!date^"
    )
    (button,) = told.blocks[-1]["elements"]
    shown = await card(act, "Restart shop-0?")
    assert button["text"]["text"] == "Review"
    assert shown.ts.replace(".", "") in button["url"]
    assert await act.answers() == before, "the thread hears nothing of it"
    assert await written_to(stage, stage.cast.requester) == []


async def test_a_reminder_is_said_once_whoever_owns_the_output(stage: Stage, owners: Owners) -> None:
    first = await owners.start(stage)
    act = await asking(stage)
    await act.tell(reminded())
    await act.clean()
    await owners.stop(first)
    await owners.start(stage)
    await act.tell(RunResumed(resume_kind="takeover"), WAITING)
    await act.clean()
    assert len(await written_to(stage, APPROVER)) == 1
    await act.tell(reminded(2))
    await act.clean()
    assert len(await written_to(stage, APPROVER)) == 2
    await act.tell(decided(), reminded(3))
    await act.complete("Done.")
    await act.clean()
    assert len(await written_to(stage, APPROVER)) == 2


async def test_a_private_channel_keeps_its_arguments_for_itself(stage: Stage, owners: Owners) -> None:
    await owners.start(stage)
    act = await asking(stage, channel=stage.cast.private)
    await act.tell(reminded())
    await act.clean()
    (told,) = await written_to(stage, APPROVER)
    assert "is waiting for you: restart_service." in told.text
    assert "shop-0" not in f"{told.text} {told.blocks}"


async def test_a_channel_that_slack_says_nothing_about_counts_as_private(
    stage: Stage, owners: Owners
) -> None:
    await stage.door.fault(ErrorAnswer(error="missing_scope", method="conversations.info", calls=None))
    await owners.start(stage)
    act = await asking(stage)
    await act.tell(reminded())
    await act.clean()
    (told,) = await written_to(stage, APPROVER)
    assert "restart_service" in told.text
    assert "shop-0" not in told.text


async def test_where_nobody_is_named_the_thread_is_told_in_one_line(stage: Stage, owners: Owners) -> None:
    await owners.start(stage)
    act = await asking(stage, rule={"usergroups": [stage.cast.ops_group]})
    await act.tell(reminded())
    await act.clean()
    line = (await act.answers())[-1]
    assert part_of(line) == "remind:ask:1:1"
    assert line.text.startswith(
        f"<@{stage.cast.requester}> is waiting for <!subteam^{stage.cast.ops_group}>: Restart shop-0."
    )
    await act.tell(decided())
    await act.complete("Done.")
    await act.clean()
    assert line in await act.answers(), "what was said stays"


async def test_a_person_who_cannot_be_written_to_does_not_end_the_delivery(
    stage: Stage, owners: Owners
) -> None:
    await owners.start(stage)
    act = await asking(stage, rule={"users": ["U0NOBODY", APPROVER]})
    await act.tell(reminded())
    await act.clean()
    assert len(await written_to(stage, APPROVER)) == 1
    await act.tell(decided("reject"))
    await card(act, "Rejected by")
    await act.complete("Not restarted.")
    await act.says("Not restarted.")
    await act.clean()


async def test_a_direct_message_of_unknown_outcome_is_not_repeated(stage: Stage, owners: Owners) -> None:
    await owners.start(stage)
    act = await asking(stage)
    await stage.door.fault(LoseReply(method=POST))
    await act.tell(reminded())
    await act.clean()
    assert len(await written_to(stage, APPROVER)) == 1
    await act.tell(decided())
    await card(act, "Approved by")
    assert len(await written_to(stage, APPROVER)) == 1
    assert await stage.calls("conversations.replies") == []


async def test_a_killed_owner_reminds_once_at_most(stage: Stage, owners: Owners) -> None:
    owner = await owners.start(stage)
    act = await asking(stage)
    await owners.stop(owner)
    async with SlowWire(stage.playground.api_url, held=POST) as wire, owner_process(stage, wire):
        await act.tell(reminded())
        async with asyncio.timeout(20):
            await wire.holding.wait()
    await owners.start(stage)
    await act.clean()
    assert len(await written_to(stage, APPROVER)) == 1


async def test_a_run_that_waited_for_people_pings_by_its_whole_time(stage: Stage, owners: Owners) -> None:
    await owners.start(stage)
    act = await asking(stage)
    await stage.pass_time(61_000)
    await act.tell(decided(), RunResumed(resume_kind="approval"))
    await act.complete("Restarted.")

    async def pinged() -> bool:
        return part_of((await act.answers())[-1]) == "ping"

    await wait_until(pinged)
    await act.clean()
    assert f"<@{stage.cast.requester}>, your answer is ready." in (await act.answers())[-1].text


async def direct_message(stage: Stage) -> str:
    """The place where the requester and the bot write to each other, once the bot wrote there."""
    api = stage.api()
    assert isinstance(await api.post_message(stage.cast.team, stage.cast.requester, "Hello."), Done)
    await api.close()
    (found,) = [
        each.id
        for each in await stage.door.channels()
        if each.kind == "im" and stage.cast.requester in each.members
    ]
    return found


async def test_who_alone_can_decide_what_was_asked_in_a_direct_message_hears_of_it_at_once(
    stage: Stage, owners: Owners
) -> None:
    await owners.start(stage)
    act = await asking(stage, channel=await direct_message(stage))
    (told,) = await written_to(stage, APPROVER)
    assert told.text.startswith(
        f"<@{stage.cast.requester}> is waiting for you: Restart shop-0. Expires <!date^"
    )
    assert told.text.endswith("`/harness approvals` lets you decide it.")
    assert [block["type"] for block in told.blocks] == ["section"], "a link there would lead nowhere"
    await act.tell(reminded())
    await act.clean()
    assert len(await written_to(stage, APPROVER)) == 2


async def test_nobody_else_hears_of_what_the_person_of_a_direct_message_may_decide(
    stage: Stage, owners: Owners
) -> None:
    await owners.start(stage)
    rule = {"users": [APPROVER], "requester": True}
    await asking(stage, channel=await direct_message(stage), rule=rule)
    assert await written_to(stage, APPROVER) == []
