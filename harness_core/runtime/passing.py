"""One call on its way through the gate: judged, asked about, run and written down.

Every pass reads the journal first: the node of a call runs from its first line again after each wait and after a
crash, and what was judged, approved or done before must not be so anew. What ``interrupt()`` returns is never
used: people's answers are in the store alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from langchain.agents.middleware.types import ToolCallRequest
from langchain_core.messages import ToolMessage
from langgraph.errors import GraphBubbleUp
from langgraph.types import interrupt

from harness_core.approvals import Call, Effect
from harness_core.arguments import call_digest, shown_arguments
from harness_core.errors import HarnessError, StaleFence, StopRequested
from harness_core.policy import Allow, Ask, Deny
from harness_core.preview import preview
from harness_core.runtime.call_facts import CallFacts, error_message
from harness_core.runtime.desk import Desk
from harness_core.runtime.passage import (
    AskAgain,
    Conclude,
    Doubt,
    Judge,
    Refuse,
    Replay,
    Run,
    Wait,
    next_step,
)
from harness_core.runtime.questions import question
from harness_core.runtime.results import Result, Unkeepable, failure, fitted, given_up, pack, prefixed, unpack
from harness_core.runtime.steps import CallRefused, GraphNews, ToolStep
from harness_core.runtime.tools import serving
from harness_core.store import Question, Standing
from harness_core.tool_call import OutcomeUnknown, ToolCall

log = logging.getLogger(__name__)

QUESTION = "approval"
"""The key of an interrupt's value that names the question, and marks it as one of the gate's."""

CHANGED = "What was approved is not what would run now, so it did not run. Ask for it again."

Handler = Callable[[ToolCallRequest], Awaitable[Result]]


class Passing:
    """One call on its way through the gate."""

    def __init__(
        self, request: ToolCallRequest, handler: Handler, facts: CallFacts, desk: Desk, limit: float
    ) -> None:
        self._request = request
        self._handler = handler
        self._facts = facts
        self._desk = desk
        self._limit = limit

    async def advance(self) -> Result | None:
        """Does the next thing; the result once there is one."""
        facts = self._facts
        standing = await self._desk.journal.standing(facts.fence, facts.key)
        match next_step(standing):
            case Judge():
                await self._open(standing)
            case AskAgain():
                return await self._ask_again(standing)
            case Doubt(number=number):
                await self._doubt(standing, number)
            case Wait(approval_id=approval_id):
                interrupt({QUESTION: approval_id})
            case Replay(result=stored):
                return self._error("It ended before.") if stored is None else self._mine(unpack(stored))
            case Refuse(why=why):
                return await self._conclude(self._error(why), ok=False, outcome="refused")
            case Conclude(text=text, outcome=outcome, ok=ok):
                said = self._message(text) if ok else self._error(text)
                return await self._conclude(said, ok=ok, outcome=outcome)
            case Run() as run:
                return await self._run(standing, run)
        return None

    async def _open(self, standing: Standing) -> None:
        """Records the verdict, with the question where people decide."""
        facts = await self._facts.as_asked(standing.requesters)
        match self._desk.judge(facts.tool, facts.arguments, facts.site):
            case Allow():
                await self._record("allow", self._digest())
            case Deny(reason=reason):
                await self._record("deny", self._digest(), note=self._refusal(facts, reason))
            case Ask() as ask:
                await self._ask(facts, standing, ask)

    async def _ask_again(self, standing: Standing) -> Result | None:
        """That people have to decide was settled before: who would let it pass by now only says whom to ask."""
        facts = await self._facts.as_asked(standing.requesters)
        match self._desk.judge(facts.tool, facts.arguments, facts.site):
            case Allow():
                ask = self._desk.ask_about_outcome(facts.tool, facts.site)
                await self._ask(facts, standing, replace(ask, offer=None))
            case Deny(reason=reason):
                why = self._refusal(facts, reason)
                return await self._conclude(self._error(why), ok=False, outcome="refused")
            case Ask() as ask:
                await self._ask(facts, standing, ask)
        return None

    async def _ask(self, facts: CallFacts, standing: Standing, ask: Ask) -> None:
        stands_for = self._digest(policy=ask.digest)
        workspace = self._desk.digest(facts.site.agent) if ask.offer is not None else ""
        about = question(
            facts, ask, stands_for=stands_for, pause=standing.pause,
            preview=await preview(facts.tool.spec, facts.arguments), workspace=workspace,
        )  # fmt: skip
        await self._record("ask", stands_for, asking=about)

    def _refusal(self, facts: CallFacts, reason: str) -> str:
        """What the model reads about it; people are told at once."""
        why = f"{reason} Run {facts.fence.run_id}."
        title = facts.tool.title(facts.arguments)
        self._say(CallRefused(call=facts.call, tool=facts.tool.spec.name, title=title, message=why))
        return why

    async def _doubt(self, standing: Standing, number: int) -> None:
        facts, approval = await self._facts.as_asked(standing.requesters), standing.approval
        arguments = facts.arguments if approval is None else dict(approval.asked.arguments)
        ask = self._desk.ask_about_outcome(facts.tool, facts.site)
        stands_for = self._digest(arguments, policy=ask.digest)
        about = question(
            facts, ask, stands_for=stands_for, pause=standing.pause, preview=None, doubt=number, arguments=arguments
        )  # fmt: skip
        await self._record("allow", stands_for, asking=about)

    async def _record(
        self, verdict: str, asked: str, *, note: str = "", asking: Question | None = None
    ) -> None:
        call = Call(
            key=self._facts.key,
            run_id=self._facts.fence.run_id,
            tool=self._facts.tool.spec.name,
            # What stays inside the graph may be asked about, too; done again, it does no harm.
            effect=Effect.ONCE if self._facts.tool.effect is Effect.ONCE else Effect.IDEMPOTENT,
            verdict="ask" if verdict == "ask" else "deny" if verdict == "deny" else "allow",
            state="opened",
            asked=asked,
            note=note,
        )
        await self._desk.journal.open(self._facts.fence, call, asking)

    async def _run(self, standing: Standing, run: Run) -> Result | None:
        facts = self._facts
        allowing = standing.approval or standing.granted
        policy = allowing.policy if allowing is not None else ""
        arguments = facts.arguments if run.arguments is None else dict(run.arguments)
        started = await self._desk.journal.start(
            facts.fence,
            facts.key,
            asked=self._digest(policy=policy),
            running=self._digest(arguments, policy=policy),
        )
        match started:
            case "done" | "unsure" | "ungranted":
                return None  # the journal has moved on meanwhile: read it again
            case "changed" | "unapproved":
                # Never in the course of things: somebody or something changed what was shown to people.
                log.error(
                    "call_%s", started, extra={"run_id": facts.fence.run_id, "tool": facts.tool.spec.name}
                )
                return await self._conclude(self._error(CHANGED), ok=False, outcome="refused")
            case _:
                return await self._serve(arguments, run)

    async def _serve(self, arguments: dict[str, Any], run: Run) -> Result | None:
        """Runs the tool; None when it was given up and may have happened."""
        tool, label = self._facts.tool, self._facts.tool.label(arguments)
        self._say(ToolStep(call=self._facts.call, label=label, effect=tool.effect, phase="started"))
        try:
            async with asyncio.timeout(None if tool.delegates else self._limit) as limit:
                result = fitted(await self._call(arguments), tool, arguments)
        except (GraphBubbleUp, StaleFence, StopRequested):
            raise
        except OutcomeUnknown as error:
            if tool.effect is Effect.ONCE:
                return None
            result = self._error(failure(error, tool, arguments))
        except Exception as error:  # whatever a tool raises is for the model to read
            if tool.stays_inside and isinstance(error, HarnessError):
                raise  # it is about the run: a subagent lost its lease, or a call of it may have happened
            if not limit.expired():
                result = self._error(failure(error, tool, arguments))
            elif tool.effect is Effect.ONCE:
                return None
            else:
                result = self._error(given_up(tool, arguments, self._limit))
        result = await self._desk.shortened(self._facts.fence, self._facts.key, result)
        if run.edited_by is not None:
            shown = shown_arguments(arguments, tool.spec.secret_arguments)
            result = prefixed(
                result, f"[A person changed the arguments before approving. It ran with {shown}]"
            )
        ok = not (isinstance(result, ToolMessage) and result.status == "error")
        concluded = await self._conclude(result, ok=ok, outcome="ran" if ok else "failed")
        self._say(ToolStep(call=self._facts.call, label=label, effect=tool.effect, phase="completed", ok=ok))
        return concluded

    async def _call(self, arguments: dict[str, Any]) -> Result:
        call: Any = {**self._request.tool_call, "args": arguments}
        facts = self._facts
        known = ToolCall(key=facts.key, run_id=facts.fence.run_id, requester=facts.site.requester)
        with serving(known):
            if facts.tool.effect is not Effect.ONCE:
                return await self._handler(self._request.override(tool_call=call))
            with self._desk.delicate(facts.fence.run_id):
                return await self._handler(self._request.override(tool_call=call))

    async def _conclude(self, result: Result, *, ok: bool, outcome: Any) -> Result:
        try:
            kept = pack(result)
        except Unkeepable as error:
            result = self._error(f"It ran, but its result cannot be kept: {error}")
            ok, kept = False, pack(result)
        facts = self._facts
        await self._desk.journal.done(facts.fence, facts.key, ok=ok, result=kept, outcome=outcome)
        return result

    def _digest(self, arguments: Mapping[str, Any] | None = None, *, policy: str = "") -> str:
        facts = self._facts
        return call_digest(
            tool=facts.tool.spec.name,
            version=facts.schema.version,
            arguments=facts.arguments if arguments is None else arguments,
            policy=policy,
            run=facts.fence.run_id,
            call=facts.key,
        )

    def _mine(self, result: Result) -> Result:
        """A stored result under the id of this call, which is the same unless a model repeats itself."""
        if isinstance(result, ToolMessage):
            return result.model_copy(update={"tool_call_id": self._facts.call})
        return result

    def _message(self, text: str) -> ToolMessage:
        return ToolMessage(text, name=self._request.tool_call["name"], tool_call_id=self._facts.call)

    def _error(self, text: str) -> ToolMessage:
        return error_message(self._request, text)

    def _say(self, news: GraphNews) -> None:
        self._request.runtime.stream_writer(news)
