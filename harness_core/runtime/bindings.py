"""Bindings: agents compiled and ready, each once for a version of the workspace."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from deepagents.backends.protocol import BackendProtocol
from deepagents.middleware import SkillsMiddleware, UnsupportedContentMiddleware
from deepagents.middleware.subagents import CompiledSubAgent
from deepagents.middleware.summarization import create_summarization_middleware
from langchain.agents.middleware import AgentMiddleware
from langchain_core.language_models.chat_models import BaseChatModel

from harness_core.errors import HarnessError, UnknownAgent, WorkspaceInvalid
from harness_core.runtime.checkpointer import AnySaver
from harness_core.runtime.compiling import Blueprint, Graph, InnermostGate, ReadableContent, compile_graph
from harness_core.runtime.delegation import (
    GENERAL_PURPOSE,
    as_subagent,
    bound_task,
    delegation,
    general_purpose,
)
from harness_core.runtime.desk import Desk
from harness_core.runtime.files import backend_of, bound_file_tools, file_middleware
from harness_core.runtime.gate import ToolGate
from harness_core.runtime.history import patch_open_calls
from harness_core.runtime.limits import ModelCalls
from harness_core.runtime.mcp import ServerUnreachable
from harness_core.runtime.memory import LongTermMemory
from harness_core.runtime.middleware import DeclaredMiddleware, Kit, declared_middleware
from harness_core.runtime.models import BoundModel
from harness_core.runtime.outputs import StoredOutputs
from harness_core.runtime.parts import Parts, ServerMisfit, clashes, unusable
from harness_core.runtime.resources import Resources
from harness_core.runtime.steering import Steering
from harness_core.runtime.tools import BoundTool, ToolUnusable
from harness_core.workspace import AgentSpec, Workspace

Layers = list[AgentMiddleware[Any, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """One agent, compiled, with the tools it may call by name. ``saver`` is None where no checkpoints are kept."""

    agent: AgentSpec
    graph: Graph
    tools: dict[str, BoundTool]
    saver: AnySaver | None


class Bindings:
    """The agents of one workspace, each compiled on first use."""

    def __init__(self, workspace: Workspace, desk: Desk, resources: Resources) -> None:
        self._workspace = workspace
        self._desk = desk
        self._resources = resources
        self._parts = Parts(workspace, resources.servers)
        self._memory: LongTermMemory | None = None
        self._opening = asyncio.Lock()
        self._bindings: dict[str, Binding] = {}
        self._inner: dict[str, Binding] = {}
        self._building: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def get(self, name: str) -> Binding:
        """:raises UnknownAgent: the workspace has no such agent.
        :raises WorkspaceInvalid: its model, its files or one of its tools cannot be used.
        :raises ServerUnreachable: a server that it has tools of does not answer; it may be asked for again.
        """
        if name not in self._workspace.agents:
            raise UnknownAgent(name, sorted(self._workspace.agents))
        async with self._building[name]:
            if name not in self._bindings:
                agent = self._workspace.agents[name]
                saver = await self._resources.savers.open(self._workspace.checkpointer_of(agent))
                self._bindings[name] = await self._bind(agent, saver, inner=False)
            return self._bindings[name]

    async def missing(self, names: Iterable[str]) -> dict[str, HarnessError]:
        """Those of the Tool objects ``names`` that are servers and cannot be used, and why. All are asked at once."""
        servers = [name for name in dict.fromkeys(names) if self._workspace.tools[name].mcp is not None]
        asked = await asyncio.gather(*map(self._parts.tools, servers), return_exceptions=True)
        found: dict[str, HarnessError] = {}
        for name, answer in zip(servers, asked, strict=True):
            match answer:
                case ServerUnreachable() | ServerMisfit():
                    found[name] = answer
                case BaseException():
                    raise answer
        return found

    def chat_model(self, name: str) -> BaseChatModel:
        """A chat model of the workspace.

        :raises WorkspaceInvalid: it cannot be used.
        """
        return self._parts.model(name).model

    async def savers(self) -> list[AnySaver]:
        """Every checkpointer that an agent of the workspace uses as a host."""
        declared = [self._workspace.runtime.checkpointer]
        declared += [agent.checkpointer for agent in self._workspace.agents.values() if agent.checkpointer]
        opened = [await self._resources.savers.open(each) for each in dict.fromkeys(declared)]
        return list(dict.fromkeys(saver for saver in opened if saver is not None))

    async def memory(self) -> LongTermMemory:
        """The long-term store that every graph gets.

        :raises WorkspaceInvalid: its embedding model cannot be used.
        """
        async with self._opening:
            if self._memory is None:
                shelf = self._resources.shelf(self._workspace.runtime)
                embeddings = await asyncio.to_thread(self._parts.embeddings)
                self._memory = LongTermMemory(shelf, embeddings)
            return self._memory

    async def aclose(self) -> None:
        """Gives back what the agents hold."""
        self._bindings.clear()
        self._inner.clear()
        await self._parts.aclose()

    async def _bind(self, agent: AgentSpec, saver: AnySaver | None, *, inner: bool) -> Binding:
        model = await asyncio.to_thread(self._parts.model, agent.model)
        tools = [tool for name in agent.tools for tool in await self._parts.tools(name)]
        memory = await self.memory()
        backend = await asyncio.to_thread(self._backend, agent, memory)
        subagents = [await self._subagent(name) for name in agent.subagents]
        if backend is not None and GENERAL_PURPOSE not in agent.subagents:
            subagents.append(self._general_purpose(agent, model, tools, backend, memory))
        own, brought = self._layers(agent, model, backend, subagents)
        declared = await asyncio.to_thread(self._declared, agent, model, [*tools, *brought])
        known = self._known(agent, [*tools, *brought, *declared.brought])
        gate = ToolGate if backend is None else InnermostGate
        steering: Layers = [] if inner else [Steering(self._resources.store.messages)]
        layers = [*steering, *declared.before, *own, self._gate(gate, agent.name, known, declared)]
        plan = Blueprint(
            agent=agent,
            model=model,
            tools=tools,
            middleware=layers,
            checkpointer=_lent(agent) if inner else saver,
            store=memory,
            backend=backend,
            subagents=subagents,
        )
        graph = await asyncio.to_thread(compile_graph, plan)
        return Binding(agent=agent, graph=graph, tools=known, saver=saver)

    def _layers(
        self,
        agent: AgentSpec,
        model: BoundModel,
        backend: BackendProtocol | None,
        subagents: Sequence[CompiledSubAgent],
    ) -> tuple[Layers, list[BoundTool]]:
        """The middleware of a graph but for its gate, the outermost first, and the tools that it brings."""
        layers: Layers = []
        brought: list[BoundTool] = []
        if backend is not None:
            files = file_middleware(agent, backend)
            layers.append(files)
            brought += bound_file_tools(files)
        if subagents:
            task = delegation(subagents)
            layers.append(task)
            brought.append(bound_task(task))
        outputs = StoredOutputs(self._resources.store.outputs)
        brought.append(outputs.bound())
        layers += [patch_open_calls(), outputs, self._calls(model)]
        if backend is not None:
            layers.append(ReadableContent())
        return layers, brought

    def _general_purpose(
        self,
        agent: AgentSpec,
        model: BoundModel,
        tools: Sequence[BoundTool],
        backend: BackendProtocol,
        memory: LongTermMemory,
    ) -> CompiledSubAgent:
        """What a deep agent would add by itself, with a gate: its layers are those of deep agents, less ``task``."""
        spec = general_purpose(agent)
        files, outputs = file_middleware(agent, backend), StoredOutputs(self._resources.store.outputs)
        brought = [*bound_file_tools(files), outputs.bound()]
        declared = self._declared(spec, model, [*tools, *brought])
        known = self._known(spec, [*tools, *brought, *declared.brought])
        skills = [SkillsMiddleware(backend=backend, sources=list(agent.skills))] if agent.skills else []
        taken = {layer.name for layer in declared.before}
        summary = create_summarization_middleware(model.model, backend)
        layers: Layers = [
            *declared.before,
            files,
            *([summary] if summary.name not in taken else []),
            patch_open_calls(),
            *skills,
            outputs,
            self._calls(model),
            UnsupportedContentMiddleware(),
            self._gate(ToolGate, agent.name, known, declared),
        ]
        plan = Blueprint(
            agent=spec,
            model=model,
            tools=tools,
            middleware=layers,
            checkpointer=_lent(agent),
            store=memory,
        )
        return as_subagent(spec, compile_graph(plan))

    async def _subagent(self, name: str) -> CompiledSubAgent:
        agent = self._workspace.agents[name]
        async with self._building[f"inner {name}"]:
            if name not in self._inner:
                self._inner[name] = await self._bind(agent, None, inner=True)
        return as_subagent(agent, self._inner[name].graph)

    def _declared(
        self, agent: AgentSpec, model: BoundModel, tools: Sequence[BoundTool]
    ) -> DeclaredMiddleware:
        kit = Kit(
            model=model.model,
            models=lambda name: self._parts.model(name).model,
            tools={tool.name: tool for tool in tools},
            folder=self._workspace.folder,
        )
        return declared_middleware(self._workspace, agent, kit)

    def _gate(
        self, kind: type[ToolGate], agent: str, known: dict[str, BoundTool], declared: DeclaredMiddleware
    ) -> ToolGate:
        limit = self._workspace.runtime.limits.tool_call
        return kind(known, self._desk, limit=limit, agent=agent, around=declared.around_tools)

    def _known(self, agent: AgentSpec, tools: list[BoundTool]) -> dict[str, BoundTool]:
        found = clashes(agent.name, tools)
        if found:
            raise WorkspaceInvalid(found)
        return {tool.name: tool for tool in tools}

    def _backend(self, agent: AgentSpec, memory: LongTermMemory) -> BackendProtocol | None:
        if agent.mode != "deepagent":
            return None
        try:
            return backend_of(agent, self._workspace.folder, memory)
        except ToolUnusable as error:
            raise unusable("backend-unusable", f"Agent {agent.name}", error) from error

    def _calls(self, model: BoundModel) -> ModelCalls:
        return ModelCalls(model.name, limit=self._workspace.runtime.limits.model_call, tries=model.tries)


def _lent(agent: AgentSpec) -> Literal[False] | None:
    """A subagent keeps its history in its parent's checkpointer, unless it is to keep none."""
    return False if agent.checkpointer is not None and agent.checkpointer.kind is False else None
