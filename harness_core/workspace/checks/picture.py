"""The valid objects of a workspace by kind and name, for checks that look at several of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from harness_core.workspace.diagnostics import KeyPath
from harness_core.workspace.document import Document
from harness_core.workspace.fitting import Fitted
from harness_core.workspace.objects import Objects
from harness_core.workspace.schema import (
    AgentSpec,
    ChannelSpec,
    MiddlewareSpec,
    NamedMiddleware,
    PolicySpec,
    RuntimeSpec,
    Spec,
    ToolObject,
)
from harness_core.workspace.tool_names import TASK

S = TypeVar("S", bound=Spec)

EXECUTE: Final = "execute"
"""The tool that runs commands, where the files of a deep agent lie in a sandbox."""

FILE_TOOLS: Final = frozenset(
    {"ls", "read_file", "write_file", "edit_file", "delete", "glob", "grep", EXECUTE}
)
"""What deep agents can do with their files."""


@dataclass(frozen=True, slots=True)
class Seen(Generic[S]):
    """A valid object and where it stands."""

    document: Document
    spec: S


@dataclass(frozen=True, slots=True)
class Declared:
    """A middleware of an agent: what it says, and the place where that is written."""

    document: Document
    path: KeyPath
    spec: MiddlewareSpec


@dataclass(frozen=True, slots=True)
class ToolNames:
    """Names of tools, as their servers have them. ``complete`` is false when there may be more."""

    names: frozenset[str]
    complete: bool


@dataclass(slots=True)
class Picture:
    """``whole`` is false when some document could not be read: then what is missing may stand there."""

    objects: Objects
    fitted: Sequence[Fitted]
    runtime: Seen[RuntimeSpec] | None = None
    tools: dict[str, Seen[ToolObject]] = field(default_factory=dict)
    agents: dict[str, Seen[AgentSpec]] = field(default_factory=dict)
    middleware: dict[str, Seen[NamedMiddleware]] = field(default_factory=dict)
    policies: dict[str, Seen[PolicySpec]] = field(default_factory=dict)
    channels: dict[str, Seen[ChannelSpec]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for found in self.fitted:
            document = found.document
            match found.spec:
                case RuntimeSpec() as spec:
                    self.runtime = Seen(document, spec)
                case ToolObject() as spec:
                    self.tools.setdefault(spec.name, Seen(document, spec))
                case AgentSpec() as spec:
                    self.agents.setdefault(spec.name, Seen(document, spec))
                case NamedMiddleware() as spec:
                    self.middleware.setdefault(spec.name, Seen(document, spec))
                case PolicySpec() as spec:
                    self.policies.setdefault(spec.name, Seen(document, spec))
                case ChannelSpec() as spec:
                    self.channels.setdefault(spec.channel, Seen(document, spec))

    def is_whole(self, *kinds: str) -> bool:
        """Whether every object of these kinds is known and valid."""
        return all(
            not self.objects.may_be_unreadable(kind)
            and sum(found.document.kind == kind for found in self.fitted)
            == sum(1 for _ in self.objects.of_kind(kind))
            for kind in kinds
        )

    def declared(self, agent: Seen[AgentSpec]) -> list[Declared] | None:
        """The agent's middleware in order; None when some of it is not valid or not there."""
        found: list[Declared] = []
        for index, use in enumerate(agent.spec.middleware):
            if not isinstance(use, str):
                found.append(Declared(agent.document, ("middleware", index), use))
            elif use in self.middleware:
                named = self.middleware[use]
                found.append(Declared(named.document, (), named.spec))
            else:
                return None
        return found

    def reached(self, agent: AgentSpec) -> Iterator[Seen[AgentSpec]]:
        """The agent and its subagents, theirs included, as far as they are valid."""
        pending, seen = [agent.name], set[str]()
        while pending:
            name = pending.pop()
            if name in seen or name not in self.agents:
                continue
            seen.add(name)
            yield self.agents[name]
            pending.extend(self.agents[name].spec.subagents)

    def brought(self, agent: Seen[AgentSpec]) -> set[str]:
        """The tools that the agent has besides those of Tool objects."""
        names = {name for each in self.declared(agent) or () for name in each.spec.brings}
        if agent.spec.mode == "deepagent":
            names |= FILE_TOOLS
        if agent.spec.subagents or agent.spec.mode == "deepagent":
            names.add(TASK)
        return names

    def tools_of(self, agent: Seen[AgentSpec]) -> ToolNames:
        """Every tool that this agent's model can call."""
        names = self.brought(agent)
        complete = self.declared(agent) is not None
        for name in agent.spec.tools:
            tools = self.tools[name].spec.tools if name in self.tools else None
            complete = complete and tools is not None
            names.update(tools or ())
        return ToolNames(frozenset(names), complete)

    def all_tools(self) -> ToolNames:
        """Every tool of any agent, and the declared ones that no agent has."""
        names: set[str] = set()
        complete = self.is_whole("Agent", "Tool", "Middleware")
        for agent in self.agents.values():
            found = self.tools_of(agent)
            names |= found.names
            complete = complete and found.complete
        for tool in self.tools.values():
            complete = complete and tool.spec.tools is not None
            names.update(tool.spec.tools or ())
        return ToolNames(frozenset(names), complete)
