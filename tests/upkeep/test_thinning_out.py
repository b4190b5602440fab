from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

import pytest
from approvals.approval_office import ApprovalOffice, call
from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, StateGraph
from sealing import SEAL

from harness_core.engine.maintenance import Maintenance
from harness_core.errors import StaleFence
from harness_core.events import RunCompleted
from harness_core.models import Upkept
from harness_core.runtime import FencedSaver
from harness_core.states import RunState
from harness_core.store import Idle, Removed, Store

if TYPE_CHECKING:
    from store.conftest import Caller

Keeper = Callable[..., Maintenance]

QUESTION = "what did i ask you before?"


pytestmark = pytest.mark.usefixtures("short_chains")

LONG = "; ".join([*(call("look", str(number)) for number in range(5)), "say 1 words"])
"""So many steps that the history was stored whole in between: what is before that may go."""


async def say(office: ApprovalOffice, text: str, number: int) -> str:
    run_id = await office.ask(text, name=f"{text}-{number}")
    await office.ended(run_id)
    return await office.store.runs.output(run_id) or ""


async def thread_of(office: ApprovalOffice) -> str:
    thread = await office.store.threads.find("T1", "C1")
    assert thread is not None
    return thread.thread_id


async def test_a_long_conversation_that_is_thinned_out_after_each_turn_forgets_nothing(
    office: ApprovalOffice, keeper: Keeper, passes: list[Upkept]
) -> None:
    keep = keeper(keep_checkpoints=1)
    async with office.worker():
        for number in range(20):
            await say(office, f'say "{number}"', number)
            await keep.sweep()
        recalled = await say(office, QUESTION, 20)

    assert [f'{number + 1}. say "{number}"' in recalled for number in range(20)] == [True] * 20
    left = await office.store.checkpoints.ids(await thread_of(office), "")
    removed = sum(each.checkpoints for each in passes)
    assert len(left) < 40 < removed + len(left)
    assert sum(each.values for each in passes) > 0


async def test_nothing_of_a_thread_that_waits_for_people_is_touched(
    office: ApprovalOffice, keeper: Keeper, passes: list[Upkept]
) -> None:
    async with office.worker():
        await say(office, LONG, 0)
        run_id = await office.ask(call("restart"))
        approval = await office.question(run_id)
        await office.parked(run_id)
        thread_id = await thread_of(office)
        before = await office.store.checkpoints.ids(thread_id, "")

        await keeper(keep_checkpoints=1).sweep()
        assert await office.store.checkpoints.ids(thread_id, "") == before

        await office.decide(approval)
        assert (await office.ended(run_id)).state is RunState.COMPLETED
        await keeper(keep_checkpoints=1).sweep()
    assert len(office.ran("restart")) == 1
    assert [each.checkpoints > 0 for each in passes] == [False, True]
    assert len(await office.store.checkpoints.ids(thread_id, "")) < len(before)


async def test_a_message_that_comes_while_a_thread_is_thinned_out_stops_that(
    office: ApprovalOffice,
) -> None:
    store = office.store
    async with office.worker():
        await say(office, LONG, 0)
    thread_id = await thread_of(office)
    before = await store.checkpoints.ids(thread_id, "")
    saver = FencedSaver(store.checkpoints, SEAL, require_fence=True, tenant="T1")
    idle = await store.checkpoints.idle(thread_id)
    assert idle is not None

    run_id = await office.ask(QUESTION)
    with pytest.raises(StaleFence, match="at work again"):
        await saver.prune_thread(thread_id, keep=1, idle=idle)
    async with office.worker("w2"):
        await office.ended(run_id)
    with pytest.raises(StaleFence, match="at work again"):
        await saver.prune_thread(thread_id, keep=1, idle=idle)

    assert set(before) <= set(await store.checkpoints.ids(thread_id, ""))


async def test_a_thread_without_runs_loses_its_checkpoints_and_values(
    caller: Caller, keeper: Keeper, passes: list[Upkept]
) -> None:
    store, claim = caller.store, await caller.running()
    thread_id = claim.run.thread_id
    for number in range(450):
        await store.checkpoints.put(
            thread_id, "", f"{number:04}", header=b"h", blobs={("m", str(number)): b"v"}, fence=claim.fence
        )
    await store.checkpoints.put(thread_id, "tools:1", "1", header=b"h", blobs={}, fence=claim.fence)
    await store.runs.finish(claim.fence, RunState.COMPLETED, RunCompleted(output=""))
    await caller.later(86_400)

    await keeper(finished_runs_for="1h").sweep()

    assert (passes[0].checkpoints, passes[0].values) == (451, 450)
    assert await store.client.keys("*ck:*") == []
    assert await store.upkeep.idle_threads(0, limit=10) == []


async def test_threads_that_were_left_more_are_looked_at_again_when_fewer_are_to_be_kept(
    office: ApprovalOffice, keeper: Keeper, passes: list[Upkept]
) -> None:
    async with office.worker():
        await say(office, LONG, 0)
    for keep in (1000, 1000, 3):
        await keeper(keep_checkpoints=keep).sweep()

    assert [each.checkpoints > 0 for each in passes] == [False, False, True]


class Counted(TypedDict):
    turns: int


class Remembering(TypedDict):
    turns: int
    calls: Annotated[int, operator.add]


def nested(saver: FencedSaver, *, lasting: bool = False) -> Any:
    """A graph whose one node is another graph, as agents call subagents; a lasting one remembers its calls."""
    inner: Any = StateGraph(Remembering)
    inner.add_node("add", lambda state: {"turns": state["turns"] + 1, "calls": 1})
    inner.add_edge(START, "add")
    outer: Any = StateGraph(Counted)
    outer.add_node("inner", inner.compile(checkpointer=True if lasting else None))
    outer.add_edge(START, "inner")
    return outer.compile(checkpointer=saver)


async def test_what_single_calls_of_a_subgraph_stored_goes_with_the_turns_they_belonged_to(
    store: Store,
) -> None:
    saver = FencedSaver(store.checkpoints, SEAL, require_fence=False)
    graph, config = nested(saver), RunnableConfig(configurable={"thread_id": "t"})
    await graph.ainvoke({"turns": 0}, config, durability="sync")
    for _ in range(5):
        await graph.ainvoke(
            {"turns": (await graph.aget_state(config)).values["turns"]}, config, durability="sync"
        )
    before = await store.checkpoints.namespaces("t")
    assert len(before) == 1 + 6

    removed = await saver.prune_thread("t", keep=3, idle=Idle(tenant="", conversation="", epoch=0))

    assert await store.checkpoints.namespaces("t") == [""]
    assert removed.checkpoints > 0
    assert (await graph.aget_state(config)).values == {"turns": 6}
    history = [each async for each in graph.aget_state_history(config)]
    assert len(history) == 3
    assert await saver.prune_thread("t", keep=3, idle=Idle(tenant="", conversation="", epoch=0)) == Removed()
    await graph.ainvoke({"turns": 6}, config, durability="sync")
    assert (await graph.aget_state(config)).values == {"turns": 7}


async def test_a_subgraph_that_goes_on_where_it_was_keeps_its_history(store: Store) -> None:
    saver = FencedSaver(store.checkpoints, SEAL, require_fence=False)
    graph, config = nested(saver, lasting=True), RunnableConfig(configurable={"thread_id": "t"})
    for _ in range(4):
        await graph.ainvoke({"turns": 0}, config, durability="sync")
    assert await store.checkpoints.namespaces("t") == ["", "inner"]
    await graph.ainvoke({"turns": 0}, config, durability="sync")

    await saver.prune_thread("t", keep=1, idle=Idle(tenant="", conversation="", epoch=0))

    (last,) = await store.checkpoints.ids("t", "inner")
    inner = RunnableConfig(configurable={"thread_id": "t", "checkpoint_ns": "inner"})
    kept = await saver.aget_tuple(inner)
    assert kept is not None
    assert (kept.checkpoint["id"], kept.checkpoint["channel_values"]["calls"]) == (last, 5)
    await graph.ainvoke({"turns": 0}, config, durability="sync")
    kept = await saver.aget_tuple(inner)
    assert kept is not None
    assert kept.checkpoint["channel_values"]["calls"] == 6


async def test_threads_that_have_to_wait_do_not_keep_those_behind_them_waiting(
    caller: Caller, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = caller.store
    done = RunCompleted(output="x")
    for number in range(3):
        claim = await caller.running(conversation=f"busy-{number}")
        await store.runs.accept(caller.message(conversation=f"busy-{number}"))
        await store.runs.finish(claim.fence, RunState.COMPLETED, done)
        await caller.claim()
        await caller.later(0.001)
    claim = await caller.running(conversation="idle")
    await store.runs.finish(claim.fence, RunState.COMPLETED, done)
    monkeypatch.setattr("harness_core.engine.maintenance.SHARE", 0.0)
    hurried = keeper()

    for _ in range(4):
        await hurried.sweep()

    waiting = {each.thread_id for each in await store.upkeep.idle_threads(0, limit=10)}
    assert len(waiting) == 3
    assert claim.run.thread_id not in waiting
