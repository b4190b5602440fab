"""Histories kept as deltas: they grow evenly, fork cleanly, and survive pruning, copying and deleting."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES

from harness_core.errors import StoreError
from harness_core.runtime import FencedSaver
from harness_core.runtime.checkpointer.snapshots import SEGMENT, is_segment
from harness_core.runtime.demo import DemoChatModel
from harness_core.runtime.history import HistoryState
from harness_core.store import CheckpointRepository, Removed, Seal, Store, WriteRow

UPDATES_PER_SNAPSHOT = 50
UPDATES_PER_TURN = 2  # the input, the answer


class Counting(CheckpointRepository):
    """A repository that adds up what it is given to write."""

    written = 0

    async def put(self, *args: Any, header: bytes, blobs: Any, **kwargs: Any) -> None:
        self.written += len(header) + sum(map(len, blobs.values()))
        await super().put(*args, header=header, blobs=blobs, **kwargs)

    async def put_writes(
        self, thread_id: str, ns: str, checkpoint_id: str, writes: Sequence[WriteRow], fence: Any
    ) -> None:
        self.written += sum(len(row.value) + len(row.field) for row in writes)
        await super().put_writes(thread_id, ns, checkpoint_id, writes, fence)


@pytest.fixture
def counting(store: Store) -> Counting:
    return Counting(store.client, store.checkpoints._scripts)


@pytest.fixture
def saver(counting: Counting, seal: Seal) -> FencedSaver:
    return FencedSaver(counting, seal, require_fence=False)


def agent_graph(saver: BaseCheckpointSaver[Any]) -> Any:
    return create_agent(DemoChatModel(delay=0), [], state_schema=HistoryState, checkpointer=saver)


def graph(saver: BaseCheckpointSaver[Any]) -> Any:
    """The state of a real agent behind one quick node."""

    def answer(state: dict[str, Any]) -> dict[str, Any]:
        return {"messages": [AIMessage(state["messages"][-1].text[5:-1])]}

    builder: Any = StateGraph(HistoryState)
    builder.add_node("model", answer)
    builder.add_edge(START, "model")
    return builder.compile(checkpointer=saver)


def config(thread_id: str = "t", **more: Any) -> RunnableConfig:
    return {"configurable": {"thread_id": thread_id, **more}}


async def talk(agent: Any, turns: int, *, thread_id: str = "t", first: int = 0) -> None:
    for number in range(first, first + turns):
        given = config(thread_id, run_id=f"run_{number}")
        await agent.ainvoke({"messages": [HumanMessage(f'say "answer {number}"')]}, given, durability="sync")


async def texts(agent: Any, given: RunnableConfig) -> list[str]:
    state = await agent.aget_state(given)
    return [message.text for message in state.values.get("messages", [])]


def expected(turns: int) -> list[str]:
    return [text for number in range(turns) for text in (f'say "answer {number}"', f"answer {number}")]


async def test_what_a_turn_writes_does_not_depend_on_the_length_of_the_history(
    saver: FencedSaver, counting: Counting
) -> None:
    agent = agent_graph(saver)
    window = UPDATES_PER_SNAPSHOT // UPDATES_PER_TURN  # each window of turns holds one snapshot
    points: list[tuple[float, float]] = []
    for index in range(6):
        before = counting.written
        await talk(agent, window, first=index * window)
        points.append(((index + 0.5) * window, (counting.written - before) / window))

    exponent = _slope([(math.log(turns), math.log(size)) for turns, size in points[1:]])
    sizes = ", ".join(f"{size:.0f}" for _, size in points)
    print(f"bytes per turn against turns so far: exponent {exponent:.3f} (per window: {sizes})")
    assert exponent <= 0.1
    assert await texts(agent, config()) == expected(6 * window)


async def test_each_message_is_in_one_segment_and_each_segment_is_stored_once(
    saver: FencedSaver, counting: Counting
) -> None:
    turns = 100
    await talk(graph(saver), turns)

    segments = [key for key in await counting.blob_keys("t", "") if is_segment(key[1])]

    newest_snapshot = turns * 2 // UPDATES_PER_SNAPSHOT * UPDATES_PER_SNAPSHOT
    assert len(segments) == newest_snapshot // SEGMENT >= 3
    assert await texts(graph(saver), config()) == expected(turns)


async def test_the_history_is_what_the_reference_walk_finds(saver: FencedSaver) -> None:
    await talk(graph(saver), 40)
    for found in [each async for each in saver.alist(config(checkpoint_ns=""), limit=50)][::9]:
        wanted: dict[str, Any] = {"config": found.config, "channels": ["messages", "jump_to"]}

        own = await saver.aget_delta_channel_history(**wanted)

        assert own == await BaseCheckpointSaver.aget_delta_channel_history(saver, **wanted)


@pytest.mark.parametrize("back", [1, 40])
async def test_a_fork_reads_as_it_does_with_the_reference_saver(saver: FencedSaver, back: int) -> None:
    seen = []
    for each in (saver, InMemorySaver()):
        agent = graph(each)
        await talk(agent, 30)
        history = [state async for state in agent.aget_state_history(config())]
        root = history[back].config
        await agent.ainvoke({"messages": [HumanMessage('say "other branch"')]}, root, durability="sync")
        branch, trunk = await texts(agent, config()), await texts(agent, history[0].config)
        await talk(agent, 2, first=100)
        seen.append((branch, trunk, await texts(agent, config())))

    assert seen[0] == seen[1]
    branch, trunk, _ = seen[0]
    assert trunk == expected(30)
    assert branch[-1] == "other branch"
    assert len(branch) < len(trunk) + 2


async def test_removed_messages_stay_removed(saver: FencedSaver) -> None:
    agent = graph(saver)
    await talk(agent, 40)
    await agent.aupdate_state(
        config(), {"messages": [RemoveMessage(id=REMOVE_ALL_MESSAGES)]}, as_node="model"
    )
    await talk(agent, 2, first=40)

    assert await texts(agent, config()) == expected(42)[-4:]


@pytest.mark.parametrize("turns", [3, 60])
async def test_pruning_keeps_what_the_history_rests_on_and_nothing_else(
    saver: FencedSaver, counting: Counting, turns: int
) -> None:
    agent = graph(saver)
    await talk(agent, turns)
    before, stored = await counting.ids("t", ""), len(await counting.blob_keys("t", ""))

    removed = await saver.prune_thread("t", keep=1)

    left = await counting.ids("t", "")
    assert left == before[: len(left)]
    assert len(left) + removed.checkpoints == len(before)
    assert len(left) <= 3 * UPDATES_PER_SNAPSHOT
    assert len(await counting.blob_keys("t", "")) < stored or not removed.checkpoints
    assert await texts(agent, config()) == expected(turns)
    assert await saver.prune_thread("t", keep=1) == Removed()
    await talk(agent, 2, first=turns)
    assert await texts(agent, config()) == expected(turns + 2)


async def test_deleting_a_run_leaves_what_later_runs_rest_on(saver: FencedSaver, counting: Counting) -> None:
    agent = graph(saver)
    await talk(agent, 40)

    await saver.adelete_for_runs(["run_0", "run_20"])
    assert await texts(agent, config()) == expected(40)

    await saver.adelete_for_runs(["run_39"])
    assert await texts(agent, config()) == expected(39)

    await saver.adelete_for_runs([f"run_{number}" for number in range(39)])
    assert await counting.ids("t", "") == []
    assert await counting.blob_keys("t", "") == []


async def test_a_copied_thread_reads_the_same_and_goes_its_own_way(saver: FencedSaver) -> None:
    agent = graph(saver)
    await talk(agent, 70)

    await saver.acopy_thread("t", "copy")
    await talk(agent, 1, thread_id="copy", first=70)

    assert await texts(agent, config("copy")) == expected(71)
    assert await texts(agent, config()) == expected(70)
    await saver.adelete_thread("t")
    assert await texts(agent, config("copy")) == expected(71)
    assert await texts(agent, config()) == []


async def test_a_history_with_a_missing_link_is_an_error(saver: FencedSaver, counting: Counting) -> None:
    agent = graph(saver)
    await talk(agent, 20)
    ids = await counting.ids("t", "")
    await counting.delete_checkpoints("t", "", [ids[10]])

    with pytest.raises(StoreError, match="history is cut"):
        await agent.aget_state(config())


async def test_a_missing_segment_is_an_error(saver: FencedSaver, counting: Counting) -> None:
    agent = graph(saver)
    await talk(agent, 80)
    segment = next(key for key in await counting.blob_keys("t", "") if is_segment(key[1]))
    await counting.delete_checkpoints("t", "", [], [segment])

    with pytest.raises(StoreError, match="missing"):
        await agent.aget_state(config())


def _slope(points: Sequence[tuple[float, float]]) -> float:
    """Of the least-squares line."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)
