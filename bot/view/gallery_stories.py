"""The runs that the gallery shows: one in every state that a message has."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from bot.view.fold import RunView, fold, start
from harness_core.events import (
    ApprovalDecided,
    ApprovalExpired,
    ApprovalGranted,
    ApprovalRequested,
    ApprovalResolved,
    ApprovalRevised,
    ApprovalVoted,
    CancelRequested,
    Event,
    OutputDelta,
    Payload,
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
    ToolRefused,
)
from harness_core.models import Run
from harness_core.states import RunState

T0: Final = 1_767_348_000_000
RUN: Final = Run(
    run_id="run_01KE000000000000000000000A",
    tenant="T012ABCDEF",
    conversation="C012ABCDEF:1767348000.000100",
    thread_id="thread_01KE000000000000000000000B",
    user="U012ABCDEF",
    state=RunState.QUEUED,
    created_at=T0,
)
_ANSWER: Final = """The checkout service is slow because its **connection pool is full**.

| time | waiting | pool |
| --- | --- | --- |
| 14:02 | 3 | 20 / 20 |
| 14:05 | 41 | 20 / 20 |

> A deploy at 14:01 halved the pool.

```yaml
pool:
  size: 20   # was 40
```

Put `pool.size` back to 40, or roll the deploy back.
"""
_LONG: Final = "\n\n".join(f"## Finding {number}\n\n{_ANSWER}" for number in range(1, 60))

_STARTED: Final = (RunQueued(), RunRouted(agent="ops", step="default"), RunStarted())
_ONE_STEP: Final = (*_STARTED, StepStarted(step="a", label="Reading checkout log"))
TWO_STEPS: Final = (
    *_ONE_STEP,
    StepCompleted(step="a"),
    StepStarted(step="b", label="Comparing deploys"),
    StepCompleted(step="b"),
    StepStarted(step="c", label="Reading pool metrics"),
)
_ANSWERING: Final = (*TWO_STEPS, StepCompleted(step="c"), OutputDelta(text=_ANSWER[:230], message="m1"))

URL: Final = "https://example.slack.com/archives/C012ABCDEF/p1767348000000100"
_RULE: Final = {"users": ["U067MNOPQR"], "usergroups": ["S0PS"]}
_WAITING: Final = StateChanged(source="running", target="waiting_for_approval")


def asked(number: int = 0, **changes: Any) -> ApprovalRequested:
    """A question about a restart; `changes` say what is different about it."""
    usual = ApprovalRequested(
        approval=f"appr_{number:032x}",
        kind="call",
        pause=1,
        call=f"call_{number}",
        tool="restart_service",
        title="Restart checkout in prod",
        arguments='{"service": "checkout", "env": "prod", "replicas": 20, "password": "•••"}',
        rule=_RULE,
        quorum=1,
        expire_after=4 * 3_600_000,
        preview="Restarts 20 pods, one after another. Requests in flight are finished first.",
        reason="The pool only grows back after a restart.",
        destructive=True,
    )
    return replace(usual, **changes)


ASKING: Final = (*TWO_STEPS, StepCompleted(step="c"), asked(), _WAITING)
_APPROVED: Final = ApprovalDecided(approval=asked().approval, decision="approve", by="U067MNOPQR")
_TERMS: Final = {"lasts": 3_600_000, "times": 5, "same": None}
_LET_THROUGH: Final = (
    ApprovalGranted(grant="grant_1", call="call_1", tool="restart_service", by="U067MNOPQR", used=2, times=5),
    StepStarted(step="call_1", label="Restarting checkout in prod"),
)
_REVISED: Final = ApprovalRevised(
    approval=asked().approval,
    revision=1,
    by="U045GHIJKL",
    title="Restart checkout in prod",
    arguments='{"service": "checkout", "env": "prod", "replicas": 10, "password": "•••"}',
    changes=[["replicas", 20, 10]],
    preview="Restarts 10 pods, one after another.",
)
_DOUBT: Final = asked(9, kind="uncertain", call="call_0", preview=None, editable=False)


def approval_states() -> Iterator[tuple[str, RunView]]:
    """A view in every state that an approval card has, by name."""
    several = [
        asked(number, destructive=False, title=f"Restart shop-{number} in prod") for number in range(7)
    ]
    yield "approval", viewed(*ASKING)
    yield (
        "approval-quorum",
        viewed(
            *TWO_STEPS, asked(quorum=2), ApprovalVoted(approval=asked().approval, by="U067MNOPQR", votes=1)
        ),
    )
    yield "approval-long", viewed(*TWO_STEPS, asked(arguments=json.dumps({"script": "echo hello\n" * 400})))
    yield "approval-edited", viewed(*ASKING, _REVISED)
    yield "approval-running", viewed(*ASKING, _REVISED, _APPROVED)
    yield (
        "approval-ran",
        viewed(*ASKING, _APPROVED, ApprovalResolved(approval=asked().approval, outcome="ran")),
    )
    yield "approval-grantable", viewed(*TWO_STEPS, StepCompleted(step="c"), asked(grants=_TERMS), _WAITING)
    yield (
        "approval-granted",
        viewed(
            *TWO_STEPS, StepCompleted(step="c"), asked(grants=_TERMS), replace(_APPROVED, grant="grant_1")
        ),
    )
    yield (
        "approval-rejected",
        viewed(
            *ASKING,
            ApprovalDecided(
                approval=asked().approval, decision="reject", by="U067MNOPQR", reason="Not before 18:00."
            ),
        ),
    )
    yield "approval-expired", viewed(*ASKING, ApprovalExpired(approval=asked().approval))
    yield "approval-void", viewed(*ASKING, RunCancelled(by="U045GHIJKL", ran=0, unsure=0))
    yield (
        "approvals",
        viewed(
            *TWO_STEPS,
            *several,
            _WAITING,
            ApprovalDecided(approval=several[1].approval, decision="approve", by="U067MNOPQR"),
        ),
    )
    yield "uncertain", viewed(*TWO_STEPS, _DOUBT, _WAITING)
    yield (
        "uncertain-decided",
        viewed(
            *TWO_STEPS, _DOUBT, ApprovalDecided(approval=_DOUBT.approval, decision="done", by="U067MNOPQR")
        ),
    )


def states() -> Iterator[tuple[str, RunView]]:
    """A view in every state that a run message has, by name."""
    yield "start", viewed(*_STARTED)
    yield "queued", viewed(RunQueued(position=2))
    yield "step", viewed(*_ONE_STEP)
    yield "steps", viewed(*TWO_STEPS)
    yield "answering", viewed(*_ANSWERING)
    yield "recovered", viewed(*TWO_STEPS, RunResumed(resume_kind="takeover", gap=14_000, finished_steps=2))
    yield "stopping", viewed(*TWO_STEPS, CancelRequested(by="U045GHIJKL"))
    yield "stopped", viewed(*TWO_STEPS, RunCancelled(by="U045GHIJKL"))
    yield (
        "failed",
        viewed(
            *TWO_STEPS,
            RunFailed(
                reason="model_failed",
                message="The model did not answer after 3 tries. Press Retry, or ask an admin.",
            ),
        ),
    )
    yield "waiting", viewed(*ASKING)
    yield (
        "refused-call",
        viewed(
            *TWO_STEPS,
            ToolRefused(
                call="call_1",
                tool="drop_table",
                title="Drop orders",
                message="Nobody here can approve this, so it did not run. "
                "Ask an admin to name approvers for “Drop orders”.",
            ),
        ),
    )
    yield "granted-call", viewed(*TWO_STEPS, StepCompleted(step="c"), *_LET_THROUGH)
    yield "completed", viewed(*_ANSWERING, RunCompleted(output=_ANSWER))
    yield "long", viewed(*_ANSWERING, RunCompleted(output=_LONG))


def viewed(*payloads: Payload) -> RunView:
    numbered = enumerate(payloads, 1)
    return fold(
        start(RUN),
        (
            Event(run_id=RUN.run_id, seq=seq, at=T0 + seq * 1_500, payload=payload)
            for seq, payload in numbered
        ),
    )
