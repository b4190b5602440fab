"""The harness as a library: run agents from a program, a test or a terminal, without any front end.

A :class:`Harness` is a worker and a caller in one process. What it accepts goes through the same queue, the
same leases and the same recovery as everything else, so other processes on the same Redis may execute what
this one accepted, and the other way round.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self

from ulid import ULID

from harness_core.approvals import Approval
from harness_core.engine.approvals import Approvals
from harness_core.engine.bus import Listener, Subscription
from harness_core.engine.company import Admission, GroupsOf
from harness_core.engine.control import Control
from harness_core.engine.deletion import Deletion
from harness_core.engine.lifetime import Lifetime
from harness_core.engine.own import Own
from harness_core.engine.settling import DecisionWord, settle
from harness_core.engine.stream_items import Listeners, StreamItem, item_of
from harness_core.engine.taking_in import taken_in
from harness_core.engine.worker import Worker
from harness_core.errors import PolicyBlocked, UnknownAgent
from harness_core.events import RunFailed
from harness_core.models import (
    Acceptance,
    RunInput,
    Submission,
    WhileRunning,
)
from harness_core.states import TERMINAL, RunState
from harness_core.store import PATIENCE, Patience, Store
from harness_core.store.seal import Seal
from harness_core.workspace import WorkspaceHolder

GRACE = 5.0
"""Seconds that runs get to end by themselves when a harness is closed, at most; a fifth of the limit where that is less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """How a run stands when :meth:`Harness.run` returns.

    Where it waits for people, ``approval_id`` is the first open question and ``pending_action_id`` its tool call.
    """

    thread_id: str
    run_id: str
    agent_id: str | None
    state: RunState
    output: str
    approval_id: str | None = None
    pending_action_id: str | None = None


class Harness:
    """Owns a worker for as long as it is open; the store and the workspace belong to the caller.

    Use as ``async with Harness(store, holder, seal=seal) as harness``. ``reads`` (a :class:`Control`) is the
    read side: threads, runs, messages, events; ``approvals`` lists what waits for people, ``deletion``
    removes for good what is stored of a thread, a person or a team. ``folder`` is for
    checkpoints in a file, where the workspace wants them there. While Redis is away, who follows a run waits for
    up to ``patience`` seconds. ``groups_of`` says which groups a person is in: without it, policies about groups admit
    and relax nothing, and refuse where they would restrict. ``admission`` may refuse a person's runs.
    """

    def __init__(
        self,
        store: Store,
        holder: WorkspaceHolder,
        *,
        seal: Seal,
        tenant: str = "local",
        user: str = "local",
        folder: Path | None = None,
        patience: float = PATIENCE,
        admission: Admission | None = None,
        groups_of: GroupsOf | None = None,
    ) -> None:
        self.reads = Control(store)
        self.approvals = Approvals(store, holder)
        self._own = Own(self.reads, self.approvals, tenant)
        self._holder = holder
        self._tenant = tenant
        self._user = user
        self._patience = patience
        self._worker = Worker(
            store, holder, seal=seal, folder=folder, admission=admission, groups_of=groups_of
        )
        self.deletion = Deletion(store, forget=self._worker.runtimes.erase)
        self._lifetime = Lifetime(self._worker)

    async def initialize(self) -> None:
        """Compiles the agents, then starts to work; runs that an earlier process left are recovered. Works once.

        :raises NotOpen: it was opened before.
        :raises WorkspaceInvalid: an agent cannot be built.
        :raises Exception: whatever a model's or tool's package raises while it is loaded.
        """
        await self._lifetime.begin()

    async def close(self, *, limit: float = 25.0) -> None:
        """Waits for running work, up to ``limit`` seconds; what is left is handed over."""
        await self._lifetime.end(limit=limit, grace=min(GRACE, limit / 5))

    stop = close

    async def __aenter__(self) -> Self:
        await self.initialize()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def run(
        self,
        input: str,  # noqa: A002 - the name every agent library gives it
        agent_id: str = "auto",
        thread_id: str | None = None,
        listeners: Listeners | None = None,
        *,
        context: Mapping[str, Any] | None = None,
        state: Mapping[str, Any] | None = None,
        files: Mapping[str, str] | None = None,
    ) -> RunResult:
        """Executes one turn to its end.

        Where the thread is busy, the workspace says what becomes of it (``while_running``): added to the run at work,
        the end of that run is what is returned.

        :raises UnknownAgent: ``agent_id`` is not in the workspace.
        :raises ThreadNotFound: the tenant has no thread ``thread_id``.
        :raises ThreadReplaced: its conversation was begun again in another thread.
        :raises InboxFull: too much waits already.
        :raises PolicyBlocked: the run was refused, with the reasons.
        :raises NotOpen: the harness does not work, or stopped while the run was at work.
        """
        asked = RunInput(text=input, context=context, state=state, files=files)
        run_id = taken_in(await self._submit(asked, agent_id, thread_id))
        return await self._followed(run_id, listeners)

    async def restart_conversation(
        self,
        thread_id: str,
        input: str,  # noqa: A002 - as in `run`
        agent_id: str = "auto",
        listeners: Listeners | None = None,
    ) -> RunResult:
        """Begins the conversation of ``thread_id`` again, with ``input``, in a thread that knows nothing of before.

        What is live of it is stopped. The old thread stays readable. Raises as :meth:`run` does.
        """
        await self._known(agent_id)
        await self._own.thread(thread_id)
        accepted = await self.reads.restart_conversation(
            thread_id,
            RunInput(text=input),
            by=self._user,
            agent=None if agent_id == "auto" else agent_id,
        )
        return await self._followed(taken_in(accepted), listeners)

    async def stream_events(
        self,
        input: str,  # noqa: A002 - as in `run`
        agent_id: str = "auto",
        thread_id: str | None = None,
        *,
        context: Mapping[str, Any] | None = None,
        state: Mapping[str, Any] | None = None,
        files: Mapping[str, str] | None = None,
    ) -> AsyncIterator[StreamItem]:
        """The items of one turn, in order, until it ended. Raises as :meth:`run` does."""
        asked = RunInput(text=input, context=context, state=state, files=files)
        async for item in self._follow(taken_in(await self._submit(asked, agent_id, thread_id))):
            yield item

    async def resume(
        self,
        approval_id: str | None = None,
        *,
        thread_id: str | None = None,
        decision: DecisionWord,
        decided_by: str,
        edited_input: Mapping[str, Any] | None = None,
        reason: str | None = None,
        listeners: Listeners | None = None,
    ) -> RunResult:
        """Decides a question and follows its run to its end, or to the next question.

        ``thread_id`` may stand for the approval where exactly one is open. ``edit`` puts ``edited_input`` in the
        place of the arguments and approves that; ``respond`` gives the model ``reason`` as the tool's answer.

        :raises ApprovalNotFound: there is no such approval, or not exactly one is open in the thread.
        :raises ApprovalAlreadyDecided: somebody was faster; nothing was changed.
        :raises DecisionRefused: it cannot be decided so; nothing was changed.
        """
        approval = await self._own.question(approval_id, thread_id)
        seen = await self._decide(approval, decision, decided_by, edited_input, reason)
        return await self._followed(approval.run_id, listeners, after=seen)

    async def stream_resume(
        self,
        approval_id: str | None = None,
        *,
        thread_id: str | None = None,
        decision: DecisionWord,
        decided_by: str,
        edited_input: Mapping[str, Any] | None = None,
        reason: str | None = None,
    ) -> AsyncIterator[StreamItem]:
        """As :meth:`resume`, the items one by one."""
        approval = await self._own.question(approval_id, thread_id)
        seen = await self._decide(approval, decision, decided_by, edited_input, reason)
        async for item in self._follow(approval.run_id, after=seen):
            yield item

    async def cancel(self, run_id: str, by: str) -> Literal["cancelled", "requested", "finished"]:
        """Stops a run, wherever its worker is.

        :raises RunNotFound: there is no such run.
        """
        await self._own.run(run_id)
        return await self.reads.cancel(run_id, by)

    def subscribe(self, listener: Listener) -> Subscription:
        """Every event of the runs this process executes, in order per run."""
        return self._worker.bus.subscribe(listener)

    async def files(self, thread_id: str) -> Mapping[str, str]:
        """The files of a thread by path: given or written.

        :raises ThreadNotFound: there is no such thread.
        """
        return await self._worker.runtimes.files(await self._own.thread(thread_id))

    def list_host_bindings(self) -> list[tuple[str, str]]:
        """The agents a conversation can be handed to, with what they are for; subagents are not among them."""
        workspace = self._holder.current
        return [(name, workspace.agents[name].description) for name in sorted(workspace.hosts)]

    async def _submit(self, asked: RunInput, agent_id: str, thread_id: str | None) -> Acceptance:
        await self._known(agent_id)
        name = f"direct:{ULID()}"
        conversation = name
        if thread_id is not None:
            conversation = (await self._own.current_thread(thread_id)).conversation
        submission = Submission(
            tenant=self._tenant,
            conversation=conversation,
            user=self._user,
            text=asked.text,
            context=asked.context,
            state=asked.state,
            files=asked.files,
            dedupe=(name,),
            target={},
            agent=None if agent_id == "auto" else agent_id,
            while_running=self._while_running(asked),
        )
        return await self.reads.submit(submission)

    def _while_running(self, asked: RunInput) -> WhileRunning:
        """A run at work takes text; what a caller gives its graph besides needs a run of its own."""
        wanted = self._holder.current.runtime.concurrency.while_running
        more = asked.context is not None or asked.state is not None or asked.files is not None
        return "queue" if more and wanted == "steer" else wanted

    async def _known(self, agent_id: str) -> None:
        """Whoever comes after a reload waits for the agents that it brings."""
        self._lifetime.require()
        await self._worker.runtimes.current()
        known = sorted(self._holder.current.agents)
        if agent_id != "auto" and agent_id not in known:
            raise UnknownAgent(agent_id, known)

    async def _decide(
        self,
        approval: Approval,
        decision: DecisionWord,
        by: str,
        edited_input: Mapping[str, Any] | None,
        reason: str | None,
    ) -> int:
        """Takes the decision; the number of the newest event before it."""
        self._lifetime.require()
        before = (await self.reads.get_run(approval.run_id)).events
        await settle(
            self.approvals, approval, decision, by=by, edited_input=edited_input, reason=reason or ""
        )
        return before

    async def _followed(self, run_id: str, listeners: Listeners | None, *, after: int = 0) -> RunResult:
        async for item in self._follow(run_id, after=after):
            if listeners is not None:
                await listeners.tell(item)
        return await Patience(self._patience)(partial(self._result, run_id))

    async def _follow(self, run_id: str, *, after: int = 0) -> AsyncIterator[StreamItem]:
        async def is_over() -> bool:
            state = (await self.reads.get_run(run_id)).state
            return state in TERMINAL or state is RunState.WAITING

        followed = self.reads.follow(run_id, after=after, patience=self._patience)
        async with aclosing(self._lifetime.through(followed, is_over)) as events:
            async for event in events:
                yield item_of(event)

    async def _result(self, run_id: str) -> RunResult:
        run = await self.reads.get_run(run_id)
        if run.state is RunState.FAILED and run.reason == "policy":
            events = await self.reads.list_events(run.run_id)
            raise PolicyBlocked(
                [each.payload.message for each in events if isinstance(each.payload, RunFailed)]
            )
        waits = [each for each in await self.approvals.of_run(run_id) if each.state == "open"]
        return RunResult(
            thread_id=run.thread_id,
            run_id=run.run_id,
            agent_id=run.agent,
            state=run.state,
            output=await self.reads.output(run.run_id) or "",
            approval_id=waits[0].approval_id if waits else None,
            pending_action_id=waits[0].call if waits else None,
        )
