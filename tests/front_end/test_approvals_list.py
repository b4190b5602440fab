from __future__ import annotations

import json
from typing import Any

from front_end.cards import now
from front_end.questions import ask, show
from front_end.slack_bodies import CAST, action, new_ts
from front_end.stage import Stage
from waiting import wait_until

from bot.delivery.answers import Done
from bot.delivery.web_api import SingleToken, WebApi
from bot.playground.faults import ErrorAnswer
from bot.playground.records import Ephemeral
from bot.view.blocks import actions, button
from bot.view.values import (
    APPROVAL_APPROVE,
    APPROVAL_REJECT,
    APPROVAL_REVIEW,
    APPROVALS_PAGE,
    ApprovalsPage,
)
from harness_core.approvals import Approval, ApproverRule

GROUP = ApproverRule(usergroups=(CAST.ops_group,))


async def listed(stage: Stage, user: str, text: str = "approvals") -> Ephemeral:
    """The list in front of a person; its buttons work."""
    before = len(await stage.door.ephemerals(user=user))
    assert (await stage.door.command(CAST.general, text, user=user)).ok
    return (await stage.told(user, before + 1))[-1]


def ids(shown: Ephemeral) -> list[str]:
    return [line.split()[0] for line in shown.text.splitlines() if line.startswith("appr_")]


async def one(stage: Stage, **changes: Any) -> Approval:
    (asked,) = await ask(stage.core.store, **changes)
    return asked


async def test_admins_see_all_and_others_what_they_may_decide_or_asked_for(stage: Stage) -> None:
    mine = await one(stage, requester=CAST.approver, rule=ApproverRule(users=("U0X",)))
    decidable = await one(stage, rule=GROUP)
    foreign = await one(stage, rule=ApproverRule(users=("U0X",)))
    assert ids(await listed(stage, CAST.admin)) == [each.approval_id for each in (foreign, decidable, mine)]
    assert ids(await listed(stage, CAST.approver)) == [decidable.approval_id, mine.approval_id]
    assert ids(await listed(stage, CAST.requester)) == [foreign.approval_id, decidable.approval_id]
    assert (await listed(stage, CAST.guest)).text == "Nothing waits for approval."


async def test_a_row_leads_to_its_card_and_only_open_ones_are_listed(stage: Stage) -> None:
    asked = await one(stage, rule=GROUP)
    ts = await show(stage.core.store, [asked], ts=new_ts())
    row = (await listed(stage, CAST.approver)).text
    assert f"/archives/{CAST.general}/p{ts.replace('.', '')}?thread_ts=" in row
    await stage.core.control.cancel(asked.run_id, CAST.requester)
    assert (await listed(stage, CAST.approver)).text == "Nothing waits for approval."
    assert ids(await listed(stage, CAST.approver, "approvals all")) == [asked.approval_id]


async def test_a_question_is_reviewed_and_approved_from_the_list(stage: Stage) -> None:
    asked, other = await one(stage, rule=GROUP), await one(stage, rule=GROUP)
    shown = await listed(stage, CAST.approver)
    assert (
        await stage.door.click(
            shown, APPROVAL_REVIEW, user=CAST.approver, block_id=_block(shown, asked.approval_id)
        )
    ).ok
    assert (await stage.door.submit({}, user=CAST.approver)).ok
    found = await now(stage, asked)
    assert (found.decision, found.decided_by) == ("approve", CAST.approver)
    assert (await now(stage, other)).state == "open"


def _block(shown: Ephemeral, approval_id: str) -> str:
    """The block with the buttons of a row."""
    for block in shown.blocks:
        for element in block.get("elements", []):
            if str(element.get("value", "")).startswith(approval_id):
                return str(block["block_id"])
    raise AssertionError(f"no buttons for {approval_id}")


async def test_a_decision_from_the_list_takes_the_row_away(stage: Stage) -> None:
    asked, other = await one(stage, rule=GROUP), await one(stage, rule=GROUP)
    shown = await listed(stage, CAST.approver)
    body = pressed_in(shown, APPROVAL_APPROVE, asked)
    await stage.door.click(
        shown, APPROVAL_REJECT, user=CAST.approver, block_id=_block(shown, other.approval_id)
    )
    url = await _response_url(stage)
    assert (await stage.act(body | {"response_url": url})).status == 200
    assert (await now(stage, asked)).decision == "approve"

    async def shorter() -> bool:
        return ids((await stage.door.ephemerals(user=CAST.approver))[-1]) == [other.approval_id]

    await wait_until(shorter)


def pressed_in(shown: Ephemeral, action_id: str, asked: Approval, user: str = CAST.approver) -> Any:
    container = {
        "type": "message",
        "message_ts": shown.ts,
        "channel_id": shown.channel,
        "is_ephemeral": True,
    }
    return action(action_id, f"{asked.approval_id}:{asked.revision}", user=user, container=container)


async def _response_url(stage: Stage) -> str:
    """The one of the latest click."""
    payload = (await stage.door.deliveries("block_actions"))[-1].payload
    return str(payload["response_url"])


async def test_a_list_grants_nothing(stage: Stage) -> None:
    asked = await one(stage, rule=ApproverRule(users=("U0X",)))
    shown = await listed(stage, CAST.admin)
    await stage.act(pressed_in(shown, APPROVAL_APPROVE, asked, user=CAST.admin))
    await stage.act(pressed_in(shown, APPROVAL_APPROVE, asked, user=CAST.approver))
    assert (await now(stage, asked)).state == "open"


async def test_what_was_asked_in_a_private_channel_is_shown_to_its_members_alone(stage: Stage) -> None:
    rule = ApproverRule(users=(CAST.approver, CAST.guest))
    await stage.door.leave(CAST.private, CAST.admin)
    asked = await one(stage, rule=rule, channel=CAST.private)
    assert "Restart checkout" in (await listed(stage, CAST.approver)).text
    assert (await listed(stage, CAST.guest)).text == "Nothing waits for approval."
    seen = await listed(stage, CAST.admin)
    assert ids(seen) == [asked.approval_id]
    assert "Restart checkout" not in seen.text
    assert "checkout" not in json.dumps(seen.blocks)
    await stage.act(pressed_in(seen, APPROVAL_APPROVE, asked, user=CAST.guest))
    assert (await now(stage, asked)).state == "open"


async def test_who_is_named_decides_from_the_list_what_was_asked_in_a_direct_message(stage: Stage) -> None:
    asked = await one(stage, rule=ApproverRule(users=(CAST.approver,)), channel="D0SOMEBODY")
    shown = await listed(stage, CAST.approver)
    assert "Restart checkout" in shown.text
    block = _block(shown, asked.approval_id)
    assert (await stage.door.click(shown, APPROVAL_REVIEW, user=CAST.approver, block_id=block)).ok
    assert (await stage.door.submit({}, user=CAST.approver)).ok
    assert (await now(stage, asked)).decided_by == CAST.approver


async def test_what_slack_does_not_say_is_called_so_and_no_member_is_told_to_be_none(stage: Stage) -> None:
    asked = await one(stage, rule=ApproverRule(users=(CAST.approver,)), channel=CAST.private)
    for method in ("conversations.info", "conversations.members"):
        await stage.door.fault(ErrorAnswer(error="missing_scope", method=method, calls=None))
    shown = await listed(stage, CAST.approver)
    assert ids(shown) == [asked.approval_id]
    assert "A request that is shown where it was asked" in shown.text
    assert "checkout" not in f"{shown.text} {shown.blocks}"
    block = _block(shown, asked.approval_id)
    await stage.door.click(shown, APPROVAL_REVIEW, user=CAST.approver, block_id=block)
    await wait_until(lambda: said(stage, "Slack did not say whether you may see this here"))


async def said(stage: Stage, sentence: str) -> bool:
    return any(sentence in each.text for each in await stage.door.ephemerals(user=CAST.approver))


async def test_a_list_is_paged_ten_at_a_time_past_those_that_are_not_shown(stage: Stage) -> None:
    foreign = ApproverRule(users=("U0X",))
    mine = []
    for number in range(24):
        rule = GROUP if number % 3 else foreign
        asked = await one(stage, rule=rule, requester="U0SOMEBODY")
        if number % 3:
            mine.append(asked.approval_id)
    newest = mine[::-1]
    shown = await listed(stage, CAST.approver)
    assert ids(shown) == newest[:10]
    assert (await stage.door.click(shown, APPROVALS_PAGE, user=CAST.approver)).ok

    async def turned() -> bool:
        return ids((await stage.door.ephemerals(user=CAST.approver))[-1]) == newest[10:]

    await wait_until(turned)


async def test_a_page_that_was_not_made_here_is_refused(stage: Stage) -> None:
    for value in ("", "[]", '{"cursor": 1}', '{"cursor":"1","open_only":"x"}'):
        assert (await stage.act(action(APPROVALS_PAGE, value))).status == 200

    async def noted() -> bool:
        entries = await stage.core.store.audit.read(CAST.team)
        return sum('"forged"' in entry.data for entry in entries) == 4

    await wait_until(noted)


async def test_a_card_leads_to_the_list_and_stays_where_it_is(stage: Stage) -> None:
    asked = await one(stage, rule=GROUP)
    more = button("Review 2 requests", APPROVALS_PAGE, ApprovalsPage(cursor=""))
    api = WebApi(stage.session, SingleToken(stage.slack.config.bot_token), base_url=stage.slack.api_url)
    answer = await api.post_message(CAST.team, CAST.general, "a card", blocks=[actions([more])])
    assert isinstance(answer, Done)
    card = await stage.door.message(CAST.general, str(answer.data["ts"]))
    assert card is not None
    assert (await stage.door.click(card, APPROVALS_PAGE, user=CAST.approver)).ok
    assert ids((await stage.told(CAST.approver))[-1]) == [asked.approval_id]
    stays = await stage.door.message(CAST.general, card.ts)
    assert stays is not None
    assert stays.text == "a card"
