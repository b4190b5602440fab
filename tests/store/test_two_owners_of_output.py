"""A post whose outcome arrives when another worker owns the output by then: the message is kept, and only one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from store.conftest import Caller

from harness_core.models import Delivery, Ownership
from harness_core.store import Begun, Budget, Known, Lost, Store, Stored

BUDGET = Budget(per_minute=60, burst=10)
MINE, THEIRS = "100.1", "100.2"


async def booked(store: Store, owner: Ownership, delivery: Delivery) -> object:
    return await store.deliveries.begin(owner, delivery, method="post", room=None, budget=BUDGET)


async def kept(store: Store, run_id: str) -> Delivery:
    return (await store.deliveries.of_run(run_id))["0"]


@pytest.fixture
async def handed_over(caller: Caller) -> tuple[Ownership, Ownership, Delivery]:
    """The former owner with a post on its way, the new one, and the record of that post."""
    claim = await caller.running()
    former = await caller.store.deliveries.own("T1", "w1", 10.0)
    assert former is not None
    post = Delivery(run_id=claim.run.run_id, part="0", state="pending", nonce="n1", shown=2, content="c")
    assert await booked(caller.store, former, post) == Begun()
    await caller.later(11)
    new = await caller.store.deliveries.own("T1", "w2", 10.0)
    assert new is not None
    return former, new, post


def shown(post: Delivery, ts: str | None) -> Delivery:
    return replace(post, state="shown", external_id=ts)


async def test_a_message_of_the_former_owner_is_known_to_the_new_one_before_it_posts(
    caller: Caller, handed_over: tuple[Ownership, Ownership, Delivery]
) -> None:
    former, new, post = handed_over
    store = caller.store
    assert await store.deliveries.done(former, shown(post, MINE), complete=True) == Lost()
    assert await booked(store, new, post) == Known(external_id=MINE)
    record = await kept(store, post.run_id)
    assert (record.external_id, record.content) == (MINE, "")


async def test_that_a_post_was_not_found_does_not_hide_the_message_that_came_meanwhile(
    caller: Caller, handed_over: tuple[Ownership, Ownership, Delivery]
) -> None:
    former, new, post = handed_over
    store = caller.store
    await store.deliveries.done(former, shown(post, MINE), complete=True)
    assert await store.deliveries.done(new, shown(post, None), complete=False) == Known(external_id=MINE)
    assert (await kept(store, post.run_id)).external_id == MINE


async def test_of_two_posts_the_one_that_is_stored_second_is_one_too_many(
    caller: Caller, handed_over: tuple[Ownership, Ownership, Delivery]
) -> None:
    former, new, post = handed_over
    store = caller.store
    assert await booked(store, new, post) == Begun()
    assert await store.deliveries.done(former, shown(post, MINE), complete=True) == Lost(extra=False)
    assert await store.deliveries.done(new, shown(post, THEIRS), complete=True) == Known(external_id=MINE)
    assert (await kept(store, post.run_id)).external_id == MINE


async def test_the_former_owners_post_is_one_too_many_when_the_new_owners_stands(
    caller: Caller, handed_over: tuple[Ownership, Ownership, Delivery]
) -> None:
    former, new, post = handed_over
    store = caller.store
    assert await booked(store, new, post) == Begun()
    assert await store.deliveries.done(new, shown(post, THEIRS), complete=True) == Stored()
    assert await store.deliveries.done(former, shown(post, MINE), complete=True) == Lost(extra=True)
    record = await kept(store, post.run_id)
    assert (record.external_id, record.content) == (THEIRS, "")
    assert post.run_id in {each.run_id for each in await store.deliveries.dirty("T1")}


async def test_a_message_that_takes_the_place_of_a_deleted_one_is_not_one_too_many(
    caller: Caller, handed_over: tuple[Ownership, Ownership, Delivery]
) -> None:
    former, new, post = handed_over
    store = caller.store
    await store.deliveries.done(former, shown(post, MINE), complete=True)
    gone = replace(post, nonce="n2", state="shown", external_id=None)
    assert await store.deliveries.done(new, gone, complete=False) == Stored()
    assert await booked(store, new, replace(gone, state="pending")) == Begun()
    assert await store.deliveries.done(new, shown(gone, THEIRS), complete=True) == Stored()
    assert (await kept(store, post.run_id)).external_id == THEIRS
