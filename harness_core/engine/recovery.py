"""What to do with a run that another worker began: ask the graph where it stands, and go on from there.

Nothing is invoked from the start again. The checkpoint decides: text that was streamed after it was not
saved, will be produced again, and is taken back; everything before it stands. Where the checkpoint was kept in no
place that this process can read, the journal of calls decides: what ended must not be made again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness_core.events import RunResumed
from harness_core.models import Claim
from harness_core.runtime import AgentRuntime, Asking, Finished, NoCheckpoint, Unfinished
from harness_core.store import CallRepository


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Send the input: the graph has not seen this run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Continue:
    """Go on from the checkpoint, which knows this much of the answer."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclude:
    """The graph was done; only the end was not written down."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """Nobody knows how far the graph came, and begun again it would make calls of ``tools`` a second time."""

    tools: tuple[str, ...]


Plan = Start | Continue | Conclude | GiveUp


async def plan(
    claim: Claim, runtime: AgentRuntime, journal: CallRepository, *, now: int, started: int
) -> tuple[Plan, RunResumed]:
    """How to go on with a run that was taken over, and the event that says so.

    ``now`` and ``started`` (when this worker began) are milliseconds by the store's clock.
    """
    left = claim.run.left_at
    kind = _kind(claim, started)
    gap = max(0, now - left) if left is not None else 0
    match await runtime.position(claim.fence):
        case NoCheckpoint():
            # Begun again, the graph gives its messages new ids, under which the journal knows none of its calls.
            tools = (await journal.touched(claim.run.tenant, claim.run.run_id)).once
            way: Plan = GiveUp(tools=tools) if tools else Start()
            return way, RunResumed(resume_kind=kind, gap=gap)
        case Unfinished(text=text, finished_steps=steps) | Asking(text=text, finished_steps=steps):
            # A graph that asks goes on, too: the gate reads what people decided, or asks again under the same id.
            return Continue(text=text), RunResumed(resume_kind=kind, text=text, gap=gap, finished_steps=steps)
        case Finished(text=text):
            return Conclude(text=text), RunResumed(resume_kind=kind, text=text, gap=gap)


def _kind(claim: Claim, started: int) -> Literal["approval", "handover", "startup-recovery", "takeover"]:
    left = claim.run.left_at
    if left is None or claim.run.decided:
        return "approval"  # nobody was lost: people have decided
    if claim.run.handed_over:
        return "handover"
    return "startup-recovery" if left < started else "takeover"
