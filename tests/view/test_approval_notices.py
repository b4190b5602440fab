"""What one person is told about a request, and the reminders of those who can decide."""

from __future__ import annotations

from typing import Any

import pytest
from view.view_approvals import APPROVER, REQUESTER, WAITING, appr, approval, asked, decided
from view.view_events import STARTED, T0, viewed

from bot.view import approval_notices as notices
from bot.view.approval_notices import approvals_list, approvers
from bot.view.message import Part
from bot.view.reminders import reminded_card, reminders
from bot.view.values import ApprovalRef, ApprovalsPage, decode
from harness_core.approvals import (
    AlreadyDecided,
    Approval,
    ApproverRule,
    NotApplicable,
    RunOver,
    Tallied,
    TooLate,
    Verb,
    Vote,
)
from harness_core.events import ApprovalReminded, Payload
from harness_core.models import Page
from harness_core.states import RunState

AT = "<!date^1767348000^{time}|10:00 UTC>"
URL = "https://acme.slack.com/archives/C1/p1767348000000100"


def test_a_rule_is_named_in_words() -> None:
    rule = ApproverRule(users=("U1AA", "bob"), usergroups=("S0PS",), channel_members=True)
    assert approvers(rule) == "<@U1AA>, bob, <!subteam^S0PS> and members of this channel"
    names = {"U1AA": "ana", "S0PS": "ops"}
    assert approvers(rule, names) == "@ana, bob, @ops and members of this channel"
    assert approvers(ApproverRule()) == "Nobody"
    assert approvers(ApproverRule(requester=True)) == "the requester"
    assert approvers(ApproverRule(users=("<!channel>",), usergroups=("<!here>",))) == (
        "&lt;!channel&gt; and &lt;!here&gt;"
    )


def test_whoever_may_not_decide_is_told_who_can() -> None:
    can = approvers(ApproverRule(users=(APPROVER,)))
    assert notices.own_request(can).text == (
        f"You asked for this, so someone else must approve. <@{APPROVER}> can."
    )
    assert notices.cannot_decide(can).text == f"You can't decide this request. <@{APPROVER}> can."
    assert "can't decide" in notices.guest().text
    members = approvers(ApproverRule(channel_members=True, requester=True))
    assert notices.cannot_decide(members).text.endswith(". Members of this channel and the requester can.")
    assert notices.own_request(approvers(ApproverRule(users=("bob",)))).text.endswith("approve. bob can.")


@pytest.mark.parametrize(
    ("decision", "word"),
    [
        ("approve", "approved"),
        ("reject", "rejected"),
        ("respond", "answered"),
        ("done", "marked as done"),
        ("again", "sent to run again"),
        ("skip", "skipped"),
    ],
)
def test_who_was_faster_is_named(decision: Verb, word: str) -> None:
    late = AlreadyDecided(decision=decision, by=APPROVER, at=T0)
    assert (
        notices.already(late).text == f"Already {word} by <@{APPROVER}> at {AT}. Your click changed nothing."
    )


def test_every_click_that_changed_nothing_says_why() -> None:
    assert notices.stale().text == "The values changed while you were reading. Check them and decide again."
    assert notices.too_late(TooLate(at=T0)).text == f"Expired at {AT}. Your click changed nothing."
    over = notices.run_over(RunOver(state=RunState.CANCELLED))
    assert over.text == "This run was stopped. Your click changed nothing."
    assert "no longer asks this" in notices.run_over(RunOver(state=RunState.RUNNING)).text
    assert "Nothing was run." in notices.outdated().text
    assert notices.tallied(Tallied(votes=1, quorum=2)).text == "Your approval counts. 1 of 2 approvals."
    again = notices.tallied(Tallied(votes=1, quorum=2, repeated=True)).text
    assert again == "Your approval was counted before. 1 of 2 approvals. Your click changed nothing."
    assert "“Run again”" in notices.not_applicable(NotApplicable(kind="uncertain")).text
    assert "approved or rejected" in notices.not_applicable(NotApplicable(kind="call")).text
    assert "gone" in notices.unknown_approval().text


def listed(*items: Approval, cursor: str | None = None) -> Page[Approval]:
    return Page(items=items, cursor=cursor)


def test_a_page_without_any_that_is_not_the_last_says_so_and_leads_on() -> None:
    notice = approvals_list(listed(cursor="older"), {}, T0)
    assert notice.text == "None among these. Press Older to look further back."
    (older,) = notice.blocks[-1]["elements"]
    assert decode(older["action_id"], older["value"]) == ApprovalsPage(cursor="older")
    assert notice.blocks[0]["text"]["text"] == notice.text
    assert approvals_list(listed(), {}, T0).text == "Nothing waits for approval."


def offered(*items: Approval) -> list[list[tuple[str, str]]]:
    notice = approvals_list(listed(*items), {}, T0)
    return [
        [(button["text"]["text"], button["value"]) for button in block["elements"]]
        for block in notice.blocks
        if block["type"] == "actions"
    ]


def test_a_row_has_title_state_agent_requester_age_and_link_in_blocks_and_in_text() -> None:
    notice = approvals_list(listed(approval(), approval(quorum=2)), {appr(0): URL}, T0 + 200_000)
    row = f"ops · <@{REQUESTER}> · 3 min ago · <{URL}|Open>"
    assert notice.text.splitlines() == [
        f"{appr(0)} · Restart checkout in prod · open · {row}",
        f"{appr(0)} · Restart checkout in prod · 0 of 2 approvals · {row}",
    ]
    first = next(block["text"]["text"] for block in notice.blocks if block["type"] == "section")
    assert first == f"Restart checkout in prod\n`{appr(0)}`\nopen · {row}"


def test_an_open_request_is_read_before_it_is_approved_and_any_other_only_looked_at() -> None:
    ref = f"{appr(0)}:3"
    assert offered(approval(revision=3)) == [[("Review", ref), ("Reject", ref)]]
    assert offered(approval(revision=3, kind="uncertain")) == [[("Details", ref)]]
    assert offered(approval(revision=3, state="expired")) == [[("Details", ref)]]
    assert decode("approval:review", ref) == ApprovalRef(approval_id=appr(0), revision=3)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"state": "decided", "decision": "reject"}, "rejected"),
        ({"state": "expired"}, "expired"),
        ({"state": "void"}, "void"),
        ({"kind": "uncertain"}, "uncertain"),
        ({"quorum": 3, "votes": (Vote(by="U1", at=T0, source="list"),)}, "1 of 3 approvals"),
    ],
)
def test_how_a_request_stands_is_told_in_a_word(changes: dict[str, Any], state: str) -> None:
    assert f" · {state} · " in approvals_list(listed(approval(**changes)), {}, T0).text


def test_a_page_of_approvals_has_ten_rows_and_leads_to_the_next() -> None:
    notice = approvals_list(listed(*[approval()] * 12, cursor="c1"), {}, T0, open_only=False)
    assert len(notice.text.splitlines()) == 10
    (older,) = notice.blocks[-1]["elements"]
    assert decode(older["action_id"], older["value"]) == ApprovalsPage(cursor="c1", open_only=False)


def test_no_approvals_is_said() -> None:
    assert approvals_list(listed(), {}, T0).text == "Nothing waits for approval."
    assert approvals_list(listed(), {}, T0, open_only=False).text == "No approvals."


def reminded(*payloads: Payload, number: int = 1, **options: Any) -> tuple[Part, ...]:
    view = viewed(*STARTED, *payloads, WAITING, ApprovalReminded(approval=appr(0), number=number))
    return reminders(view, **options)


def test_each_named_approver_gets_a_direct_message_that_leads_to_the_card() -> None:
    rule = {"users": ["U1AA", "U2AA", REQUESTER], "usergroups": ["S0PS"]}
    parts = reminded(asked(rule=rule), card_url=URL, in_public=True)
    assert [(part.name, part.to) for part in parts] == [
        ("remind:ask:1:1:U1AA", "U1AA"),
        ("remind:ask:1:1:U2AA", "U2AA"),
    ]
    until = "<!date^1767362404^{time}|14:00 UTC>"
    said = f"<@{REQUESTER}> is waiting for you: Restart checkout in prod. Expires {until}."
    assert {part.text for part in parts} == {said}
    (button,) = parts[0].blocks[-1]["elements"]
    assert (button["text"]["text"], button["url"]) == ("Review", URL)
    assert "value" not in button
    assert all(part.once and part.linked and not part.final for part in parts)


def test_what_a_private_channel_was_asked_is_not_told_outside_of_it() -> None:
    (part,) = reminded(asked(), card_url=URL)
    assert f"<@{REQUESTER}> is waiting for you: restart_service. Expires" in part.text
    assert "checkout" not in str(part)


def test_where_nobody_or_many_are_named_the_thread_is_told() -> None:
    (part,) = reminded(asked(rule={"usergroups": ["S0PS"]}))
    assert (part.name, part.to) == ("remind:ask:1:1", None)
    assert part.text.startswith(f"<@{REQUESTER}> is waiting for <!subteam^S0PS>: Restart checkout in prod.")
    (part,) = reminded(asked(rule={"users": [f"U{number}AA" for number in range(6)]}))
    assert part.to is None
    (part,) = reminded(asked(rule={"users": [REQUESTER], "requester": True}))
    assert part.text.startswith(f"<@{REQUESTER}>, this is waiting for you: Restart checkout in prod.")


def test_only_open_requests_are_reminded_of_and_only_by_their_newest_reminder() -> None:
    assert reminded(asked(), decided()) == ()
    assert reminded(asked(1)) == ()
    (part,) = reminded(asked(), number=2)
    assert part.name == f"remind:ask:1:2:{APPROVER}"


def test_calls_on_one_card_are_one_reminder_to_each_person() -> None:
    both = {"users": [APPROVER, "U2AA"]}
    parts = reminded(asked(), asked(1, rule=both), asked(2, pause=2), in_public=True)
    told = {part.name: part.text.partition(". ")[0] for part in parts}
    waiting = f"<@{REQUESTER}> is waiting for you: Restart checkout in prod"
    assert told == {
        f"remind:ask:1:1:{APPROVER}": f"{waiting} and 1 more",
        "remind:ask:1:1:U2AA": waiting,
    }


def test_the_name_of_a_reminder_leads_back_to_its_card() -> None:
    view = viewed(*STARTED, asked(), asked(1, pause=11), asked(2, kind="uncertain"))
    assert reminded_card(view, "remind:ask:11:2:U1") == "ask:11"
    assert reminded_card(view, "remind:ask:1:1") == "ask:1"
    assert reminded_card(view, f"remind:doubt:{appr(2)}:1:U1") == f"doubt:{appr(2)}"
    assert reminded_card(view, "ask:1") is None
    assert reminded_card(view, "0") is None
