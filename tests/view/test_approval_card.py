"""The card: exactly what would run, who may say so, and what became of it."""

from __future__ import annotations

import json
from typing import Any

from view.card_reading import ANA, AT, REF, URL, buttons, card, pressed, read, said
from view.view_approvals import APPROVER, REQUESTER, WAITING, appr, asked, decided, revised
from view.view_events import STARTED, viewed

from bot.view.approval_card import cards
from bot.view.blocks import text_size
from bot.view.questions import Edit
from bot.view.values import APPROVALS_PAGE, ApprovalsPage, encode
from harness_core.events import (
    ApprovalVoted,
    Payload,
)


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


def test_a_card_says_what_differs_from_the_call_that_was_approved_last() -> None:
    at = 1_767_348_000_000

    def beside(*changes: tuple[str, Any, Any]) -> list[tuple[str, str]]:
        last = {appr(0): Edit(by=APPROVER, at=at, changes=changes)}
        (part,) = cards(viewed(*STARTED, asked(), WAITING), request_url=URL, last=last)
        return read(part)

    told = beside(("env", "staging", "prod"))
    assert told[3] == ("context", "Differs from the last approved call: env: staging → prod.")
    assert len(told) == 8
    same = "<!date^1767348000^{date_short_pretty}, {time}|2026-01-02 10:00 UTC>"
    assert beside()[3] == ("context", f"The same as the last approved call, by {ANA} at {same}.")
    (line,) = [text for _, text in beside(*((name, 1, 2) for name in "abcde")) if "Differs" in text]
    assert line == "Differs from the last approved call: a: 1 → 2, b: 1 → 2, c: 1 → 2 and 2 more."


def test_once_people_changed_a_call_their_changes_stand_in_place_of_the_comparison() -> None:
    last = {appr(0): Edit(by=APPROVER, at=1, changes=(("env", "staging", "prod"),))}
    (part,) = cards(viewed(*STARTED, asked(), revised()), last=last)
    told = str(read(part))
    assert "changed service: checkout → search" in told
    assert "Differs" not in told


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
    for alone, named in (("channel_members", "Members of this channel"), ("requester", "The requester")):
        line = said(card(asked(rule={"users": [], "usergroups": [], alone: True})).blocks[5])
        assert line.startswith(f"{named} can decide")
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
    assert pressed(part)[-1] == ("Review 3 requests", APPROVALS_PAGE, encode(ApprovalsPage(cursor="")))
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
    doubt = asked(9, kind="uncertain", call="call_0")
    (part,) = cards(viewed(*STARTED, doubt), brief={f"doubt:{appr(9)}"})
    assert read(part)[1] == ("actions", "[It is done] [Run again] [Skip]")


def test_the_same_view_gives_the_same_card_in_every_process() -> None:
    assert card(asked(), revised()) == card(asked(), revised())
