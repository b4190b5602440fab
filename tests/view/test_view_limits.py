"""Every payload at its extremes, against the stand-in's own reading of Slack's rules."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block as SdkBlock
from view import view_approvals, view_events
from view.view_approvals import approval, asked, grant
from view.view_approvals import arguments as view_arguments
from view.view_events import RUN, STARTED, names, numbered, stories, viewed

from bot.playground.block_kit import checked_blocks, checked_view
from bot.view import approval_notices, notices, runs
from bot.view.approval_card import cards
from bot.view.approval_modals import grant_modal
from bot.view.blocks import Notice, text_size
from bot.view.fold import RunView, fold, start
from bot.view.gallery import payloads as gallery_payloads
from bot.view.grants import grants_list
from bot.view.limits import ARGUMENTS
from bot.view.message import Part, render
from bot.view.reminders import reminders
from bot.view.steps_modal import steps_modal
from harness_core.approvals import ApproverRule, GrantTerms
from harness_core.events import (
    ApprovalGranted,
    Event,
    OutputDelta,
    Payload,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunResumed,
    StepCompleted,
    StepStarted,
    ToolRefused,
)
from harness_core.models import Page, Run, RunFilter
from harness_core.states import RunState

LONG = "&" * 5_000
_long_names = st.one_of(names, st.just(LONG), st.just("<" * 5_000))
_runs = st.builds(
    Run,
    run_id=st.just(RUN.run_id),
    tenant=st.just("T1"),
    conversation=st.just("C1"),
    thread_id=st.just("t"),
    user=_long_names,
    state=st.sampled_from(RunState),
    created_at=st.integers(0, 4_000_000_000_000),
    agent=st.one_of(st.none(), _long_names),
    started_at=st.one_of(st.none(), st.integers(0, 4_000_000_000_000)),
    ended_at=st.one_of(st.none(), st.integers(0, 4_000_000_000_000)),
    takeovers=st.integers(0, 10),
    reason=st.one_of(st.none(), _long_names),
)
_urls = st.one_of(st.just("https://x.example/a"), st.just("https://x.example/" + "a|>" * 3_000), names)


def assert_slack_takes(message: Part | Notice) -> None:
    assert 0 < len(message.text) <= 4_000
    assert message.text.strip()
    checked_blocks(list(message.blocks))
    assert text_size(message.blocks) <= 13_200
    for block in SdkBlock.parse_all(list(message.blocks)):
        block.validate_json()


def crowded(label: str, answer: str) -> RunView:
    """A run with everything that a message can show, each at its longest."""
    steps = [StepStarted(step=str(number), label=label) for number in range(300)]
    done = [StepCompleted(step=str(number)) for number in range(250)]
    resumed = RunResumed(resume_kind="takeover", gap=20_000, finished_steps=250, text=answer)
    return viewed(*STARTED, *steps, *done, resumed, StepStarted(step="last", label=label))


@given(stories)
@settings(max_examples=40)
def test_every_message_of_every_story_is_within_the_limits(story: list[Event]) -> None:
    view = fold(start(RUN), story)
    for part in render(view):
        assert_slack_takes(part)
        assert sum(len(block["text"]) for block in part.blocks if block["type"] == "markdown") <= 11_000
    checked_view(steps_modal(view), home=False)


def test_the_most_crowded_messages_are_within_the_limits() -> None:
    answer = "\n\n".join(["<" * 700] * 40)
    running = crowded(LONG, answer)
    ended: list[Any] = [
        RunFailed(reason=LONG, message=LONG),
        RunCancelled(by=LONG),
        OutputDelta(text="x" * 30_000, message="m"),
    ]
    for payload in ended:
        later = Event(run_id=RUN.run_id, seq=running.seq + 1, at=running.created_at + 10**7, payload=payload)
        parts = render(fold(running, [later]))
        assert len(parts) > 3
        for part in parts:
            assert_slack_takes(part)


@pytest.mark.parametrize("label", [LONG, "Restarting checkout in prod"])
def test_a_full_answer_keeps_its_controls_whatever_else_there_is_to_tell(label: str) -> None:
    answer = "word " * 2_079
    told: list[Payload] = [OutputDelta(text=answer, message="m")]
    for number in range(8):
        call = f"call-{number}"
        told.append(ApprovalGranted(grant="g", call=call, tool="t", by="U012ABCDEF", used=number, times=80))
        told += [StepStarted(step=call, label=label, kind="tool"), StepCompleted(step=call)]
        told.append(ToolRefused(call=f"refused-{number}", tool="t", title=label, message=LONG))
    resumed = RunResumed(resume_kind="takeover", gap=20_000, finished_steps=8)
    for last in (
        [],
        [RunFailed(reason="x", message=LONG)],
        [RunCancelled(by=LONG)],
        [RunCompleted(output=answer)],
    ):
        (part,) = render(viewed(*STARTED, *told, resumed, *last))
        assert_slack_takes(part)
        assert part.blocks[-1]["type"] == "actions"
        assert "did not run." in json.dumps(part.blocks), "that calls were refused is told at any length"


_asking = st.lists(
    st.one_of(view_approvals.payloads, view_approvals.payloads, view_events.payloads), max_size=40
).map(lambda told: numbered(*STARTED, *told))


@given(_asking, _urls)
@settings(max_examples=40)
def test_every_card_of_every_story_is_within_the_limits(story: list[Event], url: str) -> None:
    view = fold(start(RUN), story)
    shown = cards(view, request_url=url)
    assert len({part.name for part in shown}) == len(shown)
    for part in shown:
        assert_slack_takes(part)
        ids = [block["block_id"] for block in part.blocks]
        assert len(set(ids)) == len(ids)
        for block in part.blocks:
            if block["type"] == "rich_text":
                assert len(block["elements"][0]["elements"][0]["text"]) <= ARGUMENTS
    for part in cards(view, brief={part.name for part in shown}):
        assert_slack_takes(part)
    for part in (*reminders(view, card_url=url, in_public=True), *reminders(view), *render(view)):
        assert_slack_takes(part)


def test_the_most_crowded_card_is_within_the_limits() -> None:
    rule = {"users": [f"{number} {LONG}" for number in range(20)], "usergroups": [LONG], "requester": False}
    rows = [
        asked(
            number,
            title=LONG,
            arguments='{"a": "%s"}' % ("x" * 2_400),
            rule=rule | {"users": [LONG] * number},
        )
        for number in range(30)
    ]
    changes = [[LONG, LONG, LONG]] * 5
    edits = [view_approvals.revised(number, title=LONG, by=LONG, changes=changes) for number in range(30)]
    decided = [view_approvals.decided("reject", number, by=LONG, reason=LONG) for number in range(10)]
    for told in (rows, [*rows, *edits], [*rows, *edits, *decided], [*rows, *decided]):
        (part,) = cards(viewed(*STARTED, *told), request_url="https://x.example/" + "a" * 2_900)
        assert_slack_takes(part)


def test_many_refused_calls_do_not_crowd_out_the_rest() -> None:
    refused = [ToolRefused(call=str(number), tool="t", title=LONG, message=LONG) for number in range(80)]
    for part in render(viewed(*STARTED, *refused, OutputDelta(text="x" * 10_900, message="m"))):
        assert_slack_takes(part)


def test_many_granted_calls_do_not_crowd_out_the_rest() -> None:
    told: list[Payload] = []
    for number in range(80):
        call = str(number)
        told.append(ApprovalGranted(grant=LONG, call=call, tool=LONG, by=LONG, used=number, times=80))
        told += [StepStarted(step=call, label=LONG, kind="tool"), StepCompleted(step=call)]
        told.append(ToolRefused(call=f"refused-{number}", tool="t", title=LONG, message=LONG))
    text = OutputDelta(text="x" * 10_900, message="m")
    for ending in ([], [RunCompleted(output="x" * 10_900)], [RunFailed(reason=LONG, message=LONG)]):
        for part in render(viewed(*STARTED, *told, text, *ending)):
            assert_slack_takes(part)


@given(_long_names, st.integers(0, 300), st.integers(-3, 300))
def test_every_page_of_the_steps_modal_is_within_the_limits(label: str, count: int, page: int) -> None:
    steps = [StepStarted(step=str(number), label=label) for number in range(count)]
    failed = RunFailed(reason=label, message=label)
    checked_view(steps_modal(viewed(*STARTED, *steps, failed), page), home=False)


@given(st.lists(_runs, max_size=12), st.one_of(st.none(), st.text(max_size=50)), _urls)
def test_every_list_of_runs_is_within_the_limits(found: list[Run], cursor: str | None, url: str) -> None:
    page = Page(items=tuple(found), cursor=cursor)
    narrowed = RunFilter(user="U012ABCDEF", state=RunState.FAILED)
    now = 4_000_000_000_000
    assert_slack_takes(runs.runs_list(page, narrowed=narrowed, links={RUN.run_id: url}, now_ms=now))
    for run in found:
        assert_slack_takes(runs.run_detail(run, url=url, now_ms=now))


@given(st.lists(st.tuples(_long_names, _long_names), max_size=60))
def test_every_list_of_agents_is_within_the_limits(agents: list[tuple[str, str]]) -> None:
    assert_slack_takes(runs.agents_list(agents))


@given(_long_names, _long_names)
def test_every_notice_is_within_the_limits(one: str, other: str) -> None:
    for notice in (
        notices.unknown_verb(one, ["runs", "show"]),
        notices.not_in_channel(one),
        notices.run_not_found(one),
        notices.agent_not_found(one, [other] * 50),
        notices.agent_chosen(one),
        notices.not_allowed(one, other),
        notices.missing_argument(one),
        notices.retrying(one),
        notices.stop_outcome("requested", crowded(one, other), other),
        notices.stop_outcome("cancelled", viewed(), other),
    ):
        assert_slack_takes(notice)


@given(_long_names, _long_names, _urls, st.one_of(st.none(), st.text(max_size=50)), view_arguments)
def test_every_list_of_grants_and_every_modal_that_grants_is_within_the_limits(
    one: str, other: str, url: str, cursor: str | None, arguments: dict[str, Any]
) -> None:
    told = approval(arguments, title=one, agent=other, requester=other, tool=one, also_asked=(one,) * 30)
    for same in (None, tuple(arguments)):
        found = grant(told, terms=GrantTerms(lasts=3_600_000, times=5, same=same), given_by=other)
        page = Page(items=(found,) * 12, cursor=cursor)
        assert_slack_takes(grants_list(page, {found.grant_id: url}))
        checked_view(grant_modal(told, found.terms), home=False)


@given(_long_names, _long_names, _urls, st.one_of(st.none(), st.text(max_size=50)))
def test_every_list_of_approvals_is_within_the_limits(
    one: str, other: str, url: str, cursor: str | None
) -> None:
    told = approval(title=one, agent=other, requester=other)
    page = Page(items=(told,) * 12, cursor=cursor)
    assert_slack_takes(approval_notices.approvals_list(page, {told.approval_id: url}, 4_000_000_000_000))
    can = approval_notices.approvers(ApproverRule(users=(one,) * 30, usergroups=(other,) * 3))
    assert_slack_takes(approval_notices.own_request(can))
    assert_slack_takes(approval_notices.cannot_decide(can))


def test_everything_in_the_gallery_is_within_the_limits() -> None:
    names_seen = []
    for name, payload in gallery_payloads():
        names_seen.append(name)
        if payload.get("type") == "modal":
            checked_view(payload, home=False)
        else:
            assert_slack_takes(Notice(text=payload["text"], blocks=tuple(payload["blocks"])))
    assert len(set(names_seen)) == len(names_seen)
