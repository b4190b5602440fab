"""Tools as they were written: what nobody decided about them."""

from __future__ import annotations

from harness_core.workspace.checks.picture import Picture, Seen
from harness_core.workspace.diagnostics import listed
from harness_core.workspace.schema import AgentSpec, ToolObject
from harness_core.workspace.schema.tools import BY_TOOL, REST


def check_tools(picture: Picture) -> None:
    for tool in picture.objects.of_kind("Tool"):
        if not tool.has("approval") and not tool.has("idempotent"):
            message = "says neither approval nor idempotent: it runs without asking, and a crash inside it must ask a person"
            tool.report(
                (),
                "tool-undeclared",
                message,
                found=tool.text("name"),
                allowed="approval, idempotent",
                severity="warning",
            )
    for seen in picture.tools.values():
        _check_maps(seen)
    for agent in picture.agents.values():
        _check_clashes(agent, picture)


def _check_maps(tool: Seen[ToolObject]) -> None:
    """A map may name only tools that the server is allowed to offer, where the workspace says which."""
    known = tool.spec.tools
    if tool.spec.mcp is None or known is None:
        return
    for key in BY_TOOL:
        value = getattr(tool.spec, key)
        for name in value if isinstance(value, dict) else ():
            if name != REST and name not in known:
                message = "is not among the tools that allow names"
                tool.document.report(
                    (key, name), "tool-not-allowed", message, found=name, allowed=listed(known)
                )


def _check_clashes(agent: Seen[AgentSpec], picture: Picture) -> None:
    """One agent cannot have two tools of one name."""
    origin: dict[str, str] = {
        name: f"middleware of type {each.spec.type}"
        for each in picture.declared(agent) or ()
        for name in each.spec.brings
    }
    for index, name in enumerate(agent.spec.tools):
        tools = picture.tools[name].spec.tools if name in picture.tools else None
        for tool in tools or ():
            if tool in origin and origin[tool] != name:
                message = f"the agent would have two tools called {tool}: the other comes from {origin[tool]}"
                agent.document.report(("tools", index), "tool-name-clash", message, allowed="each name once")
            origin.setdefault(tool, name)
