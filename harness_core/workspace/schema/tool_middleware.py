"""Middleware around tools, and middleware that brings tools."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from harness_core.workspace.fields import (
    Count,
    Delay,
    Factor,
    Flag,
    InsidePath,
    Name,
    Reference,
    Text,
    Whole,
    reveal_secrets,
    wrap_secrets,
)
from harness_core.workspace.schema.base import Spec
from harness_core.workspace.schema.middleware_base import MiddlewareSpec
from harness_core.workspace.schema.model_middleware import PiiDetection
from harness_core.workspace.schema.tools import ToolSpec


class ToolRetrySpec(MiddlewareSpec):
    """Repeats calls of idempotent tools that failed, within the gate and the time limit of one call."""

    class_name: ClassVar = "ToolRetryMiddleware"
    side: ClassVar = "around_tools"

    type: Literal["tool_retry"]
    max_retries: Whole = 2
    tools: tuple[Text, ...] | None = None
    on_failure: Literal["error", "continue"] = "error"
    backoff_factor: Factor = 2.0
    initial_delay: Delay = 1.0
    max_delay: Delay = 60.0
    jitter: Flag = True


class ToolErrorSpec(MiddlewareSpec):
    """What the model reads of a tool that failed: the kind of the failure only, or its message too."""

    class_name: ClassVar = "ToolErrorMiddleware"
    side: ClassVar = "around_tools"

    type: Literal["tool_error"]
    expose: Literal["type_only", "message"] = "type_only"
    tools: tuple[Text, ...] | None = None


class LlmToolEmulatorSpec(MiddlewareSpec):
    """A model makes up what tools would say: for tests, which ``tests_only: true`` confirms."""

    class_name: ClassVar = "LLMToolEmulator"
    side: ClassVar = "around_tools"

    type: Literal["llm_tool_emulator"]
    tools: tuple[Text, ...] | None = None
    model: Name | None = None
    tests_only: Flag = False

    @model_validator(mode="after")
    def _is_meant(self) -> LlmToolEmulatorSpec:
        if not self.tests_only:
            raise PydanticCustomError(
                "emulator_unconfirmed",
                "tools would not run, a model would make their results up",
                {"allowed": "tests_only: true, in a workspace for tests", "found": "no tests_only"},
            )
        return self


class FileSearchSpec(MiddlewareSpec):
    """Tools to find and search files below ``root_path``, a folder inside the workspace's."""

    class_name: ClassVar = "FilesystemFileSearchMiddleware"

    type: Literal["file_search"]
    root_path: InsidePath
    use_ripgrep: Flag = True
    max_file_size_mb: Count = 10

    @property
    def brings(self) -> tuple[str, ...]:
        return ("glob_search", "grep_search")


class _ShellPolicy(Spec):
    command_timeout: Delay = 30.0
    startup_timeout: Delay = 30.0
    termination_timeout: Delay = 10.0
    max_output_lines: Count = 100
    max_output_bytes: Count | None = None


class HostShell(_ShellPolicy):
    """No walls at all: commands can do whatever the bot's own user can."""

    type: Literal["host"]
    cpu_time_seconds: Count | None = None
    memory_bytes: Count | None = None


class DockerShell(_ShellPolicy):
    """A container, without a network unless it is asked for."""

    type: Literal["docker"]
    binary: Text = "docker"
    image: Text = "python:3.12-alpine3.19"
    network_enabled: Flag = False
    memory_bytes: Count | None = None
    cpus: Text | None = None
    read_only_rootfs: Flag = False
    user: Text | None = None


class CodexShell(_ShellPolicy):
    """The sandbox of the Codex command line, which must be installed."""

    type: Literal["codex"]
    binary: Text = "codex"
    platform: Literal["auto", "macos", "linux"] = "auto"


ShellPolicy: TypeAlias = Annotated[HostShell | DockerShell | CodexShell, Field(discriminator="type")]


class ShellSpec(MiddlewareSpec):
    """A tool that runs commands. Every call asks unless ``approval: never``; ``host`` needs ``allow_host: true``.

    ``workspace_root`` is a folder inside the workspace's; absent, a temporary one. Without ``env`` the commands see
    nothing of the bot's own environment.
    """

    class_name: ClassVar = "ShellToolMiddleware"

    type: Literal["shell"]
    execution_policy: ShellPolicy
    allow_host: Flag = False
    approval: Literal["always", "never"] = "always"
    workspace_root: InsidePath | None = None
    startup_commands: tuple[Text, ...] = ()
    shutdown_commands: tuple[Text, ...] = ()
    redaction_rules: tuple[PiiDetection, ...] = ()
    tool_description: Text | None = None
    tool_name: Name = "shell"
    shell_command: tuple[Text, ...] | None = None
    env: dict[str, SecretStr] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _the_host_is_meant(self) -> ShellSpec:
        if isinstance(self.execution_policy, HostShell) and not self.allow_host:
            raise PydanticCustomError(
                "shell_on_host",
                "commands would run on this machine without any walls",
                {
                    "at": ("execution_policy",),
                    "allowed": "type: docker, type: codex, or allow_host: true",
                    "found": "type: host",
                },
            )
        return self

    @property
    def brings(self) -> tuple[str, ...]:
        return (self.tool_name,)

    def tool(self, name: str) -> ToolSpec:
        """Commands happen once, and people see them first unless the workspace says otherwise."""
        return ToolSpec(
            name=name,
            title="Run {command}",
            label="Running {command}",
            approval=self.approval,
            destructive=True,
        )


class CustomSpec(MiddlewareSpec):
    """A class of an allow-listed package, called with ``params``. It stands before the gate."""

    class_name: ClassVar = ""

    type: Literal["custom"]
    python: Reference
    params: Annotated[dict[str, Any], AfterValidator(wrap_secrets)] = Field(default_factory=dict)

    @property
    def instance_name(self) -> str:
        return self.python

    def clear_params(self) -> dict[str, Any]:
        """``params`` with secrets readable, for the constructor only."""
        revealed: dict[str, Any] = reveal_secrets(self.params)
        return revealed
