"""The card: exactly what would run, who may say so, and what became of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from view.view_approvals import APPROVER, REQUESTER, WAITING, appr, asked, decided, resolved, revised
from view.view_events import RUN_ID, STARTED, viewed

from bot.view.approval_card import cards
from bot.view.blocks import text_size
from bot.view.message import Part
from harness_core.events import (
    ApprovalExpired,
    ApprovalVoted,
    Payload,
    RunCancelled,
    RunFailed,
    RunResumed,
    StepStarted,
)

URL = "https://acme.slack.com/archives/C1/p1767348000000100"
REF = f"{appr(0)}:0"
AT = "<!date^{}^{{time}}|{} UTC>"
ANA = f"<@{APPROVER}>"


def card(*payloads: Payload, **options: Any) -> Part:
    (part,) = cards(viewed(*STARTED, *payloads), request_url=URL, **options)
    return part


def said(block: dict[str, Any]) -> str:
    """What a person reads in a block."""
    match block:
        case {"type": "actions", "elements": elements}:
            return " ".join(f"[{each['text']['text']}]" for each in elements)
        case {"type": "context", "elements": elements}:
            return "\n".join(each["text"] for each in elements)
        case {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [element]}]}:
            return str(element["text"])
        case {"text": {"text": str(text)}}:
            return text
        case other:
            raise AssertionError(other)


def read(part: Part) -> list[tuple[str, str]]:
    return [(block["type"], said(block)) for block in part.blocks]


def buttons(part: Part) -> list[dict[str, Any]]:
    return [element for block in part.blocks if block["type"] == "actions" for element in block["elements"]]


def pressed(part: Part) -> list[tuple[str, str, str]]:
    return [(each["text"]["text"], each["action_id"], each["value"]) for each in buttons(part)]


def outcome(*payloads: Payload) -> str:
    """The line that took the place of the buttons, after the bold title."""
    part = card(*payloads)
    kinds = [block["type"] for block in part.blocks]
    assert kinds == ["section", "context", "actions"], kinds
    assert said(part.blocks[0]) == "*Restart checkout in prod*"
    assert buttons(part)[-1]["action_id"] == "approval:details"
    assert part.text == f"Restart checkout in prod: {said(part.blocks[1])}"
    return said(part.blocks[1])


def test_a_card_has_its_seven_blocks_in_order() -> None:
    part = card(asked(), WAITING)
    assert read(part) == [
        ("header", "Restart checkout in prod?"),
        ("context", f"ops · asked by <@{REQUESTER}> · <{URL}|View request>"),
        ("rich_text", "env: prod\nservice: checkout"),
        ("section", "Restarts 20 pods."),
        ("context", "The agent's reason: “The pool only grows back after a restart.”"),
        (
            "context",
            (
                f"{ANA} can decide, except <@{REQUESTER}>, who asked. 0 of 1 approvals. "
                "Expires <!date^1767362404^{time}|14:00 UTC>."
            ),
        ),
        ("actions", "[Approve] [Edit] [Reject]"),
    ]
    assert (part.name, part.urgent, part.final) == ("ask:1", True, False)
    assert part.text == f"Approval needed: Restart checkout in prod (asked by <@{REQUESTER}>)"


def test_buttons_name_an_approval_and_a_revision_and_approve_is_primary() -> None:
    part = card(asked())
    assert pressed(part) == [
        ("Approve", "approval:approve", REF),
        ("Edit", "approval:edit", REF),
        ("Reject", "approval:reject", REF),
    ]
    assert [each.get("style") for each in buttons(part)] == ["primary", None, None]
    assert [each.get("confirm") for each in buttons(part)] == [None, None, None]


def test_a_destructive_call_is_confirmed() -> None:
    approve, *others = buttons(card(asked(destructive=True)))
    dialog = {name: text["text"] for name, text in approve["confirm"].items()}
    assert dialog == {
        "title": "Restart checkout in prod?",
        "text": "This runs now.",
        "confirm": "Approve",
        "deny": "Go back",
    }
    assert not any("confirm" in other for other in others)


def test_without_preview_reason_or_arguments_the_card_says_so() -> None:
    part = card(asked(preview=None, reason=" ", arguments="{}", editable=False))
    texts = [text for _, text in read(part)]
    assert texts[2:5] == ["(no arguments)", "No preview available.", "The agent gave no reason."]
    assert texts[-1] == "[Approve] [Reject]"


def test_the_agents_words_are_plain_text_in_quotes_and_cut() -> None:
    part = card(asked(reason="Already *approved* by <@U0ADMIN>.\n" + "x" * 400))
    (element,) = part.blocks[4]["elements"]
    assert element["type"] == "plain_text"
    assert element["text"].startswith("The agent's reason: “Already *approved* by <@U0ADMIN>. xxx")
    assert element["text"].endswith("…”")
    assert len(element["text"]) == 300 + len("The agent's reason: “”")


def test_who_may_decide_is_named_by_the_rule() -> None:
    rule = {"users": ["U1AA"], "usergroups": ["S0PS"], "channel_members": True, "requester": True}
    line = said(card(asked(rule=rule, quorum=2)).blocks[5])
    assert line.startswith(
        "<@U1AA>, <!subteam^S0PS>, members of this channel and the requester can decide. 0 of 2 approvals."
    )
    crowd = {"users": [f"U{number:03}" for number in range(30)]}
    assert "<@U007> and 22 more can decide, except" in said(card(asked(rule=crowd)).blocks[5])
    assert said(card(asked(rule={})).blocks[5]).startswith("Nobody can decide")


def test_a_deadline_far_away_has_a_date() -> None:
    line = said(card(asked(expire_after=3 * 86_400_000)).blocks[5])
    assert line.endswith("Expires <!date^1767607204^{date_short_pretty}, {time}|2026-01-05 10:00 UTC>.")


def test_votes_are_told() -> None:
    voted = ApprovalVoted(approval=appr(0), by=APPROVER, votes=1)
    assert "1 of 2 approvals." in said(card(asked(quorum=2), voted).blocks[5])


def test_hostile_arguments_stay_in_their_box_and_hide_nothing() -> None:
    hostile = {"text": "```\n<!channel>\u202e evil", "to": "<@U012ABCDEF>"}
    part = card(asked(arguments=json.dumps(hostile), title="Say `x` *y* <!here>\u200b"))
    assert said(part.blocks[2]) == 'text: "```\\n<!channel>\\u202e evil"\nto: <@U012ABCDEF>'
    assert part.blocks[2]["type"] == "rich_text"
    assert said(part.blocks[0]) == "Say `x` *y* <!here>\\u200b?"
    assert part.blocks[0]["text"]["type"] == "plain_text"
    assert "<!here>" not in part.text
    done = card(asked(title="Say `x` *y* ~z~ <!here>"), decided("reject"))
    assert said(done.blocks[0]) == "*Say ˋxˋ ∗y∗ ∼z∼ &lt;!here&gt;*"


def test_long_arguments_are_read_before_they_are_approved() -> None:
    fits = json.dumps({"a": "x" * 2_497})
    part = card(asked(arguments=fits))
    assert len(said(part.blocks[2])) == 2_500
    assert pressed(part)[0][0] == "Approve"
    part = card(asked(arguments=json.dumps({"a": "x" * 2_498, "z": "the end"}), destructive=True))
    assert pressed(part) == [
        ("Review", "approval:review", REF),
        ("Edit", "approval:edit", REF),
        ("Reject", "approval:reject", REF),
    ]
    assert len(said(part.blocks[2])) <= 2_500
    assert said(part.blocks[2]).endswith("… 2512 characters in all: press Review to read everything")


def test_an_edit_shows_before_and_after_and_has_other_blocks() -> None:
    before, after = card(asked()), card(asked(), revised())
    assert said(after.blocks[3]) == (
        "<@U045GHIJKL> changed service: checkout → search. Earlier approvals no longer count."
    )
    assert said(after.blocks[2]) == "env: prod\nservice: search"
    assert said(after.blocks[0]) == "Restart search in prod?"
    assert {value for _, _, value in pressed(after)} == {f"{appr(0)}:1"}
    ids = [{block["block_id"] for block in part.blocks} for part in (before, after)]
    assert len(ids[0]) == len(before.blocks)
    assert not ids[0] & ids[1]


def test_before_and_after_stay_when_it_is_decided() -> None:
    part = card(asked(), revised(), decided())
    assert [kind for kind, _ in read(part)] == ["section", "context", "context", "actions"]
    assert said(part.blocks[1]).startswith("<@U045GHIJKL> changed service: checkout → search.")
    assert said(part.blocks[2]).startswith(f"Approved by {ANA} at ")


def test_several_changes_are_listed_and_what_was_absent_is_nothing() -> None:
    changes = [["a", None, 1], ["b", "x", None], ["c", "•••", "•••"], ["d", 1, 2]]
    line = said(card(asked(), revised(changes=changes)).blocks[3])
    assert line.startswith(
        "<@U045GHIJKL> changed a: nothing → 1, b: x → nothing, c: ••• → ••• and 1 more. Earlier"
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


def several(count: int, **changes: Any) -> list[Payload]:
    return [asked(number, title=f"Restart shop-{number}", **changes) for number in range(count)]


def test_calls_of_one_stretch_are_rows_of_one_card_and_those_of_the_next_another() -> None:
    first, second = cards(viewed(*STARTED, *several(2), asked(2, pause=2)))
    assert (first.name, second.name) == ("ask:1", "ask:2")
    assert [kind for kind, _ in read(first)] == [
        "context",
        *["header", "rich_text", "actions"] * 2,
        "context",
    ]
    values = [value for label, _, value in pressed(first) if label == "Approve"]
    assert values == [f"{appr(0)}:0", f"{appr(1)}:0"]
    assert first.text == f"Approval needed: Restart shop-0 and 1 more (asked by <@{REQUESTER}>)"


def test_five_rows_are_shown_and_the_others_move_up() -> None:
    part = card(*several(8))
    assert [label for label, _, _ in pressed(part)].count("Approve") == 5
    assert pressed(part)[-1] == ("Review 3 requests", "approval:review", f"{appr(5)}:0")
    part = card(*several(8), decided(number=0), decided("reject", 1))
    approvable = [value for label, _, value in pressed(part) if label == "Approve"]
    assert approvable == [f"{appr(number)}:0" for number in range(2, 7)]
    assert pressed(part)[-1] == ("Review 1 request", "approval:review", f"{appr(7)}:0")


def test_rows_are_decided_one_by_one_and_wait_for_each_other() -> None:
    part = card(*several(2), WAITING, decided())
    lines = [text for _, text in read(part)]
    assert "*Restart shop-0*" in lines
    assert (
        f"Approved by {ANA} at {AT.format(1767348007, '10:00')}. It runs when the other requests are decided."
        in lines
    )
    part = card(*several(2), WAITING, decided(), decided("reject", 1))
    assert f"Approved by {ANA} at {AT.format(1767348007, '10:00')}. Running now." in [
        text for _, text in read(part)
    ]
    assert part.text.splitlines()[1] == f"Restart shop-1: Rejected by {ANA}. It did not run."


def test_rows_with_different_rules_each_say_who_can_decide() -> None:
    other = asked(1, rule={"users": ["U1AA"]})
    lines = [text for kind, text in read(card(asked(), other)) if kind == "context" and "can decide" in text]
    assert [line.split(" can")[0] for line in lines] == [ANA, "<@U1AA>"]


def test_long_rows_share_the_room_of_the_message() -> None:
    long = json.dumps({"a": "x" * 2_400})
    rows = [asked(number, arguments=long, destructive=True, reason="r" * 300) for number in range(5)]
    part = card(*rows)
    assert text_size(part.blocks) <= 13_200
    labels = [label for label, _, _ in pressed(part)]
    shown = [len(text) for kind, text in read(part) if kind == "rich_text"]
    assert labels.count("Review") == 5
    assert all(length <= 2_500 for length in shown)
    assert [label for label, _, _ in pressed(card(*rows[:2]))].count("Approve") == 2


def test_a_card_that_slack_refuses_is_shown_with_the_least_there_is() -> None:
    part = card(asked(), brief={"ask:1"})
    assert read(part) == [("section", "Restart checkout in prod"), ("actions", "[Review] [Reject]")]
    assert card(asked(), decided(), brief={"ask:1"}).blocks == ()
    (part,) = cards(viewed(*STARTED, DOUBT), brief={f"doubt:{appr(9)}"})
    assert read(part)[1] == ("actions", "[It is done] [Run again] [Skip]")


def test_the_same_view_gives_the_same_card_in_every_process() -> None:
    assert card(asked(), revised()) == card(asked(), revised())
