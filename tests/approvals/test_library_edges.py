"""What a program asks for that is not there, not its own, or not a question: said, and nothing is changed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from approvals.approval_office import ApprovalOffice, call
from sealing import SEAL
from waiting import wait_until

from harness_core import Harness, RunState
from harness_core.errors import (
    ApprovalNotFound,
    DecisionRefused,
    InboxFull,
    RunNotFound,
    ThreadNotFound,
    ThreadReplaced,
)
from harness_core.models import RunFilter


def opened(office: ApprovalOffice, tenant: str = "local") -> Harness:
    return Harness(office.store, office.holder, seal=SEAL, tenant=tenant)


async def test_the_question_of_a_thread_is_found_while_later_messages_wait_behind_it(
    office: ApprovalOffice,
) -> None:
    async with opened(office) as harness:
        paused = await harness.run(call("restart"))
        later = asyncio.create_task(harness.run("say 2 words", thread_id=paused.thread_id))
        await wait_until(lambda: _runs_of(harness, paused.thread_id, 2), what="the second message waits")

        done = await harness.resume(thread_id=paused.thread_id, decision="approve", decided_by="U2")

        assert (done.run_id, done.state) == (paused.run_id, RunState.COMPLETED)
        assert (await later).state is RunState.COMPLETED


async def test_what_belongs_to_another_tenant_is_not_there(office: ApprovalOffice) -> None:
    async with opened(office) as harness, opened(office, "other") as stranger:
        paused = await harness.run(call("restart"))
        with pytest.raises(ApprovalNotFound):
            await stranger.resume(paused.approval_id, decision="approve", decided_by="U2")
        with pytest.raises(ThreadNotFound):
            await stranger.resume(thread_id=paused.thread_id, decision="approve", decided_by="U2")
        with pytest.raises(ThreadNotFound):
            await stranger.run("say 2 words", thread_id=paused.thread_id)
        with pytest.raises(ThreadNotFound):
            await stranger.restart_conversation(paused.thread_id, "say 2 words")
        with pytest.raises(ThreadNotFound):
            await stranger.files(paused.thread_id)
        with pytest.raises(RunNotFound):
            await stranger.cancel(paused.run_id, by="me")

        assert (await harness.reads.get_run(paused.run_id)).state is RunState.WAITING
        assert (await harness.reads.list_runs("other")).items == ()
    assert office.ran() == []


async def test_nothing_more_is_said_in_a_thread_whose_conversation_was_begun_again(
    office: ApprovalOffice,
) -> None:
    async with opened(office) as harness:
        old = await harness.run("say 2 words")
        new = await harness.restart_conversation(old.thread_id, "say 3 words")

        with pytest.raises(ThreadReplaced, match=new.thread_id):
            await harness.run("say 4 words", thread_id=old.thread_id)

        assert (await harness.reads.messages(old.thread_id)).items
        assert (await harness.run("say 4 words", thread_id=new.thread_id)).thread_id == new.thread_id


async def test_a_word_that_is_no_decision_is_refused_with_those_that_are(office: ApprovalOffice) -> None:
    word: Any = "approved"
    async with opened(office) as harness:
        paused = await harness.run(call("restart"))
        with pytest.raises(DecisionRefused, match=r"“approved” is no decision. Known: approve, edit, reject"):
            await harness.resume(paused.approval_id, decision=word, decided_by="U2")

        assert (await harness.reads.get_run(paused.run_id)).state is RunState.WAITING


async def test_a_full_inbox_is_an_error_of_its_own(office: ApprovalOffice) -> None:
    async with opened(office) as harness:
        paused = await harness.run(call("restart"))
        waiting = [
            asyncio.create_task(harness.run("say 2 words", thread_id=paused.thread_id)) for _ in range(25)
        ]
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        with pytest.raises(InboxFull, match="too many messages wait in this thread"):
            await done.pop()
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def _runs_of(harness: Harness, thread_id: str, count: int) -> bool:
    page = await harness.reads.list_runs("local", RunFilter(thread_id=thread_id))
    return len(page.items) == count
