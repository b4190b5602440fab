from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.view.values import (
    APPROVAL_APPROVE,
    APPROVAL_ASK_AGAIN,
    APPROVAL_DETAILS,
    APPROVAL_EDIT,
    APPROVAL_REVIEW,
    APPROVALS_PAGE,
    REVIEW_MODAL,
    RUN_STEPS,
    RUN_STOP,
    RUNS_PAGE,
    STEPS_MODAL,
    STEPS_NEXT,
    ApprovalRef,
    ApprovalsPage,
    Forged,
    ReviewPage,
    RunRef,
    RunsPage,
    StepsPage,
    ValueTooLong,
    decode,
    encode,
)
from harness_core.models import RunFilter, new_run_id
from harness_core.states import RunState

_maybe = st.one_of(st.none(), st.text(max_size=60))
_filters = st.builds(
    RunFilter,
    state=st.one_of(st.none(), st.sampled_from(RunState)),
    user=_maybe,
    agent=_maybe,
    thread_id=_maybe,
    channel=_maybe,
)


def test_the_value_of_a_run_button_is_the_run_id() -> None:
    run_id = new_run_id()
    assert encode(RunRef(run_id=run_id)) == run_id
    assert decode(RUN_STOP, run_id) == RunRef(run_id=run_id)


@given(st.text(max_size=60), _filters)
def test_a_page_of_runs_comes_back_as_it_went(cursor: str, narrowed: RunFilter) -> None:
    page = RunsPage(cursor=cursor, narrowed=narrowed)
    assert decode(RUNS_PAGE, encode(page)) == page


@given(st.integers(0, 999_999))
def test_a_page_of_steps_comes_back_as_it_went(page: int) -> None:
    ref = StepsPage(run_id=new_run_id(), page=page)
    assert decode(STEPS_NEXT, encode(ref)) == ref
    assert decode(STEPS_MODAL, encode(ref)) == ref


APPR = "appr_" + "0a" * 16


@given(st.integers(0, 999_999_999))
def test_the_value_of_an_approval_button_is_an_id_and_a_revision(revision: int) -> None:
    ref = ApprovalRef(approval_id=APPR, revision=revision)
    assert encode(ref) == f"{APPR}:{revision}"
    assert decode(APPROVAL_APPROVE, encode(ref)) == decode(APPROVAL_EDIT, encode(ref)) == ref


@given(st.integers(0, 9_999), st.integers(0, 9_999))
def test_a_page_of_a_review_comes_back_as_it_went(revision: int, page: int) -> None:
    ref = ReviewPage(approval_id=APPR, revision=revision, page=page)
    assert decode(REVIEW_MODAL, encode(ref)) == decode(APPROVAL_DETAILS, encode(ref)) == ref
    assert ref.ref == decode(APPROVAL_REVIEW, f"{APPR}:{revision}")


@given(st.text(max_size=60), st.booleans())
def test_a_page_of_approvals_comes_back_as_it_went(cursor: str, open_only: bool) -> None:
    page = ApprovalsPage(cursor=cursor, open_only=open_only)
    assert decode(APPROVALS_PAGE, encode(page)) == page


def test_asking_again_carries_a_run() -> None:
    run_id = new_run_id()
    assert decode(APPROVAL_ASK_AGAIN, run_id) == RunRef(run_id=run_id)


@pytest.mark.parametrize(
    ("action_id", "wire"),
    [
        (RUN_STOP, ""),
        (RUN_STOP, "run_01KE0000000000000000000001 "),
        (RUN_STOP, "run_01ke0000000000000000000001"),
        (RUN_STEPS, "run_01KE0000000000000000000001:0"),
        (RUNS_PAGE, "{}"),
        (RUNS_PAGE, "[]"),
        (RUNS_PAGE, '{"cursor":1}'),
        (RUNS_PAGE, '{"cursor":"a","state":"hibernating"}'),
        (RUNS_PAGE, '{"cursor":"a","admin":"yes"}'),
        (RUNS_PAGE, "[" * 1_999),
        (STEPS_NEXT, "run_01KE0000000000000000000001:-1"),
        (STEPS_NEXT, "run_01KE0000000000000000000001:1e3"),
        (STEPS_NEXT, "run_01KE0000000000000000000001:٣"),
        (STEPS_NEXT, "run_01KE0000000000000000000001:9999999"),
        (APPROVAL_APPROVE, ""),
        (APPROVAL_APPROVE, APPR),
        (APPROVAL_APPROVE, f"{APPR}:"),
        (APPROVAL_APPROVE, f"{APPR}:-1"),
        (APPROVAL_APPROVE, f"{APPR}:01"),
        (APPROVAL_APPROVE, f"{APPR}:٣"),
        (APPROVAL_APPROVE, f"{APPR}:1234567890"),
        (APPROVAL_APPROVE, f"{APPR}:0:0"),
        (APPROVAL_APPROVE, f"{APPR}:0\n"),
        (APPROVAL_APPROVE, f"{APPR.upper()}:0"),
        (APPROVAL_APPROVE, f"../{APPR}:0"),
        (APPROVAL_APPROVE, "run_01KE0000000000000000000001"),
        (APPROVAL_APPROVE, "appr_' or 1=1 --:0"),
        (APPROVAL_REVIEW, f"{APPR}:0:0:0"),
        (APPROVALS_PAGE, '{"cursor":"a"}'),
        (APPROVALS_PAGE, '{"cursor":"a","open_only":"yes"}'),
        (APPROVALS_PAGE, '{"cursor":"a","open_only":true,"admin":true}'),
        ("approval:unheard_of", f"{APPR}:0"),
        ("run:unheard_of", "run_01KE0000000000000000000001"),
        ("", ""),
    ],
)
def test_what_was_not_written_by_the_bot_is_forged(action_id: str, wire: str) -> None:
    assert decode(action_id, wire) == Forged(action_id=action_id)


@given(
    st.sampled_from([RUN_STOP, RUNS_PAGE, STEPS_NEXT, APPROVAL_APPROVE, APPROVALS_PAGE]),
    st.text(max_size=100),
)
def test_no_value_makes_the_reader_fall(action_id: str, wire: str) -> None:
    assert isinstance(decode(action_id, wire), Forged | RunsPage)


def test_a_value_that_slack_would_refuse_is_not_written() -> None:
    with pytest.raises(ValueTooLong, match="a RunsPage of 2"):
        encode(RunsPage(cursor="c" * 2_000, narrowed=RunFilter()))
