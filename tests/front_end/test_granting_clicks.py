"""Granting more with an approval, and taking it back, from Slack."""

from __future__ import annotations

import json
from typing import Any

import pytest
from front_end.cards import audit, noted, now, opened, post, pressed, shown
from front_end.questions import ask, show
from front_end.slack_bodies import CAST, action, command
from front_end.stage import Stage
from front_end.test_approvals_list import listed
from front_end.test_question_modals import not_opened, submission
from waiting import wait_until

from bot.playground.faults import ErrorAnswer
from bot.playground.records import Ephemeral
from bot.view.values import APPROVAL_APPROVE, APPROVAL_GRANT, GRANT_REVOKE, GRANTS_PAGE
from harness_core.approvals import Approval, Approve, ApproverRule, Asked, GrantTerms, Won
from harness_core.grants import Grant, grant_id

TERMS = GrantTerms(lasts=3_600_000, times=5)
GROUP = ApproverRule(usergroups=(CAST.ops_group,))


async def grants(stage: Stage) -> list[Grant]:
    found = await stage.core.store.grants.page(CAST.team, now=await stage.core.store.now(), limit=100)
    return list(found.items)


async def granted(stage: Stage, *, by: str = CAST.approver, **changes: Any) -> Grant:
    """A question that was approved with a grant, from its card."""
    asked, card = await shown(stage, **{"grants": TERMS, **changes})
    await opened(stage, card, APPROVAL_GRANT, user=by)
    assert (await stage.door.submit({}, user=by)).ok
    (found,) = [each for each in await grants(stage) if each.approval.approval_id == asked.approval_id]
    return found


def names(shown_list: Ephemeral) -> list[str]:
    return [line.split()[0] for line in shown_list.text.splitlines() if line.startswith("grant_")]


def revoking(grant: Grant, user: str, **more: Any) -> dict[str, Any]:
    return action(GRANT_REVOKE, grant.grant_id, user=user, **more)


async def press_revoke(stage: Stage, in_list: Ephemeral, grant: Grant, user: str) -> None:
    for block in in_list.blocks:
        for element in block.get("elements", []):
            if element.get("value") == grant.grant_id:
                block_id = str(block["block_id"])
                assert (await stage.door.click(in_list, GRANT_REVOKE, user=user, block_id=block_id)).ok
                return
    raise AssertionError(f"no Revoke for {grant.grant_id}")


async def test_a_grant_is_given_in_a_modal_that_says_what_it_covers_and_opening_it_decides_nothing(
    stage: Stage,
) -> None:
    asked, card = await shown(stage, grants=TERMS)
    view = await opened(stage, card, APPROVAL_GRANT)
    said = json.dumps(view.body, ensure_ascii=False)
    assert "up to 5 more calls" in said
    assert "exactly the arguments above" in said
    assert (await now(stage, asked)).state == "open"

    assert (await stage.door.submit({}, user=CAST.approver)).ok
    found = await now(stage, asked)
    assert (found.state, found.decision, found.decided_by) == ("decided", "approve", CAST.approver)
    (grant,) = await grants(stage)
    assert (grant.grant_id, grant.given_by, grant.source) == (
        grant_id(asked.approval_id), CAST.approver, "modal",
    )  # fmt: skip
    (entry,) = await noted(stage, "granted")
    assert (entry["by"], entry["source"], entry["times"]) == (CAST.approver, "modal", 5)


async def test_an_approval_alone_grants_nothing_more(stage: Stage) -> None:
    asked, card = await shown(stage, grants=TERMS)
    assert (await stage.door.click(card, APPROVAL_APPROVE, user=CAST.approver)).ok
    assert (await now(stage, asked)).state == "decided"
    assert await grants(stage) == []


async def test_where_the_rule_allows_no_grant_a_forged_button_and_a_forged_modal_decide_nothing(
    stage: Stage,
) -> None:
    asked, card = await shown(stage)
    text = await not_opened(stage, card, APPROVAL_GRANT, CAST.approver)
    assert text == "Nothing more can be granted with this request. Nothing was decided."
    other, other_card = await shown(stage, grants=TERMS)
    view = await opened(stage, other_card, APPROVAL_GRANT)
    await stage.act(submission(view, private_metadata=f"{asked.approval_id}:{asked.revision}"))
    assert (await now(stage, asked)).state == (await now(stage, other)).state == "open"
    assert await grants(stage) == []


async def test_what_takes_several_pages_to_read_cannot_be_granted(stage: Stage) -> None:
    long = Asked(title="Run", label="Running", arguments={"script": "x" * 60_000})
    asked, card = await shown(stage, grants=TERMS, asked=long)
    assert "Nothing more can be granted" in await not_opened(stage, card, APPROVAL_GRANT, CAST.approver)
    assert (await now(stage, asked)).state == "open"


@pytest.mark.parametrize("user", [CAST.requester, CAST.admin, CAST.guest])
async def test_who_may_not_decide_may_not_grant_by_button_or_by_modal(stage: Stage, user: str) -> None:
    asked, card = await shown(stage, grants=TERMS)
    told = await not_opened(stage, card, APPROVAL_GRANT, user)
    assert "approve" in told or "decide" in told
    view = await opened(stage, card, APPROVAL_GRANT)
    await stage.act(submission(view, user=user))
    assert (await now(stage, asked)).state == "open"
    assert await grants(stage) == []


async def test_a_modal_about_arguments_that_were_changed_meanwhile_grants_nothing(stage: Stage) -> None:
    asked, card = await shown(stage, grants=TERMS)
    view = await opened(stage, card, APPROVAL_GRANT)
    await stage.core.store.client.hset(f"harness:{{p0}}:approval:{asked.approval_id}", "revision", "2")
    await stage.act(submission(view))
    assert (await now(stage, asked)).state == "open"
    assert await grants(stage) == []


async def test_a_button_of_a_message_that_is_not_the_card_opens_nothing(stage: Stage) -> None:
    asked = await ask(stage.core.store, grants=TERMS)
    await show(stage.core.store, asked)
    elsewhere = await post(stage, asked)
    ref = f"{asked[0].approval_id}:{asked[0].revision}"
    await stage.act(pressed(APPROVAL_GRANT, ref, elsewhere))
    await noted(stage, "forged")
    assert await stage.door.views(user=CAST.approver) == []


async def test_where_no_modal_can_be_opened_nothing_is_decided(stage: Stage) -> None:
    asked, card = await shown(stage, grants=TERMS)
    await stage.door.fault(ErrorAnswer(error="expired_trigger_id", method="views.open"))
    await stage.door.click(card, APPROVAL_GRANT, user=CAST.approver)
    assert await stage.told(CAST.approver)
    assert (await now(stage, asked)).state == "open"


async def test_of_two_who_grant_at_once_one_wins_and_there_is_one_grant(stage: Stage) -> None:
    asked, card = await shown(stage, grants=TERMS, rule=GROUP)
    first = await opened(stage, card, APPROVAL_GRANT, user=CAST.approver)
    second = await opened(stage, card, APPROVAL_GRANT, user=CAST.admin)
    await stage.act(submission(first, user=CAST.approver))
    late = await stage.act(submission(second, user=CAST.admin))
    assert f"Already approved by <@{CAST.approver}>" in late.text
    (grant,) = await grants(stage)
    assert grant.given_by == CAST.approver
    assert grant.approval.approval_id == asked.approval_id


async def test_the_list_shows_admins_all_and_others_what_they_gave_asked_for_or_could_give(
    stage: Stage,
) -> None:
    first = await granted(stage)
    second = await granted(
        stage, rule=ApproverRule(users=(CAST.admin,)), by=CAST.admin, requester="U0SOMEBODY",
        grants=GrantTerms(lasts=7_200_000, times=1),
    )  # fmt: skip
    assert names(await listed(stage, CAST.admin, "grants")) == [second.grant_id, first.grant_id]
    assert names(await listed(stage, CAST.approver, "grants")) == [first.grant_id]
    assert names(await listed(stage, CAST.requester, "grants")) == [first.grant_id]
    assert (await listed(stage, CAST.guest, "grants")).text == "No grants."
    row = (await listed(stage, CAST.approver, "grants")).text
    assert "restart · count: 1; service: checkout · " in row
    assert "5 of 5 left" in row
    assert f"/archives/{CAST.general}/p" in row


async def test_a_grant_is_revoked_from_the_list_once_and_who_comes_second_is_told(stage: Stage) -> None:
    grant, other = await granted(stage, rule=GROUP), await granted(stage, rule=GROUP)
    mine = await listed(stage, CAST.approver, "grants")
    theirs = await listed(stage, CAST.admin, "grants")

    await press_revoke(stage, mine, grant, CAST.approver)

    async def shorter() -> bool:
        return names((await stage.door.ephemerals(user=CAST.approver))[0]) == [other.grant_id]

    assert any(f"Revoked `{grant.grant_id}`." in each.text for each in await stage.told(CAST.approver, 2))
    await wait_until(shorter, what="the row goes")
    assert [each.grant_id for each in await grants(stage)] == [other.grant_id]
    await press_revoke(stage, theirs, grant, CAST.admin)
    told = (await stage.told(CAST.admin, 2))[-1].text
    assert told.startswith(f"Already revoked by <@{CAST.approver}> at ")
    entries = [each for each in await audit(stage) if each["what"] == "grant.revoked"]
    assert [(each["by"], each["source"]) for each in entries] == [(CAST.approver, "list")]


async def test_the_person_whose_calls_it_lets_through_may_revoke_it_and_strangers_may_not(
    stage: Stage,
) -> None:
    grant = await granted(stage)
    await stage.act(revoking(grant, CAST.guest))
    assert (await noted(stage, "refused"))[0]["grant"] == grant.grant_id
    assert [each.grant_id for each in await grants(stage)] == [grant.grant_id]

    await stage.act(revoking(grant, CAST.requester))
    assert await grants(stage) == []
    assert (await noted(stage, "grant.revoked"))[0]["by"] == CAST.requester


@pytest.mark.parametrize("value", ["", "grant_1", f"appr_{1:032x}", "grant_" + "0" * 31 + "G"])
async def test_a_revocation_that_names_no_grant_is_refused_as_forged(stage: Stage, value: str) -> None:
    assert (await stage.act(action(GRANT_REVOKE, value))).status == 200
    assert (await noted(stage, "forged"))[0]["action"] == GRANT_REVOKE


async def test_a_grant_that_went_with_its_run_and_a_page_that_is_none_are_said_to_be_gone(
    stage: Stage,
) -> None:
    grant = await granted(stage)
    shown_list = await listed(stage, CAST.approver, "grants")
    await stage.core.store.client.delete(f"harness:{{p0}}:approval:{grant.approval.approval_id}")
    await press_revoke(stage, shown_list, grant, CAST.approver)
    assert "This grant is gone" in (await stage.told(CAST.approver, 2))[-1].text
    assert (await stage.act(action(GRANTS_PAGE, "[]"))).status == 200
    assert (await noted(stage, "forged"))[0]["action"] == GRANTS_PAGE


async def test_what_was_granted_in_a_private_channel_is_not_told_to_admins_outside_it(stage: Stage) -> None:
    rule = ApproverRule(users=(CAST.approver,))
    await stage.door.leave(CAST.private, CAST.admin)
    (asked,) = await ask(stage.core.store, rule=rule, channel=CAST.private, grants=TERMS)
    await approve_with_grant(stage, asked)
    assert "service: checkout" in (await listed(stage, CAST.approver, "grants")).text
    seen = await listed(stage, CAST.admin, "grants")
    assert len(names(seen)) == 1
    assert "checkout" not in seen.text + json.dumps(seen.blocks)


async def approve_with_grant(stage: Stage, asked: Approval) -> None:
    outcome = await stage.core.store.approvals.decide(
        asked, Approve(grant=True), revision=asked.revision, by=CAST.approver, source="list", scope="s"
    )
    assert isinstance(outcome, Won)


async def test_a_list_of_many_grants_is_paged(stage: Stage) -> None:
    for number in range(12):
        terms = GrantTerms(lasts=3_600_000 + number * 1000, times=1)
        (asked,) = await ask(stage.core.store, rule=GROUP, grants=terms)
        await approve_with_grant(stage, asked)
    every = [each.grant_id for each in await grants(stage)]
    first = await listed(stage, CAST.approver, "grants")
    assert names(first) == every[:10]
    assert (await stage.door.click(first, GRANTS_PAGE, user=CAST.approver)).ok

    async def turned() -> bool:
        return names((await stage.door.ephemerals(user=CAST.approver))[-1]) == every[10:]

    await wait_until(turned, what="the next page")


async def test_the_audit_list_says_the_how_manieth_use_it_was(stage: Stage) -> None:
    await stage.core.store.audit.note(
        CAST.team, {"what": "grant.used", "by": CAST.approver, "tool": "restart", "used": "2", "times": "5"}
    )
    body = json.loads((await stage.command(command("audit", user=CAST.admin))).text)["text"]
    assert f"grant.used · <@{CAST.approver}> · restart · 2 of 5" in body
