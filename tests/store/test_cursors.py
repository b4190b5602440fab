"""Cursors and limits that no page can have given are said to be wrong: they are no fault of the store's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest

from harness_core import Approvals, Control
from harness_core.models import Accepted, Submission
from harness_core.store import Store

Listing = Callable[[Control, Approvals, str, dict[str, Any]], Awaitable[Any]]

PAGES: Final[dict[str, Listing]] = {
    "runs": lambda reads, _, __, given: reads.list_runs("T1", **given),
    "threads": lambda reads, _, __, given: reads.list_threads("T1", **given),
    "approvals": lambda _, approvals, __, given: approvals.page("T1", **given),
    "grants": lambda _, approvals, __, given: approvals.grants("T1", **given),
}


async def asked(store: Store) -> tuple[Control, Approvals, str]:
    submission = Submission(tenant="T1", conversation="C1", user="U1", text="hi", dedupe=("m1",), target={})
    accepted = await store.runs.accept(submission)
    assert isinstance(accepted, Accepted)
    return Control(store), Approvals(store, holder=None), accepted.run_id  # type: ignore[arg-type]  # lists read none


@pytest.mark.parametrize("listing", PAGES.values(), ids=PAGES)
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"cursor": "garbage"}, "“garbage” is no cursor"),
        ({"cursor": "run_"}, "is no cursor"),
        ({"limit": 0}, "the limit is 0"),
        ({"limit": -1}, "1 or more"),
    ],
)
async def test_a_page_that_cannot_be_is_an_error_that_says_why(
    store: Store, listing: Listing, given: dict[str, Any], said: str
) -> None:
    reads, approvals, run_id = await asked(store)
    with pytest.raises(ValueError, match=said):
        await listing(reads, approvals, run_id, given)


async def test_messages_events_and_the_audit_chain_say_so_too(store: Store) -> None:
    reads, approvals, run_id = await asked(store)
    thread = (await reads.get_run(run_id)).thread_id
    with pytest.raises(ValueError, match="is no cursor"):
        await reads.messages(thread, cursor="garbage")
    with pytest.raises(ValueError, match="the limit is 0"):
        await reads.messages(thread, limit=0)
    with pytest.raises(ValueError, match="the limit is 0"):
        await reads.list_events(run_id, limit=0)
    with pytest.raises(ValueError, match="the limit is 0"):
        await approvals.newest_audit("T1", limit=0)
