"""A worker that asks a model which agent answers, and goes on without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from openai_stand_in import Call, CallTools, Refuse, Reply, openai_stand_in

from harness_core.events import RunRouted
from harness_core.states import RunState

if TYPE_CHECKING:
    from engine.conftest import Office

ROUTED = """
---
kind: Agent
name: billing
description: Sends invoices.
model: demo
---
kind: Model
name: router
provider: openai
model: gpt-5-mini
base_url: {base_url}
api_key: {api_key}
params: {{max_retries: 0}}
"""


@pytest.mark.parametrize(
    ("answer", "agent", "step"),
    [
        (CallTools((Call("pass_on", {"agent": "billing"}),)), "billing", "model"),
        (Refuse(500), "ops", "default"),
    ],
)
async def test_a_model_routes_a_run_and_its_failure_costs_no_run(
    office: Office, answer: Reply, agent: str, step: str
) -> None:
    file = office.folder / "workspace.yaml"
    async with openai_stand_in([answer]) as server:
        head = file.read_text().replace(
            "kind: Runtime", "kind: Runtime\nrouting: {default_agent: ops, model: {use: router}}", 1
        )
        file.write_text(head + ROUTED.format(base_url=server.base_url, api_key=server.api_key))
        run_id = await office.ask("say 3 words")
        async with office.worker():
            run = await office.ended(run_id)

    assert (run.state, run.agent) == (RunState.COMPLETED, agent)
    events = [event.payload for event in await office.store.events.read(run_id)]
    assert RunRouted(agent=agent, step=step) in events
    assert server.requests
