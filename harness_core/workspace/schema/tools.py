"""Tools: a Python function, or the tools of an MCP server, and how careful to be with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import ConfigDict, Discriminator, Field, SecretStr, Tag, model_validator
from pydantic_core import PydanticCustomError

from harness_core.workspace.fields import Flag, InsidePath, Name, Reference, Template, Text, Url
from harness_core.workspace.schema.approvals import ApprovalExcept, ApprovalRule
from harness_core.workspace.schema.base import Spec
from harness_core.workspace.templates import fill_template

REST: Final = "*"
"""In a map by tool name: every tool that the map does not name."""

BY_TOOL: Final = ("approval", "idempotent", "destructive", "title", "label")
"""What may be a map by tool name."""


class _McpServer(Spec):
    """``allow`` names the tools that agents get; absent, all of them."""

    allow: tuple[Text, ...] | None = None


class McpOverHttp(_McpServer):
    """A server behind an address, spoken to as streamable HTTP. Headers are secrets."""

    transport: Literal["http"]
    url: Url
    headers: dict[str, SecretStr] = Field(default_factory=dict)


class McpOverStdio(_McpServer):
    """A server that is started as a process. ``cwd`` is a folder inside the workspace's; ``env`` values are secrets."""

    transport: Literal["stdio"]
    command: Text
    args: tuple[Text, ...] = ()
    env: dict[str, SecretStr] = Field(default_factory=dict)
    cwd: InsidePath | None = None


McpServer: TypeAlias = Annotated[McpOverHttp | McpOverStdio, Field(discriminator="transport")]


def _shape_of_approval(value: object) -> str:
    match value:
        case str():
            return "word"
        case dict() if not value.keys() - {"except_when"} and value:
            return "rule"
        case ApprovalExcept():
            return "rule"
        case _:
            return "by_tool"


def _shape(value: object) -> str:
    return "by_tool" if isinstance(value, Mapping) else "one"


Approval: TypeAlias = Annotated[
    Annotated[Literal["always", "never"], Tag("word")]
    | Annotated[ApprovalExcept, Tag("rule")]
    | Annotated[dict[str, ApprovalRule], Tag("by_tool")],
    Discriminator(_shape_of_approval),
]
Flags: TypeAlias = Annotated[
    Annotated[Flag, Tag("one")] | Annotated[dict[str, Flag], Tag("by_tool")], Discriminator(_shape)
]
Templates: TypeAlias = Annotated[
    Annotated[Template, Tag("one")] | Annotated[dict[str, Template], Tag("by_tool")], Discriminator(_shape)
]


class ArgumentSpec(Spec):
    """``secret`` values are masked wherever people look."""

    secret: Flag = False


class _Tool(Spec):
    """What a tool and a server of tools have in common."""

    kind: Literal["Tool"] = "Tool"
    name: Name
    python: Reference | None = None
    preview: Reference | None = None
    arguments: dict[str, ArgumentSpec] = Field(default_factory=dict)

    @property
    def secret_arguments(self) -> frozenset[str]:
        return frozenset(name for name, argument in self.arguments.items() if argument.secret)


class ToolSpec(_Tool):
    """One tool, by the name that its server gives it, and how careful to be with it. Absent ``approval`` is ``never``.

    ``server`` names the Tool object that it came from, where that is an MCP server.
    """

    name: Annotated[str, Field(min_length=1)]  # a server calls its tools what it likes
    server: Name | None = None
    title: Template | None = None
    label: Template | None = None
    approval: ApprovalRule = "never"
    idempotent: Flag = False
    destructive: Flag = False

    @property
    def source(self) -> str:
        """The Tool object that this is, or is from."""
        return self.server or self.name

    def title_for(self, arguments: Mapping[str, object]) -> str:
        """What a call does, as a headline; secret arguments are masked."""
        return fill_template(self.title or self.name, arguments, self.secret_arguments)

    def label_for(self, arguments: Mapping[str, object]) -> str:
        """What a call is doing, as a progress line; secret arguments are masked."""
        return fill_template(self.label or self.title or self.name, arguments, self.secret_arguments)


class ToolObject(_Tool):
    """A Tool as it is declared: a Python function or LangChain tool, or an MCP server with all its tools.

    For a server each of ``approval``, ``idempotent``, ``destructive``, ``title`` and ``label`` may be a map by the
    server's names of its tools, ``"*"`` being the rest. :meth:`for_tool` says what holds for one of them.
    """

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["python"]}, {"required": ["mcp"]}]})

    mcp: McpServer | None = None
    title: Templates | None = None
    label: Templates | None = None
    approval: Approval = "never"
    idempotent: Flags = False
    destructive: Flags = False

    @model_validator(mode="after")
    def _one_source(self) -> ToolObject:
        if (self.python is None) == (self.mcp is None):
            raise PydanticCustomError(
                "tool_source",
                "a tool comes from one place",
                {
                    "allowed": "either python: package.module:function, or mcp: {transport: …}",
                    "found": "neither" if self.python is None else "both",
                },
            )
        if self.mcp is not None and self.preview is not None:
            raise PydanticCustomError(
                "preview_of_mcp",
                "tools of a server have no preview",
                {"at": ("preview",), "allowed": "preview beside python"},
            )
        return self

    @model_validator(mode="after")
    def _maps_are_for_servers(self) -> ToolObject:
        if self.mcp is None:
            for key in BY_TOOL:
                if isinstance(getattr(self, key), Mapping):
                    raise PydanticCustomError(
                        "map_of_python",
                        "“{key}” is a map by tool name, and there is one tool",
                        {"key": key, "at": (key,), "allowed": f"a single value of {key}"},
                    )
        return self

    @property
    def tools(self) -> tuple[str, ...] | None:
        """The names of the tools, as their server has them; None when only the server can tell."""
        return (self.name,) if self.mcp is None else self.mcp.allow

    def has_tool(self, tool: str) -> bool:
        """Whether a tool of this object may have that name."""
        return self.tools is None or tool in self.tools

    def for_tool(self, tool: str | None = None) -> ToolSpec:
        """What holds for one tool of the server; a Python tool is its own and only one."""
        name = self.name if self.mcp is None or tool is None else tool
        given: dict[str, Any] = {
            "name": name,
            "python": self.python,
            "preview": self.preview,
            "arguments": self.arguments,
            "server": None if self.mcp is None else self.name,
        }
        for key in BY_TOOL:
            value = getattr(self, key)
            given[key] = value
            if isinstance(value, Mapping):
                given[key] = value.get(name, value.get(REST, ToolSpec.model_fields[key].default))
        return ToolSpec.model_construct(set(given), **given)
