from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING

from harness_core.events import RunCreated, RunQueued
from harness_core.models import Accepted, Duplicate, Refused
from harness_core.states import RunState

if TYPE_CHECKING:
    from store.conftest import Caller


async def test_a_message_becomes_one_queued_run_with_its_first_two_events(caller: Caller) -> None:
    accepted = await caller.store.runs.accept(caller.message("why is it slow?"))

    assert isinstance(accepted, Accepted)
    assert accepted.position == 0
    run = await caller.store.runs.get(accepted.run_id)
    assert (run.state, run.user, run.target) == (RunState.QUEUED, "U1", {"channel": "C1"})
    assert (await caller.store.runs.load_input(accepted.run_id)).text == "why is it slow?"
    payloads = [event.payload for event in await caller.store.events.read(accepted.run_id)]
    assert payloads == [RunCreated(user="U1"), RunQueued(position=0)]


async def test_ten_deliveries_at_once_become_one_run(caller: Caller) -> None:
    message = caller.message()

    answers = await asyncio.gather(*(caller.store.runs.accept(message) for _ in range(10)))

    accepted = [answer for answer in answers if isinstance(answer, Accepted)]
    assert len(accepted) == 1
    assert [answer for answer in answers if isinstance(answer, Duplicate)] == [
        Duplicate(run_id=accepted[0].run_id)
    ] * 9


async def test_two_events_of_one_post_become_one_run(caller: Caller) -> None:
    mention = caller.message(dedupe=("event-a", "post-1"))
    message = caller.message(dedupe=("event-b", "post-1"))
    retried = caller.message(dedupe=("event-b",))

    first = await caller.store.runs.accept(mention)
    assert isinstance(first, Accepted)

    assert await caller.store.runs.accept(message) == Duplicate(run_id=first.run_id)
    assert await caller.store.runs.accept(retried) == Duplicate(run_id=first.run_id)


async def test_messages_of_one_conversation_wait_in_order_in_one_thread(caller: Caller) -> None:
    answers = [await caller.store.runs.accept(caller.message(str(number))) for number in range(3)]

    accepted = [answer for answer in answers if isinstance(answer, Accepted)]
    assert [answer.position for answer in accepted] == [0, 1, 2]
    assert len({answer.thread_id for answer in accepted}) == 1


async def test_the_twenty_first_message_of_a_conversation_is_refused_and_not_remembered(
    caller: Caller,
) -> None:
    for number in range(20):
        await caller.store.runs.accept(caller.message(str(number)))
    one_more = caller.message("one more")

    assert await caller.store.runs.accept(one_more) == Refused(reason="thread_full")

    (claim,) = await caller.claim()
    await caller.store.runs.cancel((await caller.store.runs.get(claim.run.run_id)).run_id, "U1")
    other = dataclasses.replace(one_more, conversation="C1:2.0")
    assert isinstance(await caller.store.runs.accept(other), Accepted)


async def test_the_thousand_and_first_queued_run_of_a_tenant_is_refused(caller: Caller) -> None:
    for number in range(1000):
        await caller.store.runs.accept(caller.message(conversation=f"C1:{number}"))

    assert await caller.store.runs.accept(caller.message(conversation="C1:x")) == Refused(
        reason="tenant_full"
    )
    assert isinstance(await caller.store.runs.accept(caller.message(tenant="T2")), Accepted)


class TestFollowing:
    async def test_a_reply_needs_a_conversation_that_is_known(self, caller: Caller) -> None:
        assert await caller.store.runs.accept(caller.message(addressed=False)) == Refused(
            reason="not_followed"
        )

    async def test_a_reply_of_the_same_person_continues_without_a_mention(self, caller: Caller) -> None:
        await caller.store.runs.accept(caller.message())

        assert isinstance(await caller.store.runs.accept(caller.message(addressed=False)), Accepted)

    async def test_a_channel_that_follows_mentions_alone_needs_one(self, caller: Caller) -> None:
        await caller.store.runs.accept(caller.message())

        reply = caller.message(addressed=False, follow="mention")
        assert await caller.store.runs.accept(reply) == Refused(reason="not_followed")

    async def test_once_a_second_person_writes_everybody_needs_a_mention(self, caller: Caller) -> None:
        await caller.store.runs.accept(caller.message())
        await caller.store.runs.accept(caller.message(user="U2", addressed=False))

        assert await caller.store.runs.accept(caller.message(addressed=False)) == Refused(
            reason="not_followed"
        )
        assert isinstance(await caller.store.runs.accept(caller.message(user="U2")), Accepted)

    async def test_a_quiet_conversation_wakes_up_with_a_mention(self, caller: Caller) -> None:
        await caller.store.runs.accept(caller.message())
        await caller.store.threads.set_quiet("T1", "C1:1.0")

        assert await caller.store.runs.accept(caller.message(addressed=False)) == Refused(
            reason="not_followed"
        )
        assert isinstance(await caller.store.runs.accept(caller.message()), Accepted)
        assert isinstance(await caller.store.runs.accept(caller.message(addressed=False)), Accepted)
