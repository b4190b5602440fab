from __future__ import annotations

import os
import signal

import pytest
from front_end.cards import now, opened, screen, shown
from front_end.slack_bodies import CAST
from front_end.stage import Stage
from waiting import wait_until

from bot.listeners import modals
from bot.playground.faults import ErrorAnswer, Hang, RateLimited
from bot.view.values import APPROVAL_APPROVE, APPROVAL_EDIT, APPROVAL_REJECT
from harness_core.approvals import ApproverRule


async def test_a_late_store_opens_a_modal_that_is_filled_in(stage: Stage, redis_pid: int) -> None:
    await shown(stage)
    _, card = await shown(stage)
    os.kill(redis_pid, signal.SIGSTOP)
    try:
        outcome = await stage.door.click(card, APPROVAL_REJECT, user=CAST.approver)
        assert outcome.ok
        assert outcome.seconds < 3
        assert "Loading" in await screen(stage)
    finally:
        os.kill(redis_pid, signal.SIGCONT)

    async def filled() -> bool:
        return '"block_id": "reason"' in await screen(stage)

    await wait_until(filled)


async def test_a_late_store_tells_in_the_modal_why_there_is_nothing_to_fill_in(
    stage: Stage, redis_pid: int
) -> None:
    _, card = await shown(stage)
    os.kill(redis_pid, signal.SIGSTOP)
    try:
        await stage.door.click(card, APPROVAL_EDIT, user=CAST.admin)
    finally:
        os.kill(redis_pid, signal.SIGCONT)

    async def told() -> bool:
        return "You can't decide this request" in await screen(stage, CAST.admin)

    await wait_until(told)


async def test_a_submission_that_the_store_takes_late_says_in_the_modal_what_became_of_it(
    stage: Stage, redis_pid: int
) -> None:
    asked, card = await shown(stage)
    await opened(stage, card, APPROVAL_REJECT)
    os.kill(redis_pid, signal.SIGSTOP)
    try:
        outcome = await stage.door.submit({"reason": "late"}, user=CAST.approver)
        assert outcome.ok
        assert outcome.seconds < 3
    finally:
        os.kill(redis_pid, signal.SIGCONT)

    async def told() -> bool:
        return "This is done" in await screen(stage)

    await wait_until(told)
    assert (await now(stage, asked)).reason == "late"


async def test_a_form_that_is_refused_late_comes_back_with_what_was_written_and_can_be_saved(
    stage: Stage, redis_pid: int
) -> None:
    asked, card = await shown(stage)
    await opened(stage, card, APPROVAL_EDIT)
    await stage.door.fault(RateLimited(seconds=1, method="views.update"))
    os.kill(redis_pid, signal.SIGSTOP)
    try:
        assert (await stage.door.submit({"arg:count": "many", "arg:env": '"prod"'}, user=CAST.approver)).ok
        assert "Loading" in await screen(stage)
    finally:
        os.kill(redis_pid, signal.SIGCONT)

    async def back() -> bool:
        return "count: Write a whole number" in await screen(stage)

    await wait_until(back, what="a modal that was rate limited once is filled in after all")
    assert (await stage.door.submit({"arg:count": "3"}, user=CAST.approver)).ok
    found = await now(stage, asked)
    assert found.asked.arguments == {"service": "checkout", "count": 3, "env": "prod"}


async def test_a_decision_is_not_cut_off_when_its_modal_no_longer_waits_for_it(
    stage: Stage, redis_pid: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modals, "FILL_WITHIN", 0.05)
    asked, card = await shown(stage)
    await opened(stage, card, APPROVAL_REJECT)
    os.kill(redis_pid, signal.SIGSTOP)
    try:
        assert (await stage.door.submit({"reason": "late"}, user=CAST.approver)).ok

        async def told() -> bool:
            return "may not have been done" in await screen(stage)

        await wait_until(told)
    finally:
        os.kill(redis_pid, signal.SIGCONT)

    async def rejected() -> bool:
        return (await now(stage, asked)).reason == "late"

    await wait_until(rejected)


async def test_what_became_of_a_submission_is_written_to_who_has_no_modal_for_it(
    stage: Stage, redis_pid: int
) -> None:
    asked, card = await shown(stage)
    await opened(stage, card, APPROVAL_REJECT)
    await stage.core.control.cancel(asked.run_id, CAST.requester)
    await stage.door.fault(ErrorAnswer(error="not_found", method="views.update", calls=None))
    os.kill(redis_pid, signal.SIGSTOP)
    try:
        assert (await stage.door.submit({"reason": "late"}, user=CAST.approver)).ok
    finally:
        os.kill(redis_pid, signal.SIGCONT)

    async def written() -> bool:
        return "Your click changed nothing." in [each.text for each in await stage.door.messages()][-1]

    await wait_until(written)


async def test_reject_decides_although_the_store_is_late_and_no_modal_opens(
    stage: Stage, redis_pid: int
) -> None:
    asked, card = await shown(stage)
    await stage.door.fault(ErrorAnswer(error="expired_trigger_id", method="views.open"))
    os.kill(redis_pid, signal.SIGSTOP)
    try:
        outcome = await stage.door.click(card, APPROVAL_REJECT, user=CAST.approver)
        assert outcome.ok
        assert outcome.seconds < 3
    finally:
        os.kill(redis_pid, signal.SIGCONT)

    async def rejected() -> bool:
        return (await now(stage, asked)).decision == "reject"

    await wait_until(rejected)


@pytest.mark.parametrize("method", ["users.info", "usergroups.users.list"])
async def test_a_slack_that_does_not_say_who_somebody_is_keeps_no_click_waiting(
    stage: Stage, method: str
) -> None:
    rule = ApproverRule(users=(CAST.approver,), usergroups=(CAST.ops_group,))
    asked, card = await shown(stage, rule=rule)
    await stage.door.fault(Hang(seconds=6, method=method, calls=None))
    outcome = await stage.door.click(card, APPROVAL_EDIT, user=CAST.approver)
    assert outcome.ok
    assert outcome.seconds < 3
    assert '"arg:service"' in await screen(stage), "who is named needs no look-up"
    outcome = await stage.door.click(card, APPROVAL_APPROVE, user=CAST.admin)
    assert outcome.seconds < 3
    (told,) = await stage.told(CAST.admin)
    assert "Slack did not say" in told.text
    assert (await now(stage, asked)).state == "open"
