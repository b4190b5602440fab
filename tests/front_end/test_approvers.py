from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from front_end.questions import question
from front_end.slack_bodies import CAST
from front_end.stage import Stage

from bot.approvers import (
    Allowed,
    NotAllowed,
    NotKnown,
    Outsider,
    OwnRequest,
    Verdict,
    may_decide,
    may_edit,
    may_see,
)
from bot.delivery.web_api import SingleToken, WebApi
from bot.people import Kind, People
from bot.playground.faults import ErrorAnswer
from harness_core.approvals import ApproverRule

NOBODY = ApproverRule()
NAMED = ApproverRule(users=(CAST.approver, CAST.requester, CAST.guest, CAST.stranger, CAST.other_bot_user))
GROUP = ApproverRule(usergroups=(CAST.ops_group,))
CHANNEL = ApproverRule(channel_members=True)


@pytest.fixture
async def people(stage: Stage) -> AsyncIterator[People]:
    token = SingleToken(stage.slack.config.bot_token)
    asked = People(WebApi(stage.session, token, base_url=stage.slack.api_url))
    yield asked
    await asked.close()


@pytest.mark.parametrize(
    ("rule", "user", "verdict"),
    [
        (NOBODY, CAST.approver, NotAllowed()),
        (NOBODY, CAST.admin, NotAllowed()),
        (NOBODY, CAST.requester, OwnRequest()),
        (NAMED, CAST.approver, Allowed()),
        (NAMED, CAST.admin, NotAllowed()),
        (NAMED, CAST.requester, OwnRequest()),
        (NAMED, CAST.guest, Allowed()),
        (NAMED, CAST.stranger, Allowed()),
        (NAMED, CAST.other_bot_user, Allowed()),
        (NAMED, "", NotAllowed()),
        (ApproverRule(users=(CAST.deleted,)), CAST.deleted, Outsider(Kind.DEACTIVATED)),
        (ApproverRule(requester=True), CAST.requester, Allowed()),
        (ApproverRule(requester=True), CAST.approver, NotAllowed()),
        (GROUP, CAST.approver, Allowed()),
        (GROUP, CAST.admin, Allowed()),
        (GROUP, "U0NOBODY", NotKnown()),
        (CHANNEL, CAST.approver, Allowed()),
        (CHANNEL, CAST.guest, Outsider(Kind.GUEST)),
        (CHANNEL, CAST.stranger, Outsider(Kind.STRANGER)),
        (CHANNEL, CAST.other_bot_user, Outsider(Kind.BOT)),
        (CHANNEL, CAST.requester, OwnRequest()),
    ],
)
async def test_who_may_decide_is_what_the_stored_rule_says(
    people: People, rule: ApproverRule, user: str, verdict: Verdict
) -> None:
    assert await may_decide(people, question(rule=rule, channel=CAST.ops), user) == verdict


async def test_an_empty_rule_asks_slack_nothing_and_reaches_nobody(stage: Stage, people: People) -> None:
    await may_decide(people, question(rule=NOBODY), CAST.admin)
    assert await stage.door.calls("users.info") == []


@pytest.mark.parametrize(
    ("method", "rule"),
    [
        ("usergroups.users.list", GROUP),
        ("conversations.members", CHANNEL),
        ("users.info", GROUP),
        ("users.info", CHANNEL),
    ],
)
async def test_a_look_up_that_fails_denies_groups_and_channels(
    stage: Stage, people: People, method: str, rule: ApproverRule
) -> None:
    await stage.door.fault(ErrorAnswer(error="internal_error", method=method))
    asked = question(rule=rule)
    assert await may_decide(people, asked, CAST.approver) == NotKnown()
    assert await may_decide(people, asked, CAST.approver) == Allowed()


async def test_who_is_named_needs_no_look_up(stage: Stage, people: People) -> None:
    await stage.door.fault(ErrorAnswer(error="missing_scope", calls=None))
    assert await may_decide(people, question(rule=NAMED), CAST.approver) == Allowed()
    own = question(rule=ApproverRule(requester=True))
    assert await may_decide(people, own, CAST.requester) == Allowed()


async def test_one_group_that_has_the_person_is_enough_although_another_cannot_be_read(
    people: People,
) -> None:
    rule = ApproverRule(usergroups=("S0GONE", CAST.ops_group))
    assert await may_decide(people, question(rule=rule), CAST.approver) == Allowed()
    assert await may_decide(people, question(rule=rule), CAST.requester) == OwnRequest()
    assert await may_decide(people, question(rule=rule, requester="U0X"), CAST.requester) == NotKnown()


async def test_somebody_of_another_team_is_a_stranger_also_when_slack_does_not_say(
    stage: Stage, people: People
) -> None:
    await stage.door.fault(ErrorAnswer(error="missing_scope", method="users.info"))
    asked = question(rule=CHANNEL, channel=CAST.ops)
    found = await may_decide(people, asked, CAST.stranger, home=CAST.other_team)
    assert found == Outsider(Kind.STRANGER)


async def test_a_requester_who_is_a_guest_may_not_approve_unless_named(people: People) -> None:
    own = question(rule=ApproverRule(requester=True), requester=CAST.guest)
    assert await may_decide(people, own, CAST.guest) == Outsider(Kind.GUEST)
    named = question(rule=ApproverRule(requester=True, users=(CAST.guest,)), requester=CAST.guest)
    assert await may_decide(people, named, CAST.guest) == Allowed()


async def test_who_asked_may_edit_and_not_approve_and_others_need_the_rule(people: People) -> None:
    asked = question(rule=GROUP)
    assert await may_edit(people, asked, CAST.requester) == Allowed()
    assert await may_decide(people, asked, CAST.requester) == OwnRequest()
    assert await may_edit(people, asked, CAST.approver) == Allowed()
    assert await may_edit(people, asked, CAST.guest) == Outsider(Kind.GUEST)


async def test_the_rule_is_applied_at_the_click(stage: Stage, people: People) -> None:
    asked = question(rule=GROUP)
    await stage.door.change_group(CAST.ops_group, [CAST.admin])
    assert await may_decide(people, asked, CAST.approver) == NotAllowed()
    await stage.door.change_user(CAST.admin, deleted=True)
    assert await may_decide(people, asked, CAST.admin) == Outsider(Kind.DEACTIVATED)


@pytest.mark.parametrize(
    ("channel", "user", "shown"),
    [
        (CAST.general, "U0ANYBODY", True),
        (CAST.private, CAST.approver, True),
        (CAST.private, CAST.guest, False),
        ("D0SOMEBODY", CAST.admin, False),
        ("D0SOMEBODY", CAST.approver, True),
        ("D0SOMEBODY", CAST.requester, True),
        (None, CAST.admin, True),
    ],
)
async def test_what_was_asked_in_private_is_shown_to_nobody_else(
    people: People, channel: str | None, user: str, shown: bool
) -> None:
    assert await may_see(people, question(channel=channel), user) is shown


async def test_what_was_asked_in_a_direct_message_is_shown_to_a_group_that_decides_it(people: People) -> None:
    asked = question(channel="D0SOMEBODY", rule=GROUP)
    assert await may_see(people, asked, CAST.approver) is True
    assert await may_see(people, asked, CAST.guest) is False


@pytest.mark.parametrize("blind", ["conversations.members", "usergroups.users.list"])
async def test_where_slack_does_not_say_who_may_see_it_nobody_is_called_an_outsider(
    stage: Stage, people: People, blind: str
) -> None:
    await stage.door.fault(ErrorAnswer(error="missing_scope", method="conversations.info", calls=None))
    await stage.door.fault(ErrorAnswer(error="missing_scope", method=blind, calls=None))
    channel = CAST.private if blind == "conversations.members" else "D0SOMEBODY"
    assert await may_see(people, question(channel=channel, rule=GROUP), CAST.approver) is None
