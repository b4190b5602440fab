"""Which agent answers: a pure decision over the workspace and what is known about the message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from harness_core.errors import UnknownAgent
from harness_core.patterns import Pattern
from harness_core.routing.heuristic import quick_or_deep
from harness_core.workspace import RoutingRule, Workspace

Step: TypeAlias = Literal["explicit", "thread", "channel", "rule", "model", "heuristic", "default"]


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
    """The agent's name and the step that chose it. ``problem`` says why a model that was asked did not choose."""

    agent: str
    step: Step
    problem: str = ""


def select_agent(workspace: Workspace, request: Request) -> Selection:
    """The first that decides: explicit, the thread's, the channel's, a rule in written order, the heuristic, the default.

    A model is not asked here: see :func:`harness_core.routing.choose_agent`.

    Rules compare without case (Unicode case folding) and without the blanks around the text. ``equals`` is the whole
    text, ``prefix`` its beginning, ``contains`` any part of it; blanks around an ``equals`` and before a ``prefix``
    do not count, blanks after a ``prefix`` do. ``regex`` is RE2, looks for a match anywhere in the text as it was
    written, and ignores case unless it says ``(?-i)``.

    :raises UnknownAgent: when the agent that a step chose is not in the workspace, for instance because it was
        removed while a thread belonged to it; later steps do not answer in its place.
    """
    return known(workspace, decided(workspace, request) or undecided(workspace, request))


def known(workspace: Workspace, selection: Selection) -> Selection:
    """The selection itself.

    :raises UnknownAgent: its agent is not in the workspace.
    """
    if selection.agent not in workspace.agents:
        raise UnknownAgent(selection.agent, sorted(workspace.agents))
    return selection


def decided(workspace: Workspace, request: Request) -> Selection | None:
    """What people and the workspace have settled; None when it is open who answers."""
    if request.explicit:
        return Selection(agent=request.explicit, step="explicit")
    if request.thread_agent:
        return Selection(agent=request.thread_agent, step="thread")
    channel = workspace.channels.get(request.channel) if request.channel else None
    if channel is not None and channel.agent is not None:
        return Selection(agent=channel.agent, step="channel")
    for rule in workspace.runtime.routing.rules:
        if _matches(rule, request.text):
            return Selection(agent=rule.agent, step="rule")
    return None


def undecided(workspace: Workspace, request: Request, problem: str = "") -> Selection:
    """Who answers when nothing was settled: by the look of the message, else the default."""
    guess = quick_or_deep([workspace.agents[name] for name in workspace.hosts], request.text)
    if guess is not None:
        return Selection(agent=guess, step="heuristic", problem=problem)
    return Selection(agent=workspace.runtime.routing.default_agent or "", step="default", problem=problem)


def _matches(rule: RoutingRule, written: str) -> bool:
    when = rule.when
    text = written.strip().casefold()
    if when.equals is not None:
        return text == when.equals.strip().casefold()
    if when.prefix is not None:
        return text.startswith(when.prefix.lstrip().casefold())
    if when.regex is not None:
        return Pattern(when.regex).found_in(written)
    return when.contains is not None and when.contains.casefold() in text
