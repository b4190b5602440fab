"""``remember`` and ``recall``: the two tools through which an agent uses the long-term store by itself.

A workspace names them like any other tool (``python: harness_core.tools:remember``), so who may use them, and
whether people are asked, is said where it is said of every tool. What one person had remembered is recalled for
that person alone, unless it was remembered for the whole team.
"""

from __future__ import annotations

from typing import Any

from langgraph.config import get_config, get_store
from langgraph.store.base import SearchItem, SearchOp

from harness_core.memory_places import for_everybody, of_person, of_threads
from harness_core.models import Fence
from harness_core.runtime.checkpointer import FENCE
from harness_core.runtime.memory.store import LongTermMemory
from harness_core.tool_call import ToolCall

FOUND = 5
"""Notes that one recall gives at most, from each place it looks into."""

_LONGEST = 4_000


async def remember(note: str, call: ToolCall, for_the_team: bool = False) -> str:  # noqa: FBT001, FBT002  # models pass arguments by name
    """Keep a note for later conversations, in words that make sense by themselves.

    It is recalled for the person who asks now, or for everybody in the team when for_the_team is true.
    """
    text = note.strip()
    if not text:
        return "There was nothing to remember."
    if len(text) > _LONGEST:
        return f"That is too long to remember: at most {_LONGEST} characters, so keep what matters."
    agent, thread = _here()
    place = for_everybody(agent) if for_the_team else of_person(agent, call.requester)
    value = {"note": text, "thread": thread, "by": call.requester}
    # The key of the call: made again after a crash, it is the same note.
    await get_store().aput(place, call.key, value, index=["note"])
    return "Remembered for the team." if for_the_team else "Remembered."


async def recall(query: str, call: ToolCall) -> str:
    """Look for notes from earlier conversations that have to do with the query."""
    store, (agent, _) = get_store(), _here()
    mine = {"user": call.requester}
    places = [
        SearchOp(of_person(agent, call.requester), query=query, limit=FOUND),
        SearchOp(for_everybody(agent), query=query, limit=FOUND),
        SearchOp(of_threads(agent), query=query, filter=mine, limit=FOUND),
    ]
    results: list[Any] = await store.abatch(places)
    found = [(item.score or 0.0, _line(item)) for hits in results for item in hits]
    if not found:
        return "Nothing about that is remembered."
    best = [text for _, text in sorted(found, key=lambda each: -each[0])[:FOUND]]
    by_words = isinstance(store, LongTermMemory) and not store.searches_by_meaning
    head = "Found by words alone, not by meaning:\n" if by_words else ""
    return head + "\n".join(best)


def _line(item: SearchItem) -> str:
    about, text = (
        ("", item.value["note"]) if "note" in item.value else (", a conversation", item.value["summary"])
    )
    return f"- {item.updated_at:%Y-%m-%d}{about}: {text}"


def _here() -> tuple[str, str]:
    """The agent of the run and its thread."""
    configurable: dict[str, Any] = get_config().get("configurable", {})
    fence = configurable.get(FENCE)
    return str(configurable.get("agent", "")), fence.thread_id if isinstance(fence, Fence) else ""
