"""What one agent is made of: the part of a workspace that it reaches, and a digest of just that part."""

from __future__ import annotations

from collections.abc import Iterator

from harness_core import canonical
from harness_core.errors import UnknownAgent
from harness_core.workspace.loader import Workspace
from harness_core.workspace.schema import AgentSpec, Spec


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
        if name not in workspace.agents:
            raise UnknownAgent(name, sorted(workspace.agents))
        reached[name] = workspace.agents[name]
        pending.extend(workspace.agents[name].subagents)
    return reached


def agent_digest(workspace: Workspace, agent: str) -> str:
    """SHA-256 over everything that says how ``agent`` behaves, hex.

    Covered are the agent, its subagents, the models and tools of all of them, and of the Runtime the approvals,
    the limits and the checkpointer. An edit elsewhere does not change it, nor does one that only spells the same
    otherwise: another order of files, a default written out. Secrets are left out, so that a key can be rotated
    while a run waits for a person.

    :raises UnknownAgent: the workspace has no such agent.
    """
    lines = (
        canonical.canonical_json([place, spec.model_dump(mode="json", exclude_defaults=True)])
        for place, spec in _reached(workspace, agent)
    )
    return canonical.digest(agent, *sorted(lines))


def _reached(workspace: Workspace, agent: str) -> Iterator[tuple[str, Spec]]:
    """Every object that counts, each with a word that says what it is."""
    runtime = workspace.runtime
    yield "approvals", runtime.approvals
    yield "limits", runtime.limits
    yield "checkpointer", runtime.checkpointer
    agents = agents_reached(workspace, agent)
    for name, spec in agents.items():
        yield f"agent {name}", spec
    for name in {spec.model for spec in agents.values()}:
        yield f"model {name}", workspace.models[name]
    for name in {tool for spec in agents.values() for tool in spec.tools}:
        yield f"tool {name}", workspace.tools[name]
