"""The one way to a graph. Whatever the mode, the last thing before a tool is the gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from deepagents import CompiledSubAgent, create_deep_agent
from deepagents.backends.protocol import BackendProtocol
from deepagents.middleware import UnsupportedContentMiddleware
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langgraph.graph.state import CompiledStateGraph
from langgraph.store.base import BaseStore

from harness_core.errors import HarnessError
from harness_core.runtime.checkpointer import AnySaver
from harness_core.runtime.delegation import GENERAL_PURPOSE
from harness_core.runtime.gate import ToolGate
from harness_core.runtime.history import HistoryState
from harness_core.runtime.limits import RECURSION_LIMIT
from harness_core.runtime.models import BoundModel
from harness_core.runtime.tools import BoundTool
from harness_core.workspace import AgentSpec

Graph = CompiledStateGraph[Any, Any, Any, Any]


class InnermostGate(ToolGate):
    """The gate of a deep agent.

    A deep agent puts middleware that is not its own before a tail of its own, but replaces its own by name. The last
    of its own is the one whose name this is, so under it the gate stands behind everything.
    """

    @property
    def name(self) -> str:
        return UnsupportedContentMiddleware.__name__


class ReadableContent(UnsupportedContentMiddleware[Any, Any]):
    """What deep agents keep in the place that the gate takes: content a model cannot read becomes a note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """What a graph is made of. ``middleware`` ends with the gate.

    ``checkpointer`` None: the parent's, for a subagent; False: none at all. ``backend`` is for a deep agent.
    """

    agent: AgentSpec
    model: BoundModel
    tools: Sequence[BoundTool]
    middleware: Sequence[AgentMiddleware[Any, Any]]
    checkpointer: AnySaver | Literal[False] | None = None
    store: BaseStore | None = None
    backend: BackendProtocol | None = None
    subagents: Sequence[CompiledSubAgent] = field(default_factory=tuple)


def compile_graph(plan: Blueprint) -> Graph:
    """A graph whose calls all pass the gate.

    :raises HarnessError: the last, and so innermost, middleware is not the gate, or a deep agent would add a
        subagent of its own, which has no gate.
    """
    agent = plan.agent
    if not plan.middleware or not isinstance(plan.middleware[-1], ToolGate):
        raise HarnessError(
            f"agent {agent.name}: no graph is compiled without the tool gate in innermost place"
        )
    made = _deep_agent(plan) if plan.backend is not None else _agent(plan)
    return made.with_config(recursion_limit=RECURSION_LIMIT)


def _agent(plan: Blueprint) -> Graph:
    return create_agent(
        plan.model.model,
        [tool.tool for tool in plan.tools],
        system_prompt=plan.agent.instructions or None,
        middleware=plan.middleware,
        state_schema=HistoryState,
        checkpointer=plan.checkpointer,
        store=plan.store,
        name=plan.agent.name,
    )


def _deep_agent(plan: Blueprint) -> Graph:
    agent = plan.agent
    if not any(each["name"] == GENERAL_PURPOSE for each in plan.subagents):
        raise HarnessError(f"agent {agent.name}: a deep agent needs a {GENERAL_PURPOSE} subagent with a gate")
    if not isinstance(plan.middleware[-1], InnermostGate):
        raise HarnessError(
            f"agent {agent.name}: the gate of a deep agent must stand behind its own middleware"
        )
    made: Any = create_deep_agent(
        plan.model.model,
        [tool.tool for tool in plan.tools],
        system_prompt=agent.instructions or None,
        middleware=plan.middleware,
        subagents=list(plan.subagents),
        backend=plan.backend,
        skills=list(agent.skills) or None,
        memory=list(agent.memory) or None,
        state_schema=HistoryState,
        checkpointer=plan.checkpointer,
        store=plan.store,
        name=agent.name,
    )
    return made  # type: ignore[no-any-return]  # its stub has other type arguments than the graph it returns
