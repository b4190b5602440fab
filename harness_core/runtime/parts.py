"""What agents are made of: the models, tools and embedding models of a workspace, each built once and shared."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from deepagents.backends import StateBackend

from harness_core.errors import WorkspaceInvalid
from harness_core.runtime.call_schema import CallSchema
from harness_core.runtime.files import file_middleware, load_backend
from harness_core.runtime.mcp import (
    ServerAddress,
    ServerUnreachable,
    ToolServers,
    address_of,
    load_server_tools,
)
from harness_core.runtime.memory import BoundEmbeddings, EmbeddingsUnusable, load_embeddings
from harness_core.runtime.middleware import Kit, declared_middleware
from harness_core.runtime.models import BoundModel, ModelUnusable, load_model
from harness_core.runtime.tools import BoundTool, ToolUnusable, load_tool
from harness_core.workspace import (
    READ_ON,
    TASK,
    AgentSpec,
    Diagnostic,
    ToolObject,
    Workspace,
    check_against_schema,
    check_named_arguments,
)
from harness_core.workspace.schema.agents import PythonFiles

T = TypeVar("T")

_EVERYWHERE = "one that every such agent has"


class ServerMisfit(WorkspaceInvalid):
    """What a server offers does not go together with what the workspace says of it. It may when it is asked again."""


class Parts:
    """Builds on first use. What cannot be built is a diagnostic, in the words of the workspace.

    ``servers`` is whose sessions with tool servers are used; :meth:`aclose` gives them back.
    """

    def __init__(self, workspace: Workspace, servers: ToolServers) -> None:
        self._workspace = workspace
        self._servers = servers
        self._taken: list[ServerAddress] = []
        self._models: dict[str, BoundModel] = {}
        self._tools: dict[str, tuple[BoundTool, ...]] = {}
        self._embeddings: dict[str, BoundEmbeddings] = {}

    def model(self, name: str) -> BoundModel:
        """:raises WorkspaceInvalid: the model cannot be used."""
        if name not in self._models:
            try:
                self._models[name] = load_model(self._workspace.models[name])
            except ModelUnusable as error:
                raise unusable("model-unusable", f"Model {name}", error) from error
        return self._models[name]

    def embeddings(self) -> BoundEmbeddings | None:
        """The embedding model of the store: the one it names, or the only one there is; None without one.

        :raises WorkspaceInvalid: it cannot be used.
        """
        declared = self._workspace.embedding_models
        name = self._workspace.runtime.store.embeddings or (
            next(iter(declared)) if len(declared) == 1 else None
        )
        return None if name is None else self.embedding_model(name)

    def embedding_model(self, name: str) -> BoundEmbeddings:
        """:raises WorkspaceInvalid: the embedding model cannot be used."""
        if name not in self._embeddings:
            try:
                self._embeddings[name] = load_embeddings(self._workspace.embedding_models[name])
            except EmbeddingsUnusable as error:
                raise unusable("embedding-model-unusable", f"EmbeddingModel {name}", error) from error
        return self._embeddings[name]

    async def tools(self, name: str) -> tuple[BoundTool, ...]:
        """The tools of one Tool object: one, or what a server has.

        :raises WorkspaceInvalid: a tool cannot be used.
        :raises ServerMisfit: it is one of a server.
        :raises ServerUnreachable: the server of the tools does not answer.
        """
        declared = self._workspace.tools[name]
        misfit = WorkspaceInvalid if declared.mcp is None else ServerMisfit
        if name not in self._tools:
            try:
                if declared.mcp is None:
                    self._tools[name] = (await asyncio.to_thread(load_tool, declared.for_tool()),)
                else:
                    self._tools[name] = await self._of_server(declared)
            except ToolUnusable as error:
                raise misfit([_finding("tool-unusable", f"Tool {name}", str(error))]) from error
        wrong = [each for each in self.doubts(name, self._tools[name]) if each.severity == "error"]
        if wrong:
            del self._tools[name]
            raise misfit(wrong)
        return self._tools[name]

    def doubts(self, name: str, tools: Sequence[BoundTool]) -> list[Diagnostic]:
        """What the workspace says about these tools of one object that does not go together with what they take."""
        schemas = [CallSchema.of(tool.tool).schema for tool in tools]
        found = check_named_arguments(self._workspace.tools[name], schemas)
        for tool, schema in zip(tools, schemas, strict=True):
            found += check_against_schema(self._workspace, tool.spec, schema)
        return found

    async def aclose(self) -> None:
        """Gives back the sessions with tool servers."""
        taken, self._taken = self._taken, []
        self._tools.clear()
        for address in taken:
            await self._servers.give_back(address)

    async def _of_server(self, declared: ToolObject) -> tuple[BoundTool, ...]:
        if declared.mcp is None:
            raise ToolUnusable(f"{declared.name} is not a server")
        address = address_of(declared.mcp, self._workspace.folder)
        session = self._servers.take(declared.name, address)
        self._taken.append(address)
        return await load_server_tools(declared, session)


def check_runtime(workspace: Workspace) -> list[Diagnostic]:
    """Imports every tool, builds every model and middleware, asks every tool server what it offers, and lists what
    cannot be used or does not go together.

    Sends nothing to models. Not for use inside an event loop, since it runs one; call it in a thread there.
    """
    return asyncio.run(_check(workspace))


async def _check(workspace: Workspace) -> list[Diagnostic]:
    servers = ToolServers()
    parts = Parts(workspace, servers)
    found: list[Diagnostic] = []
    builds: list[tuple[Callable[[str], object], str]] = [
        *((parts.model, name) for name in workspace.models),
        *((parts.embedding_model, name) for name in workspace.embedding_models),
    ]
    try:
        for build, name in builds:
            try:
                build(name)
            except WorkspaceInvalid as error:
                found.extend(each for each in error.findings if isinstance(each, Diagnostic))
        for each in await asyncio.gather(*(_check_tools(parts, name) for name in workspace.tools)):
            found.extend(each)
        if all(each.severity == "warning" for each in found):
            for agent in workspace.agents.values():
                found.extend(await _check_agent(parts, workspace, agent))
    finally:
        await parts.aclose()
        await servers.aclose()
    return found


async def _check_tools(parts: Parts, name: str) -> list[Diagnostic]:
    try:
        return parts.doubts(name, await parts.tools(name))
    except WorkspaceInvalid as error:
        return [each for each in error.findings if isinstance(each, Diagnostic)]
    except ServerUnreachable as error:
        return [_finding("tool-server-unreachable", f"Tool {name}", str(error))]


async def _check_agent(parts: Parts, workspace: Workspace, agent: AgentSpec) -> list[Diagnostic]:
    tools = [tool for name in agent.tools for tool in await parts.tools(name)]
    kit = Kit(
        model=parts.model(agent.model).model,
        models=lambda name: parts.model(name).model,
        tools={tool.name: tool for tool in tools},
        folder=workspace.folder,
    )
    try:
        brought = declared_middleware(workspace, agent, kit).brought
    except WorkspaceInvalid as error:
        return [each for each in error.findings if isinstance(each, Diagnostic)]
    try:
        return clashes(agent.name, [*tools, *brought], _undeclared(agent))
    except ToolUnusable as error:
        return [_finding("backend-unusable", f"Agent {agent.name}", str(error))]


def _undeclared(agent: AgentSpec) -> list[str]:
    """The names of the tools that every such agent has.

    :raises ToolUnusable: the agent's own backend cannot be built.
    """
    names = [READ_ON]
    if agent.mode == "deepagent":
        backend = load_backend(agent.backend) if isinstance(agent.backend, PythonFiles) else StateBackend()
        names += [tool.name for tool in file_middleware(agent, backend).tools]
    if agent.subagents or agent.mode == "deepagent":
        names.append(TASK)
    return names


def clashes(agent: str, tools: Iterable[BoundTool], own: Iterable[str] = ()) -> list[Diagnostic]:
    """A finding for each name that two tools of an agent have: its model could not tell them apart.

    ``own`` are names of tools that every such agent has.
    """
    first = dict.fromkeys(own, _EVERYWHERE)
    found: list[Diagnostic] = []
    for tool in tools:
        if tool.name in first:
            message = f"would have two tools called {tool.name}: {first[tool.name]} and {_origin(tool)}"
            found.append(_finding("tool-name-clash", f"Agent {agent}", message))
        first.setdefault(tool.name, _origin(tool))
    return found


def unusable(code: str, subject: str, error: Exception) -> WorkspaceInvalid:
    """The error for something that the workspace declares and that cannot be built."""
    return WorkspaceInvalid([_finding(code, subject, str(error))])


def _origin(tool: BoundTool) -> str:
    return f"of {tool.source}" if tool.source else _EVERYWHERE


def _finding(code: str, subject: str, message: str) -> Diagnostic:
    return Diagnostic(code=code, file="workspace", line=0, path=subject, message=message)
