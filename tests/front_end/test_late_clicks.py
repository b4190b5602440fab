"""A click that takes long, or fails in a way nobody thought of, is answered with what became of it."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from front_end.cards import opened, screen, shown
from front_end.slack_bodies import CAST, action, mention, new_ts
from front_end.stage import Stage

from bot.view.values import APPROVAL_APPROVE, APPROVAL_EDIT, RUN_STOP
from harness_core import Approvals, Control
from harness_core.states import RunState

UNFORESEEN = "Something went wrong in the bot, so this may not have been done."


async def broken(*_given: Any, **_named: Any) -> None:
    raise ZeroDivisionError


async def test_a_stop_that_the_store_takes_late_is_done_and_told_so(stage: Stage, redis_pid: int) -> None:
    await stage.event(mention("why?"))
    await stage.door.command(CAST.general, "runs", user=CAST.admin)
    (listed,) = await stage.told(CAST.admin)
    os.kill(redis_pid, signal.SIGSTOP)
    try:
        outcome = await stage.door.click(listed, RUN_STOP, user=CAST.admin)
        assert outcome.ok
        assert outcome.seconds < 3
    finally:
        os.kill(redis_pid, signal.SIGCONT)
    (_, told) = await stage.told(CAST.admin, 2)
    assert told.text.startswith("Stopped by")
    assert (await stage.the_run()).state is RunState.CANCELLED


async def test_a_click_and_a_command_that_fail_in_an_unforeseen_way_are_answered(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.event(mention("why?"))
    await stage.door.command(CAST.general, "runs", user=CAST.admin)
    (listed,) = await stage.told(CAST.admin)
    monkeypatch.setattr(Control, "cancel", broken)
    assert (await stage.door.click(listed, RUN_STOP, user=CAST.admin)).ok
    assert (await stage.told(CAST.admin, 2))[-1].text.startswith(UNFORESEEN)
    monkeypatch.setattr(Control, "list_runs", broken)
    assert (await stage.door.command(CAST.general, "runs", user=CAST.admin)).ok
    assert (await stage.told(CAST.admin, 3))[-1].text.startswith(UNFORESEEN)


async def test_a_form_that_fails_in_an_unforeseen_way_keeps_what_was_written(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, card = await shown(stage)
    await opened(stage, card, APPROVAL_EDIT)
    monkeypatch.setattr(Approvals, "revise", broken)
    outcome = await stage.door.submit({"arg:count": "7"}, user=CAST.approver)
    assert [text.startswith(UNFORESEEN) for text in outcome.errors.values()] == [True]
    assert '"arg:count"' in await screen(stage)


async def test_an_answer_that_its_address_does_not_take_is_shown_all_the_same(stage: Stage) -> None:
    nowhere = f"{stage.slack.base_url}/nowhere"
    thread = {"thread_ts": new_ts()}
    clicked = action(APPROVAL_APPROVE, f"appr_{9:032x}:0", response_url=nowhere, message=thread)
    assert (await stage.act(clicked)).status == 200
    (told,) = await stage.told(clicked["user"]["id"])
    assert "This request is gone." in told.text
