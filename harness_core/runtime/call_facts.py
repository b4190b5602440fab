"""What is known of one tool call as it reaches the gate: whose it is, under which key, with which arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from langchain.agents.middleware.types import ToolCallRequest
from langchain_core.messages import AIMessage, AnyMessage, ToolMessage

from harness_core.canonical import canonical_json, digest
from harness_core.errors import HarnessError
from harness_core.models import Fence
from harness_core.policy import Asker, CallSite
from harness_core.redaction import redact
from harness_core.runtime.call_schema import CallSchema
from harness_core.runtime.checkpointer import FENCE
from harness_core.runtime.company import COMPANY, Company
from harness_core.runtime.tools import BoundTool

SITE = "site"
"""The key in a config's ``configurable`` that carries the :class:`~harness_core.policy.CallSite`."""

_REASON = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """One tool call: where it stands, and what the model wants to pass, defaults included."""

    fence: Fence
    site: CallSite
    key: str
    call: str
    tool: BoundTool
    schema: CallSchema
    arguments: dict[str, Any]
    reason: str
    company: Company | None = None

    async def as_asked(self, requesters: Sequence[str]) -> CallFacts:
        """With the others whose request the run is: who retried it, or wrote to it before it made the call."""
        others = [user for user in requesters if user != self.site.requester]
        groups = [await self.company.groups_of(user) if self.company else frozenset() for user in others]
        askers = tuple(map(Asker, others, groups))
        return replace(self, site=replace(self.site, also_asked=askers))


def facts_of(request: ToolCallRequest, tool: BoundTool, schema: CallSchema, *, acting: str) -> CallFacts:
    """:raises HarnessError: the graph runs outside of a run, so nothing could be recorded."""
    configurable = request.runtime.config.get("configurable", {})
    fence, site = configurable.get(FENCE), configurable.get(SITE)
    if not isinstance(fence, Fence) or not isinstance(site, CallSite):
        raise HarnessError("a tool was called outside of a run: without a fence nothing can be recorded")
    call = call_id(request)
    messages = _messages(request.state)
    namespace, _, _ = str(configurable.get("checkpoint_ns", "")).rpartition("|")
    return CallFacts(
        fence=fence,
        site=replace(site, acting=acting),
        key=digest(fence.run_id, namespace, _speaker(messages, call), call),
        call=call,
        tool=tool,
        schema=schema,
        arguments=schema.completed(request.tool_call["args"]),
        reason=_agents_reason(messages, call),
        company=configurable.get(COMPANY),
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


def call_id(request: ToolCallRequest) -> str:
    return request.tool_call["id"] or digest(canonical_json(request.tool_call["args"]))


def error_message(request: ToolCallRequest, text: str) -> ToolMessage:
    return ToolMessage(text, name=request.tool_call["name"], tool_call_id=call_id(request), status="error")


def _agents_reason(messages: Sequence[AnyMessage], call: str) -> str:
    """What the model said in the message that makes this call."""
    for message in reversed(messages):
        if isinstance(message, AIMessage) and any(each["id"] == call for each in message.tool_calls):
            text = redact(" ".join(str(message.text).split()))
            return text if len(text) <= _REASON else f"{text[: _REASON - 1]}…"
    return ""
