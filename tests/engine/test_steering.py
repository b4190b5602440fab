"""What people write to a run at work, from the message to the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest
from sealing import SEAL
from waiting import wait_until

from harness_core.events import OutputDelta, RunCompleted, RunResumed
from harness_core.models import Accepted, Fence, Run, Steer, Steered, Submission
from harness_core.runtime import AgentRuntime
from harness_core.states import RunState
from harness_core.store import MessageRepository

if TYPE_CHECKING:
    from engine.conftest import Office


async def write(office: Office, text: str, *, user: str = "U2", mode: str = "steer") -> str:
    """Sends a message to the conversation while it is busy; the run that takes it up."""
    values: dict[str, Any] = {"while_running": mode}
    answer = await office.store.runs.accept(
        Submission(tenant="T1", conversation="C1", user=user, text=text, dedupe=(text,), target={}, **values)
    )
    assert isinstance(answer, Steered | Accepted)
    return answer.run_id


async def history(office: Office, run: Run) -> list[tuple[str, str]]:
    """What the model of the run has before it: who said what, tool calls left out."""
    runtime = AgentRuntime(office.holder.current, office.store, SEAL)
    fence = Fence(tenant="T1", conversation="C1", thread_id=run.thread_id, run_id=run.run_id, epoch=run.epoch)
    binding = await runtime._bindings.get("ops")
    state = await binding.graph.aget_state(
        {"configurable": {"thread_id": run.thread_id, "run_id": run.run_id, "fence": fence}}
    )
    await runtime.aclose()
    return [(message.type, str(message.text)) for message in state.values["messages"] if str(message.text)]


async def said(office: Office, run_id: str) -> bool:
    return any(isinstance(each.payload, OutputDelta) for each in await office.store.events.read(run_id))


def spoken(told: Sequence[tuple[str, str]]) -> list[str]:
    return [text for who, text in told if who == "human"]


async def test_a_message_is_read_before_the_next_model_call_of_the_same_run(office: Office) -> None:
    office.hold("ada")
    run_id = await office.ask('call look_up {"name": "ada"} then say 40 words')
    async with office.worker():
        await wait_until(office.executions, what="the tool starts")
        assert await write(office, "say 3 words") == run_id
        office.let_go("ada")
        run = await office.ended(run_id)

    assert run.state is RunState.COMPLETED
    assert run.requesters == ("U1", "U2")
    assert len((await office.store.runs.output(run_id) or "").split()) == 3
    assert [who for who, _ in await history(office, run)] == ["human", "tool", "human", "ai"]
    assert len((await office.store.lists.page("T1")).items) == 1


async def test_a_message_that_comes_with_the_last_words_makes_the_run_go_on(office: Office) -> None:
    run_id = await office.ask("stream for 2s")
    async with office.worker():
        await wait_until(lambda: said(office, run_id), what="the first words")
        await write(office, "say 3 words")
        run = await office.ended(run_id)

    output = await office.store.runs.output(run_id) or ""
    first, second = output.split("\n\n")
    assert (len(first.split()), len(second.split())) == (20, 3)
    completed = [
        each.payload
        for each in await office.store.events.read(run_id)
        if isinstance(each.payload, RunCompleted)
    ]
    assert completed == [RunCompleted(output=output)]
    assert [who for who, _ in await history(office, run)] == ["human", "ai", "human", "ai"]


async def test_a_message_that_slips_in_after_the_last_look_is_read_too(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    written_to = MessageRepository.written_to

    async def look(self: MessageRepository, fence: Fence) -> list[Steer]:
        found = await written_to(self, fence)
        looked.append("")
        if len(looked) == 2:  # before the model first, then before the end
            looked[1] = await write(office, "say 3 words")
        return found

    monkeypatch.setattr(MessageRepository, "written_to", look)
    run_id = await office.ask("say 5 words")
    async with office.worker():
        run = await office.ended(run_id)

    assert looked[1] == run_id
    assert run.state is RunState.COMPLETED
    output = await office.store.runs.output(run_id) or ""
    assert [len(part.split()) for part in output.split("\n\n")] == [5, 3]


async def test_a_crash_while_a_message_is_read_repeats_and_loses_nothing(office: Office) -> None:
    office.hold("ada")
    run_id = await office.ask('call look_up {"name": "ada"} then say 40 words')
    async with office.worker("first"):
        await wait_until(office.executions, what="the tool starts")
        await write(office, "stream for 3s")
        office.let_go("ada")
        await wait_until(lambda: said(office, run_id), what="the first words")
    await office.later(2.5)
    fence = Fence(tenant="T1", conversation="C1", thread_id="", run_id=run_id, epoch=0)
    (written,) = await office.store.messages.written_to(fence)
    assert not written.read  # no model has answered to it yet

    async with office.worker("second"):
        run = await office.ended(run_id)

    assert spoken(await history(office, run)) == [
        'call look_up {"name": "ada"} then say 40 words',
        "stream for 3s",
    ]
    assert len(office.executions()) == 1
    assert len((await office.store.runs.output(run_id) or "").split()) == 30


async def test_a_run_that_was_lost_after_its_last_word_reads_on_in_another_worker(office: Office) -> None:
    run_id = await office.ask("stream for 1s")
    async with office.worker("first"):
        await wait_until(lambda: said(office, run_id), what="the first words")
        await write(office, "stream for 3s")
        await wait_until(lambda: _more_than(office, run_id, 12), what="words of the second answer")
    await office.later(2.5)

    async with office.worker("second"):
        run = await office.ended(run_id)

    assert run.state is RunState.COMPLETED
    (resumed,) = [
        each.payload
        for each in await office.store.events.read(run_id)
        if isinstance(each.payload, RunResumed)
    ]
    assert len(resumed.text.split()) == 10
    output = await office.store.runs.output(run_id) or ""
    assert [len(part.split()) for part in output.split("\n\n")] == [10, 30]
    assert spoken(await history(office, run)) == ["stream for 1s", "stream for 3s"]


async def test_what_a_stopped_run_has_not_read_is_answered_next_and_remembers_the_thread(
    office: Office,
) -> None:
    run_id = await office.ask("stream for 20s")
    async with office.worker():
        await wait_until(lambda: said(office, run_id), what="the first words")
        await write(office, "what did I ask?")
        await office.store.runs.cancel(run_id, "U1")
        stopped = await office.ended(run_id, timeout=5)
        (heir, _) = (await office.store.lists.page("T1")).items
        answered = await office.ended(heir.run_id)

    assert (stopped.state, answered.state) == (RunState.CANCELLED, RunState.COMPLETED)
    assert (answered.user, answered.thread_id) == ("U2", stopped.thread_id)
    assert "stream for 20s" in (await office.store.runs.output(heir.run_id) or "")


async def test_a_graph_that_ends_without_asking_its_model_leaves_the_message_to_the_next_run(
    office: Office,
) -> None:
    text = (office.folder / "workspace.yaml").read_text()
    limited = "middleware: [{type: model_call_limit, thread_limit: 1, exit_behavior: end}]\n"
    (office.folder / "workspace.yaml").write_text(text + limited)
    office.hold("ada")
    run_id = await office.ask('call look_up {"name": "ada"} then say 40 words')
    async with office.worker():
        await wait_until(office.executions, what="the tool starts")
        await write(office, "say 3 words")
        office.let_go("ada")
        run = await office.ended(run_id)
        (heir, _) = (await office.store.lists.page("T1")).items
        await office.ended(heir.run_id)

    assert run.state is RunState.COMPLETED
    assert (await office.store.runs.load_input(heir.run_id)).text == "say 3 words"


async def test_an_edit_while_the_model_answers_is_shown_to_it_as_a_correction(office: Office) -> None:
    office.hold("ada")
    run_id = await office.ask('call look_up {"name": "ada"} then say 40 words')
    async with office.worker():
        await wait_until(office.executions, what="the tool starts")
        await write(office, "stream for 1s")
        office.let_go("ada")
        await wait_until(lambda: said(office, run_id), what="the first words about the message")
        moved = await office.store.messages.amend(
            "T1", "stream for 1s", "say 3 words", by="U2", stamp=1, correction="say 3 words"
        )
        run = await office.ended(run_id)

    assert moved.outcome == "corrected"
    assert spoken(await history(office, run))[1:] == ["stream for 1s", "say 3 words"]


async def test_who_takes_a_message_back_while_the_model_answers_to_it_has_asked(office: Office) -> None:
    office.hold("ada")
    run_id = await office.ask('call look_up {"name": "ada"} then say 40 words')
    async with office.worker():
        await wait_until(office.executions, what="the tool starts")
        await write(office, "stream for 1s", user="U3")
        office.let_go("ada")
        await wait_until(lambda: said(office, run_id), what="the first words about the message")
        moved = await office.store.messages.withdraw("T1", "stream for 1s", "U3")
        run = await office.ended(run_id)

    assert moved.outcome == "nothing"
    assert run.requesters == ("U1", "U3")


async def test_a_message_that_is_taken_back_just_before_the_model_is_told_is_left_out(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = MessageRepository.take

    async def late(self: MessageRepository, fence: Fence, messages: Sequence[str]) -> dict[str, str]:
        await self.withdraw("T1", "say 3 words", "U3")
        return await take(self, fence, messages)

    monkeypatch.setattr(MessageRepository, "take", late)
    office.hold("ada")
    run_id = await office.ask('call look_up {"name": "ada"} then say 40 words')
    async with office.worker():
        await wait_until(office.executions, what="the tool starts")
        await write(office, "say 3 words", user="U3")
        office.let_go("ada")
        run = await office.ended(run_id)

    assert run.requesters == ("U1",)
    assert spoken(await history(office, run)) == ['call look_up {"name": "ada"} then say 40 words']


async def test_an_edit_is_shown_to_the_agent_as_a_correction(office: Office) -> None:
    office.hold("ada")
    run_id = await office.ask('call look_up {"name": "ada"} then say 40 words', name="post-1")
    async with office.worker() as worker:
        await wait_until(office.executions, what="the tool starts")
        moved = await office.control.amend("T1", "post-1", "look bob up", by="U1", stamp=1)
        office.let_go("ada")
        run = await office.ended(run_id)
        assert worker.held == 0

    assert moved.outcome == "corrected"
    _, corrected = spoken(await history(office, run))
    assert corrected.endswith("It now says:]\n\nlook bob up")


async def test_an_interrupted_run_is_stopped_and_the_new_message_is_answered_at_once(office: Office) -> None:
    run_id = await office.ask("stream for 20s")
    waiting = await office.ask("say 2 words")
    async with office.worker():
        await wait_until(lambda: said(office, run_id), what="the first words")
        new = await write(office, "say 3 words", mode="interrupt")
        stopped = await office.ended(run_id, timeout=5)
        answered, last = await office.ended(new), await office.ended(waiting)

    assert (stopped.state, stopped.cancelled_by) == (RunState.CANCELLED, "U2")
    assert answered.state is RunState.COMPLETED
    assert (answered.ended_at or 0) <= (last.started_at or 0)


async def _more_than(office: Office, run_id: str, words: int) -> bool:
    events = await office.store.events.read(run_id)
    text = "".join(each.payload.text for each in events if isinstance(each.payload, OutputDelta))
    return len(text.split()) > words
