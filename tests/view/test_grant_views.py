"""Grants as people read them: on the card, in the modal, in the list, and where a call ran by one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from view.card_reading import ANA, REF, buttons, card, outcome, pressed
from view.view_approvals import APPROVER, REQUESTER, approval, asked, decided, grant, resolved
from view.view_events import STARTED, T0, viewed

from bot.view import grant_words
from bot.view.approval_modals import grant_modal
from bot.view.grants import grants_list, told_of
from bot.view.message import render
from bot.view.steps_modal import incident
from bot.view.values import (
    APPROVAL_GRANT,
    GRANT_REVOKE,
    GRANTS_PAGE,
    ApprovalRef,
    Forged,
    GrantRef,
    GrantsPage,
    decode,
    encode,
)
from harness_core.approvals import GrantTerms
from harness_core.events import ApprovalGranted, RunCompleted, StepCompleted, StepStarted
from harness_core.grants import NotLive, Revoked
from harness_core.models import Page

TERMS: dict[str, Any] = {"lasts": 3_600_000, "times": 5, "same": None}
USED = ApprovalGranted(grant="g", call="call_0", tool="restart_service", by=APPROVER, used=2, times=5)


def words_of(blocks: Any) -> str:
    return json.dumps(blocks, ensure_ascii=False)


def test_the_card_offers_a_grant_after_its_three_buttons_and_only_where_it_may_be_given() -> None:
    assert [each[:2] for each in pressed(card(asked()))] == [
        ("Approve", "approval:approve"),
        ("Edit", "approval:edit"),
        ("Reject", "approval:reject"),
    ]
    offered = pressed(card(asked(grants=TERMS)))
    assert offered[:3] == pressed(card(asked()))
    assert offered[3:] == [("Approve for 1 h …", "approval:grant", REF)]


def test_what_is_too_long_for_the_card_cannot_be_granted_from_it() -> None:
    long = card(asked(grants=TERMS, arguments=json.dumps({"script": "x" * 4_000})))
    assert [each["action_id"] for each in buttons(long)] == [
        "approval:review",
        "approval:edit",
        "approval:reject",
    ]


def test_the_modal_says_which_calls_run_how_long_how_often_and_where() -> None:
    about = approval({"service": "checkout", "password": "hunter2"}, secret=("password",))
    modal = grant_modal(about, GrantTerms(lasts=5_400_000, times=1))
    said = words_of(modal["blocks"])
    assert "*This runs now.* For 90 min from your approval, *up to 1 more call* like it" in said
    assert "Like it: `restart_service` with exactly the arguments above, called by ops in this thread" in said
    assert f"in runs that <@{REQUESTER}> asked for. Everything else is asked about." in said
    assert "service: checkout" in said
    assert "hunter2" not in said
    assert modal["submit"]["text"] == "Approve"
    assert (modal["callback_id"], modal["private_metadata"]) == ("approval:grant", REF)


def test_the_modal_names_what_has_to_be_the_same_where_the_rest_is_free() -> None:
    modal = grant_modal(approval(), GrantTerms(lasts=3_600_000, times=5, same=("env",)))
    assert "`restart_service` with env: prod and any other arguments, called" in words_of(modal["blocks"])
    without = grant_modal(approval({}), GrantTerms(lasts=3_600_000, times=5, same=("env",)))
    assert "with any arguments, called" in words_of(without["blocks"])


def test_the_outcome_says_that_more_was_granted() -> None:
    story = (asked(grants=TERMS), decided(grant="grant_1"), resolved("ran"))
    assert outcome(*story).endswith("5 more calls like it granted for 1 h.")
    assert "granted" not in outcome(asked(grants=TERMS), decided(), resolved("ran"))


def test_a_call_that_ran_by_a_grant_says_whose_and_the_how_manieth_it_was() -> None:
    started = StepStarted(step="call_0", label="Restarting checkout", kind="tool")
    at_work = viewed(*STARTED, USED, started)
    (part,) = render(at_work)
    assert f"Now: Restarting checkout · allowed by {ANA}'s grant (2 of 5)" in words_of(part.blocks)
    ended = viewed(*STARTED, USED, started, StepCompleted(step="call_0"), RunCompleted(output="Done."))
    (part,) = render(ended)
    assert f"“Restarting checkout” was allowed by {ANA}'s grant (2 of 5)." in words_of(part.blocks)
    assert f"(done, 1.0 s, allowed by {APPROVER}'s grant (2 of 5))" in incident(ended)


def test_a_call_that_was_asked_about_after_all_is_no_granted_one() -> None:
    started = StepStarted(step="call_0", label="Restarting checkout", kind="tool")
    story = viewed(*STARTED, USED, asked(), decided(), started, StepCompleted(step="call_0"))
    (part,) = render(story)
    assert "grant" not in words_of(part.blocks)


def test_another_call_under_the_same_id_is_not_said_to_be_granted() -> None:
    started = StepStarted(step="call_0", label="Restarting checkout", kind="tool")
    twice = viewed(*STARTED, USED, started, StepCompleted(step="call_0"), started)
    assert [step.allowed is None for step in twice.calls] == [False, True]


def test_a_row_says_what_whose_how_often_and_until_when_and_can_be_revoked() -> None:
    found = grant(given_by=APPROVER)
    shown = grants_list(Page(items=(found,), cursor="9.x"), {found.grant_id: "https://x.example/1"})
    assert shown.text == (
        f"{found.grant_id} · restart_service · env: prod; service: checkout · granted by {ANA} · "
        f"for <@{REQUESTER}> · 3 of 5 left · "
        f"until <!date^{(T0 + 3_600_000) // 1000}^{{date_short_pretty}}, {{time}}|2026-01-02 11:00 UTC> · "
        "<https://x.example/1|Open>"
    )
    revoke, older = [each for block in shown.blocks for each in block.get("elements", [])]
    assert (revoke["action_id"], revoke["value"]) == ("grants:revoke", found.grant_id)
    assert revoke["confirm"]["text"]["text"] == "From then on every such call is asked about."
    assert decode(older["action_id"], older["value"]) == GrantsPage(cursor="9.x")
    hidden = grants_list(Page(items=(found,)), {}, frozenset({found.grant_id}))
    assert "checkout" not in words_of([hidden.text, hidden.blocks])
    assert grants_list(Page(items=()), {}).text == "No grants."


def test_a_revocation_that_comes_too_late_is_told_why() -> None:
    over = grant(revoked_by=APPROVER, revoked_at=T0)
    assert told_of(Revoked(grant=over)).text == f"Revoked `{over.grant_id}`. No call starts by it any more."
    assert told_of(NotLive(state="revoked", grant=over)).text.startswith(f"Already revoked by {ANA} at ")
    assert "used up: 5 of 5" in told_of(NotLive(state="used up", grant=grant())).text
    assert told_of(NotLive(state="expired", grant=grant())).text.startswith("This grant ended at ")


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [(1_000, "1 s"), (90_000, "90 s"), (5_400_000, "90 min"), (7_200_000, "2 h"), (86_400_000 * 3, "3 d")],
)
def test_a_duration_is_spelled_whole(milliseconds: int, said: str) -> None:
    assert grant_words.lasting(milliseconds) == said


def test_the_values_of_grants_come_back_as_they_went_and_no_others() -> None:
    ref = GrantRef(grant_id=f"grant_{7:032x}")
    assert decode(GRANT_REVOKE, encode(ref)) == ref
    assert decode(APPROVAL_GRANT, REF) == ApprovalRef(approval_id=REF.partition(":")[0], revision=0)
    for wire in ("", "grant_", f"appr_{7:032x}", f"grant_{7:032x}:0", "grant_" + "X" * 32):
        assert decode(GRANT_REVOKE, wire) == Forged(action_id=GRANT_REVOKE)
    for wire in ("", "[]", '{"cursor":1}', '{"cursor":"1","more":true}'):
        assert decode(GRANTS_PAGE, wire) == Forged(action_id=GRANTS_PAGE)


def test_a_page_without_any_grant_that_is_not_the_last_says_so_and_leads_on() -> None:
    shown = grants_list(Page(items=(), cursor="9.x"), {})
    assert shown.text == "None among these. Press Older to look further back."
    assert [block["type"] for block in shown.blocks] == ["section", "actions"]
