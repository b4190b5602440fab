"""Which tools of an agent may ask people before they run."""

from __future__ import annotations

from collections.abc import Iterator

from harness_core.workspace.checks.picture import Picture, Seen
from harness_core.workspace.policy_rules import matches
from harness_core.workspace.schema import AgentSpec, ToolObject
from harness_core.workspace.schema.tool_middleware import ShellSpec


def asking_tools(agent: Seen[AgentSpec], picture: Picture) -> set[str]:
    """Names of tools, and of servers where only they know their tools' names, that may ask in some run."""
    found = {
        name
        for tool in agent.spec.tools
        if tool in picture.tools
        for name in asking_by_themselves(picture.tools[tool].spec)
    }
    for each in picture.declared(agent) or ():
        if isinstance(each.spec, ShellSpec) and each.spec.approval == "always":
            found.add(each.spec.tool_name)
    return found | set(_asking_by_policy(agent, picture))


def asking_by_themselves(tool: ToolObject) -> Iterator[str]:
    """The tools of this object whose own ``approval`` asks."""
    names = tool.tools
    if names is not None:
        yield from (name for name in names if tool.for_tool(name).approval != "never")
    elif isinstance(tool.approval, dict):
        yield from (name for name, rule in tool.approval.items() if rule != "never")
    elif tool.approval != "never":
        yield tool.name


def _asking_by_policy(agent: Seen[AgentSpec], picture: Picture) -> Iterator[str]:
    for policy in picture.policies.values():
        if policy.spec.agents is not None and agent.spec.name not in policy.spec.agents:
            continue
        for pattern, rule in policy.spec.tools.items():
            if rule.approval not in (None, "never"):
                yield from (
                    name
                    for tool in agent.spec.tools
                    if tool in picture.tools
                    for name in picture.tools[tool].spec.tools or ()
                    if matches(pattern, name, tool)
                )
