"""What one agent is made of: the part of a workspace that it reaches, and a digest of just that part."""

from __future__ import annotations

from collections.abc import Iterator

from harness_core import canonical
from harness_core.errors import UnknownAgent
from harness_core.workspace.assembly import Workspace
from harness_core.workspace.schema import AgentSpec, Spec, ToolSpec


def agents_reached(workspace: Workspace, agent: str) -> dict[str, AgentSpec]:
    """``agent`` and its subagents, theirs included, by name.

    :raises UnknownAgent: the workspace has no such agent.
    """
    reached: dict[str, AgentSpec] = {}
    pending = [agent]
    while pending:
        name = pending.pop()
        if name in reached:
            continue
        reached[name] = _agent(workspace, name)
        pending.extend(reached[name].subagents)
    return reached


def tool_of(workspace: Workspace, agent: str, tool: str) -> ToolSpec | None:
    """What the workspace says about the tool of this agent whose name is ``tool``, as its server has it.

    A server whose tools the workspace does not list counts as having it when nothing else has. None: no Tool object
    and no middleware of the agent brings such a tool.

    :raises UnknownAgent: the workspace has no such agent.
    """
    spec = _agent(workspace, agent)
    objects = [workspace.tools[name] for name in spec.tools]
    for listed in (True, False):
        for each in objects:
            if (each.tools is not None) is listed and each.has_tool(tool):
                return each.for_tool(tool)
        for middleware in workspace.middleware_of(spec):
            if listed and tool in middleware.brings:
                return middleware.tool(tool)
    return None


def agent_digest(workspace: Workspace, agent: str) -> str:
    """SHA-256 over everything that says how ``agent`` behaves, hex.

    Covered are the agent, its subagents, the models, tools and middleware of all of them, the policies that can be
    about one of them, and of the Runtime the approvals, the limits and the checkpointer. An edit elsewhere does not
    change it, nor does one that only spells the same otherwise: another order of files, a default written out.
    Secrets are left out, so that a key can be rotated while a run waits for a person.

    :raises UnknownAgent: the workspace has no such agent.
    """
    lines = (
        canonical.canonical_json([place, spec.model_dump(mode="json", exclude_defaults=True)])
        for place, spec in _reached(workspace, agent)
    )
    return canonical.digest(agent, *sorted(lines))


def _agent(workspace: Workspace, agent: str) -> AgentSpec:
    if agent not in workspace.agents:
        raise UnknownAgent(agent, sorted(workspace.agents))
    return workspace.agents[agent]


def _reached(workspace: Workspace, agent: str) -> Iterator[tuple[str, Spec]]:
    """Every object that counts, each with a word that says what it is."""
    runtime = workspace.runtime
    yield "approvals", runtime.approvals
    yield "limits", runtime.limits
    yield "checkpointer", runtime.checkpointer
    agents = agents_reached(workspace, agent)
    middleware = [each for spec in agents.values() for each in workspace.middleware_of(spec)]
    named = {use for spec in agents.values() for use in spec.middleware if isinstance(use, str)}
    for name, spec in agents.items():
        yield f"agent {name}", spec
    for name in sorted(named):
        yield f"middleware {name}", workspace.middleware[name]
    models = {spec.model for spec in agents.values()} | {
        name for each in middleware for name in each.models_named
    }
    for name in sorted(models):
        yield f"model {name}", workspace.models[name]
    for name in sorted({tool for spec in agents.values() for tool in spec.tools}):
        yield f"tool {name}", workspace.tools[name]
    for policy in workspace.policies.values():
        if policy.agents is None or agents.keys() & set(policy.agents):
            yield f"policy {policy.name}", policy
