"""A grant is the agent's that made the approved call: no other agent of the run gets by with it."""

from __future__ import annotations

import json

import pytest
from approvals.approval_office import call
from grants.granting_office import GrantingOffice

LEAD = """
---
kind: Agent
name: lead
description: Has others do things.
mode: deepagent
model: demo
tools: [restart]
subagents: [helper]
---
kind: Agent
name: helper
description: Does things for others.
model: demo
tools: [restart]
"""

WEB = call("restart", env="staging")


def through(subagent: str) -> str:
    asked = {"subagent_type": subagent, "description": WEB}
    return f"call task {json.dumps(asked)}"


@pytest.fixture
def lead(office: GrantingOffice) -> GrantingOffice:
    """The office with a deep agent, its subagent, and its general-purpose one."""
    path = office.folder / "workspace.yaml"
    text = path.read_text(encoding="utf-8").replace(
        "kind: Runtime", "kind: Runtime\nrouting: {default_agent: ops}"
    )
    path.write_text(text + LEAD, encoding="utf-8")
    return office


async def test_what_was_granted_to_the_agent_is_asked_about_in_its_subagents(lead: GrantingOffice) -> None:
    async with lead.worker():
        grant = await lead.granted(WEB, agent="lead")
        asked = await lead.asks(through("helper"), agent="lead")
        assert asked.agent == "helper"
        assert (await lead.passes(WEB, agent="lead")).grant == grant.grant_id


async def test_what_was_granted_to_a_subagent_covers_it_alone_and_under_the_same_agent(
    lead: GrantingOffice,
) -> None:
    async with lead.worker():
        grant = await lead.granted(through("helper"), agent="lead")
        assert (await lead.passes(through("helper"), agent="lead")).grant == grant.grant_id
        await lead.asks(WEB, agent="lead")


async def test_a_general_purpose_subagent_is_the_agent_itself_and_uses_what_was_granted_to_it(
    lead: GrantingOffice,
) -> None:
    async with lead.worker():
        asked = await lead.asks(through("general-purpose"), agent="lead")
        assert asked.agent == "lead"
        grant = await lead.granted(WEB, agent="lead")
        used = [await lead.passes(each, agent="lead") for each in (through("general-purpose"), WEB)]
        await lead.asks(through("general-purpose"), agent="lead")

    assert [(each.grant, each.used) for each in used] == [(grant.grant_id, 1), (grant.grant_id, 2)]
    assert len(lead.ran("restart")) == 3
