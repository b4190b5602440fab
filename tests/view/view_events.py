"""Runs and events for the tests of the view: told by hand, or generated."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from bot.view.fold import RunView, fold, start
from harness_core.events import (
    CancelRequested,
    Event,
    OutputDelta,
    Payload,
    ReasoningDelta,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunQueued,
    RunResumed,
    RunRouted,
    RunStarted,
    StateChanged,
    StepCompleted,
    StepStarted,
    SyntheticFallback,
    ToolCalled,
    Unknown,
)
from harness_core.models import Run
from harness_core.states import RunState

RUN_ID: Final = "run_01KE00000000000000000R4Q2X"
T0: Final = 1_767_348_000_000
"""2026-01-02 10:00 UTC"""

RUN: Final = Run(
    run_id=RUN_ID,
    tenant="T1",
    conversation="C1:1.1",
    thread_id="thread_01KE0000000000000000000001",
    user="U012ABCDEF",
    state=RunState.QUEUED,
    created_at=T0,
)
STARTED: Final = (RunQueued(), RunRouted(agent="ops", step="default"), RunStarted())


def numbered(*payloads: Payload, every: int = 1_000) -> list[Event]:
    """The payloads as the events 1, 2, 3 … of the run, `every` milliseconds apart."""
    return [
        Event(run_id=RUN_ID, seq=seq, at=T0 + seq * every, payload=payload)
        for seq, payload in enumerate(payloads, 1)
    ]


def viewed(*payloads: Payload, every: int = 1_000) -> RunView:
    return fold(start(RUN), numbered(*payloads, every=every))


_words = st.text(max_size=12)
_nasty = st.sampled_from(
    ["<!channel>", "<@U012ABCDEF>", "&&&&&", "<" * 200, "é" * 400, "", " ", "a\nb", "*_`~"]
)
names = st.one_of(_words, _nasty)
ids = st.sampled_from(["a", "b", "c"])
_counts = st.one_of(st.none(), st.integers(0, 3))
targets = st.one_of(st.sampled_from([str(state) for state in RunState]), st.just("hibernating"))

payloads: st.SearchStrategy[Payload] = st.one_of(
    st.builds(RunQueued, position=st.integers(0, 30)),
    st.builds(RunRouted, agent=names, step=names),
    st.builds(RunStarted, worker=names),
    st.builds(StateChanged, source=targets, target=targets),
    st.builds(OutputDelta, text=names, message=ids),
    st.builds(ReasoningDelta, text=names, message=ids),
    st.builds(
        StepStarted,
        step=st.one_of(ids, st.sampled_from(["call_0", "call_1"])),
        label=names,
        kind=st.sampled_from(["model", "tool"]),
        effect=st.sampled_from(["none", "idempotent", "once"]),
    ),
    st.builds(StepCompleted, step=ids, ok=st.booleans()),
    st.builds(ToolCalled, call=ids, tool=names, label=names, arguments=names),
    st.builds(
        RunResumed,
        resume_kind=st.sampled_from(["approval", "startup-recovery", "takeover", "handover"]),
        text=names,
        gap=st.integers(0, 60_000),
        finished_steps=st.integers(0, 5),
    ),
    st.builds(CancelRequested, by=names),
    st.builds(RunCancelled, by=names, ran=_counts, unsure=_counts),
    st.builds(RunCompleted, output=names),
    st.builds(RunFailed, reason=names, message=names, output=names, ran=_counts, unsure=_counts),
    st.builds(SyntheticFallback, text=names),
    st.builds(Unknown, original=names, data=st.just({})),
)
stories = st.lists(payloads, max_size=25).map(lambda told: numbered(*told))
