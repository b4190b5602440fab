"""What buttons and modals carry: a closed union, written small and read with suspicion.

A value comes back from outside and may be forged, or written by another release. It names things; it
never grants anything, so whoever handles it still asks whether this person may.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from bot.view.limits import BUTTON_VALUE
from harness_core.models import RunFilter
from harness_core.states import RunState

RUN_STOP: Final = "run:stop"
RUN_STEPS: Final = "run:steps"
RUN_RETRY: Final = "run:retry"
RUN_SHOW: Final = "run:show"
RUNS_PAGE: Final = "runs:page"
STEPS_BACK: Final = "steps:back"
STEPS_NEXT: Final = "steps:next"
STEPS_MODAL: Final = "steps:modal"
"""The modal's `callback_id`; its `private_metadata` is a :class:`StepsPage`."""

_RUN_ID: Final = re.compile(r"run_[0-9A-HJKMNP-TV-Z]{26}")
_STATES: Final[frozenset[str]] = frozenset(RunState)
_RUN_ACTIONS: Final = frozenset({RUN_STOP, RUN_STEPS, RUN_RETRY, RUN_SHOW})
_STEPS_ACTIONS: Final = frozenset({STEPS_BACK, STEPS_NEXT, STEPS_MODAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRef:
    """One run. Its wire form is the run id itself."""

    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsPage:
    """A page of the list of runs: the one after `cursor`, narrowed by `narrowed`."""

    cursor: str
    narrowed: RunFilter


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsPage:
    """A page of a run's steps; the first one is 0."""

    run_id: str
    page: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forged:
    """Not a value that this release writes under this action id."""

    action_id: str


Ref = RunRef | RunsPage | StepsPage
Value = Ref | Forged


class ValueTooLong(ValueError):
    """The value does not fit where Slack would carry it."""


def encode(ref: Ref, limit: int = BUTTON_VALUE) -> str:
    """The wire form of `ref`.

    :raises ValueTooLong: if it has more than `limit` characters.
    """
    wire = _wire(ref)
    if len(wire) > limit:
        raise ValueTooLong(f"a {type(ref).__name__} of {len(wire)} characters, {limit} fit")
    return wire


def decode(action_id: str, wire: str) -> Value:
    """The value that came with `action_id` (or with the `callback_id` of a modal)."""
    if action_id in _RUN_ACTIONS and _RUN_ID.fullmatch(wire):
        return RunRef(run_id=wire)
    if action_id == RUNS_PAGE:
        return _runs_page(_json_object(wire)) or Forged(action_id=action_id)
    if action_id in _STEPS_ACTIONS:
        run_id, _, page = wire.partition(":")
        if _RUN_ID.fullmatch(run_id) and page.isascii() and page.isdecimal() and len(page) <= 6:
            return StepsPage(run_id=run_id, page=int(page))
    return Forged(action_id=action_id)


def _wire(ref: Ref) -> str:
    match ref:
        case RunRef(run_id=run_id):
            return run_id
        case StepsPage(run_id=run_id, page=page):
            return f"{run_id}:{page}"
        case RunsPage(cursor=cursor, narrowed=narrowed):
            known = {
                "cursor": cursor,
                "state": narrowed.state,
                "user": narrowed.user,
                "agent": narrowed.agent,
                "thread_id": narrowed.thread_id,
                "channel": narrowed.channel,
            }
            return json.dumps(
                {name: text for name, text in known.items() if text is not None},
                ensure_ascii=False,
                separators=(",", ":"),
            )


def _json_object(wire: str) -> dict[str, Any]:
    try:
        value = json.loads(wire)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _runs_page(raw: dict[str, Any]) -> RunsPage | None:
    texts = {name: text for name, text in raw.items() if isinstance(text, str)}
    if texts.keys() != raw.keys() or "cursor" not in texts:
        return None
    cursor, state = texts.pop("cursor"), texts.pop("state", None)
    if texts.keys() - {"user", "agent", "thread_id", "channel"}:
        return None
    if state is not None and state not in _STATES:
        return None
    narrowed = RunFilter(
        state=None if state is None else RunState(state),
        user=texts.get("user"),
        agent=texts.get("agent"),
        thread_id=texts.get("thread_id"),
        channel=texts.get("channel"),
    )
    return RunsPage(cursor=cursor, narrowed=narrowed)
