"""Tools as they were written: what nobody decided about them."""

from __future__ import annotations

from collections.abc import Iterable

from harness_core.workspace.checks.picture import EXECUTE, FILE_TOOLS, Picture, Seen
from harness_core.workspace.diagnostics import KeyPath, listed
from harness_core.workspace.schema import AgentSpec, ToolObject
from harness_core.workspace.schema.tools import BY_TOOL, REST
from harness_core.workspace.tool_names import READ_ON, TASK, model_name


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
        if seen.document.is_left_empty("mcp", "allow"):
            message = "“allow” has no value, and without one agents would get every tool of the server"
            allowed = "some tools, or no such key for all of them"
            seen.document.report(("mcp", "allow"), "empty-value", message, allowed=allowed)
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
    origin = _of_every_such_agent(agent.spec)
    for index, each in enumerate(picture.declared(agent) or ()):
        _claim(agent, ("middleware", index), each.spec.brings, f"middleware of type {each.spec.type}", origin)
    for index, name in enumerate(agent.spec.tools):
        tools = picture.tools[name].spec.tools if name in picture.tools else None
        _claim(agent, ("tools", index), tools or (), name, origin)


def _of_every_such_agent(agent: AgentSpec) -> dict[str, str]:
    """Where the tools come from that nobody declares. ``execute`` is not among them: only a loaded backend can tell."""
    origin = {READ_ON: "the agent itself, which reads long outputs with it"}
    if agent.mode == "deepagent":
        origin |= dict.fromkeys(FILE_TOOLS - {EXECUTE}, "the files of a deep agent")
    if agent.subagents or agent.mode == "deepagent":
        origin[TASK] = "the agent itself, which asks subagents with it"
    return origin


def _claim(
    agent: Seen[AgentSpec], path: KeyPath, names: Iterable[str], source: str, origin: dict[str, str]
) -> None:
    """Enters the names into ``origin``, in the spelling of models, and reports those that something else has."""
    for name in names:
        other = origin.setdefault(model_name(name), source)
        if other != source:
            message = (
                f"the agent would have two tools called {model_name(name)}: the other comes from {other}"
            )
            agent.document.report(path, "tool-name-clash", message, allowed="each name once")
