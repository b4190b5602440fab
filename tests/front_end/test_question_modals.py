from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from front_end.cards import now, opened, screen, shown
from front_end.questions import question
from front_end.slack_bodies import CAST
from front_end.stage import Stage

from bot.playground.faults import ErrorAnswer, Hang, HttpFailure, LoseReply
from bot.playground.records import Message, View
from bot.view.values import (
    APPROVAL_DETAILS,
    APPROVAL_EDIT,
    APPROVAL_REJECT,
    APPROVAL_REVIEW,
    DETAILS_MODAL,
    EDIT_MODAL,
    REJECT_MODAL,
    REVIEW_MODAL,
)
from harness_core.approvals import Approve, ApproverRule, Asked, Reject

GROUP = ApproverRule(usergroups=(CAST.ops_group,))


async def not_opened(stage: Stage, card: Message, action_id: str, user: str) -> str:
    """What somebody is told in a modal's place."""
    assert (await stage.door.click(card, action_id, user=user)).ok
    told = (await stage.told(user))[-1].text
    assert await stage.door.views(user=user) == []
    return told


def submission(
    view: View, values: Mapping[str, Any] | None = None, *, user: str = CAST.approver, **changes: Any
) -> dict[str, Any]:
    """A submission that no client would send: ``changes`` go over the view."""
    body = {**view.body, "id": view.id, "app_installed_team_id": CAST.team, "hash": view.hash}
    filled = {
        name: {"value": {"type": "plain_text_input", "value": text}} for name, text in (values or {}).items()
    }
    return {
        "type": "view_submission",
        "team": {"id": CAST.team},
        "user": {"id": user, "team_id": CAST.team},
        "view": {**body, "state": {"values": filled}, **changes},
    }


async def test_edit_opens_one_field_for_each_argument_with_its_value(stage: Stage) -> None:
    asked, card = await shown(stage)
    view = await opened(stage, card, APPROVAL_EDIT)
    inputs = {block["block_id"]: block for block in view.body["blocks"] if block["type"] == "input"}
    assert set(inputs) == {"arg:service", "arg:count", "arg:force", "arg:env", "arg:hosts"}
    assert inputs["arg:service"]["element"]["initial_value"] == "checkout"
    assert view.body["private_metadata"] == f"{asked.approval_id}:{asked.revision}"


async def test_saving_makes_a_revision_and_approves_nothing(stage: Stage) -> None:
    asked, card = await shown(stage, rule=GROUP, quorum=2)
    await stage.core.store.approvals.decide(asked, Approve(), revision=0, by=CAST.admin, source="message")
    await opened(stage, card, APPROVAL_EDIT)
    outcome = await stage.door.submit({"arg:count": "3", "arg:env": '"prod"'}, user=CAST.approver)
    assert outcome.ok
    assert await stage.door.views(user=CAST.approver) == []
    found = await now(stage, asked)
    assert (found.state, found.revision, found.votes) == ("open", 1, ())
    assert found.asked.arguments == {"service": "checkout", "count": 3, "env": "prod"}
    assert found.asked.edited_by == CAST.approver


async def test_who_asked_may_edit_and_others_outside_the_rule_may_not(stage: Stage) -> None:
    asked, card = await shown(stage)
    await opened(stage, card, APPROVAL_EDIT, user=CAST.requester)
    assert (await stage.door.submit({"arg:count": "3"}, user=CAST.requester)).ok
    assert (await now(stage, asked)).asked.edited_by == CAST.requester
    assert "You can't decide this" in await not_opened(stage, card, APPROVAL_EDIT, CAST.admin)


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"arg:count": "many"}, "arg:count"),
        ({"arg:count": "1.5"}, "arg:count"),
        ({"arg:service": ""}, "arg:service"),
    ],
)
async def test_a22_a_value_outside_the_schema_is_refused_at_its_field(
    stage: Stage, values: dict[str, str], place: str
) -> None:
    least = {"service": {"type": "string", "minLength": 1}}
    schema = question().asked.schema
    strict = {**schema, "properties": {**schema["properties"], **least}}
    asked, card = await shown(stage, asked=replace(question().asked, schema=strict))
    view = await opened(stage, card, APPROVAL_EDIT)
    reply = await stage.act(submission(view, values))
    answer = json.loads(reply.text)
    assert (answer["response_action"], list(answer["errors"])) == ("errors", [place])
    assert (await now(stage, asked)).revision == 0


async def test_a22_fields_that_the_tool_does_not_have_change_nothing(stage: Stage) -> None:
    asked, card = await shown(stage)
    view = await opened(stage, card, APPROVAL_EDIT)
    await stage.act(submission(view, {"arg:tool": "other_tool", "tool": "x", "arg:count": "2"}))
    found = await now(stage, asked)
    assert found.tool == asked.tool
    assert found.asked.arguments == {"service": "checkout", "count": 2}


async def test_a21_metadata_that_was_changed_is_refused_and_the_record_wins(stage: Stage) -> None:
    asked, card = await shown(stage)
    view = await opened(stage, card, APPROVAL_EDIT)
    for metadata in ("", "x" * 3500, "appr_0:0", f"{asked.approval_id}:0:7", f"{asked.approval_id}", "{}"):
        reply = await stage.act(submission(view, {"arg:count": "2"}, private_metadata=metadata))
        assert json.loads(reply.text)["response_action"] == "update"
        assert "Nothing was changed" in reply.text
    missing = await stage.act(submission(view, {"arg:count": "2"}, private_metadata=f"appr_{9:032x}:0"))
    assert "This request is gone" in missing.text
    assert (await now(stage, asked)).revision == 0


async def test_a21_the_metadata_of_another_question_gives_no_right_to_it(stage: Stage) -> None:
    asked, card = await shown(stage)
    theirs, _ = await shown(stage, rule=ApproverRule(users=(CAST.admin,)))
    view = await opened(stage, card, APPROVAL_REJECT)
    foreign = f"{theirs.approval_id}:{theirs.revision}"
    for callback in (EDIT_MODAL, REJECT_MODAL, REVIEW_MODAL):
        body = submission(view, {}, private_metadata=foreign, callback_id=callback)
        assert "You can't decide this request" in (await stage.act(body)).text
    body = submission(view, {}, app_installed_team_id="T0ELSEWHERE")
    assert (await stage.act(body)).text == ""
    assert [(await now(stage, each)).state for each in (asked, theirs)] == ["open", "open"]


async def test_a25_who_may_no_longer_decide_is_refused_when_submitting(stage: Stage) -> None:
    asked, card = await shown(stage)
    view = await opened(stage, card, APPROVAL_REJECT)
    reply = await stage.act(submission(view, {"reason": "no"}, user=CAST.admin))
    assert "You can't decide this request" in reply.text
    assert (await now(stage, asked)).state == "open"


async def test_reject_takes_a_reason_and_decides_when_it_is_submitted(stage: Stage) -> None:
    asked, card = await shown(stage)
    await opened(stage, card, APPROVAL_REJECT)
    assert (await now(stage, asked)).state == "open"
    assert (await stage.door.submit({"reason": " not in the day \n"}, user=CAST.approver)).ok
    found = await now(stage, asked)
    assert (found.decision, found.reason, found.decided_by) == ("reject", "not in the day", CAST.approver)
    assert await stage.door.views(user=CAST.approver) == []


async def test_reject_without_a_reason_decides_too(stage: Stage) -> None:
    asked, card = await shown(stage)
    await opened(stage, card, APPROVAL_REJECT)
    assert (await stage.door.submit({}, user=CAST.approver)).ok
    assert ((await now(stage, asked)).decision, (await now(stage, asked)).reason) == ("reject", "")


async def test_reject_decides_at_once_where_no_modal_opens(stage: Stage) -> None:
    asked, card = await shown(stage)
    await stage.door.fault(ErrorAnswer(error="expired_trigger_id", method="views.open"))
    assert (await stage.door.click(card, APPROVAL_REJECT, user=CAST.approver)).ok
    assert (await now(stage, asked)).decision == "reject"
    assert await stage.door.ephemerals(user=CAST.approver) == []


async def test_reject_of_somebody_outside_the_rule_decides_nothing_in_either_way(stage: Stage) -> None:
    asked, card = await shown(stage)
    await stage.door.fault(ErrorAnswer(error="expired_trigger_id", method="views.open", calls=None))
    assert "You can't decide" in await not_opened(stage, card, APPROVAL_REJECT, CAST.admin)
    assert (await now(stage, asked)).state == "open"


async def test_an_edit_that_cannot_open_is_told(stage: Stage) -> None:
    asked, card = await shown(stage)
    await stage.door.fault(ErrorAnswer(error="expired_trigger_id", method="views.open"))
    assert "could not be opened" in await not_opened(stage, card, APPROVAL_EDIT, CAST.approver)
    assert (await now(stage, asked)).state == "open"


async def test_a_slack_that_hangs_still_lets_the_click_be_answered_in_time_and_nothing_is_decided(
    stage: Stage,
) -> None:
    asked, card = await shown(stage)
    await stage.door.fault(Hang(seconds=3.5, method="views.open"))
    outcome = await stage.door.click(card, APPROVAL_REJECT, user=CAST.approver)
    assert outcome.ok
    assert outcome.seconds < 3
    (told,) = await stage.told(CAST.approver)
    assert told.text.startswith("Slack did not say whether the form opened.")
    assert (await now(stage, asked)).state == "open"


async def test_a_reject_form_whose_opening_slack_did_not_confirm_decides_when_it_is_submitted(
    stage: Stage,
) -> None:
    asked, card = await shown(stage)
    await stage.door.fault(LoseReply(method="views.open"))
    await opened(stage, card, APPROVAL_REJECT)
    assert (await now(stage, asked)).state == "open"
    assert (await stage.door.submit({"reason": "not today"}, user=CAST.approver)).ok
    assert ((await now(stage, asked)).decision, (await now(stage, asked)).reason) == ("reject", "not today")


@pytest.mark.parametrize("status", [404, 500])
async def test_reject_decides_at_once_where_slack_only_answers_with_a_failure(
    stage: Stage, status: int
) -> None:
    asked, card = await shown(stage)
    await stage.door.fault(HttpFailure(status=status, method="views.open"))
    assert (await stage.door.click(card, APPROVAL_REJECT, user=CAST.approver)).ok
    assert (await now(stage, asked)).decision == "reject"


async def test_a_lost_race_closes_the_modal_with_the_reason(stage: Stage) -> None:
    asked, card = await shown(stage)
    await opened(stage, card, APPROVAL_EDIT, user=CAST.requester)
    await opened(stage, card, APPROVAL_REJECT)
    await stage.core.store.approvals.decide(asked, Reject(), revision=0, by="U0X", source="message")
    for user, values in ((CAST.requester, {"arg:count": "2"}), (CAST.approver, {"reason": "no"})):
        assert (await stage.door.submit(values, user=user)).ok
        assert "Already rejected by <@U0X> at " in await screen(stage, user)
    assert (await now(stage, asked)).reason == ""


async def test_an_edit_of_values_that_somebody_changed_meanwhile_is_refused(stage: Stage) -> None:
    asked, card = await shown(stage, rule=GROUP)
    await opened(stage, card, APPROVAL_EDIT, user=CAST.admin)
    await opened(stage, card, APPROVAL_EDIT)
    assert (await stage.door.submit({"arg:count": "2"}, user=CAST.approver)).ok
    assert (await stage.door.submit({"arg:count": "3"}, user=CAST.admin)).ok
    assert "The values changed while you were reading" in await screen(stage, CAST.admin)
    assert (await now(stage, asked)).asked.arguments["count"] == 2


@pytest.mark.parametrize("action_id", [APPROVAL_EDIT, APPROVAL_REJECT, APPROVAL_REVIEW])
async def test_of_a_question_that_is_over_no_modal_opens(stage: Stage, action_id: str) -> None:
    asked, card = await shown(stage)
    await stage.core.store.approvals.decide(asked, Reject(), revision=0, by=CAST.admin, source="message")
    told = await not_opened(stage, card, action_id, CAST.approver)
    assert told.startswith(f"Already rejected by <@{CAST.admin}>")


async def test_of_a_question_whose_run_is_over_no_modal_opens(stage: Stage) -> None:
    asked, card = await shown(stage)
    await stage.core.control.cancel(asked.run_id, CAST.requester)
    told = await not_opened(stage, card, APPROVAL_REJECT, CAST.approver)
    assert told == "This run was stopped. Your click changed nothing."


def long_asked() -> Asked:
    return Asked(
        title="Send a letter",
        label="Sending",
        arguments={"text": "word " * 8000 + "the end"},
        schema={"type": "object", "properties": {"text": {"type": "string"}}},
    )


async def test_review_shows_every_page_and_submitting_the_last_one_approves(stage: Stage) -> None:
    asked, card = await shown(stage, asked=long_asked())
    await opened(stage, card, APPROVAL_REVIEW)
    pages = 1
    while "the end" not in await screen(stage):
        assert (await now(stage, asked)).state == "open"
        assert (await stage.door.submit({}, user=CAST.approver)).ok
        pages += 1
    assert pages > 1
    assert (await now(stage, asked)).state == "open"
    assert (await stage.door.submit({}, user=CAST.approver)).ok
    assert (await now(stage, asked)).decided_by == CAST.approver


async def test_review_stops_at_the_page_where_the_values_changed(stage: Stage) -> None:
    asked, card = await shown(stage, asked=long_asked(), rule=GROUP)
    await opened(stage, card, APPROVAL_REVIEW)
    await opened(stage, card, APPROVAL_REVIEW, user=CAST.admin)
    await stage.core.store.approvals.decide(asked, Reject(), revision=0, by=CAST.admin, source="message")
    await stage.door.submit({}, user=CAST.approver)
    assert "Already rejected" in await screen(stage)


async def test_details_are_for_everybody_who_sees_the_card_and_also_of_what_is_over(stage: Stage) -> None:
    asked, card = await shown(stage)
    await stage.core.store.approvals.decide(
        asked, Reject(reason="no"), revision=0, by=CAST.admin, source="message"
    )
    view = await opened(stage, card, APPROVAL_DETAILS, user=CAST.guest)
    assert view.body["callback_id"] == DETAILS_MODAL
    assert asked.digest in json.dumps(view.body)


async def test_the_pages_of_details_are_turned_by_whoever_sees_the_card(stage: Stage) -> None:
    _, card = await shown(stage, asked=long_asked())
    await opened(stage, card, APPROVAL_DETAILS, user=CAST.guest)
    assert (await stage.door.submit({}, user=CAST.guest)).ok
    assert "Page 2 of" in await screen(stage, CAST.guest)


async def test_pages_are_turned_also_where_slack_does_not_say_who_is_in_the_channel(stage: Stage) -> None:
    for method in ("conversations.info", "conversations.members"):
        await stage.door.fault(ErrorAnswer(error="missing_scope", method=method, calls=None))
    _, card = await shown(stage, asked=long_asked(), channel=CAST.private)
    await opened(stage, card, APPROVAL_DETAILS, user=CAST.approver)
    assert (await stage.door.submit({}, user=CAST.approver)).ok
    assert "Page 2 of" in await screen(stage, CAST.approver)


async def test_a_secret_is_in_no_modal(stage: Stage) -> None:
    secret = Asked(
        title="Log in",
        label="Logging in",
        arguments={"user": "root", "password": "hunter2hunter2"},
        schema={"properties": {"user": {"type": "string"}, "password": {"type": "string"}}},
        secret=("password",),
    )
    asked, card = await shown(stage, asked=secret)
    for action_id in (APPROVAL_EDIT, APPROVAL_REVIEW, APPROVAL_DETAILS):
        assert "hunter2" not in json.dumps((await opened(stage, card, action_id)).body)
        await stage.door.close_view(user=CAST.approver)
    await opened(stage, card, APPROVAL_EDIT)
    assert (await stage.door.submit({"arg:user": "ada"}, user=CAST.approver)).ok
    assert (await now(stage, asked)).asked.arguments == {"user": "ada", "password": "hunter2hunter2"}
