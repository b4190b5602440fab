"""The runtime as the engine sees it: turns in, chunks out, and where a run stands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import langsmith
from langchain_core.runnables import RunnableConfig

from harness_core.models import Fence
from harness_core.policy import CallSite
from harness_core.runtime import history
from harness_core.runtime.bindings import Bindings, engine_saver
from harness_core.runtime.checkpointer import FENCE
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
from harness_core.runtime.desk import Desk
from harness_core.runtime.gate import SITE
from harness_core.runtime.limits import Pace
from harness_core.runtime.stream import MODES, ChunkStream
from harness_core.store import Seal, Store
from harness_core.workspace import Workspace, agent_digest

RECURSION_LIMIT = 200
"""Supersteps of one run: some ninety rounds of model and tools. A graph that goes on longer is going in circles."""

_AGENT = "agent"

langsmith.configure(enabled=False)  # conversations go to no third party, whatever the environment says


class AgentRuntime:
    """The agents of one version of the workspace, over the checkpoints and the journal in the store."""

    def __init__(self, workspace: Workspace, store: Store, seal: Seal) -> None:
        self._workspace = workspace
        self._saver = engine_saver(store.checkpoints, seal)
        self._desk = Desk(workspace, store.calls)
        self._bindings = Bindings(workspace, self._saver, self._desk)

    def digest(self, agent: str) -> str:
        """Stands for everything that says how ``agent`` behaves; see :func:`~harness_core.workspace.agent_digest`.

        :raises UnknownAgent: the workspace has no such agent.
        """
        return agent_digest(self._workspace, agent)

    def is_delicate(self, run_id: str) -> bool:
        """Whether a tool of this run is at work that must not run twice."""
        return self._desk.is_delicate(run_id)

    def hosts(self) -> list[HostBinding]:
        """The agents that conversations can be routed to: those that are nobody's subagent."""
        agents = self._workspace.agents
        inner = {name for agent in agents.values() for name in agent.subagents}
        return [
            HostBinding(agent=name, description=agent.description)
            for name, agent in agents.items()
            if name not in inner
        ]

    async def warm(self) -> None:
        """Builds every agent, so that no run has to wait for imports.

        :raises WorkspaceInvalid: a model or tool cannot be used.
        """
        for name in self._workspace.agents:
            await asyncio.to_thread(self._bindings.__getitem__, name)

    async def stream(self, turn: Turn) -> AsyncGenerator[Chunk, None]:
        """Runs a turn until the graph is done or asks. Closing it early leaves the run resumable.

        :raises UnknownAgent: the workspace has no such agent.
        :raises ModelFailed: the model gave no answer.
        :raises OperationTimeout: stage ``run``, ``model_call`` or ``stream_idle``.
        :raises StaleFence: the lease behind ``turn.fence`` is gone; nothing more was written.
        """
        binding = self._bindings[turn.agent]
        limits = self._workspace.runtime.limits
        pace = Pace(run=limits.run, idle=limits.stream_idle)
        chunks = ChunkStream(binding.tools, pace)
        graph: Any = binding.graph  # its stubs do not know the stream mode "tools"
        parts = graph.astream(
            _input(turn),
            _config(turn.fence, CallSite(requester=turn.user, channel=turn.channel, agent=turn.agent)),
            context=turn.context,
            stream_mode=list(MODES),
            subgraphs=True,
            version="v2",
            durability="sync",
        )
        async with aclosing(parts), aclosing(pace.through(parts)) as paced:
            async for part in paced:
                for chunk in chunks.take(part):
                    yield chunk

    async def position(self, fence: Fence) -> GraphPosition:
        """Where the graph stands with this run, by its newest checkpoint.

        :raises UnknownAgent: the agent that began the run is no longer in the workspace.
        :raises StoreError: the history cannot be read.
        """
        config = _config(fence)
        newest = await self._saver.aget_tuple(config)
        if newest is None or newest.metadata.get("run_id") != fence.run_id:
            return NoCheckpoint()
        metadata: Any = newest.metadata
        state = await self._bindings[metadata[_AGENT]].graph.aget_state(config)
        messages = history.of_run(state.values.get("messages", []), fence.run_id)
        text = history.answer(messages)
        if state.interrupts:
            return Asking(text=text, finished_steps=history.ended_calls(messages))
        # Not `state.next`: it leaves out tasks that ended, also when what follows from them was never stored.
        if not state.tasks:
            return Finished(text=text)
        return Unfinished(text=text, finished_steps=history.ended_calls(messages))


def _input(turn: Turn) -> dict[str, Any] | None:
    if turn.text is None:
        return None
    given: dict[str, Any] = {**(turn.state or {})}
    if turn.files:
        given["files"] = dict(turn.files)
    return {**given, "messages": [history.input_message(turn.fence.run_id, turn.text)]}


def _config(fence: Fence, site: CallSite | None = None) -> RunnableConfig:
    configurable: dict[str, Any] = {"thread_id": fence.thread_id, "run_id": fence.run_id, FENCE: fence}
    if site is not None:
        configurable |= {_AGENT: site.agent, SITE: site}
    return {
        "configurable": configurable,
        "metadata": {"run_id": fence.run_id},
        "recursion_limit": RECURSION_LIMIT,
    }
