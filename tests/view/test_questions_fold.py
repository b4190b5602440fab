"""Approval events become questions, calls that wait, and what is known of what a run changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from view import view_approvals, view_events
from view.view_approvals import WAITING, appr, asked, decided, resolved, revised
from view.view_events import RUN, STARTED, T0, numbered, viewed

from bot.view.fold import RunView, fold, start
from bot.view.questions import Edit, Question
from bot.view.steps import StepState
from harness_core.approvals import ApproverRule
from harness_core.events import (
    ApprovalExpired,
    ApprovalReminded,
    ApprovalVoted,
    Event,
    Payload,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunResumed,
    StepCompleted,
    StepStarted,
    ToolRefused,
)

stories = st.lists(st.one_of(view_approvals.payloads, view_events.payloads), max_size=30).map(
    lambda told: numbered(*told)
)


def only(view: RunView) -> Question:
    (question,) = view.approvals
    return question


def states(*payloads: Payload) -> list[tuple[str, StepState]]:
    return [(step.label, step.state) for step in viewed(*payloads).calls]


@given(stories, st.data())
def test_questions_fold_in_any_chunks_and_twice_to_the_same_view(
    story: list[Event], data: st.DataObject
) -> None:
    whole = fold(start(RUN), story)
    view, rest = start(RUN), story
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        view, rest = fold(view, rest[:size]), rest[size:]
    assert view == whole
    assert fold(whole, story) == whole


@given(stories)
def test_no_story_asks_leaves_open_or_decides_twice(story: list[Event]) -> None:
    view = start(RUN)
    closed: dict[str, Question] = {}
    for event in story:
        view = fold(view, [event])
        assert len({question.approval_id for question in view.approvals}) == len(view.approvals)
        for question in view.approvals:
            before = closed.get(question.approval_id, question)
            assert (question.state, question.decision, question.by) == (
                before.state,
                before.decision,
                before.by,
            )
            if not question.is_open:
                closed[question.approval_id] = question
        assert not (view.ended and view.open_questions)


def test_a_request_is_a_question_with_everything_that_people_decide_by() -> None:
    question = only(viewed(*STARTED, asked(destructive=True, editable=False)))
    assert question == Question(
        approval_id=appr(0),
        kind="call",
        pause=1,
        call="call_0",
        tool="restart_service",
        title="Restart checkout in prod",
        arguments='{"service": "checkout", "env": "prod"}',
        rule=ApproverRule(users=("U067MNOPQR",)),
        quorum=1,
        requested_at=T0 + 4_000,
        expires_at=T0 + 4_000 + 4 * 3_600_000,
        preview="Restarts 20 pods.",
        reason="The pool only grows back after a restart.",
        destructive=True,
        editable=False,
    )


def test_the_same_request_again_after_a_takeover_is_one_question_with_its_first_deadline() -> None:
    resumed = RunResumed(resume_kind="takeover", gap=20_000)
    view = viewed(*STARTED, asked(), resumed, asked(title="Restart everything"))
    assert (only(view).title, only(view).requested_at) == ("Restart checkout in prod", T0 + 4_000)
    view = viewed(*STARTED, asked(), decided("reject"), resumed, asked())
    assert only(view).state == "decided"
    assert [step.state for step in view.calls] == [StepState.REJECTED]


def test_votes_are_counted_until_an_edit_makes_them_void() -> None:
    voted = ApprovalVoted(approval=appr(0), by="U1", votes=1)
    assert only(viewed(asked(quorum=2), voted)).votes == 1
    question = only(viewed(asked(quorum=2), voted, revised()))
    assert (question.votes, question.revision, question.title) == (0, 1, "Restart search in prod")
    assert question.arguments == '{"service": "search", "env": "prod"}'
    assert question.preview == "Restarts 3 pods."
    edit = Edit(by="U045GHIJKL", at=T0 + 3_000, changes=(("service", "checkout", "search"),))
    assert question.edits == (edit,)


def test_an_older_revision_changes_nothing() -> None:
    question = only(viewed(asked(), revised(revision=2), revised(revision=1, title="Old")))
    assert (question.revision, question.title, len(question.edits)) == (2, "Restart search in prod", 1)


def test_only_the_first_answer_counts() -> None:
    late = (decided("reject", by="U2"), ApprovalExpired(approval=appr(0)), revised())
    question = only(viewed(asked(), decided(), *late))
    assert (question.state, question.decision, question.by, question.revision) == (
        "decided",
        "approve",
        "U067MNOPQR",
        0,
    )


def test_an_answer_to_a_question_that_nobody_knows_is_skipped() -> None:
    assert viewed(decided(), resolved("ran"), revised()).approvals == ()


def test_an_answer_of_a_newer_release_leaves_the_question_as_it_is() -> None:
    assert only(viewed(asked(), decided("delegate"))).is_open
    assert only(viewed(asked(), decided(), resolved("teleported"))).outcome is None


def test_a_rule_that_cannot_be_read_names_nobody() -> None:
    question = only(viewed(asked(rule={"users": "U1", "channel_members": "yes", "moon": True})))
    assert question.rule == ApproverRule()


def test_the_first_outcome_stands() -> None:
    question = only(viewed(asked(), decided(), resolved("ran"), resolved("failed")))
    assert (question.outcome, question.outcome_at) == ("ran", T0 + 3_000)


def test_reminders_are_counted_while_the_question_is_open() -> None:
    reminded = ApprovalReminded(approval=appr(0), number=2)
    assert only(viewed(asked(), reminded)).reminded == 2
    assert only(viewed(asked(), decided(), reminded)).reminded == 0


@pytest.mark.parametrize(
    "end",
    [RunCancelled(by="U2"), RunFailed(reason="configuration_changed"), RunCompleted(output="x")],
    ids=lambda payload: str(payload.name),
)
def test_the_end_of_a_run_makes_open_questions_void_and_leaves_decided_ones(end: Payload) -> None:
    view = viewed(*STARTED, asked(), asked(1), decided("reject", 1), end)
    assert [question.state for question in view.approvals] == ["void", "decided"]
    assert view.open_questions == ()
    assert [step.state for step in view.calls] == [StepState.NOT_RUN, StepState.REJECTED]


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ((), StepState.WAITING),
        ((decided(),), StepState.APPROVED),
        ((decided("reject"),), StepState.REJECTED),
        ((decided("respond"),), StepState.REJECTED),
        ((ApprovalExpired(approval=appr(0)),), StepState.EXPIRED),
    ],
)
def test_a_call_that_is_asked_about_is_a_step_that_has_not_started(
    answer: tuple[Payload, ...], state: StepState
) -> None:
    view = viewed(*STARTED, asked(), *answer)
    assert [(step.step, step.state) for step in view.calls] == [("call_0", state)]
    assert view.tool_steps == ()


def test_an_approved_call_runs_and_ends_in_its_own_place() -> None:
    story: tuple[Payload, ...] = (
        *STARTED,
        asked(),
        asked(1, title="Restart search"),
        decided(),
        RunResumed(resume_kind="approval"),
        StepStarted(step="call_0", label="Restarting checkout"),
    )
    waiting = ("Restart search", StepState.WAITING)
    assert states(*story) == [("Restarting checkout", StepState.RUNNING), waiting]
    done = (*story, resolved("ran"), StepCompleted(step="call_0"))
    assert states(*done) == [("Restarting checkout", StepState.DONE), waiting]


def test_an_outcome_that_is_told_before_the_step_changes_nothing_about_it() -> None:
    """The journal tells at once, steps a moment later."""
    told = (asked(), decided(), resolved("ran"))
    step = (StepStarted(step="call_0", label="Restarting"), StepCompleted(step="call_0"))
    assert states(*told, *step) == [("Restarting", StepState.DONE)]


@pytest.mark.parametrize(("outcome", "state"), [("ran", StepState.DONE), ("failed", StepState.FAILED)])
def test_a_crash_after_the_outcome_was_recorded_leaves_no_doubt_about_the_step(
    outcome: str, state: StepState
) -> None:
    started = (asked(), decided(), StepStarted(step="call_0", label="Restarting"), resolved(outcome))
    assert states(*started, RunResumed(resume_kind="takeover")) == [("Restarting", state)]
    lost = (asked(), decided(), resolved(outcome), RunResumed(resume_kind="takeover"))
    assert states(*lost) == [("Restart checkout in prod", state)]


def test_a_crash_inside_a_call_asks_about_it_and_the_answer_ends_it() -> None:
    doubt = asked(9, kind="uncertain", call="call_0", pause=2)
    crashed: tuple[Payload, ...] = (
        *STARTED,
        asked(),
        decided(),
        StepStarted(step="call_0", label="Restarting"),
        RunResumed(resume_kind="takeover"),
    )
    assert states(*crashed) == [("Restarting", StepState.INTERRUPTED)]
    assert states(*crashed, doubt) == [("Restarting", StepState.UNSURE)]
    assert states(*crashed, doubt, decided("done", 9)) == [("Restarting", StepState.DONE)]
    assert states(*crashed, doubt, decided("skip", 9)) == [("Restarting", StepState.SKIPPED)]
    assert states(*crashed, doubt, decided("again", 9)) == [("Restarting", StepState.APPROVED)]
    assert states(*crashed, doubt, RunCancelled(by="U2")) == [("Restarting", StepState.INTERRUPTED)]


def test_another_call_under_the_id_of_one_that_ended_stands_beside_it() -> None:
    first = (StepStarted(step="call_0", label="First"), StepCompleted(step="call_0"))
    assert states(*first, asked(title="Second")) == [("First", StepState.DONE), ("Second", StepState.WAITING)]
    second = (StepStarted(step="call_0", label="Second"), StepCompleted(step="call_0", ok=False))
    third = StepStarted(step="call_0", label="Third")
    assert states(*first, *second, third) == [
        ("First", StepState.DONE),
        ("Second", StepState.FAILED),
        ("Third", StepState.RUNNING),
    ]


def test_a_refused_call_is_kept_with_its_reason_once() -> None:
    refused = ToolRefused(call="c", tool="drop_table", title="Drop orders", message="Nobody can.")
    view = viewed(*STARTED, refused, RunResumed(resume_kind="takeover"), refused)
    assert [(each.title, each.sentence) for each in view.refusals] == [("Drop orders", "Nobody can.")]
    assert [(step.label, step.state) for step in view.calls] == [("Drop orders", StepState.REFUSED)]
    assert view.tool_steps == ()


STEP = (StepStarted(step="a", label="Reading log", effect="none"), StepCompleted(step="a"))
ACTED = (StepStarted(step="a", label="Restarting"), StepCompleted(step="a"))


@pytest.mark.parametrize(
    ("told", "end", "untouched"),
    [
        (ACTED, RunCancelled(by="U2", ran=0, unsure=0), True),
        (STEP, RunCancelled(by="U2", ran=1, unsure=0), False),
        (STEP, RunFailed(reason="x", ran=0, unsure=1), False),
        (STEP, RunFailed(reason="x", ran=0, unsure=0), True),
        (STEP, RunCancelled(by="U2"), True),
        (ACTED, RunCancelled(by="U2"), False),
        ((asked(), WAITING), RunCancelled(by="U2"), True),
        ((asked(), decided("reject"), resolved("refused")), RunFailed(reason="x"), True),
        ((asked(), decided()), RunCancelled(by="U2"), False),
        ((asked(kind="uncertain"),), RunCancelled(by="U2"), False),
        ((asked(kind="uncertain"), decided("skip")), RunCancelled(by="U2"), False),
    ],
)
def test_nothing_was_changed_exactly_when_it_is_proven(
    told: tuple[Payload, ...], end: Payload, untouched: bool
) -> None:
    assert viewed(*STARTED, *told, end).untouched is untouched
