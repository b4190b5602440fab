"""What a subagent wants to do is asked as if its parent did it: no delegation reaches a gated tool without the card."""

from __future__ import annotations

import json
from typing import Any

import pytest
from approvals.approval_office import ApprovalOffice, call
from waiting import wait_until

from harness_core.approvals import ItIsDone, Reject
from harness_core.errors import StoreUnavailable
from harness_core.models import Fence
from harness_core.states import RunState
from harness_core.store import CallRepository

AGENTS = """
kind: Agent
name: ops
description: Does things, or has them done.
mode: {mode}
model: demo
tools: [restart, look]
subagents: [helper]
---
kind: Agent
name: helper
description: Does things for others.
model: demo
tools: [restart, look]
"""

DELEGATIONS = [
    pytest.param("langchain", "helper", id="subagent"),
    pytest.param("deepagent", "helper", id="subagent-of-a-deep-agent"),
    pytest.param("deepagent", "general-purpose", id="general-purpose"),
]


def delegating(office: ApprovalOffice, mode: str, to: str) -> str:
    """The workspace with subagents, and what to tell the parent so that it hands the work on."""
    yaml = office.folder / "workspace.yaml"
    before, _, after = yaml.read_text().partition("kind: Agent\n")
    yaml.write_text(f"{before}{AGENTS.format(mode=mode).strip()}\n---\n{after.partition('---')[2].strip()}\n")
    return f"call task {json.dumps({'subagent_type': to, 'description': call('restart')})}"


@pytest.mark.parametrize(("mode", "to"), DELEGATIONS)
async def test_a_gated_call_of_a_subagent_waits_for_people_and_runs_once_when_it_is_approved(
    office: ApprovalOffice, mode: str, to: str
) -> None:
    run_id = await office.ask(delegating(office, mode, to))
    async with office.worker():
        question = await office.question(run_id)
        await office.parked(run_id)
        assert question.tool == "restart"
        assert office.ran() == []
        await office.decide(question)
        run = await office.ended(run_id)

    assert run.state is RunState.COMPLETED
    assert [each["service"] for each in office.ran("restart")] == ["web"]


@pytest.mark.parametrize(("mode", "to"), DELEGATIONS)
async def test_a_gated_call_of_a_subagent_that_is_rejected_never_runs(
    office: ApprovalOffice, mode: str, to: str
) -> None:
    run_id = await office.ask(delegating(office, mode, to))
    async with office.worker():
        await office.decide(await office.question(run_id), Reject())
        run = await office.ended(run_id)

    assert run.state is RunState.COMPLETED
    assert office.ran() == []


async def test_an_approved_delegation_does_not_hide_that_a_call_in_it_may_have_happened(
    office: ApprovalOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = delegating(office, "langchain", "helper").replace("call restart", "call notify")
    yaml = office.folder / "workspace.yaml"
    text = yaml.read_text().replace("tools: [restart, look]", "tools: [notify]")
    yaml.write_text(f"{text}---\nkind: Policy\nname: asked\ntools: {{task: {{approval: always}}}}\n")
    keep = CallRepository.done
    cut_off: list[str] = []

    async def done(calls: CallRepository, fence: Fence, key: str, **how: Any) -> None:
        if not cut_off:
            cut_off.append(key)
            raise StoreUnavailable("cut off")
        await keep(calls, fence, key, **how)

    monkeypatch.setattr(CallRepository, "done", done)
    run_id = await office.ask(ask)
    async with office.worker():
        await office.decide(await office.question(run_id))
        await wait_until(lambda: cut_off, what="the notification is not noted as done")
        await office.later(2.5)

        async def doubt() -> bool:
            return any(each.kind == "uncertain" for each in await office.questions(run_id))

        await wait_until(doubt, what="somebody is asked what became of it")
        (question,) = [each for each in await office.questions(run_id) if each.kind == "uncertain"]
        assert question.tool == "notify"
        await office.decide(question, ItIsDone())
        await office.ended(run_id)

    assert len(office.ran("notify")) == 1


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param("use: allow\nagents: [helper]\nusers: [U2]", id="kept-for-others"),
        pytest.param("use: deny\nagents: [helper]\nusers: [U1]", id="denied"),
    ],
)
async def test_an_agent_that_a_person_may_not_use_does_not_serve_them_as_a_subagent_either(
    office: ApprovalOffice, policy: str
) -> None:
    text = delegating(office, "langchain", "helper").replace("call restart", "call look")
    with (office.folder / "workspace.yaml").open("a") as yaml:
        yaml.write(f"---\nkind: Policy\nname: kept\n{policy}\n")
    run_id = await office.ask(text)
    async with office.worker():
        run = await office.ended(run_id)

    assert run.state is RunState.COMPLETED
    assert "“kept”" in (await office.store.runs.output(run_id) or "")
    assert office.ran() == []
    assert "tool.refused" in await office.names(run_id)
