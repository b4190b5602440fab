from __future__ import annotations

import json
from typing import Any

from front_end.slack_bodies import CAST, action, mention, new_ts
from front_end.stage import Stage
from waiting import wait_until

from bot.playground.faults import ErrorAnswer
from bot.view.values import RUN_RETRY, RUN_SHOW, RUN_STEPS, RUN_STOP, RUNS_PAGE, RunsPage, encode
from harness_core.models import Run, RunFilter
from harness_core.states import RunState

ELSEWHERE = {"channel": {"id": CAST.ops}, "container": {"type": "message", "channel_id": CAST.ops}}


async def ask(stage: Stage) -> Run:
    await stage.event(mention("why?"))
    return (await stage.runs())[0]


async def listing(stage: Stage, *, user: str = CAST.admin) -> Any:
    """The ephemeral list in front of a person; its buttons work."""
    await stage.door.command(CAST.general, "runs", user=user)
    return (await stage.told(user))[-1]


async def test_anyone_in_the_channel_may_press_stop(stage: Stage) -> None:
    run = await ask(stage)
    assert (await stage.act(action(RUN_STOP, run.run_id, user=CAST.approver))).status == 200
    assert (await stage.the_run()).state is RunState.CANCELLED
    assert (await stage.the_run()).cancelled_by == CAST.approver


async def test_from_another_channel_only_the_requester_and_admins_may_stop(stage: Stage) -> None:
    run = await ask(stage)
    await stage.act(action(RUN_STOP, run.run_id, user=CAST.approver, **ELSEWHERE))
    assert (await stage.the_run()).state is RunState.QUEUED
    await stage.act(action(RUN_STOP, run.run_id, user=CAST.requester, **ELSEWHERE))
    assert (await stage.the_run()).state is RunState.CANCELLED


async def test_stop_in_a_list_is_answered_and_a_second_press_changes_nothing(stage: Stage) -> None:
    await ask(stage)
    shown = await listing(stage)
    assert (await stage.door.click(shown, RUN_STOP, user=CAST.admin)).ok
    assert (await stage.door.click(shown, RUN_STOP, user=CAST.admin)).ok
    texts = [each.text for each in await stage.told(CAST.admin, 3)]
    assert any(text.startswith("Stopped by") for text in texts)
    assert any("already ended" in text for text in texts)


async def test_only_the_requester_or_an_admin_may_press_retry_and_twice_is_once(stage: Stage) -> None:
    run = await ask(stage)
    await stage.core.control.cancel(run.run_id, CAST.requester)
    await stage.act(action(RUN_RETRY, run.run_id, user=CAST.approver))
    assert len(await stage.runs()) == 1
    for user in (CAST.requester, CAST.requester, CAST.admin):
        await stage.act(action(RUN_RETRY, run.run_id, user=user))
    newest, _ = await stage.runs()
    assert (newest.retry_of, newest.state) == (run.run_id, RunState.QUEUED)


async def test_a_run_that_is_still_going_is_not_retried(stage: Stage) -> None:
    run = await ask(stage)
    await stage.act(action(RUN_RETRY, run.run_id))
    assert len(await stage.runs()) == 1


async def test_steps_open_in_a_modal(stage: Stage) -> None:
    await ask(stage)
    shown = await listing(stage)
    await stage.door.click(shown, RUN_SHOW, user=CAST.admin)

    async def detail() -> Any:
        return next(
            (each for each in await stage.door.ephemerals(user=CAST.admin) if "State: " in each.text), None
        )

    assert (await stage.door.click(await wait_until(detail), RUN_STEPS, user=CAST.admin)).ok

    async def view() -> Any:
        return await stage.door.views(user=CAST.admin)

    (modal,) = await wait_until(view)
    assert modal.body["title"]["text"] == "Steps"


async def test_a_modal_that_slack_refuses_is_told_to_who_pressed(stage: Stage) -> None:
    await ask(stage)
    shown = await listing(stage)
    await stage.door.click(shown, RUN_SHOW, user=CAST.admin)
    (_, detail) = await stage.told(CAST.admin, 2)
    await stage.door.fault(ErrorAnswer(error="expired_trigger_id", method="views.open"))
    await stage.door.click(detail, RUN_STEPS, user=CAST.admin)
    told = (await stage.told(CAST.admin, 3))[-1]
    assert told.text == "That could not be opened. Press the button again."


async def test_older_replaces_the_list_by_its_next_page(stage: Stage) -> None:
    for _ in range(12):
        await stage.event(mention("why?"))
    ids = [run.run_id for run in await stage.runs()]
    shown = await listing(stage)
    await stage.door.click(shown, RUNS_PAGE, user=CAST.admin)

    async def replaced() -> bool:
        (now,) = await stage.door.ephemerals(user=CAST.admin)
        return [line.split()[0] for line in now.text.splitlines()] == ids[10:]

    await wait_until(replaced)


async def test_a_page_that_was_made_for_an_admin_shows_others_only_their_own_runs(stage: Stage) -> None:
    run = await ask(stage)
    await listing(stage, user=CAST.approver)
    page = RunsPage(cursor="run_7ZZZZZZZZZZZZZZZZZZZZZZZZZ", narrowed=RunFilter(user=run.user))
    url = f"{stage.slack.base_url}/nowhere"
    reply = await stage.act(action(RUNS_PAGE, encode(page), user=CAST.approver, response_url=url))
    assert reply.status == 200

    async def answered() -> Any:
        return [call for call in await stage.door.calls() if run.run_id in json.dumps(call.args)]

    assert await answered() == []


async def test_what_a_button_carries_is_read_with_suspicion(stage: Stage) -> None:
    run = await ask(stage)
    for action_id, value in (
        (RUN_STOP, "run_nonsense"),
        (RUN_STOP, ""),
        (RUN_STOP, "run_01HZZZZZZZZZZZZZZZZZZZZZZZ"),
        (RUN_RETRY, "{}"),
        (RUNS_PAGE, "[]"),
        ("somebody:elses", run.run_id),
        ("", ""),
    ):
        assert (await stage.act(action(action_id, value))).status == 200
    assert (await stage.the_run()).state is RunState.QUEUED


async def test_a_modal_that_is_submitted_or_closed_is_acknowledged(stage: Stage) -> None:
    view = {
        "id": "V1",
        "type": "modal",
        "callback_id": "steps:modal",
        "private_metadata": "",
        "state": {"values": {}},
    }
    for kind in ("view_submission", "view_closed"):
        body = {"type": kind, "team": {"id": CAST.team}, "user": {"id": CAST.requester}, "view": view}
        reply = await stage.act(body)
        assert (reply.status, reply.text) == (200, "")


async def test_a_click_in_another_team_does_nothing(stage: Stage) -> None:
    run = await ask(stage)
    body = action(RUN_STOP, run.run_id, team={"id": "T0ELSEWHERE"}, message={"ts": new_ts()})
    assert (await stage.act(body)).status == 200
    assert (await stage.the_run()).state is RunState.QUEUED
