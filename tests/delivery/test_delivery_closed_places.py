"""Where Slack lets the bot write no more, a run does not go on unseen: it ends, and whoever asked is told elsewhere."""

from __future__ import annotations

import json

import pytest
from delivery.owners import Owners
from delivery.stage import Act, Stage
from delivery.test_delivery_reminders import written_to
from waiting import wait_until

from bot.playground.faults import ErrorAnswer
from harness_core import RunState
from harness_core.events import RunFailed

POST = "chat.postMessage"


async def notes(stage: Stage) -> list[dict[str, str]]:
    """What the audit chain says of undeliverable runs."""
    links = [json.loads(link.data) for link in await stage.store.audit.read(stage.cast.team)]
    return [link for link in links if link["what"] == "undeliverable"]


async def ended(act: Act) -> None:
    """Looks after the run's message until that shows what became of its channel."""

    async def probe() -> bool:
        await act.store.deliveries.mark_dirty(act.run_id)
        return (await act.store.runs.get(act.run_id)).state is RunState.FAILED

    await wait_until(probe, what="the run ended")


@pytest.mark.parametrize("error", ["not_in_channel", "channel_not_found"])
async def test_a_run_that_cannot_speak_is_asked_to_stop_and_who_asked_learns_why(
    error: str, stage: Stage, owners: Owners
) -> None:
    await stage.door.fault(ErrorAnswer(error=error, method=POST))
    await owners.start(stage)
    act = await stage.play()
    await act.say("Nobody reads this.")
    await act.clean()
    run = await stage.store.runs.get(act.run_id)
    assert (run.state, run.cancelled_by) == (RunState.RUNNING, "undeliverable"), "its worker ends it"
    assert await notes(stage) == [{"what": "undeliverable", "run": act.run_id, "reason": error}]
    (told,) = await written_to(stage, stage.cast.requester)
    assert told.text == (
        f"I am not in <#{act.channel}>, so I cannot answer there. Invite me and send your message again."
    )
    assert await act.answers() == []


async def test_a_run_that_nobody_works_on_ends_at_once_and_who_asked_is_told_once(
    stage: Stage, owners: Owners
) -> None:
    first = await owners.start(stage)
    act = await stage.play()
    behind = await stage.ask(channel=act.channel, thread_ts=act.thread_ts)
    await act.says("Queued, 1st in line.")
    await behind.clean()
    await stage.door.archive(act.channel)
    await ended(behind)
    await behind.clean()
    await owners.stop(first)
    await stage.store.deliveries.mark_dirty(behind.run_id)
    await owners.start(stage)
    await behind.clean()
    (told,) = await written_to(stage, stage.cast.requester)
    assert told.text.startswith(f"I may not write in <#{act.channel}> any more, ")
    assert [note["run"] for note in await notes(stage)] == [behind.run_id]
    (failed,) = [
        event.payload
        for event in await stage.store.events.read(behind.run_id)
        if isinstance(event.payload, RunFailed)
    ]
    assert (failed.reason, failed.ran, failed.unsure) == ("undeliverable", 0, 0)


async def test_an_answer_that_found_its_place_closed_is_noted_and_stays_as_it_ended(
    stage: Stage, owners: Owners
) -> None:
    await stage.door.fault(ErrorAnswer(error="restricted_action", method=POST))
    act = await stage.play()
    await act.complete("An answer.")
    await owners.start(stage)
    await act.clean()
    assert (await stage.store.runs.get(act.run_id)).state is RunState.COMPLETED
    assert [note["reason"] for note in await notes(stage)] == ["restricted_action"]
    assert len(await written_to(stage, stage.cast.requester)) == 1
