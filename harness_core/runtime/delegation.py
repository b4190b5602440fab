"""Subagents: graphs of their own behind the tool ``task``, each made by the one way that all graphs are made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deepagents import CompiledSubAgent
from deepagents.backends import StateBackend
from deepagents.middleware.subagents import GENERAL_PURPOSE_SUBAGENT, SubAgentMiddleware

from harness_core.runtime.tools import BoundTool
from harness_core.workspace import TASK, AgentSpec, ToolSpec

GENERAL_PURPOSE = GENERAL_PURPOSE_SUBAGENT["name"]
"""The subagent that deep agents add by themselves, without a gate, unless there is one of this name."""

_TASK = ToolSpec(name=TASK, label="Asking {subagent_type}", title="Ask {subagent_type}", idempotent=True)


def delegation(subagents: Sequence[CompiledSubAgent]) -> SubAgentMiddleware[Any, Any]:
    """The middleware that brings the tool ``task``."""
    return SubAgentMiddleware(backend=StateBackend(), subagents=subagents)


def bound_task(middleware: SubAgentMiddleware[Any, Any]) -> BoundTool:
    """``task`` as the gate knows it: what subagents do passes gates of its own."""
    (tool,) = middleware.tools
    return BoundTool(spec=_TASK, tool=tool, stays_inside=True, delegates=True)


def general_purpose(agent: AgentSpec) -> AgentSpec:
    """The agent that does what its parent could, with a history of its own: same model, tools and files."""
    return agent.model_copy(
        update={
            "name": GENERAL_PURPOSE,
            "description": GENERAL_PURPOSE_SUBAGENT["description"],
            "instructions": GENERAL_PURPOSE_SUBAGENT["system_prompt"],
            "subagents": (),
        }
    )


def as_subagent(agent: AgentSpec, graph: Any) -> CompiledSubAgent:
    """A compiled agent as ``task`` offers it."""
    return {"name": agent.name, "description": agent.description or agent.name, "runnable": graph}
