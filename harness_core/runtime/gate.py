"""The one way to a tool. Innermost in every graph, so nothing can change a call after it was let through.

Every pass reads the journal first: the node of a call runs from its first line again after each wait and after a
crash, and what was judged, approved or done before must not be so anew. What ``interrupt()`` returns is never
used: people's answers are in the store alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware
from langchain.agents.middleware.types import ToolCallRequest
from langchain_core.messages import AIMessage, ToolMessage
from langgraph.errors import GraphBubbleUp
from langgraph.types import interrupt

from harness_core.approvals import Call, Effect
from harness_core.arguments import call_digest, shown_arguments
from harness_core.canonical import canonical_json, digest
from harness_core.errors import HarnessError
from harness_core.models import Fence
from harness_core.policy import Allow, Ask, CallSite, Deny
from harness_core.preview import preview
from harness_core.runtime.call_schema import CallSchema
from harness_core.runtime.checkpointer import FENCE
from harness_core.runtime.desk import Desk
from harness_core.runtime.middleware import through
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
from harness_core.runtime.questions import CallFacts, agents_reason, as_asked, question
from harness_core.runtime.results import Result, Unkeepable, failure, fitted, pack, prefixed, unpack
from harness_core.runtime.steps import CallRefused, GraphNews, ToolStep
from harness_core.runtime.tools import BoundTool, serving
from harness_core.store import Question, Standing
from harness_core.tool_call import OutcomeUnknown, ToolCall

log = logging.getLogger(__name__)

SITE = "site"
"""The key in a config's ``configurable`` that carries the :class:`~harness_core.policy.CallSite`."""

QUESTION = "approval"
"""The key of an interrupt's value that names the question, and marks it as one of the gate's."""

CHANGED = "What was approved is not what would run now, so it did not run. Ask for it again."

Handler = Callable[[ToolCallRequest], Awaitable[Result]]


class ToolGate(AgentMiddleware[Any, Any]):
    """Has each call judged, asks people, keeps the journal, bounds the call in time, turns failures into messages.

    ``limit`` is in seconds. A tool that raises has ended, and so has an idempotent one that took too long; neither
    ends the run. Tools whose effects stay inside the graph pass unrecorded, and take as long as the run may.
    ``around`` are the layers between it and the tools, the outermost first.
    """

    def __init__(
        self,
        tools: Mapping[str, BoundTool],
        desk: Desk,
        *,
        limit: float,
        around: Sequence[AgentMiddleware[Any, Any]] = (),
    ) -> None:
        super().__init__()
        self._around = tuple(around)
        self._tools = dict(tools)
        self._schemas = {name: CallSchema.of(bound.tool) for name, bound in tools.items()}
        self._desk = desk
        self._limit = limit

    async def awrap_tool_call(self, request: ToolCallRequest, handler: Handler) -> Result:
        name = request.tool_call["name"]
        tool = self._tools.get(name)
        handler = through(self._around, handler)
        if tool is not None and tool.effect is Effect.NONE:
            return await self._inside(request, handler, tool)
        if tool is not None:
            return await self._through(request, handler, tool, self._schemas[name])
        if request.tool is None:
            # A name the model made up: without a tool the handler runs nothing and lists the real ones.
            return await handler(request)
        return _error(request, f"“{name}” is not a tool of this agent, so it did not run.")

    async def _inside(self, request: ToolCallRequest, handler: Handler, tool: BoundTool) -> Result:
        call, arguments = _call_id(request), request.tool_call["args"]
        label, say = tool.label(arguments), request.runtime.stream_writer
        say(ToolStep(call=call, label=label, effect=tool.effect, phase="started"))
        try:
            result = fitted(await handler(request), tool, arguments)
        except (GraphBubbleUp, HarnessError):
            raise
        except Exception as error:  # noqa: BLE001  # whatever a tool raises is for the model to read
            result = _error(request, failure(error, tool, arguments))
        fence = request.runtime.config.get("configurable", {}).get(FENCE)
        if isinstance(fence, Fence):
            result = await self._desk.shortened(fence, digest(call), result)
        ok = not (isinstance(result, ToolMessage) and result.status == "error")
        say(ToolStep(call=call, label=label, effect=tool.effect, phase="completed", ok=ok))
        return result

    async def _through(
        self, request: ToolCallRequest, handler: Handler, tool: BoundTool, schema: CallSchema
    ) -> Result:
        problem = schema.problem(request.tool_call["args"])
        if problem is not None:
            return _error(request, f"The arguments do not fit, so it did not run: {problem}")
        passing = _Passing(request, handler, _facts(request, tool, schema), self._desk, self._limit)
        while True:
            result = await passing.advance()
            if result is not None:
                return result


class _Passing:
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
            case Judge() | AskAgain():
                await self._open(standing)
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
        facts = as_asked(self._facts, standing)
        spec = facts.tool.spec
        match self._desk.judge(spec, facts.arguments, facts.site):
            case Allow():
                await self._record("allow", self._digest())
            case Deny(reason=reason):
                why = f"{reason} Run {facts.fence.run_id}."
                title = facts.tool.title(facts.arguments)
                self._say(CallRefused(call=facts.call, tool=spec.name, title=title, message=why))
                await self._record("deny", self._digest(), note=why)
            case Ask() as ask:
                stands_for = self._digest(policy=ask.digest)
                about = question(
                    facts, ask, stands_for=stands_for, pause=standing.pause,
                    preview=await preview(spec, facts.arguments),
                )  # fmt: skip
                await self._record("ask", stands_for, asking=about)

    async def _doubt(self, standing: Standing, number: int) -> None:
        facts, approval = as_asked(self._facts, standing), standing.approval
        arguments = facts.arguments if approval is None else dict(approval.asked.arguments)
        ask = self._desk.ask_about_outcome(facts.site)
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
            effect=self._facts.tool.effect,
            verdict="ask" if verdict == "ask" else "deny" if verdict == "deny" else "allow",
            state="opened",
            asked=asked,
            note=note,
        )
        await self._desk.journal.open(self._facts.fence, call, asking)

    async def _run(self, standing: Standing, run: Run) -> Result | None:
        facts = self._facts
        policy = standing.approval.policy if standing.approval is not None else ""
        arguments = facts.arguments if run.arguments is None else dict(run.arguments)
        started = await self._desk.journal.start(
            facts.fence,
            facts.key,
            asked=self._digest(policy=policy),
            running=self._digest(arguments, policy=policy),
        )
        match started:
            case "done" | "unsure":
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
            async with asyncio.timeout(self._limit) as limit:
                result = fitted(await self._call(arguments), tool, arguments)
        except GraphBubbleUp:
            raise
        except OutcomeUnknown as error:
            if tool.effect is Effect.ONCE:
                return None
            result = self._error(failure(error, tool, arguments))
        except Exception as error:  # noqa: BLE001  # whatever a tool raises is for the model to read
            if not limit.expired():
                result = self._error(failure(error, tool, arguments))
            elif tool.effect is Effect.ONCE:
                return None
            else:
                title = tool.title(arguments)
                result = self._error(f"“{title}” took longer than {self._limit:g} s and was given up.")
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
        return _error(self._request, text)

    def _say(self, news: GraphNews) -> None:
        self._request.runtime.stream_writer(news)


def _facts(request: ToolCallRequest, tool: BoundTool, schema: CallSchema) -> CallFacts:
    """:raises HarnessError: the graph runs outside of a run, so nothing could be recorded."""
    configurable = request.runtime.config.get("configurable", {})
    fence, site = configurable.get(FENCE), configurable.get(SITE)
    if not isinstance(fence, Fence) or not isinstance(site, CallSite):
        raise HarnessError("a tool was called outside of a run: without a fence nothing can be recorded")
    call = _call_id(request)
    messages = _messages(request.state)
    namespace, _, _ = str(configurable.get("checkpoint_ns", "")).rpartition("|")
    return CallFacts(
        fence=fence,
        site=site,
        key=digest(fence.run_id, namespace, _speaker(messages, call), call),
        call=call,
        tool=tool,
        schema=schema,
        arguments=schema.completed(request.tool_call["args"]),
        reason=agents_reason(messages, call),
    )


def _speaker(messages: list[Any], call: str) -> str:
    """The id of the message that makes the call: some models number their calls anew in every message."""
    for message in reversed(messages):
        if isinstance(message, AIMessage) and any(each["id"] == call for each in message.tool_calls):
            return message.id or ""
    return ""


def _messages(state: Any) -> list[Any]:
    found = state.get("messages") if isinstance(state, Mapping) else getattr(state, "messages", None)
    return list(found) if isinstance(found, list | tuple) else []


def _call_id(request: ToolCallRequest) -> str:
    return request.tool_call["id"] or digest(canonical_json(request.tool_call["args"]))


def _error(request: ToolCallRequest, text: str) -> ToolMessage:
    return ToolMessage(text, name=request.tool_call["name"], tool_call_id=_call_id(request), status="error")
