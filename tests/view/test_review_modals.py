"""The modals that show a request whole, a page at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from view.view_approvals import APPROVER, appr, approval
from view.view_events import RUN_ID, T0
from view.view_reading import taken, texts

from bot.view.approval_modals import (
    details_modal,
    review_modal,
    review_pages,
)
from bot.view.values import ReviewPage, decode
from harness_core.approvals import Vote


def test_a_short_request_is_reviewed_on_one_page_whose_submit_approves() -> None:
    view = taken(review_modal(approval(revision=3)))
    assert view["submit"]["text"] == "Approve"
    assert decode(view["callback_id"], view["private_metadata"]) == ReviewPage(
        approval_id=appr(0), revision=3, page=0
    )
    assert texts(view) == [
        "Restart checkout in prod?",
        "ops · asked by <@U012ABCDEF>",
        "env: prod\nservice: checkout",
        "Restarts 20 pods.",
        "The agent's reason: “The pool only grows back after a restart.”",
        (
            f"<@{APPROVER}> can decide, except <@U012ABCDEF>, who asked. 0 of 1 approvals. "
            "Expires <!date^1767362400^{time}|14:00 UTC>."
        ),
    ]


def test_a_long_request_is_read_whole_before_it_can_be_approved() -> None:
    payload = "".join(f"line {number} " for number in range(9_000)) + "the end"
    told = approval({"script": payload})
    pages = review_pages(told)
    views = [taken(review_modal(told, page)) for page in range(pages)]
    assert pages > 1
    assert [view["submit"]["text"] for view in views] == ["Next page"] * (pages - 1) + ["Approve"]
    refs = [decode("approval:review", view["private_metadata"]) for view in views]
    assert refs == [ReviewPage(approval_id=appr(0), revision=0, page=page) for page in range(pages)]
    read = "".join(
        block["elements"][0]["elements"][0]["text"]
        for view in views
        for block in view["blocks"]
        if block["type"] == "rich_text"
    )
    assert read == f"script: {payload}"
    assert "Page 2 of" in str(views[1])
    assert review_modal(told, 99) == views[-1]
    assert review_modal(told, -1) == views[0]


def test_the_widest_alphabet_fits_on_a_page() -> None:
    told = approval({"script": "😀" * 60_000})
    for page in range(review_pages(told)):
        taken(review_modal(told, page))


@pytest.mark.parametrize("changes", [{"state": "decided"}, {"state": "expired"}, {"kind": "uncertain"}])
def test_what_cannot_be_approved_is_only_shown(changes: dict[str, Any]) -> None:
    view = taken(review_modal(approval(**changes)))
    assert "submit" not in view
    assert view["close"]["text"] == "Close"


def test_details_tell_what_became_of_the_request() -> None:
    told = approval(
        {"service": "search", "env": "prod"},
        state="decided",
        decision="reject",
        decided_by=APPROVER,
        decided_at=T0,
        votes=(Vote(by="U2AA", at=T0, source="message"),),
        before={"service": "checkout", "env": "prod"},
        edited_by="U3AA",
    )
    view = taken(details_modal(replace(told, reason="Not <now>.")))
    assert texts(view)[-10:] == [
        "State: rejected",
        f"Decided by: <@{APPROVER}>, <!date^1767348000^{{date_short_pretty}}, {{time}}|2026-01-02 10:00 UTC>",
        "Approval of: <@U2AA>, <!date^1767348000^{date_short_pretty}, {time}|2026-01-02 10:00 UTC>",
        "Reason: Not <now>.",
        "Changed by: <@U3AA>",
        "Changed: service: checkout → search",
        "Tool: restart_service",
        f"Run: {RUN_ID}",
        f"Request: {appr(0)}",
        "Digest: d1gest",
    ]
    assert "submit" not in view


def test_details_show_the_whole_reason_that_the_agent_read() -> None:
    reason = f"{'Not before the release. ' * 41}\nAsk <ana> & \u202ebob."
    told = approval(state="decided", decision="reject", decided_by=APPROVER, decided_at=T0)
    said = texts(taken(details_modal(replace(told, reason=reason))))
    assert f"Reason: {reason}".replace("\u202e", "\\u202e") in said


def test_long_details_are_paged_too() -> None:
    told = approval({"script": "x" * 40_000}, state="expired")
    first, *_, last = [taken(details_modal(told, page)) for page in range(review_pages(told))]
    assert first["submit"]["text"] == "Next page"
    assert "submit" not in last
    assert decode("approval:details", first["private_metadata"]) == ReviewPage(
        approval_id=appr(0), revision=0, page=0
    )
