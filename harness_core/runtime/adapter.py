"""The runtime as the engine sees it: turns in, chunks out, and where a run stands."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import langsmith
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import CheckpointTuple
from langgraph.types import Command, StateSnapshot

from harness_core.models import Fence, RoutingQuestion
from harness_core.policy import CallSite
from harness_core.runtime import history
from harness_core.runtime.bindings import Bindings
from harness_core.runtime.call_facts import SITE
from harness_core.runtime.checkpointer import FENCE, FencedSaver
from harness_core.runtime.chunks import (
    Asking,
    Chunk,
    Finished,
    GraphPosition,
    HostBinding,
    NoCheckpoint,
    Turn,
    Unfinished,
)
from harness_core.runtime.company import COMPANY, Company
from harness_core.runtime.compiling import Graph
from harness_core.runtime.desk import Desk
from harness_core.runtime.files import state_files, texts_of
from harness_core.runtime.limits import RECURSION_LIMIT, Pace
from harness_core.runtime.mcp import ServerUnreachable
from harness_core.runtime.memory import LongTermMemory
from harness_core.runtime.parts import ServerMisfit
from harness_core.runtime.resources import Resources
from harness_core.runtime.routing_model import RoutingModel
from harness_core.runtime.steering import READ
from harness_core.runtime.stream import MODES, ChunkStream
from harness_core.store import Idle, Removed, Seal, Store
from harness_core.workspace import Workspace, agent_digest, agents_reached

log = logging.getLogger(__name__)

_AGENT = "agent"
_OWN = frozenset({"messages", "files", history.GIVEN})

langsmith.configure(enabled=False)  # conversations go to no third party, whatever the environment says


class AgentRuntime:
    """The agents of one version of the workspace, over the checkpoints and the journal in the store.

    ``resources`` is what versions share; without it, this one has its own.
    """

    def __init__(
        self, workspace: Workspace, store: Store, seal: Seal, *, resources: Resources | None = None
    ) -> None:
        self._workspace = workspace
        self._resources = resources or Resources(store, seal)
        self._shares = resources is not None
        self._desk = Desk(workspace, store.calls, store.outputs)
        self._bindings = Bindings(workspace, self._desk, self._resources)
        self._router = RoutingModel(self._bindings.chat_model)

    def digest(self, agent: str) -> str:
        """Stands for everything that says how ``agent`` behaves; see :func:`~harness_core.workspace.agent_digest`.

        :raises UnknownAgent: the workspace has no such agent.
        """
        return agent_digest(self._workspace, agent)

    def is_delicate(self, run_id: str) -> bool:
        """Whether a tool of this run is at work that must not run twice."""
        return self._desk.is_delicate(run_id)

    def outlives(self, agent: str) -> bool:
        """Whether another process can go on with a run of this agent; so far as an unknown one is concerned, yes."""
        spec = self._workspace.agents.get(agent)
        return spec is None or self._workspace.checkpointer_of(spec).kind not in (False, "memory")

    def hosts(self) -> list[HostBinding]:
        """The agents that conversations can be routed to: those that are nobody's subagent."""
        agents = self._workspace.agents
        return [
            HostBinding(agent=name, description=agents[name].description) for name in self._workspace.hosts
        ]

    async def route(self, question: RoutingQuestion) -> str:
        """What the model says that is asked which agent fits; raises whatever the model raises."""
        return await self._router(question)

    async def warm(self) -> None:
        """Builds every agent that a conversation can be handed to, and the model that may choose between them, so
        that no run has to wait for imports.

        An agent with tools of a server that does not answer, or not as the workspace says, is built when it is first
        needed.

        :raises WorkspaceInvalid: a model or tool cannot be used.
        """
        routing = self._workspace.runtime.routing.model
        if routing is not None:
            await asyncio.to_thread(self._bindings.chat_model, routing.use)
        tools = {name: self._tools_of(name) for name in self._workspace.hosts}
        missing = await self._bindings.missing(each for found in tools.values() for each in found)
        for name, found in tools.items():
            wanting = next((missing[each] for each in found if each in missing), None)
            if wanting is not None:
                log.warning("agent %s is not ready: %s", name, wanting)
                continue
            try:
                await self._bindings.get(name)
            except (ServerUnreachable, ServerMisfit) as error:
                log.warning("agent %s is not ready: %s", name, error)

    async def aclose(self) -> None:
        """Gives back what the agents hold: sessions with tool servers, and what no other version shares."""
        await self._bindings.aclose()
        if not self._shares:
            await self._resources.aclose()

    async def memory(self, tenant: str) -> LongTermMemory:
        """The long-term store of ``tenant``, as the agents use it within a run.

        :raises WorkspaceInvalid: its embedding model cannot be used.
        """
        return (await self._bindings.memory()).of_tenant(tenant)

    async def stream(self, turn: Turn) -> AsyncGenerator[Chunk, None]:
        """Runs a turn until the graph is done or asks. Closing it early leaves the run resumable.

        :raises UnknownAgent: the workspace has no such agent.
        :raises ModelFailed: the model gave no answer.
        :raises OperationTimeout: stage ``run``, ``model_call`` or ``stream_idle``.
        :raises StaleFence: the lease behind ``turn.fence`` is gone; nothing more was written.
        """
        limits = self._workspace.runtime.limits
        pace = Pace(run=limits.run, left=turn.left, idle=limits.stream_idle)
        binding = await pace.within(self._bindings.get(turn.agent))
        chunks = ChunkStream(binding.tools, pace)
        graph: Any = binding.graph  # its stubs do not know what version 2 yields
        parts = graph.astream(
            _input(turn, binding.graph),
            _config(turn.fence, _site(turn), turn.company),
            context=turn.context,
            stream_mode=list(MODES),
            subgraphs=True,
            version="v2",
            durability="sync" if binding.saver is not None else None,
        )
        async with aclosing(parts), aclosing(pace.through(parts)) as paced:
            async for part in paced:
                for chunk in chunks.take(part):
                    yield chunk

    async def remembers(self, agent: str) -> bool:
        """Whether the agent can go on from what it has said: not without checkpoints."""
        return (await self._bindings.get(agent)).saver is not None

    async def position(self, fence: Fence) -> GraphPosition:
        """Where the graph stands with this run, by its newest checkpoint.

        :raises UnknownAgent: the agent that began the run is no longer in the workspace.
        :raises StoreError: the history cannot be read.
        """
        newest = await self._newest(fence)
        if newest is None or newest.metadata.get("run_id") != fence.run_id:
            return NoCheckpoint()
        state = await self._state(fence, newest)
        messages = history.of_run(state.values.get("messages", []), fence.run_id)
        text = history.answer(messages)
        if state.interrupts:
            return Asking(text=text, finished_steps=history.ended_calls(messages))
        # Not `state.next`: it leaves out tasks that ended, also when what follows from them was never stored.
        if not state.tasks:
            return Finished(text=text)
        return Unfinished(text=text, finished_steps=history.ended_calls(messages))

    async def files(self, fence: Fence) -> Mapping[str, str]:
        """The files in the state of the thread, by path: those a caller gave and those that agents wrote.

        :raises UnknownAgent: the agent that began the newest run is no longer in the workspace.
        :raises StoreError: the history cannot be read.
        """
        newest = await self._newest(fence)
        if newest is None:
            return {}
        return texts_of((await self._state(fence, newest)).values.get("files") or {})

    async def prune(self, tenant: str, thread_id: str, *, keep: int, idle: Idle | None = None) -> Removed:
        """Keeps the ``keep`` newest checkpoints of a thread in Redis; see :meth:`FencedSaver.prune_thread`.

        What other checkpointers hold is not pruned: it is for one process, and goes with it or its file, or with the
        thread.

        :raises StaleFence: ``idle`` was given and the thread is at work again.
        """
        removed = Removed()
        for saver in await self._bindings.savers():
            if isinstance(saver, FencedSaver):
                removed += await saver.prune_thread(thread_id, keep=keep, tenant=tenant, idle=idle)
        return removed

    async def forget(self, thread_id: str) -> None:
        """Removes what checkpointers of this process alone hold of a thread that is gone from the store."""
        for saver in await self._bindings.savers():
            if not isinstance(saver, FencedSaver):
                await saver.adelete_thread(thread_id)

    def _tools_of(self, agent: str) -> list[str]:
        """The Tool objects that the agent and its subagents use."""
        return [tool for each in agents_reached(self._workspace, agent).values() for tool in each.tools]

    async def _newest(self, fence: Fence) -> CheckpointTuple | None:
        """The newest checkpoint of the thread; of several checkpointers, the run's own counts first."""
        config = _config(fence)
        found = [await saver.aget_tuple(config) for saver in await self._bindings.savers()]
        return max(
            (each for each in found if each is not None and _AGENT in each.metadata),
            key=lambda each: (each.metadata.get("run_id") == fence.run_id, each.checkpoint["ts"]),
            default=None,
        )

    async def _state(self, fence: Fence, newest: CheckpointTuple) -> StateSnapshot:
        metadata: Any = newest.metadata
        binding = await self._bindings.get(metadata[_AGENT])
        return await binding.graph.aget_state(_config(fence))


def _input(turn: Turn, graph: Graph) -> dict[str, Any] | Command[Any] | None:
    if turn.text is None:
        # Under the id of a run that it knows, a graph takes no further input: it is sent back instead.
        return Command(goto=READ) if turn.more else None
    given: dict[str, Any] = {"messages": [history.input_message(turn.fence.run_id, turn.text)]}
    if turn.files:
        given["files"] = state_files(turn.files)
    for name, value in (turn.state or {}).items():
        if name in graph.channels and name not in _OWN and not name.startswith(("_", "branch:")):
            given[name] = value
        else:
            given.setdefault(history.GIVEN, {})[name] = value
    return given


def _site(turn: Turn) -> CallSite:
    return CallSite(requester=turn.user, channel=turn.channel, agent=turn.agent, usergroups=turn.usergroups)


def _config(fence: Fence, site: CallSite | None = None, company: Company | None = None) -> RunnableConfig:
    configurable: dict[str, Any] = {"thread_id": fence.thread_id, "run_id": fence.run_id, FENCE: fence}
    if site is not None:
        configurable |= {_AGENT: site.agent, SITE: site, COMPANY: company}
    return {
        "configurable": configurable,
        "metadata": {"run_id": fence.run_id},
        "recursion_limit": RECURSION_LIMIT,
    }
