"""The shell and the file search: middleware that brings tools which reach outside the graph."""

from __future__ import annotations

import os
from typing import Any

from langchain.agents.middleware import (
    AgentMiddleware,
    CodexSandboxExecutionPolicy,
    DockerExecutionPolicy,
    HostExecutionPolicy,
    RedactionRule,
    ShellToolMiddleware,
)

from harness_core.runtime.middleware.file_search import FileSearch
from harness_core.runtime.middleware.kit import Kit
from harness_core.runtime.middleware.pii import detector
from harness_core.workspace.schema.tool_middleware import (
    CodexShell,
    DockerShell,
    FileSearchSpec,
    HostShell,
    ShellPolicy,
    ShellSpec,
)


def file_search(spec: FileSearchSpec, kit: Kit) -> AgentMiddleware[Any, Any]:
    return FileSearch(
        root_path=str(kit.folder / spec.root_path),
        use_ripgrep=spec.use_ripgrep,
        max_file_size_mb=spec.max_file_size_mb,
    )


def shell(spec: ShellSpec, kit: Kit) -> AgentMiddleware[Any, Any]:
    """Commands get the environment that is declared and a path to find programs on, never the bot's own."""
    rules = [
        RedactionRule(
            pii_type=rule.pii_type, strategy=rule.strategy, detector=detector(rule.pii_type, rule.detector)
        )
        for rule in spec.redaction_rules
    ]
    return ShellToolMiddleware(
        workspace_root=None if spec.workspace_root is None else kit.folder / spec.workspace_root,
        startup_commands=spec.startup_commands,
        shutdown_commands=spec.shutdown_commands,
        execution_policy=_policy(spec.execution_policy),
        redaction_rules=rules,
        tool_description=spec.tool_description,
        tool_name=spec.tool_name,
        shell_command=None if spec.shell_command is None else list(spec.shell_command),
        env={"PATH": os.defpath, **{name: value.get_secret_value() for name, value in spec.env.items()}},
    )


def _policy(declared: ShellPolicy) -> Any:
    given = declared.model_dump(exclude={"type"})
    match declared:
        case HostShell():
            return HostExecutionPolicy(**given)
        case DockerShell():
            return DockerExecutionPolicy(**given)
        case CodexShell():
            return CodexSandboxExecutionPolicy(**given)
