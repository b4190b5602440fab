"""The declarations against the signatures of the libraries: no parameter missing, none too many, no default apart."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import deepagents.middleware
import langchain.agents.middleware
import pytest
from deepagents.middleware.patch_tool_calls import PatchToolCallsMiddleware
from langchain.agents.middleware import (
    AgentMiddleware,
    ClearToolUsesEdit,
    CodexSandboxExecutionPolicy,
    DockerExecutionPolicy,
    HostExecutionPolicy,
    RedactionRule,
    SummarizationMiddleware,
)
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from harness_core.runtime.middleware.declared import BUILDERS
from harness_core.workspace.schema import MIDDLEWARE_TYPES, REFUSED_TYPES
from harness_core.workspace.schema.model_middleware import (
    ClearToolUses,
    Extent,
    PiiDetection,
    SummarizationSpec,
)
from harness_core.workspace.schema.tool_middleware import CodexShell, DockerShell, HostShell

#: Parameters of the libraries that cannot be declared, and why.
HIDDEN: Mapping[str, Mapping[str, str]] = {
    "summarization": {
        "token_counter": "a function",
        "summarizer": "a function",
        "deprecated_kwargs": "deprecated",
    },
    "model_retry": {"retry_on": "ours knows which failures of a provider may pass"},
    "tool_retry": {"retry_on": "a function"},
    "tool_error": {"on_error": "made from expose", "aon_error": "made from expose"},
    "pii": {"apply_to_output": "people read the answer while it is written"},
    "context_editing": {"token_counter": "a function"},
    "model_fallback": {"first_model": "the first of models", "additional_models": "the rest of models"},
    "HostShell": {"create_process_group": "without it a time limit would not end what a command started"},
    "DockerShell": {
        "remove_container_on_exit": "containers would pile up",
        "extra_run_args": "they could undo every wall",
        "cpu_time_seconds": "docker refuses it",
    },
    "CodexShell": {"config_overrides": "they could undo every wall"},
}

#: Keys of declarations that the libraries do not have, and why.
OURS: Mapping[str, Mapping[str, str]] = {
    "tool_error": {"expose": "in place of a function"},
    "llm_tool_emulator": {"tests_only": "a confirmation"},
    "model_fallback": {"models": "in place of two parameters"},
    "shell": {"allow_host": "a confirmation", "approval": "for the gate"},
}

#: Defaults that differ, and why.
DIFFERENT: Mapping[str, Mapping[str, str]] = {
    "summarization": {
        "model": "the agent's own",
        "trigger": "without one it would never do anything",
        "keep": "spelled as a mapping",
        "summary_prompt": "absent is the library's",
    },
    "todo_list": {
        "system_prompt": "absent is the library's",
        "tool_description": "absent is the library's",
    },
    "llm_tool_selector": {
        "system_prompt": "absent is the library's",
        "always_include": "an empty list",
    },
    "provider_tool_search": {"searchable_tools": "an empty list"},
    "context_editing": {"edits": "the library's own edit, written out"},
    "model_retry": {"on_failure": "a failed model fails the run, in the words for that"},
    "tool_retry": {"on_failure": "the gate has the words for that"},
    "shell": {
        "execution_policy": "the library's is the host without walls",
        "startup_commands": "an empty list",
        "shutdown_commands": "an empty list",
        "redaction_rules": "an empty list",
        "env": "the library's is the environment of the bot",
    },
}

LIBRARIES = (langchain.agents.middleware, deepagents.middleware)

#: Middleware of the libraries that is neither declared nor refused by a type of its own, and why.
APART = {
    "AgentMiddleware": "the base class",
    "AsyncSubAgentMiddleware": "graphs on other servers",
    "SummarizationToolMiddleware": "part of deep agents' own summaries",
    "UnsupportedContentMiddleware": "every deep agent has it",
}

REFUSED_CLASSES = {
    "human_in_the_loop": "HumanInTheLoopMiddleware",
    "filesystem": "FilesystemMiddleware",
    "subagents": "SubAgentMiddleware",
    "memory": "MemoryMiddleware",
    "skills": "SkillsMiddleware",
    "rubric": "RubricMiddleware",
}

RECORDS: list[tuple[type[BaseModel], type[Any]]] = [
    (ClearToolUses, ClearToolUsesEdit),
    (PiiDetection, RedactionRule),
    (HostShell, HostExecutionPolicy),
    (DockerShell, DockerExecutionPolicy),
    (CodexShell, CodexSandboxExecutionPolicy),
]

BUILT_IN = sorted(name for name in MIDDLEWARE_TYPES if name != "custom")


def library_class(name: str) -> type[AgentMiddleware[Any, Any]]:
    wanted = MIDDLEWARE_TYPES[name].class_name
    if wanted == PatchToolCallsMiddleware.__name__:
        return PatchToolCallsMiddleware
    found: type[AgentMiddleware[Any, Any]] = getattr(langchain.agents.middleware, wanted)
    return found


def parameters(target: type[Any]) -> dict[str, Any]:
    """Parameters of the constructor by name, with their defaults."""
    found = dict(inspect.signature(target.__init__).parameters)
    found.pop("self")
    if target.__init__ in (object.__init__, AgentMiddleware.__init__):
        return {}
    return {name: parameter.default for name, parameter in found.items()}


def declared(spec: type[BaseModel]) -> dict[str, Any]:
    fields = {name: field for name, field in spec.model_fields.items() if name != "type"}
    return {
        name: field.get_default(call_default_factory=True)
        if field.default_factory is not None or field.default is not PydanticUndefined
        else inspect.Parameter.empty
        for name, field in fields.items()
    }


def compare(key: str, spec: type[BaseModel], target: type[Any]) -> None:
    ours, theirs = declared(spec), parameters(target)
    hidden, own, different = HIDDEN.get(key, {}), OURS.get(key, {}), DIFFERENT.get(key, {})

    assert ours.keys() - own.keys() == theirs.keys() - hidden.keys()
    assert hidden.keys() <= theirs.keys(), "a hidden parameter that is gone"
    assert own.keys() <= ours.keys()
    apart = {name for name in ours.keys() & theirs.keys() if ours[name] != theirs[name]}
    assert apart == set(different)


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_declaration_has_the_parameters_and_defaults_of_the_library(name: str) -> None:
    compare(name, MIDDLEWARE_TYPES[name], library_class(name))


@pytest.mark.parametrize(("spec", "target"), RECORDS, ids=[spec.__name__ for spec, _ in RECORDS])
def test_a_part_of_a_declaration_has_the_fields_of_the_library(
    spec: type[BaseModel], target: type[Any]
) -> None:
    compare(spec.__name__, spec, target)


def test_the_mapping_of_keep_means_what_the_library_does_by_itself() -> None:
    unit, size = parameters(SummarizationMiddleware)["keep"]
    default = SummarizationSpec.model_fields["keep"].default
    assert default == Extent.model_validate({unit: size})


def test_every_middleware_of_the_libraries_is_declared_refused_or_set_apart() -> None:
    known = {spec.class_name for spec in MIDDLEWARE_TYPES.values()} | APART.keys()
    known |= set(REFUSED_CLASSES.values())
    found = {
        name
        for library in LIBRARIES
        for name in dir(library)
        if inspect.isclass(each := getattr(library, name)) and issubclass(each, AgentMiddleware)
    }
    assert len(found) > 20, "the search must find them"
    assert found <= known, sorted(found - known)


def test_every_type_is_built_and_every_refused_one_exists() -> None:
    assert BUILDERS.keys() == MIDDLEWARE_TYPES.keys()
    assert REFUSED_CLASSES.keys() == REFUSED_TYPES.keys()
    for name in REFUSED_CLASSES.values():
        assert any(hasattr(library, name) for library in LIBRARIES), name
