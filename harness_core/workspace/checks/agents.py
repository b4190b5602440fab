"""Agents together: subagents that end somewhere, and a history where something waits for people."""

from __future__ import annotations

from collections.abc import Iterator

from harness_core.workspace.checks.asking import asking_tools
from harness_core.workspace.checks.picture import Picture, Seen
from harness_core.workspace.document import Document
from harness_core.workspace.schema import AgentSpec


def check_agents(picture: Picture) -> None:
    for circle in _circles(picture):
        _report_circle(picture, circle)
    inner = {name for agent in picture.agents.values() for name in agent.spec.subagents}
    for agent in picture.agents.values():
        _check_checkpointer(agent, picture, is_host=agent.spec.name not in inner)
    if picture.runtime is not None and picture.runtime.spec.checkpointer.kind is True:
        _refuse_shared(picture.runtime.document, "the Runtime has no parent")


def _circles(picture: Picture) -> Iterator[tuple[str, ...]]:
    """Each circle of subagents once, from where it closes back to itself. Every agent is walked through once."""
    done: set[str] = set()
    trail: list[str] = []
    pending = [(name, False) for name in reversed(picture.agents)]
    while pending:
        name, is_left = pending.pop()
        if is_left:
            done.add(trail.pop())
        elif name in trail:
            yield (*trail[trail.index(name) :], name)
        elif name in picture.agents and name not in done:
            trail.append(name)
            pending.append((name, True))
            pending += [(inner, False) for inner in reversed(picture.agents[name].spec.subagents)]


def _report_circle(picture: Picture, circle: tuple[str, ...]) -> None:
    *_, last, first = circle
    agent = picture.agents[last]
    path = ("subagents", agent.spec.subagents.index(first))
    if last == first:
        agent.document.report(
            path, "subagent-itself", "an agent cannot be its own subagent", allowed="other agents"
        )
        return
    way = " → ".join(circle)
    message = f"the subagents go round in a circle: {way}"
    agent.document.report(path, "subagent-cycle", message, allowed="subagents that end somewhere")


def _check_checkpointer(agent: Seen[AgentSpec], picture: Picture, *, is_host: bool) -> None:
    own = agent.spec.checkpointer
    if own is not None and own.kind is True and is_host and picture.is_whole("Agent"):
        _refuse_shared(agent.document, "the agent is nobody's subagent")
    used = own or (picture.runtime.spec.checkpointer if picture.runtime is not None else None)
    if used is None or used.kind is not False:
        return
    own_name = agent.spec.name
    within = [
        name
        for name, each in picture.agents.items()
        if own_name in (inner.spec.name for inner in picture.reached(each.spec))
    ]
    asking = sorted(
        {name for each in picture.reached(agent.spec) for name in asking_tools(each, picture, within)}
    )
    if asking:
        agent.document.report(
            ("checkpointer",) if own is not None else ("tools",),
            "asks-without-checkpointer",
            f"nothing can wait for people without a checkpointer, and these tools ask: {', '.join(asking)}",
            found="checkpointer: false",
            allowed="another checkpointer, or tools that never ask",
        )


def _refuse_shared(document: Document, why: str) -> None:
    message = f"true means the parent's checkpointer, and {why}"
    allowed = "redis, memory, sqlite, false"
    document.report(("checkpointer",), "checkpointer-without-parent", message, found="true", allowed=allowed)
