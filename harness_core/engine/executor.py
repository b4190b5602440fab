"""Executes one run that this process holds, from its claim to exactly one ending."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from harness_core.engine.answer import Answer
from harness_core.engine.company import Admission, GroupsOf, RunCompany
from harness_core.engine.endings import Cancelled, Completed, Ending, Failed, HandedOver, Lost, Parked
from harness_core.engine.held import HeldRun
from harness_core.engine.journal import EventWriter, RunJournal
from harness_core.engine.recovery import Conclude, Continue, GiveUp, Start, plan
from harness_core.engine.story import Story, Way
from harness_core.errors import (
    IllegalTransition,
    PolicyBlocked,
    StaleFence,
    StopRequested,
    StoreError,
    StoreUnavailable,
    UnreadMessages,
)
from harness_core.events import (
    Payload,
    RunCancelled,
    RunCompleted,
    RunFailed,
    SyntheticFallback,
)
from harness_core.models import NOT_DELIVERED, UNDELIVERABLE, Claim
from harness_core.routing import Request, choose_agent
from harness_core.runtime import (
    AgentRuntime,
    render_runtime_failure,
)
from harness_core.states import RunState
from harness_core.store import Store
from harness_core.workspace import Workspace

log = logging.getLogger(__name__)

T = TypeVar("T")

RETRY = 0.2
"""Seconds between two attempts to write an ending while Redis is away; the lease bounds how many."""

FOREIGN = "A tool asked a question of its own, which nobody could be shown. Ask an admin to look at the tool."
CHANGED = "The configuration changed while this run was interrupted, so it was not continued. Press Retry to start it anew."


class Executor:
    """Runs agents. Holds no state of a run beyond the call that executes it."""

    def __init__(
        self,
        store: Store,
        writer: EventWriter,
        *,
        admission: Admission | None,
        groups_of: GroupsOf | None,
        started: int,
    ) -> None:
        self._store = store
        self._writer = writer
        self._admission = admission
        self._groups_of = groups_of
        self._started = started

    async def execute(self, held: HeldRun, runtime: AgentRuntime, workspace: Workspace) -> None:
        """Brings the run to an ending, or lets go of it silently when it is no longer ours."""
        journal = self._writer.open(held.claim.fence, held.cancel)
        company = RunCompany(held.claim.run, workspace, admission=self._admission, groups_of=self._groups_of)
        story = Story(held.claim, journal, runtime, workspace, company)
        run_id = held.claim.run.run_id
        held.is_delicate = lambda: runtime.is_delicate(run_id) or not runtime.outlives(story.agent)
        try:
            ending = await self._until_it_ends(held, story, self._begin)
            held.settle()
            while not await self._write(story, ending):
                held.unsettle()
                ending = await self._until_it_ends(held, story, self._read_on)
                held.settle()
        except StaleFence:
            log.warning("lease_lost", extra={"run_id": held.claim.run.run_id})
        except asyncio.CancelledError:
            if not isinstance(held.stopped_by, Lost):
                raise
            log.warning("lease_lost", extra={"run_id": held.claim.run.run_id})
        finally:
            self._writer.close(journal)

    async def let_go(self, held: HeldRun) -> None:
        """Does what was asked of a run that waited for its agents, and was cancelled for it."""
        _take_back_cancellation()
        claim = held.claim
        with contextlib.suppress(StaleFence):
            match held.stopped_by:
                case HandedOver():
                    await self._persistently(lambda: self._store.runs.release(claim.fence))
                case Cancelled(by=by):
                    state, payload, reason = await self._stopped(claim, by)
                    await self._finish(claim, state, payload, reason=reason)

    async def _until_it_ends(
        self, held: HeldRun, story: Story, work: Callable[[Story], Awaitable[Ending]]
    ) -> Ending:
        claim = held.claim
        if claim.run.cancelled_by is not None:
            return Cancelled(by=claim.run.cancelled_by)
        try:
            return await work(story)
        except asyncio.CancelledError:
            if held.stopped_by is None:
                raise
            _take_back_cancellation()
            return held.stopped_by
        except StopRequested as stop:
            return Cancelled(by=stop.by)
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

    async def _begin(self, story: Story) -> Ending:
        run = story.claim.run
        if run.workspace is None and (refusal := await story.company.refusal(run.user)) is not None:
            raise PolicyBlocked([refusal])
        return await self._tell(story)

    async def _read_on(self, story: Story) -> Ending:
        """After its end was refused, because somebody wrote to the run in the last moment."""
        return await self._converse(story, None)

    async def _tell(self, story: Story) -> Ending:
        run = story.claim.run
        story.asked = await self._store.runs.load_input(run.run_id)
        story.usergroups = await story.company.groups_of(run.user)
        if run.workspace is None:
            await self._route(story)
        elif run.workspace != story.runtime.digest(run.agent or ""):
            return Failed(reason="configuration_changed", message=CHANGED)
        if not story.claim.taken_over:
            return await self._converse(story, "begin")
        way, resumed = await plan(
            story.claim,
            story.runtime,
            self._store.calls,
            now=await self._store.now(),
            started=self._started,
        )
        story.journal.add(resumed)
        match way:
            case Start():
                return await self._converse(story, "begin")
            case GiveUp(tools=tools):
                return Failed(reason="cannot_continue", message=_cannot_continue(tools, run.run_id))
            case Continue(text=text):
                story.answer = Answer(text)
                return await self._converse(story, "go on")
            case Conclude(text=text):
                story.answer = Answer(text)
                return await self._converse(story, None)

    async def _converse(self, story: Story, way: Way | None) -> Ending:
        """Executes until the graph is done or waits for people; what they decide or write meanwhile is taken up.

        ``way`` None: the graph is done already.
        """
        while True:
            match "done" if way is None else await story.stream(way):
                case "done":
                    if not await story.reads_on(await self._store.messages.written_to(story.claim.fence)):
                        return story.conclusion()
                    way = "read on"
                    continue
                case "foreign":
                    return Failed(reason="foreign_question", message=FOREIGN, output=story.answer.text)
            await story.journal.flush()
            parked = await self._persistently(lambda: self._store.runs.park(story.claim.fence))
            match parked.outcome:
                case "waiting":
                    return Parked()
                case "cancelled":
                    return Cancelled(by=parked.by)
            way = "go on"

    async def _route(self, story: Story) -> None:
        run = story.claim.run
        request = Request(
            explicit=run.agent,
            thread_agent=await self._store.threads.agent_of(run.tenant, run.conversation),
            channel=run.channel,
            text=story.asked.text,
        )
        chosen = await choose_agent(story.workspace, request, story.runtime.route)
        story.agent = story.company.agent = chosen.agent
        await self._store.runs.route(
            story.claim.fence, chosen.agent, chosen.step, story.runtime.digest(chosen.agent)
        )
        reasons = await story.company.reasons(run.user)
        if reasons:
            raise PolicyBlocked(reasons)

    async def _write(self, story: Story, ending: Ending) -> bool:
        """Whether the ending stands; False: somebody wrote to the run, and it has to read that first."""
        claim, journal = story.claim, story.journal
        match ending:
            case Lost():
                log.warning("lease_lost", extra={"run_id": claim.run.run_id})
            case Parked():
                pass
            case HandedOver():
                await self._persistently(lambda: self._hand_over(claim, journal))
            case Completed(output=output, synthetic=synthetic):
                if synthetic:
                    journal.add(SyntheticFallback(text=output))
                await journal.flush()
                return await self._complete(story, output)
            case Failed(reason=reason, message=message, output=output):
                await journal.flush()
                touched = await self._touched(claim)
                payload = RunFailed(reason=reason, message=message, output=output, **touched)
                await self._finish(claim, RunState.FAILED, payload, reason=reason, output=output or None)
            case Cancelled(by=by):
                await journal.flush()
                state, payload_of_stop, reason = await self._stopped(claim, by)
                await self._finish(claim, state, payload_of_stop, reason=reason)
        return True

    async def _complete(self, story: Story, output: str) -> bool:
        try:
            await self._finish(
                story.claim,
                RunState.COMPLETED,
                RunCompleted(output=output),
                output=output,
                leave_unread=story.leave_unread,
            )
        except UnreadMessages:
            return False
        return True

    async def _stopped(self, claim: Claim, by: str) -> tuple[RunState, Payload, str]:
        """How a run ends that was asked to stop: where nobody could be told of it, it failed."""
        touched = await self._touched(claim)
        if by == UNDELIVERABLE:
            failed = RunFailed(reason=UNDELIVERABLE, message=NOT_DELIVERED, output="", **touched)
            return RunState.FAILED, failed, UNDELIVERABLE
        return RunState.CANCELLED, RunCancelled(by=by, **touched), "cancelled"

    async def _touched(self, claim: Claim) -> dict[str, int]:
        """What the journal says the run did; nothing where it cannot be read, since an ending must be written."""
        try:
            found = await self._store.calls.touched(claim.run.tenant, claim.run.run_id)
        except StoreError:
            return {}
        return {"ran": found.ran, "unsure": found.unsure}

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
        leave_unread: bool = False,
    ) -> None:
        async def once() -> None:
            stopper = await self._store.runs.finish(
                claim.fence, state, payload, reason=reason, output=output, leave_unread=leave_unread
            )
            if stopper is not None:
                stopped, told, why = await self._stopped(claim, stopper)
                await self._store.runs.finish(claim.fence, stopped, told, reason=why, output=output)

        try:
            await self._persistently(once)
        except IllegalTransition as error:
            log.warning("ending not written: %s", error, extra={"run_id": claim.run.run_id})

    async def _persistently(self, write: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await write()
            except StoreUnavailable:
                await asyncio.sleep(RETRY)


def _cannot_continue(tools: tuple[str, ...], run_id: str) -> str:
    named = ", ".join(f"“{tool}”" for tool in tools)
    return (
        f"This run was interrupted, and its agent keeps no checkpoint to go on from. {named} ran or may have run, so "
        f"it was not started anew. Look what has happened before you press Retry. Run {run_id}."
    )


def _take_back_cancellation() -> None:
    task = asyncio.current_task()
    while task is not None and task.cancelling():
        task.uncancel()
