"""Bindings: agents compiled and ready. Every graph of every mode is made by :func:`compile_graph`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph

from harness_core.errors import HarnessError, UnknownAgent
from harness_core.runtime.checkpointer import FencedSaver
from harness_core.runtime.desk import Desk
from harness_core.runtime.gate import ToolGate
from harness_core.runtime.history import HistoryState, patch_open_calls
from harness_core.runtime.limits import ModelCalls
from harness_core.runtime.models import BoundModel
from harness_core.runtime.parts import Parts
from harness_core.runtime.tools import BoundTool
from harness_core.store import CheckpointRepository, Seal
from harness_core.workspace import AgentSpec, Workspace

Graph = CompiledStateGraph[Any, Any, Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """One agent, compiled, with the tools it may call by name."""

    agent: AgentSpec
    graph: Graph
    tools: dict[str, BoundTool]


def engine_saver(checkpoints: CheckpointRepository, seal: Seal) -> FencedSaver:
    """The checkpointer of every graph that the engine runs. There is no way to build it unfenced."""
    return FencedSaver(checkpoints, seal, require_fence=True)


def compile_graph(
    agent: AgentSpec,
    model: BoundModel,
    tools: Sequence[BoundTool],
    middleware: Sequence[AgentMiddleware[Any, Any]],
    checkpointer: BaseCheckpointSaver[Any],
) -> Graph:
    """A graph whose calls all pass the gate.

    :raises HarnessError: the last, and so innermost, middleware is not the gate.
    """
    if not middleware or not isinstance(middleware[-1], ToolGate):
        raise HarnessError(
            f"agent {agent.name}: no graph is compiled without the tool gate in innermost place"
        )
    return create_agent(
        model.model,
        [tool.tool for tool in tools],
        system_prompt=agent.instructions or None,
        middleware=middleware,
        state_schema=HistoryState,
        checkpointer=checkpointer,
        name=agent.name,
    )


class Bindings:
    """The agents of one workspace, each compiled on first use."""

    def __init__(self, workspace: Workspace, saver: FencedSaver, desk: Desk) -> None:
        self._workspace = workspace
        self._desk = desk
        self._saver = saver
        self._parts = Parts(workspace)
        self._bindings: dict[str, Binding] = {}

    def __getitem__(self, name: str) -> Binding:
        """:raises UnknownAgent: the workspace has no such agent.
        :raises WorkspaceInvalid: its model or one of its tools cannot be used.
        """
        if name not in self._bindings:
            if name not in self._workspace.agents:
                raise UnknownAgent(name, sorted(self._workspace.agents))
            self._bindings[name] = self._bind(self._workspace.agents[name])
        return self._bindings[name]

    def _bind(self, agent: AgentSpec) -> Binding:
        model = self._parts.model(agent.model)
        tools = [self._parts.tool(name) for name in agent.tools]
        limits = self._workspace.runtime.limits
        by_name = {tool.spec.name: tool for tool in tools}
        middleware = [
            patch_open_calls(),
            ModelCalls(model.name, limit=limits.model_call, tries=model.tries),
            ToolGate(by_name, self._desk, limit=limits.tool_call),
        ]
        graph = compile_graph(agent, model, tools, middleware, self._saver)
        return Binding(agent=agent, graph=graph, tools=by_name)
