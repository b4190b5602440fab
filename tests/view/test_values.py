from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.view.values import (
    RUN_STEPS,
    RUN_STOP,
    RUNS_PAGE,
    STEPS_MODAL,
    STEPS_NEXT,
    Forged,
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
        ("run:unheard_of", "run_01KE0000000000000000000001"),
        ("", ""),
    ],
)
def test_what_was_not_written_by_the_bot_is_forged(action_id: str, wire: str) -> None:
    assert decode(action_id, wire) == Forged(action_id=action_id)


@given(st.sampled_from([RUN_STOP, RUNS_PAGE, STEPS_NEXT]), st.text(max_size=100))
def test_no_value_makes_the_reader_fall(action_id: str, wire: str) -> None:
    assert isinstance(decode(action_id, wire), Forged | RunsPage)


def test_a_value_that_slack_would_refuse_is_not_written() -> None:
    with pytest.raises(ValueTooLong, match="a RunsPage of 2"):
        encode(RunsPage(cursor="c" * 2_000, narrowed=RunFilter()))
