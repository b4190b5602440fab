"""What people write to a run at work: the model reads it in its next call, and it stays in the history.

A message gets into the history together with the answer of the model that read it, in one checkpoint, under an id
that is fixed. A model call that fails or breaks off has read nothing; one that is repeated reads the same again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, NotRequired

from langchain.agents.middleware import AgentMiddleware, AgentState
from langchain.agents.middleware.types import (
    ExtendedModelResponse,
    ModelRequest,
    ModelResponse,
    PrivateStateAttr,
)
from langchain_core.messages import AnyMessage, HumanMessage
from langgraph.config import get_config
from langgraph.types import Command

from harness_core.models import Fence, Steer
from harness_core.runtime.checkpointer import FENCE
from harness_core.store import MessageRepository


class SteeredState(AgentState[Any]):
    """``steered`` names what the history holds of what people wrote to the newest run."""

    steered: NotRequired[Annotated[list[str], PrivateStateAttr]]


class Steering(AgentMiddleware[Any, Any]):
    """Stands outside of whatever repeats model calls. For the graph of a run, not for its subagents."""

    state_schema = SteeredState

    def __init__(self, messages: MessageRepository) -> None:
        super().__init__()
        self._messages = messages

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> ModelResponse[Any] | ExtendedModelResponse[Any]:
        """:raises StaleFence: the lease is gone."""
        fence: Fence | None = get_config().get("configurable", {}).get(FENCE)
        written = await self._messages.written_to(fence) if fence is not None else ()
        if fence is None or not written:
            return await handler(request)
        state: Any = request.state
        held = state.get("steered") or ()
        fresh = [steer for steer in written if steer.message not in held]
        if not fresh:
            return await handler(request)
        said = [_message(fence.run_id, steer) for steer in fresh]
        response = await handler(request.override(messages=[*request.messages, *said]))
        # Told before the checkpoint, so that no tool is asked about before it is known who has asked for it, too.
        await self._messages.mark_read(fence, [steer.message for steer in fresh])
        return _with(response, said, [steer.message for steer in written])


def _with(
    response: ModelResponse[Any], said: Sequence[AnyMessage], held: Sequence[str]
) -> ExtendedModelResponse[Any]:
    answered = ModelResponse(
        result=[*said, *response.result], structured_response=response.structured_response
    )
    return ExtendedModelResponse(model_response=answered, command=Command(update={"steered": list(held)}))


def _message(run_id: str, steer: Steer) -> HumanMessage:
    return HumanMessage(steer.text, id=f"{run_id}:steer:{steer.message}")
