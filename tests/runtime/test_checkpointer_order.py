"""The newest checkpoint is the one that was written last, whatever the clocks of the workers say."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import id as checkpoint_ids
from langgraph.graph import START, MessagesState, StateGraph

from harness_core.runtime import FencedSaver
from harness_core.runtime.history import HistoryState
from harness_core.store import Seal, Store

THREAD: RunnableConfig = {"configurable": {"thread_id": "t"}}

ClockBehind = Callable[[float], None]


@pytest.fixture
def saver(store: Store, seal: Seal) -> FencedSaver:
    return FencedSaver(store.checkpoints, seal, require_fence=False)


@pytest.fixture
def clock_behind(monkeypatch: pytest.MonkeyPatch) -> ClockBehind:
    """Makes checkpoints from here on as a process does whose clock is so many seconds behind."""

    def set_back(seconds: float) -> None:
        late = SimpleNamespace(time_ns=lambda: time.time_ns() - int(seconds * 1e9))
        monkeypatch.setattr(checkpoint_ids, "time", late)
        monkeypatch.setattr(checkpoint_ids, "_last_v6_timestamp", None)

    return set_back


def graph(saver: FencedSaver, state: Any) -> Any:
    def answer(given: dict[str, Any]) -> dict[str, Any]:
        return {"messages": [AIMessage(f"heard {given['messages'][-1].text}")]}

    builder: Any = StateGraph(state)
    builder.add_node("model", answer)
    builder.add_edge(START, "model")
    return builder.compile(checkpointer=saver)


async def say(agent: Any, text: str) -> list[str]:
    state = await agent.ainvoke({"messages": [HumanMessage(text)]}, THREAD, durability="sync")
    return [message.text for message in state["messages"]]


@pytest.mark.parametrize("state", [MessagesState, HistoryState])
async def test_a_worker_whose_clock_is_behind_goes_on_where_the_other_one_stopped(
    saver: FencedSaver, clock_behind: ClockBehind, state: Any
) -> None:
    agent = graph(saver, state)
    await say(agent, "one")
    clock_behind(30)
    await say(agent, "two")
    clock_behind(60)
    assert await say(agent, "three") == ["one", "heard one", "two", "heard two", "three", "heard three"]

    history = [found async for found in saver.alist(THREAD)]
    parents = [found.parent_config for found in history]
    assert [found.config for found in history[1:]] == parents[:-1]
    older = [found.config async for found in saver.alist(THREAD, before=history[2].config, limit=2)]
    assert older == [found.config for found in history[3:5]]


async def test_pruning_keeps_what_was_written_last(saver: FencedSaver, clock_behind: ClockBehind) -> None:
    agent = graph(saver, HistoryState)
    await say(agent, "one")
    clock_behind(30)
    await say(agent, "two")
    await saver.prune_thread("t", keep=1)
    assert await say(agent, "three") == ["one", "heard one", "two", "heard two", "three", "heard three"]
    await saver.acopy_thread("t", "copy")
    assert [
        found.checkpoint["id"] async for found in saver.alist({"configurable": {"thread_id": "copy"}})
    ] == [found.checkpoint["id"] async for found in saver.alist(THREAD)]
