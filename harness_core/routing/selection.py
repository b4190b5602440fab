"""Which agent answers: a pure decision over the workspace and what is known about the message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from harness_core.errors import UnknownAgent
from harness_core.workspace import RoutingRule, Workspace

Step: TypeAlias = Literal["explicit", "thread", "channel", "rule", "default"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What selection looks at.

    ``explicit`` is an agent the person asked for by name, ``thread_agent`` the one the thread already has,
    ``channel`` the front end's id of the channel.
    """

    explicit: str | None = None
    thread_agent: str | None = None
    channel: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The agent's name and the step that chose it."""

    agent: str
    step: Step


def select_agent(workspace: Workspace, request: Request) -> Selection:
    """The first that decides: explicit, the thread's, the channel's, a rule in written order, the default.

    Rules compare without case (Unicode case folding) and without the blanks around the text. ``equals`` is the whole
    text, ``prefix`` its beginning, ``contains`` any part of it; blanks around an ``equals`` and before a ``prefix``
    do not count, blanks after a ``prefix`` do.

    :raises UnknownAgent: when the agent that a step chose is not in the workspace, for instance because it was
        removed while a thread belonged to it; later steps do not answer in its place.
    """
    selection = _choose(workspace, request)
    if selection.agent not in workspace.agents:
        raise UnknownAgent(selection.agent, sorted(workspace.agents))
    return selection


def _choose(workspace: Workspace, request: Request) -> Selection:
    if request.explicit:
        return Selection(agent=request.explicit, step="explicit")
    if request.thread_agent:
        return Selection(agent=request.thread_agent, step="thread")
    channel = workspace.channels.get(request.channel) if request.channel else None
    if channel is not None and channel.agent is not None:
        return Selection(agent=channel.agent, step="channel")
    routing = workspace.runtime.routing
    text = request.text.strip().casefold()
    for rule in routing.rules:
        if _matches(rule, text):
            return Selection(agent=rule.agent, step="rule")
    return Selection(agent=routing.default_agent or "", step="default")


def _matches(rule: RoutingRule, text: str) -> bool:
    when = rule.when
    if when.equals is not None:
        return text == when.equals.strip().casefold()
    if when.prefix is not None:
        return text.startswith(when.prefix.lstrip().casefold())
    return when.contains is not None and when.contains.casefold() in text
