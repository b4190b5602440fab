"""What was shown is what runs: changed checkpoints, records and configurations run nothing, and say why."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from approvals.approval_office import TENANT, ApprovalOffice, call
from langchain_core.messages import AIMessage
from sealing import SEAL

from harness_core import Approvals, RunState
from harness_core.approvals import Approval, Approve, ItIsDone, Outdated, RunOver, Won
from harness_core.events import RunFailed
from harness_core.runtime import AgentRuntime, FencedSaver


async def change_the_call(office: ApprovalOffice, run_id: str, **arguments: Any) -> None:
    """Puts other arguments into the model's message in the checkpoint, as somebody with the keys could."""
    run = await office.store.runs.get(run_id)
    runtime = AgentRuntime(office.holder.current, office.store, SEAL)
    graph: Any = (await runtime._bindings.get("ops")).graph
    graph.checkpointer = FencedSaver(office.store.checkpoints, SEAL, require_fence=False, tenant=TENANT)
    known = {"thread_id": run.thread_id, "run_id": run_id, "agent": "ops"}
    config = {"configurable": known, "metadata": {"run_id": run_id, "agent": "ops"}}
    state = await graph.aget_state(config)
    (message,) = [each for each in state.values["messages"] if isinstance(each, AIMessage)]
    calls = [{**each, "args": {**each["args"], **arguments}} for each in message.tool_calls]
    changed = message.model_copy(update={"tool_calls": calls})
    there = {**config, "configurable": {**known, **state.config["configurable"]}}
    await graph.aupdate_state(there, {"messages": [changed]}, as_node="model")


async def test_arguments_changed_in_the_checkpoint_run_nothing(
    office: ApprovalOffice, caplog: pytest.LogCaptureFixture
) -> None:
    async with office.worker("w1"):
        run_id = await office.ask(call("restart"))
        asked = await office.question(run_id)
        await office.parked(run_id)
    await change_the_call(office, run_id, service="everything")
    await office.decide(asked)
    async with office.worker("w2"):
        await office.ended(run_id)

    assert office.ran() == []
    assert "call_changed" in caplog.text
    assert "What was approved is not what would run now" in (await office.store.runs.output(run_id) or "")


async def test_a_stored_digest_that_was_changed_runs_nothing(office: ApprovalOffice) -> None:
    async with office.worker():
        run_id = await office.ask(call("restart"))
        asked = await office.question(run_id)
        await office.parked(run_id)
        key = f"harness:{{p0}}:approval:{asked.approval_id}"
        await office.store.client.hset(key, "digest", "0" * 64)
        await office.decide(asked)
        await office.ended(run_id)

    assert office.ran() == []


async def test_arguments_that_look_like_instructions_to_a_loader_stay_what_they_are(
    office: ApprovalOffice,
) -> None:
    data = {
        "lc": 2,
        "type": "constructor",
        "id": ["subprocess", "Popen"],
        "kwargs": {"args": ["true"]},
        "__send__": True,
        "__interrupt__": True,
    }
    office.hold("web")
    async with office.worker("w1"):
        run_id = await office.ask(call("notify", data=data))
        await office.began("notify")
    await office.later(3)
    office.let_go("web")
    async with office.worker("w2"):
        doubt = await office.question(run_id)
        assert doubt.asked.arguments["data"] == data
        await office.decide(doubt, ItIsDone())
        await office.ended(run_id)

    assert [row["data"] for row in office.ran("notify")] == [data]


def rewrite(office: ApprovalOffice, before: str, after: str) -> None:
    file = office.folder / "workspace.yaml"
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after), encoding="utf-8")


async def waiting(office: ApprovalOffice) -> tuple[str, Approval]:
    async with office.worker("w1"):
        run_id = await office.ask(call("restart"))
        asked = await office.question(run_id)
        await office.parked(run_id)
    return run_id, asked


async def test_an_old_card_after_a_changed_tool_runs_nothing_and_the_click_says_so(
    office: ApprovalOffice,
) -> None:
    run_id, asked = await waiting(office)
    rewrite(office, "destructive: true", "destructive: false")

    holder = office.holder
    holder.adopt(holder.current)  # as in a process that builds the agents
    approvals = Approvals(office.store, holder)

    outcome = await approvals.decide(
        TENANT, asked.approval_id, Approve(), revision=asked.revision, by="U2", source="message"
    )

    assert outcome == Outdated()
    run = await office.store.runs.get(run_id)
    assert (run.state, run.reason) == (RunState.FAILED, "configuration_changed")
    assert await office.decide(asked) == RunOver(state=RunState.FAILED)
    (failed,) = [
        each.payload for each in await office.store.events.read(run_id) if isinstance(each.payload, RunFailed)
    ]
    assert "The configuration changed while this waited for approval, so it did not run." in failed.message
    assert (failed.ran, failed.unsure) == (0, 0)
    assert office.ran() == []


async def test_a_worker_that_starts_with_a_changed_agent_ends_the_runs_that_waited_for_the_old_one(
    office: ApprovalOffice,
) -> None:
    run_id, _ = await waiting(office)
    rewrite(office, "tools: [restart, toggle, notify, look]", "tools: [restart, look]")
    async with office.worker("w2"):
        run = await office.ended(run_id)

    assert (run.state, run.reason) == (RunState.FAILED, "configuration_changed")
    assert (await office.approvals.page(TENANT)).items == ()


async def test_an_edit_elsewhere_in_the_workspace_disturbs_no_waiting_run(office: ApprovalOffice) -> None:
    run_id, asked = await waiting(office)
    rewrite(
        office,
        "kind: Agent\nname: ops",
        "kind: Agent\nname: other\nmodel: demo\n---\nkind: Agent\nname: ops",
    )
    rewrite(
        office,
        "tool_packages: [approval_tools]",
        "tool_packages: [approval_tools]\nrouting: {default_agent: ops}",
    )
    async with office.worker("w2"):
        assert isinstance(await office.decide(asked), Won)
        run = await office.ended(run_id)

    assert run.state is RunState.COMPLETED
    assert len(office.ran("restart")) == 1


async def test_a_tool_whose_schema_changed_in_its_code_is_not_run_on_the_old_word(
    office: ApprovalOffice,
) -> None:
    run_id, asked = await waiting(office)
    file = office.folder / "approval_tools.py"
    file.write_text(file.read_text().replace("count: int = 1, password", "count: int = 9, password"))
    sys.modules.pop("approval_tools", None)
    await office.decide(asked)
    async with office.worker("w2"):
        await office.ended(run_id)

    assert office.ran() == []
    assert "What was approved is not what would run now" in (await office.store.runs.output(run_id) or "")
