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
RUN_RESUME: Final = "run:resume"
RUNS_PAGE: Final = "runs:page"
STEPS_BACK: Final = "steps:back"
STEPS_NEXT: Final = "steps:next"
STEPS_MODAL: Final = "steps:modal"
"""The modal's `callback_id`; its `private_metadata` is a :class:`StepsPage`."""

APPROVAL_APPROVE: Final = "approval:approve"
APPROVAL_EDIT: Final = "approval:edit"
APPROVAL_REJECT: Final = "approval:reject"
APPROVAL_REVIEW: Final = "approval:review"
APPROVAL_DETAILS: Final = "approval:details"
APPROVAL_DONE: Final = "approval:done"
APPROVAL_AGAIN: Final = "approval:again"
APPROVAL_SKIP: Final = "approval:skip"
APPROVAL_GRANT: Final = "approval:grant"
"""Opens the modal that says what more would be granted; submitting that approves."""
APPROVAL_ASK_AGAIN: Final = RUN_RETRY
"""Of an expired request; its value is a :class:`RunRef`, and it does what Retry does."""
APPROVALS_PAGE: Final = "approvals:page"
GRANT_REVOKE: Final = "grants:revoke"
GRANTS_PAGE: Final = "grants:page"
OPEN_CARD: Final = "approval:open"
"""A button that is a link. Slack tells of its clicks too; there is nothing to do about them."""

EDIT_MODAL: Final = APPROVAL_EDIT
REJECT_MODAL: Final = APPROVAL_REJECT
GRANT_MODAL: Final = APPROVAL_GRANT
REVIEW_MODAL: Final = APPROVAL_REVIEW
DETAILS_MODAL: Final = APPROVAL_DETAILS
"""`callback_id`s. The `private_metadata` is an :class:`ApprovalRef`, of the last two a :class:`ReviewPage`."""

_RUN_ID: Final = re.compile(r"run_[0-9A-HJKMNP-TV-Z]{26}")
_APPROVAL_ID: Final = re.compile(r"appr_[0-9a-f]{32}")
_GRANT_ID: Final = re.compile(r"grant_[0-9a-f]{32}")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,8}")
_STATES: Final[frozenset[str]] = frozenset(RunState)
_RUN_ACTIONS: Final = frozenset({RUN_STOP, RUN_STEPS, RUN_RETRY, RUN_SHOW, RUN_RESUME})
_STEPS_ACTIONS: Final = frozenset({STEPS_BACK, STEPS_NEXT, STEPS_MODAL})
_APPROVAL_ACTIONS: Final = frozenset(
    {
        APPROVAL_APPROVE,
        APPROVAL_EDIT,
        APPROVAL_REJECT,
        APPROVAL_REVIEW,
        APPROVAL_DETAILS,
        APPROVAL_DONE,
        APPROVAL_AGAIN,
        APPROVAL_SKIP,
        APPROVAL_GRANT,
    }
)
_PAGED_MODALS: Final = frozenset({REVIEW_MODAL, DETAILS_MODAL})


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
class ApprovalRef:
    """One revision of a question. Its wire form is `<approval id>:<revision>`, nothing else."""

    approval_id: str
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPage:
    """A page of a modal that shows one revision of a question whole; the first one is 0."""

    approval_id: str
    revision: int
    page: int

    @property
    def ref(self) -> ApprovalRef:
        """What the page is about."""
        return ApprovalRef(approval_id=self.approval_id, revision=self.revision)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalsPage:
    """A page of the list of questions: the one after `cursor`, the first where it is empty."""

    cursor: str
    open_only: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRef:
    """One grant. Its wire form is the grant's id itself."""

    grant_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantsPage:
    """A page of the list of grants: the one after `cursor`."""

    cursor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Forged:
    """Not a value that this release writes under this action id."""

    action_id: str


Ref = RunRef | RunsPage | StepsPage | ApprovalRef | ReviewPage | ApprovalsPage | GrantRef | GrantsPage
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
    if action_id == APPROVALS_PAGE:
        return _approvals_page(_json_object(wire)) or Forged(action_id=action_id)
    if action_id == GRANTS_PAGE:
        return _grants_page(_json_object(wire)) or Forged(action_id=action_id)
    if action_id == GRANT_REVOKE and _GRANT_ID.fullmatch(wire):
        return GrantRef(grant_id=wire)
    if action_id in _STEPS_ACTIONS:
        run_id, _, page = wire.partition(":")
        if _RUN_ID.fullmatch(run_id) and page.isascii() and page.isdecimal() and len(page) <= 6:
            return StepsPage(run_id=run_id, page=int(page))
    if action_id in _APPROVAL_ACTIONS:
        return _approval(action_id, wire) or Forged(action_id=action_id)
    return Forged(action_id=action_id)


def _approval(action_id: str, wire: str) -> ApprovalRef | ReviewPage | None:
    approval_id, *numbers = wire.split(":")
    if not _APPROVAL_ID.fullmatch(approval_id) or not all(map(_NUMBER.fullmatch, numbers)):
        return None
    match [int(number) for number in numbers]:
        case [revision]:
            return ApprovalRef(approval_id=approval_id, revision=revision)
        case [revision, page] if action_id in _PAGED_MODALS:
            return ReviewPage(approval_id=approval_id, revision=revision, page=page)
        case _:
            return None


def _wire(ref: Ref) -> str:
    match ref:
        case RunRef(run_id=run_id):
            return run_id
        case StepsPage(run_id=run_id, page=page):
            return f"{run_id}:{page}"
        case ApprovalRef(approval_id=approval_id, revision=revision):
            return f"{approval_id}:{revision}"
        case ReviewPage(approval_id=approval_id, revision=revision, page=page):
            return f"{approval_id}:{revision}:{page}"
        case ApprovalsPage(cursor=cursor, open_only=open_only):
            return _json({"cursor": cursor, "open_only": open_only})
        case GrantRef(grant_id=grant_id):
            return grant_id
        case GrantsPage(cursor=cursor):
            return _json({"cursor": cursor})
        case RunsPage(cursor=cursor, narrowed=narrowed):
            known = {
                "cursor": cursor,
                "state": narrowed.state,
                "user": narrowed.user,
                "agent": narrowed.agent,
                "thread_id": narrowed.thread_id,
                "channel": narrowed.channel,
                "reason": narrowed.reason,
            }
            return _json({name: text for name, text in known.items() if text is not None})


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


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
    if texts.keys() - {"user", "agent", "thread_id", "channel", "reason"}:
        return None
    if state is not None and state not in _STATES:
        return None
    narrowed = RunFilter(
        state=None if state is None else RunState(state),
        user=texts.get("user"),
        agent=texts.get("agent"),
        thread_id=texts.get("thread_id"),
        channel=texts.get("channel"),
        reason=texts.get("reason"),
    )
    return RunsPage(cursor=cursor, narrowed=narrowed)


def _approvals_page(raw: dict[str, Any]) -> ApprovalsPage | None:
    match raw:
        case {"cursor": str(cursor), "open_only": bool(open_only)} if len(raw) == 2:
            return ApprovalsPage(cursor=cursor, open_only=open_only)
        case _:
            return None


def _grants_page(raw: dict[str, Any]) -> GrantsPage | None:
    match raw:
        case {"cursor": str(cursor)} if len(raw) == 1:
            return GrantsPage(cursor=cursor)
        case _:
            return None
