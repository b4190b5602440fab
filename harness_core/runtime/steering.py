"""What people write to a run at work: it gets into the history before the next model call, and the model reads it.

Only those who might have started the run are read; what others write becomes a run of its own, which is refused.
It passes whatever else looks at messages before the model does. The ids are fixed, and the checkpoint says which of
them it holds, so a crash at any point repeats nothing and loses nothing. Read is what a model has answered to;
from the moment it is told, nobody can take a message back unnoticed, and who wrote it has asked for what it does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any, NotRequired

from langchain.agents.middleware import AgentMiddleware, AgentState
from langchain.agents.middleware.types import ModelRequest, ModelResponse, PrivateStateAttr
from langchain_core.messages import HumanMessage
from langgraph.config import get_config
from langgraph.runtime import Runtime

from harness_core.models import Fence, Steer
from harness_core.runtime.checkpointer import FENCE
from harness_core.runtime.company import COMPANY, Company
from harness_core.store import MessageRepository


class SteeredState(AgentState[Any]):
    """``steered`` names what the history holds of what people wrote to the newest run."""

    steered: NotRequired[Annotated[list[str], PrivateStateAttr]]


class Steering(AgentMiddleware[Any, Any]):
    """The outermost of the graph of a run; its subagents have none."""

    state_schema = SteeredState

    def __init__(self, messages: MessageRepository) -> None:
        super().__init__()
        self._messages = messages

    async def abefore_model(self, state: Any, runtime: Runtime[Any]) -> dict[str, Any] | None:  # noqa: ARG002  # the base class's
        fence, company = _who()
        held = list(state.get("steered") or ())
        written = await self._messages.written_to(fence) if fence is not None else []
        if company is not None:
            written = [each for each in written if await company.admits(each.user)]
        if fence is None:
            return None
        taken = await self._taken(fence, written)
        ids = [each.message for each in taken]
        fresh = [_message(fence.run_id, each) for each in taken if each.message not in held]
        return None if ids == held else {"messages": fresh, "steered": ids}

    async def _taken(self, fence: Fence, written: Sequence[Steer]) -> list[Steer]:
        """As they are when the model is about to be told them, which may be another text, or gone."""
        unread = [each.message for each in written if not each.read]
        texts = await self._messages.take(fence, unread) if unread else {}
        return [
            each if each.read else replace(each, text=texts[each.message])
            for each in written
            if each.read or each.message in texts
        ]

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> ModelResponse[Any]:
        """:raises StaleFence: the lease is gone."""
        response = await handler(request)
        state: Any = request.state
        (fence, _), held = _who(), state.get("steered")
        if fence is not None and held:
            # Before its answer is kept, so that no tool is asked about before it is known who else has asked for it.
            await self._messages.mark_read(fence, held)
        return response


READ = f"{Steering.__name__}.before_model"
"""The node of a graph at which it reads what people wrote."""


def _who() -> tuple[Fence | None, Company | None]:
    configurable = get_config().get("configurable", {})
    return configurable.get(FENCE), configurable.get(COMPANY)


def _message(run_id: str, steer: Steer) -> HumanMessage:
    return HumanMessage(steer.text, id=f"{run_id}:steer:{steer.message}")
