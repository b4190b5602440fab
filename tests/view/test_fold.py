from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from view.view_events import RUN, STARTED, T0, numbered, stories, viewed

from bot.view.fold import Failure, Interruption, fold, start
from bot.view.steps import StepState
from harness_core.events import (
    CancelRequested,
    Event,
    OutputDelta,
    ReasoningDelta,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunQueued,
    RunResumed,
    RunRouted,
    StateChanged,
    StepCompleted,
    StepStarted,
    SyntheticFallback,
    Unknown,
)
from harness_core.states import RunState


@given(stories, st.data())
def test_folding_in_any_chunks_gives_the_same_view(story: list[Event], data: st.DataObject) -> None:
    whole = fold(start(RUN), story)
    view = start(RUN)
    rest = story
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        view, rest = fold(view, rest[:size]), rest[size:]
    assert view == whole


@given(stories, st.integers(0, 25))
def test_events_that_were_folded_before_change_nothing(story: list[Event], repeated: int) -> None:
    whole = fold(start(RUN), story)
    assert fold(whole, story[-repeated:]) == whole


def test_text_of_one_message_is_joined_and_another_message_starts_a_paragraph() -> None:
    view = viewed(
        OutputDelta(text="Look", message="m1"),
        OutputDelta(text="ing.", message="m1"),
        OutputDelta(text="Found", message="m2"),
        OutputDelta(text="", message="m3"),
        OutputDelta(text=" it.", message="m2"),
    )
    assert view.text == "Looking.\n\nFound it."


def test_a_resumed_run_shows_what_was_saved_and_goes_on_in_a_new_paragraph() -> None:
    view = viewed(
        OutputDelta(text="saved and lost", message="m1"),
        RunResumed(resume_kind="takeover", text="saved", gap=4_000),
        OutputDelta(text="new", message="m1"),
    )
    assert view.text == "saved\n\nnew"


def test_the_output_of_a_completed_run_replaces_what_was_streamed() -> None:
    assert (
        viewed(OutputDelta(text="stre", message="m"), RunCompleted(output="The answer.")).text
        == "The answer."
    )


def test_a_run_that_completed_without_output_keeps_what_people_saw() -> None:
    assert viewed(OutputDelta(text="seen", message="m"), RunCompleted(output="")).text == "seen"


def test_text_in_place_of_an_answer_replaces_the_answer() -> None:
    assert (
        viewed(OutputDelta(text="stre", message="m"), SyntheticFallback(text="No model.")).text == "No model."
    )


def test_reasoning_and_unknown_events_leave_the_view_as_it_was_but_for_its_place() -> None:
    before = viewed(*STARTED)
    later = Event(run_id=RUN.run_id, seq=5, at=T0, payload=ReasoningDelta(text="hm"))
    newer = Event(
        run_id=RUN.run_id, seq=4, at=T0, payload=Unknown(original="run.teleported", data={"to": "Mars"})
    )
    after = fold(before, [newer, later])
    assert after.seq == 5
    assert (after.text, after.steps, after.state) == (before.text, before.steps, before.state)


def test_an_unknown_state_is_ignored() -> None:
    assert viewed(*STARTED, StateChanged(source="running", target="hibernating")).state is RunState.RUNNING


def test_a_run_is_queued_routed_started_and_ended_with_its_times() -> None:
    view = viewed(RunQueued(position=2), RunRouted(agent="ops", step="rule"))
    assert (view.state, view.position, view.agent, view.requester) == (RunState.QUEUED, 2, "ops", RUN.user)
    view = viewed(*STARTED, StateChanged(source="queued", target="running"), RunCompleted(output="x"))
    assert (view.started_at, view.ended_at) == (T0 + 3_000, T0 + 5_000)
    assert view.state is RunState.COMPLETED
    assert view.ended


def test_steps_keep_their_order_and_their_outcomes() -> None:
    view = viewed(
        StepStarted(step="m", label="thinking", kind="model"),
        StepStarted(step="a", label="Reading log"),
        StepStarted(step="b", label="Comparing"),
        StepCompleted(step="b", ok=False),
        StepCompleted(step="a"),
        StepCompleted(step="unheard of"),
    )
    assert [(step.label, step.state) for step in view.steps] == [
        ("thinking", StepState.RUNNING),
        ("Reading log", StepState.DONE),
        ("Comparing", StepState.FAILED),
    ]
    assert [step.label for step in view.tool_steps] == ["Reading log", "Comparing"]
    assert (view.steps[1].started_at, view.steps[1].ended_at) == (T0 + 2_000, T0 + 5_000)


def test_a_step_that_a_crash_cut_short_is_interrupted_until_it_starts_again() -> None:
    cut = (StepStarted(step="a", label="Reading log"), RunResumed(resume_kind="takeover"))
    assert viewed(*cut).steps[0].state is StepState.INTERRUPTED
    again = viewed(*cut, StepStarted(step="a", label="Reading log"), StepCompleted(step="a"))
    assert [step.state for step in again.steps] == [StepState.DONE]


def test_only_an_interruption_of_more_than_ten_seconds_is_worth_telling() -> None:
    assert viewed(RunResumed(resume_kind="takeover", gap=10_000)).interruption is None
    assert viewed(RunResumed(resume_kind="approval", gap=10_000)).interruption is None
    assert viewed(RunResumed(resume_kind="approval", gap=90_000)).interruption is not None
    told = viewed(RunResumed(resume_kind="takeover", gap=10_001, finished_steps=2)).interruption
    assert told == Interruption(at=T0 + 1_000 - 10_001, finished_steps=2)


def test_who_asked_to_stop_and_who_stopped_are_kept() -> None:
    view = viewed(*STARTED, CancelRequested(by="U2"))
    assert (view.cancel_requested_by, view.cancelled_by, view.ended) == ("U2", None, False)
    view = viewed(*STARTED, CancelRequested(by="U2"), RunCancelled(by="U2"))
    assert (view.state, view.cancelled_by) == (RunState.CANCELLED, "U2")


def test_a_failure_keeps_its_reason_its_sentence_and_what_there_was_of_an_answer() -> None:
    view = viewed(*STARTED, RunFailed(reason="model_failed", message="It did not answer.", output="Half"))
    assert view.failure == Failure(reason="model_failed", sentence="It did not answer.")
    assert (view.state, view.text) == (RunState.FAILED, "Half")


def test_a_long_story_is_folded_in_one_go() -> None:
    deltas = [OutputDelta(text="word ", message="m") for _ in range(20_000)]
    assert fold(start(RUN), numbered(*deltas)).text == "word " * 20_000
