"""Agents, and the channels that they answer in."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from harness_core.workspace.fields import (
    InsidePath,
    Name,
    Reference,
    Text,
    VirtualPath,
    reveal_secrets,
    wrap_secrets,
)
from harness_core.workspace.schema.approvals import ChannelApprovals
from harness_core.workspace.schema.base import Spec
from harness_core.workspace.schema.middleware import MiddlewareSettings
from harness_core.workspace.schema.runtime import Checkpointer


class StateFiles(Spec):
    """Files live in the state of the conversation."""

    kind: Literal["state"] = "state"


class StoredFiles(Spec):
    """Files live in the long-term store, one collection for each tenant and agent."""

    kind: Literal["store"]


class FolderFiles(Spec):
    """Files live in ``root``, a folder inside the workspace's."""

    kind: Literal["folder"]
    root: InsidePath


class PythonFiles(Spec):
    """A function or class of an allow-listed package, called with ``params``, that gives a backend of deepagents."""

    kind: Literal["python"]
    python: Reference
    params: Annotated[dict[str, Any], AfterValidator(wrap_secrets)] = Field(default_factory=dict)

    def clear_params(self) -> dict[str, Any]:
        """``params`` with secrets readable, for the call only."""
        revealed: dict[str, Any] = reveal_secrets(self.params)
        return revealed


Backend: TypeAlias = Annotated[
    StateFiles | StoredFiles | FolderFiles | PythonFiles, Field(discriminator="kind")
]


class FilePermission(Spec):
    """What a deep agent may do to files; the first that matches decides."""

    operations: Annotated[tuple[Literal["read", "write"], ...], Field(min_length=1)]
    paths: Annotated[tuple[VirtualPath, ...], Field(min_length=1)]
    mode: Literal["allow", "deny"] = "allow"


_DEEP = ("backend", "skills", "memory", "permissions")


def _use_of_middleware(value: Any) -> str:
    return "by_name" if isinstance(value, str) else "inline"


MiddlewareUse: TypeAlias = Annotated[
    Annotated[Name, Tag("by_name")] | Annotated[MiddlewareSettings, Tag("inline")],
    Discriminator(_use_of_middleware),
]


class AgentSpec(Spec):
    """A model with instructions, tools, middleware and subagents.

    ``middleware`` stands in order, the first outermost; a text names a Middleware object. ``backend``, ``skills``,
    ``memory`` and ``permissions`` are about the files of a deep agent. An absent ``checkpointer`` is the Runtime's.
    """

    kind: Literal["Agent"] = "Agent"
    name: Name
    description: str = ""
    mode: Literal["langchain", "deepagent"] = "langchain"
    model: Name
    instructions: str = ""
    tools: tuple[Name, ...] = ()
    middleware: tuple[MiddlewareUse, ...] = ()
    subagents: tuple[Name, ...] = ()
    checkpointer: Checkpointer | None = None
    backend: Backend = StateFiles()
    skills: tuple[VirtualPath, ...] = ()
    memory: tuple[VirtualPath, ...] = ()
    permissions: tuple[FilePermission, ...] = ()

    @model_validator(mode="after")
    def _files_need_a_deep_agent(self) -> AgentSpec:
        for key in _DEEP:
            if self.mode != "deepagent" and key in self.model_fields_set:
                raise PydanticCustomError(
                    "deepagent_only",
                    "“{key}” is for deep agents",
                    {"key": key, "at": (key,), "allowed": "mode: deepagent", "found": f"mode: {self.mode}"},
                )
        return self


class ChannelSpec(Spec):
    """What differs in one channel. ``channel`` is the front end's id of it."""

    kind: Literal["Channel"] = "Channel"
    channel: Text
    agent: Name | None = None
    follow: Literal["thread", "mention"] = "thread"
    approvals: ChannelApprovals | None = None
