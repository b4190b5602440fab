"""LangChain's limits on the number of calls, whose last words people get to read."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from langchain.agents.middleware import ModelCallLimitMiddleware, ToolCallLimitMiddleware, hook_config
from langchain.agents.middleware.model_call_limit import ModelCallLimitExceededError
from langchain.agents.middleware.tool_call_limit import ToolCallLimitExceededError
from langchain_core.messages import AIMessage
from langgraph.runtime import Runtime

from harness_core.errors import PolicyBlocked
from harness_core.runtime.steps import Said


class ModelCallLimit(ModelCallLimitMiddleware[Any, Any]):
    """Ends the run in words, or as a policy's refusal."""

    @property
    def name(self) -> str:
        return ModelCallLimitMiddleware.__name__

    @hook_config(can_jump_to=["end"])
    def before_model(self, state: Any, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """:raises PolicyBlocked: the limit is reached, and ``exit_behavior`` is ``error``."""
        try:
            update = super().before_model(state, runtime)
        except ModelCallLimitExceededError as error:
            raise PolicyBlocked([_sentence("model calls", error)]) from error
        return _told(update, runtime)


class ToolCallLimit(ToolCallLimitMiddleware[Any, Any]):
    """Refuses calls beyond the limit, ends the run in words, or as a policy's refusal."""

    @property
    def name(self) -> str:
        base = ToolCallLimitMiddleware.__name__
        return f"{base}[{self.tool_name}]" if self.tool_name else base

    @hook_config(can_jump_to=["end"])
    def after_model(self, state: Any, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """:raises PolicyBlocked: the limit is passed, and ``exit_behavior`` is ``error``."""
        try:
            update = super().after_model(state, runtime)
        except ToolCallLimitExceededError as error:
            what = f"calls of “{self.tool_name}”" if self.tool_name else "tool calls"
            raise PolicyBlocked([_sentence(what, error)]) from error
        except NotImplementedError:
            raise PolicyBlocked([f"The agent reached the limit of calls of “{self.tool_name}”."]) from None
        return _told(update, runtime)


def _sentence(what: str, error: ModelCallLimitExceededError | ToolCallLimitExceededError) -> str:
    of_run = error.run_limit is not None and error.run_count >= error.run_limit
    limit, where = (error.run_limit, "one run") if of_run else (error.thread_limit, "this conversation")
    return f"The agent reached its limit of {limit} {what} in {where}."


def _told(update: dict[str, Any] | None, runtime: Runtime[Any]) -> dict[str, Any] | None:
    """The update itself; what it says in the model's place goes to people as well, since no model streams it."""
    for message in (update or {}).get("messages", ()):
        if isinstance(message, AIMessage):
            message.id = message.id or str(uuid4())
            runtime.stream_writer(Said(message=message.id, text=str(message.text)))
    return update
