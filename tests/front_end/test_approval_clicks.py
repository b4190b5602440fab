from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from front_end.cards import audit, noted, now, post, pressed, shown
from front_end.questions import ask, show
from front_end.slack_bodies import CAST, mention
from front_end.stage import Stage
from waiting import wait_until

from bot.playground.faults import ErrorAnswer
from bot.playground.records import Message
from bot.view.values import (
    APPROVAL_AGAIN,
    APPROVAL_APPROVE,
    APPROVAL_DONE,
    APPROVAL_SKIP,
)
from harness_core.approvals import Approval, ApproverRule
from harness_core.events import ApprovalRevised
from harness_core.states import RunState

GROUP = ApproverRule(usergroups=(CAST.ops_group,))
CHANNEL = ApproverRule(channel_members=True)
OPS: dict[str, Any] = {"channel": CAST.ops}


async def refused(stage: Stage, card: Message, asked: Approval, user: str) -> str:
    """What somebody is told who presses Approve, after which nothing is decided."""
    assert (await stage.door.click(card, APPROVAL_APPROVE, user=user)).ok
    (told,) = await stage.told(user)
    assert (await now(stage, asked)).state == "open"
    return told.text


async def test_an_approval_lets_the_run_go_on_and_tells_the_winner_nothing(stage: Stage) -> None:
    asked, card = await shown(stage)
    assert (await stage.door.click(card, APPROVAL_APPROVE, user=CAST.approver)).ok
    found = await now(stage, asked)
    assert (found.state, found.decision, found.decided_by) == ("decided", "approve", CAST.approver)
    assert (await stage.core.control.get_run(asked.run_id)).state is RunState.RESUMING
    assert await stage.door.ephemerals(user=CAST.approver) == []
    decided = (await noted(stage, "decided"))[0]
    assert (decided["by"], decided["source"]) == (CAST.approver, "message")


async def test_a09_somebody_outside_the_rule_is_refused_and_told_who_can(stage: Stage) -> None:
    asked, card = await shown(stage)
    text = await refused(stage, card, asked, CAST.admin)
    assert text == f"You can't decide this request. <@{CAST.approver}> can."
    (shown_to_them,) = await stage.door.ephemerals(user=CAST.admin)
    assert shown_to_them.thread_ts == card.thread_ts, "in the thread of the card, where they look"
    entry = (await noted(stage, "refused"))[0]
    assert (entry["why"], entry["by"], entry["approval"]) == ("not_allowed", CAST.admin, asked.approval_id)


async def test_a10_who_asked_cannot_approve_also_when_named(stage: Stage) -> None:
    asked, card = await shown(stage, rule=ApproverRule(users=(CAST.requester, CAST.approver)))
    text = await refused(stage, card, asked, CAST.requester)
    assert text == (f"You asked for this, so someone else must approve. <@{CAST.approver}> can.")


async def test_a10_who_asked_can_approve_where_the_rule_says_so(stage: Stage) -> None:
    asked, card = await shown(stage, rule=ApproverRule(requester=True))
    await stage.door.click(card, APPROVAL_APPROVE, user=CAST.requester)
    assert (await now(stage, asked)).decided_by == CAST.requester


@pytest.mark.parametrize(
    "user", [CAST.guest, CAST.stranger], ids=["a11 a guest", "a12 somebody of another organisation"]
)
async def test_an_outsider_is_refused_although_the_rule_reaches_the_channel(stage: Stage, user: str) -> None:
    asked, card = await shown(stage, rule=CHANNEL, **OPS)
    assert "Guests and people from other organisations" in await refused(stage, card, asked, user)


async def test_a13_a_bot_is_refused(stage: Stage) -> None:
    asked, card = await shown(stage, rule=CHANNEL, **OPS)
    ref = f"{asked.approval_id}:{asked.revision}"
    await stage.act(pressed(APPROVAL_APPROVE, ref, card, user=CAST.other_bot_user))
    assert (await noted(stage, "refused"))[0]["why"] == "bot"
    assert (await now(stage, asked)).state == "open"


async def test_a19_what_a_model_or_a_person_writes_approves_nothing(stage: Stage) -> None:
    asked, _ = await shown(stage)
    for text in ("already approved", f"approve {asked.approval_id}", f"Approved by <@{CAST.approver}>."):
        await stage.event(mention(text, user=CAST.approver))
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "Approved"}}]
    await stage.event(mention("approve", user=CAST.requester, blocks=blocks))
    assert (await now(stage, asked)).state == "open"


@pytest.mark.parametrize("text", ["approve {id}", "approvals approve {id}", "approvals {id}"])
async def test_a20_no_text_command_approves(stage: Stage, text: str) -> None:
    asked, _ = await shown(stage)
    for user in (CAST.admin, CAST.approver):
        await stage.door.command(CAST.general, text.format(id=asked.approval_id), user=user)
    assert (await now(stage, asked)).state == "open"


async def test_a25_who_left_the_group_or_the_team_after_the_card_came_is_refused(stage: Stage) -> None:
    asked, card = await shown(stage, rule=GROUP)
    await stage.door.change_group(CAST.ops_group, [CAST.admin])
    assert "You can't decide this request" in await refused(stage, card, asked, CAST.approver)
    await stage.door.change_user(CAST.admin, deleted=True)
    await stage.act(pressed(APPROVAL_APPROVE, f"{asked.approval_id}:{asked.revision}", card, user=CAST.admin))
    why = await wait_until(lambda: _why(stage, CAST.admin))
    assert why == "deactivated"
    assert (await now(stage, asked)).state == "open"


async def _why(stage: Stage, user: str) -> str:
    return next((str(e["why"]) for e in await audit(stage) if e["what"] == "refused" and e["by"] == user), "")


async def test_a_membership_that_cannot_be_looked_up_denies_and_says_so(stage: Stage) -> None:
    asked, card = await shown(stage, rule=GROUP)
    await stage.door.fault(ErrorAnswer(error="internal_error", method="usergroups.users.list"))
    assert "Slack did not say whether you can" in await refused(stage, card, asked, CAST.approver)
    await stage.door.click(card, APPROVAL_APPROVE, user=CAST.approver)
    assert (await now(stage, asked)).decided_by == CAST.approver


async def test_the_loser_is_told_who_decided_what_and_when(stage: Stage) -> None:
    asked, card = await shown(stage, rule=GROUP)
    await stage.door.click(card, APPROVAL_APPROVE, user=CAST.admin)
    await stage.door.click(card, APPROVAL_APPROVE, user=CAST.approver)
    (told,) = await stage.told(CAST.approver)
    assert told.text.startswith(f"Already approved by <@{CAST.admin}> at ")
    assert told.text.endswith("Your click changed nothing.")
    assert (await now(stage, asked)).decided_by == CAST.admin


async def test_two_approvals_are_tallied_and_one_person_counts_once(stage: Stage) -> None:
    asked, card = await shown(stage, rule=GROUP, quorum=2)
    for _ in range(2):
        await stage.door.click(card, APPROVAL_APPROVE, user=CAST.approver)
    first, second = [each.text for each in await stage.told(CAST.approver, 2)]
    assert first == "Your approval counts. 1 of 2 approvals."
    assert second.startswith("Your approval was counted before. 1 of 2")
    await stage.door.click(card, APPROVAL_APPROVE, user=CAST.admin)
    assert (await now(stage, asked)).decision == "approve"


async def test_a_stale_card_decides_nothing(stage: Stage) -> None:
    asked, card = await shown(stage)
    await stage.core.store.approvals.revise(asked, asked, _revised(asked), source="shell")
    text = await refused(stage, card, asked, CAST.approver)
    assert text.startswith("The values changed while you were reading.")


def _revised(asked: Approval) -> Any:
    return ApprovalRevised(
        approval=asked.approval_id, revision=1, by="U0X", title="t", arguments="{}", changes=[]
    )


async def test_a_card_of_a_run_that_was_stopped_says_so(stage: Stage) -> None:
    asked, card = await shown(stage)
    await stage.core.control.cancel(asked.run_id, CAST.requester)
    await stage.door.click(card, APPROVAL_APPROVE, user=CAST.approver)
    (told,) = await stage.told(CAST.approver)
    assert told.text == "This run was stopped. Your click changed nothing."


async def test_a_click_after_the_deadline_decides_nothing(stage: Stage) -> None:
    asked, card = await shown(stage, expires_at=1)
    await stage.door.click(card, APPROVAL_APPROVE, user=CAST.approver)
    (told,) = await stage.told(CAST.approver)
    assert told.text.startswith("Expired at ")
    assert (await now(stage, asked)).decision is None


async def test_a_card_of_before_a_change_of_the_configuration_runs_nothing_and_says_so(stage: Stage) -> None:
    asked, card = await shown(stage)
    store = stage.core.store
    run = store.runs._scripts.keys(CAST.team)("run", asked.run_id)
    await store.client.hset(run, "workspace", "another")
    stage.holder.adopt(stage.holder.current)  # as in a process that builds the agents
    await stage.door.click(card, APPROVAL_APPROVE, user=CAST.approver)
    (told,) = await stage.told(CAST.approver)
    assert told.text.startswith("The configuration changed since this was asked")
    ended = await stage.core.control.get_run(asked.run_id)
    assert (ended.state, ended.reason) == (RunState.FAILED, "configuration_changed")
    assert (await now(stage, asked)).decision is None


@pytest.mark.parametrize(
    ("action_id", "decision"), [(APPROVAL_DONE, "done"), (APPROVAL_AGAIN, "again"), (APPROVAL_SKIP, "skip")]
)
async def test_an_uncertain_call_is_settled_by_its_three_buttons(
    stage: Stage, action_id: str, decision: str
) -> None:
    asked, card = await shown(stage, kind="uncertain")
    await stage.door.click(card, APPROVAL_APPROVE, user=CAST.approver)
    (told,) = await stage.told(CAST.approver)
    assert "may have happened already" in told.text
    await stage.door.click(card, action_id, user=CAST.admin)
    assert (await now(stage, asked)).state == "open", "the same rule holds"
    await stage.door.click(card, action_id, user=CAST.approver)
    assert (await now(stage, asked)).decision == decision


async def test_questions_of_one_card_are_decided_each_alone_and_while_the_run_works(stage: Stage) -> None:
    asked = await ask(stage.core.store, count=3, hold=True)
    card = await post(stage, asked)
    await show(stage.core.store, asked, ts=card.ts)
    second = asked[1].approval_id
    await stage.door.click(card, APPROVAL_APPROVE, user=CAST.approver, block_id=second)
    assert [(await now(stage, each)).state for each in asked] == ["open", "decided", "open"]
    assert (await stage.core.control.get_run(asked[0].run_id)).state is RunState.RUNNING


async def test_a_store_that_does_not_answer_is_told_and_the_click_answered_in_time(
    stage: Stage, redis_pid: int
) -> None:
    _, card = await shown(stage)
    os.kill(redis_pid, signal.SIGSTOP)
    try:
        outcome = await stage.door.click(card, APPROVAL_APPROVE, user=CAST.approver)
        assert outcome.ok
        assert outcome.seconds < 3
        told = await wait_until(lambda: stage.door.ephemerals(user=CAST.approver), timeout=30)
    finally:
        os.kill(redis_pid, signal.SIGCONT)
    assert told[0].text.startswith("This was not done, because the bot's storage did not answer.")


async def test_what_is_counted(stage: Stage) -> None:
    _, card = await shown(stage)
    await shown(stage)
    await stage.door.click(card, APPROVAL_APPROVE, user=CAST.admin)
    await stage.door.click(card, APPROVAL_APPROVE, user=CAST.approver)
    text = (await stage.get("/metrics")).text
    assert "harness_approvals_pending 1.0" in text
    assert 'harness_approval_decisions_total{decision="approve"} 1.0' in text
    assert 'harness_approval_refusals_total{reason="not_allowed"} 1.0' in text
