"""The loaded workspace, and putting it together from objects that were all found valid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from harness_core import canonical
from harness_core.workspace.fields import reveal_secrets
from harness_core.workspace.schema import (
    AgentSpec,
    ChannelSpec,
    Checkpointer,
    EmbeddingModelSpec,
    MiddlewareSpec,
    ModelSpec,
    NamedMiddleware,
    PolicySpec,
    RuntimeSpec,
    Spec,
    ToolObject,
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Workspace:
    """Everything a folder says, valid as a whole. Channels are keyed by channel id, the others by name.

    ``digest`` is a SHA-256 over what was written, secrets included; the order of files and objects and the way a
    duration is spelled do not change it. ``folder`` is where paths of the workspace begin. Never pickled or logged
    whole: the models hold keys.
    """

    folder: Path
    runtime: RuntimeSpec
    models: Mapping[str, ModelSpec]
    embedding_models: Mapping[str, EmbeddingModelSpec]
    tools: Mapping[str, ToolObject]
    middleware: Mapping[str, MiddlewareSpec]
    agents: Mapping[str, AgentSpec]
    policies: Mapping[str, PolicySpec]
    channels: Mapping[str, ChannelSpec]
    digest: str

    def __repr__(self) -> str:
        return f"Workspace(agents={list(self.agents)}, digest={self.digest[:12]!r})"

    @property
    def hosts(self) -> tuple[str, ...]:
        """The agents that conversations can be handed to: those that are nobody's subagent."""
        return hosts(self.agents.values())

    def checkpointer_of(self, agent: AgentSpec) -> Checkpointer:
        """Where the checkpoints of an agent are kept that is nobody's subagent."""
        return agent.checkpointer or self.runtime.checkpointer

    def middleware_of(self, agent: AgentSpec) -> tuple[MiddlewareSpec, ...]:
        """What the agent declares, in its order, objects in the place of their names."""
        return tuple(self.middleware[use] if isinstance(use, str) else use for use in agent.middleware)


def hosts(agents: Iterable[AgentSpec]) -> tuple[str, ...]:
    """The names of those that are nobody's subagent."""
    known = list(agents)
    inner = {name for agent in known for name in agent.subagents}
    return tuple(agent.name for agent in known if agent.name not in inner)


@dataclass(slots=True)
class _Found:
    runtime: RuntimeSpec = field(default_factory=RuntimeSpec)
    models: dict[str, ModelSpec] = field(default_factory=dict)
    embedding_models: dict[str, EmbeddingModelSpec] = field(default_factory=dict)
    tools: dict[str, ToolObject] = field(default_factory=dict)
    middleware: dict[str, MiddlewareSpec] = field(default_factory=dict)
    agents: dict[str, AgentSpec] = field(default_factory=dict)
    policies: dict[str, PolicySpec] = field(default_factory=dict)
    channels: dict[str, ChannelSpec] = field(default_factory=dict)

    def take(self, spec: Spec) -> None:
        match spec:
            case RuntimeSpec():
                self.runtime = spec
            case ModelSpec(name=name):
                self.models[name] = spec
            case EmbeddingModelSpec(name=name):
                self.embedding_models[name] = spec
            case ToolObject(name=name):
                self.tools[name] = spec
            case NamedMiddleware(name=name):
                self.middleware[name] = spec
            case AgentSpec(name=name):
                self.agents[name] = spec
            case PolicySpec(name=name):
                self.policies[name] = spec
            case ChannelSpec(channel=channel):
                self.channels[channel] = spec


def assemble(specs: Iterable[Spec], folder: Path) -> Workspace:
    """One workspace of objects that have been checked."""
    written = list(specs)
    found = _Found()
    for spec in written:
        found.take(spec)
    return Workspace(
        folder=folder,
        runtime=_with_default_agent(found.runtime, found.agents),
        models=MappingProxyType(found.models),
        embedding_models=MappingProxyType(found.embedding_models),
        tools=MappingProxyType(found.tools),
        middleware=MappingProxyType(found.middleware),
        agents=MappingProxyType(found.agents),
        policies=MappingProxyType(found.policies),
        channels=MappingProxyType(found.channels),
        digest=_digest([*(spec for spec in written if spec is not found.runtime), found.runtime]),
    )


def _with_default_agent(runtime: RuntimeSpec, agents: Mapping[str, AgentSpec]) -> RuntimeSpec:
    if runtime.routing.default_agent is not None:
        return runtime
    routing = runtime.routing.model_copy(update={"default_agent": hosts(agents.values())[0]})
    return runtime.model_copy(update={"routing": routing})


def _digest(specs: Iterable[Spec]) -> str:
    written = (reveal_secrets(spec.model_dump(exclude_unset=True)) for spec in specs)
    return canonical.digest(*sorted(map(canonical.canonical_json, written)))
