"""A run with questions whose graph, record and questions say different things when a worker takes it over."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from approvals.approval_office import ApprovalOffice, call
from waiting import wait_until

from harness_core.approvals import Approval, ApproverRule, Won
from harness_core.events import RunFailed, RunResumed
from harness_core.policy import Allow, Ask, Deny
from harness_core.runtime import desk
from harness_core.states import RunState
from harness_core.store import RunRepository


async def lost_before_it_parked(office: ApprovalOffice, monkeypatch: pytest.MonkeyPatch, text: str) -> str:
    """A run whose graph has stopped at its question, and whose worker was lost before it could say so."""
    reached = asyncio.Event()

    async def never(*_: Any, **__: Any) -> None:
        reached.set()
        await asyncio.Event().wait()

    run_id = await office.ask(text)
    with monkeypatch.context() as patched:
        patched.setattr(RunRepository, "park", never)
        async with office.worker("first"):
            await wait_until(reached.is_set, what="all but the parking")
    assert (await office.store.runs.get(run_id)).state is RunState.RUNNING
    await office.later(3)
    return run_id


async def lose(office: ApprovalOffice, asked: Approval) -> None:
    """Of the question nothing is left but that its run once had it."""
    await office.store.client.delete(f"harness:{{p0}}:approval:{asked.approval_id}")


async def test_a_graph_that_asks_without_a_record_gets_its_record_and_the_run_parks(
    office: ApprovalOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = await lost_before_it_parked(office, monkeypatch, call("restart"))
    asked = await office.question(run_id)
    await lose(office, asked)

    async with office.worker("second"):
        await office.parked(run_id)
        again = await office.question(run_id)
        assert (again.approval_id, again.digest) == (asked.approval_id, asked.digest)
        assert office.ran() == []
        await office.decide(again)
        run = await office.ended(run_id)

    assert (run.state, run.takeovers) == (RunState.COMPLETED, 1)
    assert len(office.ran("restart")) == 1


async def test_what_was_to_be_asked_is_asked_again_though_it_would_pass_by_now(
    office: ApprovalOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = await lost_before_it_parked(office, monkeypatch, call("restart"))
    await lose(office, await office.question(run_id))
    monkeypatch.setattr(desk, "judge", lambda *_: Allow())

    async with office.worker("second"):
        again = await office.question(run_id)
        assert again.rule.users == ("U2", "U3")
        assert office.ran() == []
        await office.decide(again)
        run = await office.ended(run_id)

    assert run.state is RunState.COMPLETED
    assert len(office.ran("restart")) == 1


async def test_what_was_to_be_asked_again_is_refused_where_it_is_forbidden_by_now(
    office: ApprovalOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = await lost_before_it_parked(office, monkeypatch, call("restart"))
    await lose(office, await office.question(run_id))
    monkeypatch.setattr(desk, "judge", lambda *_: Deny(reason="Not any more."))

    async with office.worker("second"):
        run = await office.ended(run_id)

    assert run.state is RunState.COMPLETED
    assert office.ran() == []
    assert "Not any more." in (await office.store.runs.output(run_id) or "")
    assert "tool.refused" in await office.names(run_id)


async def test_who_is_asked_again_by_another_rule_is_asked_about_what_runs_then(
    office: ApprovalOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = await lost_before_it_parked(office, monkeypatch, call("restart"))
    asked = await office.question(run_id)
    await lose(office, asked)
    rule = ApproverRule(users=("U3",))
    ask = Ask(rule=rule, quorum=1, expire_after=60, remind_after=())
    monkeypatch.setattr(desk, "judge", lambda *_: ask)

    async with office.worker("second"):
        again = await office.question(run_id)
        assert (again.rule, again.digest != asked.digest) == (rule, True)
        await office.decide(again, by="U3")
        await office.ended(run_id)

    assert len(office.ran("restart")) == 1


async def test_a_graph_that_asks_with_its_record_parks_and_asks_nothing_twice(
    office: ApprovalOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = await lost_before_it_parked(office, monkeypatch, call("restart"))

    async with office.worker("second"):
        await office.parked(run_id)

    assert (await office.names(run_id)).count("approval.requested") == 1
    assert office.ran() == []


async def test_what_was_decided_before_the_run_could_park_is_done_by_the_next_worker(
    office: ApprovalOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = await lost_before_it_parked(office, monkeypatch, call("restart"))
    assert isinstance(await office.decide(await office.question(run_id)), Won)

    async with office.worker("second"):
        run = await office.ended(run_id)

    assert run.state is RunState.COMPLETED
    assert len(office.ran("restart")) == 1
    assert "waiting_for_approval" not in repr(await office.store.events.read(run_id))


async def test_a_waiting_run_without_question_or_checkpoint_begins_again_and_asks_anew(
    office: ApprovalOffice,
) -> None:
    async with office.worker("first"):
        run_id = await office.ask(call("restart"))
        asked = await office.question(run_id)
        run = await office.parked(run_id)
    await lose(office, asked)
    await office.store.checkpoints.delete_thread(run.thread_id)

    async with office.worker("second"):
        again = await office.question(run_id)
        await office.parked(run_id)
        assert office.ran() == []
        await office.decide(again)
        ended = await office.ended(run_id)

    assert ended.state is RunState.COMPLETED
    assert len(office.ran("restart")) == 1


async def test_an_approval_whose_graph_knows_nothing_of_it_is_used_once_at_most(
    office: ApprovalOffice,
) -> None:
    async with office.worker("first"):
        run_id = await office.ask(call("restart"))
        asked = await office.question(run_id)
        run = await office.parked(run_id)
    await office.store.checkpoints.delete_thread(run.thread_id)
    await office.decide(asked)

    async with office.worker("second"):
        # Begun again, the model makes another call: that one was not approved, unless it is the same to a hair.
        await wait_until(lambda: _is_over_or_waits(office, run_id), timeout=15)
        for each in await office.approvals.of_run(run_id):
            if each.state == "open":
                await office.decide(each)
        await office.ended(run_id)

    assert len(office.ran("restart")) == 1
    assert len({row["key"] for row in office.ran("restart")}) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("description: Does things.", "description: Does other things."),
        ('title: "Restart {service} in {env}"', 'title: "Stop {service} in {env}"'),
        (
            "kind: Channel\nchannel: C-NOBODY",
            "kind: Policy\nname: careful\ntools: {restart: {quorum: 2}}\n---\nkind: Channel\nchannel: C-NOBODY",
        ),
    ],
    ids=["agent", "tool", "policy"],
)
async def test_a_run_that_was_lost_at_work_does_not_go_on_under_a_changed_configuration(
    office: ApprovalOffice, before: str, after: str
) -> None:
    office.hold("web")
    async with office.worker("first"):
        run_id = await office.ask(f"{call('look')} then {call('restart')}")
        await office.began("look")
    await office.later(3)
    office.let_go("web")
    file = office.folder / "workspace.yaml"
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after), encoding="utf-8")

    async with office.worker("second"):
        run = await office.ended(run_id)

    payloads = [event.payload for event in await office.store.events.read(run_id)]
    (failed,) = [each for each in payloads if isinstance(each, RunFailed)]
    assert (run.state, run.reason) == (RunState.FAILED, "configuration_changed")
    assert "Press Retry" in failed.message
    assert [each for each in payloads if isinstance(each, RunResumed)] == []
    assert len(office.ran("look")) == 1


async def _is_over_or_waits(office: ApprovalOffice, run_id: str) -> bool:
    state = (await office.store.runs.get(run_id)).state
    return state in (RunState.WAITING, RunState.COMPLETED, RunState.FAILED)
