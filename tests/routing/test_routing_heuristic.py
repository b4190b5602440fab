"""The guess between a quick agent and a thorough one."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness_core.routing import Request, Selection, select_agent
from harness_core.routing.heuristic import quick_or_deep
from harness_core.workspace import AgentSpec, load_workspace

QUICK = AgentSpec(name="quick_answers", model="m")
DEEP = AgentSpec(name="analyst", model="m", description="Thorough research with sources.")
OPS = AgentSpec(name="ops", model="m", description="Looks after services.")


@pytest.mark.parametrize(
    ("text", "agent"),
    [
        ("What time is it in Oslo?", "quick_answers"),
        ("Compare the two vendors", "analyst"),
        ("please INVESTIGATE the outage", "analyst"),
        ("what are the trade-offs?", "analyst"),
        ("word " * 80, "analyst"),
        ("word " * 40, None),
        ("", None),
        ("researchers visited us", "quick_answers"),
    ],
)
def test_a_short_question_is_quick_and_a_request_for_thorough_work_is_deep(
    text: str, agent: str | None
) -> None:
    assert quick_or_deep([QUICK, DEEP], text) == agent
    assert quick_or_deep([DEEP, QUICK], text) == agent


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        [QUICK],
        [QUICK, OPS],
        [DEEP, OPS],
        [QUICK, DEEP, OPS],
        [QUICK, AgentSpec(name="fast", model="m")],
        [QUICK, AgentSpec(name="deep_and_fast", model="m")],
    ],
)
def test_agents_that_are_not_one_quick_and_one_deep_are_not_guessed_between(hosts: list[AgentSpec]) -> None:
    assert quick_or_deep(hosts, "Compare the two vendors") is None
    assert quick_or_deep(hosts, "hi") is None


def test_a_name_counts_more_than_a_description_and_a_deep_agent_is_deep_without_words() -> None:
    named = AgentSpec(name="light", model="m", description="Not for research.")
    deep = AgentSpec(name="ops", model="m", mode="deepagent")
    assert quick_or_deep([named, deep], "hi") == "light"
    assert quick_or_deep([named, deep], "research this") == "ops"


def test_only_hosts_are_guessed_between_and_after_everything_that_was_settled(tmp_path: Path) -> None:
    text = """\
kind: Model
name: fast
provider: demo
model: demo
---
{kind: Agent, name: quick, model: fast}
---
{kind: Agent, name: researcher, model: fast, subagents: [helper]}
---
{kind: Agent, name: helper, model: fast}
---
kind: Runtime
routing: {default_agent: quick, rules: [{when: {contains: invoice}, agent: quick}]}
"""
    (tmp_path / "all.yaml").write_text(text, encoding="utf-8")
    workspace = load_workspace(tmp_path, {})
    deep = Request(text="research the market")
    assert select_agent(workspace, deep) == Selection(agent="researcher", step="heuristic")
    assert select_agent(workspace, Request(text="research this invoice")).step == "rule"
    assert select_agent(workspace, Request(explicit="helper", text="research")).agent == "helper"
    assert select_agent(workspace, Request(text="word " * 30)) == Selection(agent="quick", step="default")
