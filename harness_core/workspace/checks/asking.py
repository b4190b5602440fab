"""Which tools of an agent may ask people before they run."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from harness_core.workspace.checks.picture import Picture, Seen
from harness_core.workspace.policy_rules import matches
from harness_core.workspace.schema import AgentSpec, ToolObject
from harness_core.workspace.schema.tool_middleware import ShellSpec


def asking_tools(agent: Seen[AgentSpec], picture: Picture, within: Collection[str]) -> set[str]:
    """Names of tools, and of servers where only they know their tools' names, that may ask in some run.

    ``within`` are the agents that a run may have been given to in which this one acts.
    """
    found = {
        name
        for tool in agent.spec.tools
        if tool in picture.tools
        for name in asking_by_themselves(picture.tools[tool].spec)
    }
    for each in picture.declared(agent) or ():
        if isinstance(each.spec, ShellSpec) and each.spec.approval == "always":
            found.add(each.spec.tool_name)
    return found | set(_asking_by_policy(agent, picture, {agent.spec.name, *within}))


def asking_by_themselves(tool: ToolObject) -> Iterator[str]:
    """The tools of this object whose own ``approval`` asks."""
    names = tool.tools
    if names is not None:
        yield from (name for name in names if tool.for_tool(name).approval != "never")
    elif isinstance(tool.approval, dict):
        yield from (name for name, rule in tool.approval.items() if rule != "never")
    elif tool.approval != "never":
        yield tool.name


def _asking_by_policy(agent: Seen[AgentSpec], picture: Picture, concerned: Collection[str]) -> Iterator[str]:
    named = picture.all_tools().names
    for policy in picture.policies.values():
        if policy.spec.agents is not None and not set(policy.spec.agents) & set(concerned):
            continue
        for pattern, rule in policy.spec.tools.items():
            if rule.approval not in (None, "never"):
                yield from (name for name in picture.brought(agent) if matches(pattern, name, ""))
                for source in agent.spec.tools:
                    if source in picture.tools:
                        yield from _meant(pattern, source, picture.tools[source].spec, named)


def _meant(pattern: str, source: str, tool: ToolObject, named: Collection[str]) -> Iterator[str]:
    """The tools of this object that a pattern may mean; the object itself where only its server knows them."""
    if tool.tools is not None:
        yield from (name for name in tool.tools if matches(pattern, name, source))
        return
    owner, slash, _ = pattern.rpartition("/")
    if matches(owner, source, source) if slash else pattern not in named:
        yield source
