"""Executes one run that this process holds, from its claim to exactly one ending."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from harness_core.engine.answer import Answer
from harness_core.engine.endings import Cancelled, Completed, Ending, Failed, HandedOver, Lost
from harness_core.engine.held import HeldRun
from harness_core.engine.journal import EventWriter, RunJournal
from harness_core.engine.recovery import AskPeople, Conclude, Continue, Start, plan
from harness_core.errors import IllegalTransition, PolicyBlocked, StaleFence, StoreUnavailable
from harness_core.events import (
    OutputDelta,
    Payload,
    ReasoningDelta,
    RunCancelled,
    RunCompleted,
    RunFailed,
    StepCompleted,
    StepStarted,
    SyntheticFallback,
    ToolCalled,
    ToolResult,
)
from harness_core.models import Claim, Run, RunInput
from harness_core.routing import Request, select_agent
from harness_core.runtime import (
    AgentRuntime,
    Chunk,
    ContentChunk,
    InterruptChunk,
    ReasoningChunk,
    StepChunk,
    ToolCallChunk,
    ToolResultChunk,
    Turn,
    render_runtime_failure,
    render_tool_failure,
)
from harness_core.states import RunState
from harness_core.store import Store
from harness_core.workspace import Workspace

log = logging.getLogger(__name__)

Admission = Callable[[Run], Awaitable[str | None]]
"""Asked before a run starts; a sentence refuses it, and the person reads that sentence."""

RETRY = 0.2
"""Seconds between two attempts to write an ending while Redis is away; the lease bounds how many."""

NO_APPROVALS = "This run needs a decision, and approvals are not available yet. Nothing was changed."
CHANGED = "The configuration changed while this run was interrupted, so it was not continued. Press Retry to start it anew."


class Executor:
    """Runs agents. Holds no state of a run beyond the call that executes it."""

    def __init__(
        self, store: Store, writer: EventWriter, *, admission: Admission | None, started: int
    ) -> None:
        self._store = store
        self._writer = writer
        self._admission = admission
        self._started = started

    async def execute(self, held: HeldRun, runtime: AgentRuntime, workspace: Workspace) -> None:
        """Brings the run to an ending, or lets go of it silently when it is no longer ours."""
        journal = self._writer.open(held.claim.fence, held.cancel)
        story = _Story(held.claim, journal, runtime, workspace)
        try:
            ending = await self._until_it_ends(held, story)
            held.settle()
            await self._write(held.claim, journal, ending)
        except StaleFence:
            log.warning("lease_lost", extra={"run_id": held.claim.run.run_id})
        except asyncio.CancelledError:
            if not isinstance(held.stopped_by, Lost):
                raise
            log.warning("lease_lost", extra={"run_id": held.claim.run.run_id})
        finally:
            self._writer.close(journal)

    async def _until_it_ends(self, held: HeldRun, story: _Story) -> Ending:
        claim = held.claim
        if claim.run.cancelled_by is not None:
            return Cancelled(by=claim.run.cancelled_by)
        try:
            await self._admit(claim)
            return await self._tell(story)
        except asyncio.CancelledError:
            if held.stopped_by is None:
                raise
            _take_back_cancellation()
            return held.stopped_by
        except StaleFence:
            return Lost()
        except StoreUnavailable as error:
            # The run stays leased until the lease is over, then it is taken over: an attempt is counted,
            # so a store that fails for this run alone cannot keep it going round for ever.
            log.warning("run abandoned, Redis is away: %s", error, extra={"run_id": claim.run.run_id})
            return Lost()
        except Exception as error:
            log.exception("run failed", extra={"run_id": claim.run.run_id})
            reason, message = render_runtime_failure(error, run_id=claim.run.run_id)
            return Failed(reason=reason, message=message, output=story.answer.text)

    async def _admit(self, claim: Claim) -> None:
        if self._admission is None or claim.run.workspace is not None:
            return
        refusal = await self._admission(claim.run)
        if refusal is not None:
            raise PolicyBlocked([refusal])

    async def _tell(self, story: _Story) -> Ending:
        run = story.claim.run
        if run.workspace is None:
            await self._route(story)
        elif run.workspace != story.workspace.digest:
            return Failed(reason="configuration_changed", message=CHANGED)
        asked = await self._store.runs.load_input(run.run_id)
        if not story.claim.taken_over:
            return await story.stream(asked)
        way, resumed = await plan(
            story.claim, story.runtime, now=await self._store.now(), started=self._started
        )
        story.journal.add(resumed)
        match way:
            case Start():
                return await story.stream(asked)
            case Continue(text=text):
                story.answer = Answer(text)
                return await story.stream(asked, resume=True)
            case Conclude(text=text):
                story.answer = Answer(text)
                return story.conclusion()
            case AskPeople():
                return Failed(reason="approvals_unavailable", message=NO_APPROVALS)

    async def _route(self, story: _Story) -> None:
        run = story.claim.run
        asked = await self._store.runs.load_input(run.run_id)
        request = Request(
            explicit=run.agent,
            thread_agent=await self._store.threads.agent_of(run.tenant, run.conversation),
            channel=run.channel,
            text=asked.text,
        )
        chosen = select_agent(story.workspace, request)
        story.agent = chosen.agent
        await self._store.runs.route(story.claim.fence, chosen.agent, chosen.step, story.workspace.digest)

    async def _write(self, claim: Claim, journal: RunJournal, ending: Ending) -> None:
        match ending:
            case Lost():
                log.warning("lease_lost", extra={"run_id": claim.run.run_id})
            case HandedOver():
                await self._persistently(lambda: self._hand_over(claim, journal))
            case Completed(output=output, synthetic=synthetic):
                if synthetic:
                    journal.add(SyntheticFallback(text=output))
                await journal.flush()
                await self._finish(claim, RunState.COMPLETED, RunCompleted(output=output), output=output)
            case Failed(reason=reason, message=message, output=output):
                await journal.flush()
                payload = RunFailed(reason=reason, message=message, output=output)
                await self._finish(claim, RunState.FAILED, payload, reason=reason, output=output or None)
            case Cancelled(by=by):
                await journal.flush()
                await self._finish(claim, RunState.CANCELLED, RunCancelled(by=by), reason="cancelled")

    async def _hand_over(self, claim: Claim, journal: RunJournal) -> None:
        await journal.flush()
        await self._store.runs.release(claim.fence)

    async def _finish(
        self,
        claim: Claim,
        state: RunState,
        payload: Payload,
        *,
        reason: str | None = None,
        output: str | None = None,
    ) -> None:
        async def once() -> None:
            stopper = await self._store.runs.finish(claim.fence, state, payload, reason=reason, output=output)
            if stopper is not None:
                await self._store.runs.finish(
                    claim.fence,
                    RunState.CANCELLED,
                    RunCancelled(by=stopper),
                    reason="cancelled",
                    output=output,
                )

        try:
            await self._persistently(once)
        except IllegalTransition as error:
            log.warning("ending not written: %s", error, extra={"run_id": claim.run.run_id})

    async def _persistently(self, write: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                return await write()
            except StoreUnavailable:
                await asyncio.sleep(RETRY)


class _Story:
    """One execution: the chunks of the runtime become events, the texts become the answer."""

    def __init__(
        self, claim: Claim, journal: RunJournal, runtime: AgentRuntime, workspace: Workspace
    ) -> None:
        self.claim = claim
        self.journal = journal
        self.runtime = runtime
        self.workspace = workspace
        self.agent = claim.run.agent or ""
        self.answer = Answer()
        self._failures: list[str] = []
        self._asked = False

    async def stream(self, asked: RunInput, *, resume: bool = False) -> Ending:
        """Executes to the end of the stream; resumed, the graph goes on from its checkpoint without the text.

        The context is given again either way: checkpoints do not hold it.
        """
        turn = Turn(
            fence=self.claim.fence,
            agent=self.agent,
            user=self.claim.run.user,
            text=None if resume else asked.text,
            context=asked.context,
            state=None if resume else asked.state,
            files=None if resume else asked.files,
        )
        async for chunk in self.runtime.stream(turn):
            self._take(chunk)
        if self._asked:
            return Failed(reason="approvals_unavailable", message=NO_APPROVALS, output=self.answer.text)
        return self.conclusion()

    def conclusion(self) -> Completed:
        """The answer; where the model gave none, what failed, or that there is none."""
        if self.answer.text:
            return Completed(output=self.answer.text)
        text = "\n".join(self._failures) or "The agent ended without an answer."
        return Completed(output=text, synthetic=True)

    def _take(self, chunk: Chunk) -> None:
        add = self.journal.add
        match chunk:
            case ContentChunk(text=text, message=message):
                self.answer.add(text, message)
                add(OutputDelta(text=text, message=message))
            case ReasoningChunk(text=text, message=message):
                add(ReasoningDelta(text=text, message=message))
            case StepChunk(step=step, phase="started", label=label, kind=kind):
                add(StepStarted(step=step, label=label, kind=kind))
            case StepChunk(step=step, ok=ok):
                add(StepCompleted(step=step, ok=ok))
            case ToolCallChunk(call=call, tool=tool, label=label, arguments=arguments):
                add(ToolCalled(call=call, tool=tool, label=label, arguments=arguments))
            case ToolResultChunk(call=call, tool=tool, output=output, is_error=is_error):
                if is_error:
                    self._failures.append(render_tool_failure(tool, output, run_id=self.claim.run.run_id))
                add(ToolResult(call=call, tool=tool, output=output, is_error=is_error))
            case InterruptChunk():
                self._asked = True


def _take_back_cancellation() -> None:
    task = asyncio.current_task()
    while task is not None and task.cancelling():
        task.uncancel()
