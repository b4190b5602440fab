"""The one way to a tool. Innermost in every graph, so nothing can change a call after it was let through."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware
from langchain.agents.middleware.types import ToolCallRequest
from langchain_core.messages import ToolMessage
from langgraph.errors import GraphBubbleUp

from harness_core.approvals import Effect
from harness_core.errors import HarnessError
from harness_core.policy import Allow
from harness_core.runtime.call_facts import CallFacts, error_message, facts_of
from harness_core.runtime.call_schema import CallSchema
from harness_core.runtime.desk import Desk
from harness_core.runtime.middleware import through
from harness_core.runtime.passing import Handler, Passing
from harness_core.runtime.results import Result, failure, fitted, given_up
from harness_core.runtime.steps import ToolStep
from harness_core.runtime.tools import BoundTool


class ToolGate(AgentMiddleware[Any, Any]):
    """Has each call judged, asks people, keeps the journal, bounds the call in time, turns failures into messages.

    ``limit`` is in seconds. A tool that raises has ended, and so has an idempotent one that took too long; neither
    ends the run. Tools whose effects stay inside the graph pass unrecorded unless a policy says otherwise; those that
    have other agents work take as long as the run may. ``agent`` makes the calls; ``around`` are the layers between it
    and the tools, the outermost first.
    """

    def __init__(
        self,
        tools: Mapping[str, BoundTool],
        desk: Desk,
        *,
        limit: float,
        agent: str = "",
        around: Sequence[AgentMiddleware[Any, Any]] = (),
    ) -> None:
        super().__init__()
        self._around = tuple(around)
        self._tools = dict(tools)
        self._schemas = {name: CallSchema.of(bound.tool) for name, bound in tools.items()}
        self._desk = desk
        self._limit = limit
        self._agent = agent

    async def awrap_tool_call(self, request: ToolCallRequest, handler: Handler) -> Result:
        name = request.tool_call["name"]
        tool = self._tools.get(name)
        handler = through(self._around, handler)
        if tool is not None:
            return await self._known(request, handler, tool)
        if request.tool is None:
            # A name the model made up: without a tool the handler runs nothing and lists the real ones.
            return await handler(request)
        return error_message(request, f"“{name}” is not a tool of this agent, so it did not run.")

    async def _known(self, request: ToolCallRequest, handler: Handler, tool: BoundTool) -> Result:
        schema = self._schemas[tool.name]
        problem = schema.problem(request.tool_call["args"])
        if problem is not None:
            return error_message(request, f"The arguments do not fit, so it did not run: {problem}")
        facts = facts_of(request, tool, schema, acting=self._agent)
        if tool.effect is Effect.NONE:
            verdict = self._desk.judge(tool, facts.arguments, facts.site)
            if isinstance(verdict, Allow):
                return await self._inside(request, handler, facts)
        passing = Passing(request, handler, facts, self._desk, self._limit)
        while True:
            result = await passing.advance()
            if result is not None:
                return result

    async def _inside(self, request: ToolCallRequest, handler: Handler, facts: CallFacts) -> Result:
        tool, call, arguments = facts.tool, facts.call, request.tool_call["args"]
        label, say = tool.label(arguments), request.runtime.stream_writer
        say(ToolStep(call=call, label=label, effect=tool.effect, phase="started"))
        try:
            async with asyncio.timeout(None if tool.delegates else self._limit) as limit:
                result = fitted(await handler(request), tool, arguments)
        except (GraphBubbleUp, HarnessError):
            raise
        except Exception as error:  # noqa: BLE001  # whatever a tool raises is for the model to read
            late = limit.expired()
            said = given_up(tool, arguments, self._limit) if late else failure(error, tool, arguments)
            result = error_message(request, said)
        result = await self._desk.shortened(facts.fence, facts.key, result)
        ok = not (isinstance(result, ToolMessage) and result.status == "error")
        say(ToolStep(call=call, label=label, effect=tool.effect, phase="completed", ok=ok))
        return result
