"""Every middleware that can be declared, inline in an agent or as an object of its own that agents name."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Annotated, Final, TypeAlias

from pydantic import Field, create_model

from harness_core.workspace.schema.middleware_base import MiddlewareSpec, NamedMiddleware
from harness_core.workspace.schema.model_middleware import (
    ContextEditingSpec,
    LlmToolSelectorSpec,
    ModelCallLimitSpec,
    ModelFallbackSpec,
    ModelRetrySpec,
    PatchToolCallsSpec,
    PiiSpec,
    ProviderToolSearchSpec,
    SummarizationSpec,
    TodoListSpec,
    ToolCallLimitSpec,
)
from harness_core.workspace.schema.tool_middleware import (
    CustomSpec,
    FileSearchSpec,
    LlmToolEmulatorSpec,
    ShellSpec,
    ToolErrorSpec,
    ToolRetrySpec,
)

MiddlewareSettings: TypeAlias = Annotated[
    ContextEditingSpec
    | CustomSpec
    | FileSearchSpec
    | LlmToolEmulatorSpec
    | LlmToolSelectorSpec
    | ModelCallLimitSpec
    | ModelFallbackSpec
    | ModelRetrySpec
    | PatchToolCallsSpec
    | PiiSpec
    | ProviderToolSearchSpec
    | ShellSpec
    | SummarizationSpec
    | TodoListSpec
    | ToolCallLimitSpec
    | ToolErrorSpec
    | ToolRetrySpec,
    Field(discriminator="type"),
]

MIDDLEWARE_TYPES: Final[Mapping[str, type[MiddlewareSpec]]] = {
    typing.get_args(spec.model_fields["type"].annotation)[0]: spec
    for spec in typing.get_args(typing.get_args(MiddlewareSettings)[0])
}

REFUSED_TYPES: Final[Mapping[str, str]] = {
    "human_in_the_loop": (
        "the gate before every tool asks people, in subagents too; say so by approval of a Tool or a Policy"
    ),
    "filesystem": "files belong to deep agents: mode: deepagent, with backend and permissions",
    "subagents": "subagents of the Agent name them",
    "memory": "memory of a deep agent names its files",
    "skills": "skills of a deep agent name their folders",
    "rubric": "its grader would call tools past the gate",
}
"""Middleware that exists and cannot be declared, and what to do instead."""

MIDDLEWARE_OBJECTS: Final[Mapping[str, type[NamedMiddleware]]] = {
    name: create_model(f"{spec.__name__.removesuffix('Spec')}Object", __base__=(spec, NamedMiddleware))  # type: ignore[arg-type]  # its stub wants the same class twice
    for name, spec in MIDDLEWARE_TYPES.items()
}
"""The same as objects of kind Middleware: with a kind and a name."""
