"""A turn as a program sees it while it happens: the events of its run, named by what they bring."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from harness_core.events import (
    Event,
    OutputDelta,
    ReasoningDelta,
    StepCompleted,
    StepStarted,
    ToolCalled,
    ToolResult,
)

ItemKind = Literal["event", "content", "reasoning", "step", "tool-call", "tool-result"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamItem:
    """One item of :meth:`Harness.stream_events`. ``text`` is filled for content and reasoning."""

    kind: ItemKind
    event: Event
    text: str = ""


Callback = Callable[[StreamItem], Awaitable[None] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """Callbacks for one call, sync or async. What they raise ends the call, not the run."""

    on_event: Callback | None = None
    on_chunk: Callback | None = None
    on_reasoning: Callback | None = None
    on_step: Callback | None = None
    on_tool_result: Callback | None = None

    async def tell(self, item: StreamItem) -> None:
        """Calls the one that this item is for, and ``on_event`` for every item."""
        chosen: Mapping[ItemKind, Callback | None] = {
            "content": self.on_chunk,
            "reasoning": self.on_reasoning,
            "step": self.on_step,
            "tool-result": self.on_tool_result,
        }
        for callback in (self.on_event, chosen.get(item.kind)):
            if callback is not None:
                answer = callback(item)
                if inspect.isawaitable(answer):
                    await answer


def item_of(event: Event) -> StreamItem:
    """What the event is to a program."""
    match event.payload:
        case OutputDelta(text=text):
            return StreamItem(kind="content", event=event, text=text)
        case ReasoningDelta(text=text):
            return StreamItem(kind="reasoning", event=event, text=text)
        case StepStarted() | StepCompleted():
            return StreamItem(kind="step", event=event)
        case ToolCalled():
            return StreamItem(kind="tool-call", event=event)
        case ToolResult():
            return StreamItem(kind="tool-result", event=event)
        case _:
            return StreamItem(kind="event", event=event)
