"""What became of a request, and the card that asks what became of a call."""

from __future__ import annotations

import pytest
from view.card_reading import ANA, AT, REF, buttons, card, outcome, pressed, read, said
from view.view_approvals import REQUESTER, appr, asked, decided, resolved
from view.view_events import RUN_ID, STARTED, viewed

from bot.view.approval_card import cards
from bot.view.message import Part
from harness_core.events import (
    ApprovalExpired,
    Payload,
    RunCancelled,
    RunFailed,
    RunResumed,
    StepStarted,
)


def test_an_approved_call_runs_and_has_run_once() -> None:
    story = (asked(), decided())
    assert outcome(*story) == f"Approved by {ANA} at {AT.format(1767348005, '10:00')}. Running now."
    ran = (*story, resolved("ran"))
    assert outcome(*ran) == f"Approved by {ANA}. Ran once at {AT.format(1767348006, '10:00')}."
    failed = (*story, resolved("failed"))
    assert outcome(*failed) == f"Approved by {ANA}. Ran once at {AT.format(1767348006, '10:00')} and failed."
    refused = (*story, resolved("refused"))
    assert outcome(*refused).endswith("Refused at <!date^1767348006^{time}|10:00 UTC>, so it did not run.")


def test_a_rejection_says_why_and_that_it_did_not_run() -> None:
    assert outcome(asked(), decided("reject", reason="Not <now>.\u202e")) == (
        f"Rejected by {ANA}: “Not &lt;now&gt;.\\u202e” It did not run."
    )
    assert outcome(asked(), decided("reject")) == f"Rejected by {ANA}. It did not run."
    assert outcome(asked(), decided("reject", by="shell:ann")) == "Rejected by shell:ann. It did not run."


def test_an_answer_in_its_place_is_told() -> None:
    assert outcome(asked(), decided("respond", reason="Use staging.")) == (
        f"Answered by {ANA} in its place: “Use staging.” It did not run."
    )


def test_an_expired_request_can_be_asked_again() -> None:
    expired = ApprovalExpired(approval=appr(0))
    part = card(asked(), expired)
    assert (
        said(part.blocks[1])
        == f"Expired at {AT.format(1767348005, '10:00')} without a decision. It did not run."
    )
    assert pressed(part) == [
        ("Ask again", "run:retry", RUN_ID),
        ("Details", "approval:details", REF),
    ]


@pytest.mark.parametrize(
    ("end", "line"),
    [
        (RunCancelled(by="U2AA"), "Stopped by <@U2AA> before anybody decided. It did not run."),
        (RunFailed(reason="x"), "The run ended before anybody decided. It did not run."),
    ],
)
def test_a_request_of_a_run_that_is_over_is_void(end: Payload, line: str) -> None:
    part = card(asked(), end)
    assert said(part.blocks[1]) == line
    assert [label for label, _, _ in pressed(part)] == ["Details"]
    assert part.final


def test_an_approved_call_of_a_run_that_ended_says_only_what_is_known() -> None:
    approved = (asked(), decided())
    assert outcome(*approved, RunCancelled(by="U2", ran=0, unsure=0)).endswith(
        "The run ended before that, so it did not run."
    )
    for end in (RunCancelled(by="U2"), RunFailed(reason="x", ran=0, unsure=1)):
        assert outcome(*approved, end).endswith("The run ended before its outcome was known.")


DOUBT = asked(9, kind="uncertain", call="call_0", pause=2, preview=None, editable=False)
CRASHED = (
    asked(),
    decided(),
    StepStarted(step="call_0", label="Restarting"),
    RunResumed(resume_kind="takeover"),
    DOUBT,
)


def doubt(*payloads: Payload) -> Part:
    _, part = cards(viewed(*STARTED, *CRASHED, *payloads))
    return part


def test_an_uncertain_outcome_is_a_card_of_its_own_with_three_answers() -> None:
    part = doubt()
    assert part.name == f"doubt:{appr(9)}"
    sentence = (
        "The bot stopped while it ran “Restart checkout in prod”. It may have happened. Check, then choose."
    )
    assert part.text == sentence
    assert [text for _, text in read(part)] == [
        "Restart checkout in prod?",
        f"ops · asked by <@{REQUESTER}> · View request",
        sentence,
        "env: prod\nservice: checkout",
        f"{ANA} can decide, except <@{REQUESTER}>, who asked. Expires {AT.format(1767362408, '14:00')}.",
        "[It is done] [Run again] [Skip]",
    ]
    ref = f"{appr(9)}:0"
    assert pressed(part) == [
        ("It is done", "approval:done", ref),
        ("Run again", "approval:again", ref),
        ("Skip", "approval:skip", ref),
    ]


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ((decided("done", 9),), f"{ANA} said at {{}} that it is done. It was not run again."),
        ((decided("skip", 9),), f"{ANA} skipped it at {{}}. It was not run again."),
        ((decided("again", 9),), f"{ANA} chose at {{}} to run it again. Running now."),
        (
            (ApprovalExpired(approval=appr(9)),),
            "Expired at {} without a decision. It may have happened, and was not run again.",
        ),
    ],
)
def test_each_answer_to_a_doubt_is_told(told: tuple[Payload, ...], line: str) -> None:
    assert said(doubt(*told).blocks[1]) == line.format(AT.format(1767348009, "10:00"))


def test_a_call_that_ran_again_says_when_and_how() -> None:
    again = (decided("again", 9), resolved("ran", 9))
    assert said(doubt(*again).blocks[1]) == (
        f"{ANA} chose to run it again. Ran at {AT.format(1767348010, '10:00')}."
    )
    part = doubt(decided("again", 9), resolved("failed", 9))
    assert said(part.blocks[1]).endswith("and failed.")


def test_the_card_of_a_call_in_doubt_does_not_claim_that_it_runs() -> None:
    first, _ = cards(viewed(*STARTED, *CRASHED))
    assert said(first.blocks[1]).endswith("The bot stopped while it ran: it may have happened.")
    first, _ = cards(viewed(*STARTED, *CRASHED, decided("done", 9), resolved("confirmed")))
    assert said(first.blocks[1]).endswith("a person found that it is done.")


def test_a_destructive_call_is_confirmed_before_it_runs_again() -> None:
    (part,) = cards(viewed(*STARTED, asked(kind="uncertain", destructive=True)))
    assert [("confirm" in each) for each in buttons(part)] == [False, True, False]
    assert buttons(part)[1]["confirm"]["confirm"]["text"] == "Run again"
