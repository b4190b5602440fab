"""Which agent answers: the order of the steps, what rules match, and an agent that is gone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness_core.errors import UnknownAgent
from harness_core.routing import Request, Selection, select_agent
from harness_core.workspace import Workspace, check_workspace

FOLDER = """\
kind: Model
name: fast
provider: demo
model: demo
---
{kind: Agent, name: ops, model: fast}
---
{kind: Agent, name: guide, model: fast}
---
{kind: Agent, name: deploys, model: fast}
---
{kind: Agent, name: billing, model: fast}
---
{kind: Channel, channel: C1, agent: billing}
---
{kind: Channel, channel: C2, follow: mention}
---
kind: Runtime
routing:
  default_agent: ops
  rules:
    - {when: {equals: " Help Me "}, agent: guide}
    - {when: {prefix: " Deploy "}, agent: deploys}
    - {when: {contains: "straße"}, agent: billing}
    - {when: {contains: "deploy"}, agent: guide}
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("workspace")
    (folder / "all.yaml").write_text(FOLDER, encoding="utf-8")
    checked = check_workspace(folder, {})
    assert checked.workspace is not None, checked.findings
    return checked.workspace


def test_steps_decide_in_order(workspace: Workspace) -> None:
    request = Request(explicit="guide", thread_agent="deploys", channel="C1", text="help me")
    assert select_agent(workspace, request) == Selection(agent="guide", step="explicit")
    request = Request(thread_agent="deploys", channel="C1", text="help me")
    assert select_agent(workspace, request) == Selection(agent="deploys", step="thread")
    request = Request(channel="C1", text="help me")
    assert select_agent(workspace, request) == Selection(agent="billing", step="channel")
    request = Request(channel="C2", text="help me")
    assert select_agent(workspace, request) == Selection(agent="guide", step="rule")
    request = Request(channel="C9", text="hello")
    assert select_agent(workspace, request) == Selection(agent="ops", step="default")


@pytest.mark.parametrize(
    ("text", "agent"),
    [
        ("HELP me\n", "guide"),
        ("help me please", "ops"),
        ("  deploy checkout", "deploys"),
        ("DEPLOY search", "deploys"),
        ("deployment is slow", "guide"),
        ("please deploy", "guide"),
        ("In der HAUPTSTRASSE", "billing"),
        ("", "ops"),
    ],
)
def test_the_first_rule_that_matches_wins_whatever_the_case(
    workspace: Workspace, text: str, agent: str
) -> None:
    assert select_agent(workspace, Request(text=text)).agent == agent


@pytest.mark.parametrize("request_", [Request(explicit="gide"), Request(thread_agent="gide", text="help me")])
def test_an_agent_that_is_gone_is_an_error_with_the_known_names_and_nobody_takes_its_place(
    workspace: Workspace, request_: Request
) -> None:
    with pytest.raises(UnknownAgent) as caught:
        select_agent(workspace, request_)
    assert caught.value.known == ("billing", "deploys", "guide", "ops")
    assert "Known agents: billing, deploys, guide, ops" in str(caught.value)


@given(text=st.text(max_size=50))
def test_any_text_selects_a_known_agent(workspace: Workspace, text: str) -> None:
    selection = select_agent(workspace, Request(text=text))
    assert selection.agent in workspace.agents
    assert selection.step in ("rule", "default")
