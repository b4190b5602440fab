"""Every state of a run message as a file to look at: `python -m bot.view.gallery FOLDER`.

Each file is a payload for https://app.slack.com/block-kit-builder.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from bot.view import notices, runs
from bot.view.blocks import Notice
from bot.view.fold import RunView, fold, start
from bot.view.message import Part, render
from bot.view.steps_modal import steps_modal
from harness_core.events import (
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
    StepCompleted,
    StepStarted,
)
from harness_core.models import Page, Run, RunFilter
from harness_core.states import RunState

_T0: Final = 1_767_348_000_000
_RUN: Final = Run(
    run_id="run_01KE000000000000000000000A",
    tenant="T012ABCDEF",
    conversation="C012ABCDEF:1767348000.000100",
    thread_id="thread_01KE000000000000000000000B",
    user="U012ABCDEF",
    state=RunState.QUEUED,
    created_at=_T0,
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
_TWO_STEPS: Final = (
    *_ONE_STEP,
    StepCompleted(step="a"),
    StepStarted(step="b", label="Comparing deploys"),
    StepCompleted(step="b"),
    StepStarted(step="c", label="Reading pool metrics"),
)
_ANSWERING: Final = (*_TWO_STEPS, StepCompleted(step="c"), OutputDelta(text=_ANSWER[:230], message="m1"))


def states() -> Iterator[tuple[str, RunView]]:
    """A view in every state that a run message has, by name."""
    yield "start", _view(*_STARTED)
    yield "queued", _view(RunQueued(position=2))
    yield "step", _view(*_ONE_STEP)
    yield "steps", _view(*_TWO_STEPS)
    yield "answering", _view(*_ANSWERING)
    yield "recovered", _view(*_TWO_STEPS, RunResumed(resume_kind="takeover", gap=14_000, finished_steps=2))
    yield "stopping", _view(*_TWO_STEPS, CancelRequested(by="U045GHIJKL"))
    yield "stopped", _view(*_TWO_STEPS, RunCancelled(by="U045GHIJKL"))
    yield (
        "failed",
        _view(
            *_TWO_STEPS,
            RunFailed(
                reason="model_failed",
                message="The model did not answer after 3 tries. Press Retry, or ask an admin.",
            ),
        ),
    )
    yield "completed", _view(*_ANSWERING, RunCompleted(output=_ANSWER))
    yield "long", _view(*_ANSWERING, RunCompleted(output=_LONG))


def payloads() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every message and modal, by name."""
    for name, view in states():
        parts = render(view)
        for part in parts:
            yield (name if len(parts) == 1 else f"{name}-{int(part.name) + 1}"), _message(part)
    yield "steps-modal", steps_modal(_view(*_TWO_STEPS))
    for name, notice in _notices():
        yield name, _message(notice)


def main(arguments: list[str]) -> int:
    """Writes the gallery into the folder that is named; 2 if none is."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m bot.view.gallery FOLDER\n")
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, payload in payloads():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(payload, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        sys.stdout.write(f"{path}\n")
    return 0


def _notices() -> Iterator[tuple[str, Notice]]:
    live = replace(_RUN, state=RunState.RUNNING, agent="ops", started_at=_T0 + 400)
    ended = replace(live, run_id=_RUN.run_id[:-1] + "C", state=RunState.FAILED, ended_at=_T0 + 9_000)
    url = "https://example.slack.com/archives/C012ABCDEF/p1767348000000100"
    page = Page(items=(live, ended), cursor="next")
    links, now = {live.run_id: url}, _T0 + 200_000
    yield "runs", runs.runs_list(page, narrowed=RunFilter(), links=links, now_ms=now)
    yield "run", runs.run_detail(ended, url=url, now_ms=now)
    yield "help", runs.command_help()
    yield "agents", runs.agents_list([("ops", "Restarts and deploys services.")])
    yield "unknown-verb", notices.unknown_verb("rnus", ["runs", "show"])
    yield "ready", notices.ready(_RUN.user, url)
    yield "moved", notices.moved(url)
    yield "no-worker", notices.no_worker()


def _view(*payloads: Payload) -> RunView:
    numbered = enumerate(payloads, 1)
    return fold(
        start(_RUN),
        (
            Event(run_id=_RUN.run_id, seq=seq, at=_T0 + seq * 1_500, payload=payload)
            for seq, payload in numbered
        ),
    )


def _message(message: Part | Notice) -> dict[str, Any]:
    return {"text": message.text, "blocks": list(message.blocks)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
