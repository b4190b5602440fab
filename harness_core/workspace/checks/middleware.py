"""Middleware of an agent together: each once, in an order that works, and no call repeated that must run once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness_core.workspace.checks.picture import Declared, Picture, Seen, ToolNames
from harness_core.workspace.diagnostics import KeyPath, listed, nearest_name
from harness_core.workspace.schema import AgentSpec, MiddlewareSpec, ToolObject
from harness_core.workspace.schema.model_middleware import (
    ContextEditingSpec,
    ModelFallbackSpec,
    ModelRetrySpec,
    PiiSpec,
    SummarizationSpec,
)
from harness_core.workspace.schema.tool_middleware import (
    LlmToolEmulatorSpec,
    ShellSpec,
    ToolErrorSpec,
    ToolRetrySpec,
)
from harness_core.workspace.schema.tools import REST
from harness_core.workspace.tool_names import model_name


def check_middleware(picture: Picture) -> None:
    for agent in picture.agents.values():
        declared = picture.declared(agent)
        if declared is None:
            continue
        _check_once_each(agent, declared)
        for outer, inner in _pairs(declared):
            _check_order(agent, outer, inner)
        tools = picture.tools_of(agent)
        for each in declared:
            _check_not_empty(each)
            _check_tool_names(each, tools)
            if isinstance(each.spec, ToolRetrySpec):
                _check_retry(agent, each, each.spec, picture)


def _check_once_each(agent: Seen[AgentSpec], declared: Sequence[Declared]) -> None:
    seen: set[str] = set()
    for index, each in enumerate(declared):
        name = each.spec.instance_name
        if name in seen:
            what = name if name == each.spec.class_name else f"{each.spec.type} ({name})"
            message = f"a graph takes each middleware once, and {what} is here a second time"
            agent.document.report(
                ("middleware", index), "duplicate-middleware", message, found=each.spec.type, allowed="once"
            )
        seen.add(name)


def _pairs(
    declared: Sequence[Declared],
) -> Iterator[tuple[tuple[int, MiddlewareSpec], tuple[int, MiddlewareSpec]]]:
    """Each two of them, the outer one first, with their places in the list."""
    for inner in range(len(declared)):
        for outer in range(inner):
            yield (outer, declared[outer].spec), (inner, declared[inner].spec)


def _check_order(
    agent: Seen[AgentSpec], outer: tuple[int, MiddlewareSpec], inner: tuple[int, MiddlewareSpec]
) -> None:
    match outer[1], inner[1]:
        case ToolRetrySpec(), ToolErrorSpec():
            problem = "turns failures into messages before tool_retry sees them"
        case ToolErrorSpec(), ToolRetrySpec(on_failure="continue"):
            problem = "hides failures from tool_error; leave on_failure at error"
        case LlmToolEmulatorSpec(), ToolRetrySpec() | ToolErrorSpec():
            problem = "never sees a call, because llm_tool_emulator answers before"
        case ModelFallbackSpec(), ModelRetrySpec(on_failure="continue"):
            problem = "hides failures from model_fallback; leave on_failure at error"
        case SummarizationSpec(), PiiSpec():
            problem = "comes too late: summarization reads the conversation before it"
        case _:
            return
    kinds = f"{inner[1].type} before {outer[1].type}" if "on_failure" not in problem else "on_failure: error"
    agent.document.report(
        ("middleware", inner[0]), "middleware-order", problem, found=inner[1].type, allowed=kinds
    )


def _check_not_empty(declared: Declared) -> None:
    path = (*declared.path, "tools")
    if declared.document.is_left_empty(*path):
        message = "“tools” has no value, and without one it would work on every tool"
        allowed = "some tools, or no such key for all of them"
        declared.document.report(path, "empty-value", message, allowed=allowed)


def _check_tool_names(declared: Declared, tools: ToolNames) -> None:
    if not tools.complete:
        return
    spelled = {model_name(name) for name in tools.names}
    for path, name in _named_tools(declared.spec):
        if model_name(name) not in spelled:
            declared.document.report(
                (*declared.path, *path),
                "unknown-tool",
                "the agent has no tool of this name",
                found=name,
                allowed=listed(tools.names),
                nearest=nearest_name(name, tools.names),
            )


def _named_tools(spec: MiddlewareSpec) -> Iterator[tuple[KeyPath, str]]:
    for key in ("tools", "always_include", "searchable_tools", "on_parsing_failure"):
        value = getattr(spec, key, None)
        if isinstance(value, tuple):
            yield from (((key, index), name) for index, name in enumerate(value))
    name = getattr(spec, "tool_name", None)
    if name is not None and not isinstance(spec, ShellSpec):
        yield ("tool_name",), name
    if isinstance(spec, ContextEditingSpec):
        for place, edit in enumerate(spec.edits):
            for index, name in enumerate(edit.exclude_tools):
                yield ("edits", place, "exclude_tools", index), name


def _check_retry(agent: Seen[AgentSpec], declared: Declared, spec: ToolRetrySpec, picture: Picture) -> None:
    tools = [picture.tools[name].spec for name in agent.spec.tools if name in picture.tools]
    once = [name for tool in tools for name in _once(tool, spec.tools, picture.tools_of(agent))]
    shells = (each.spec for each in picture.declared(agent) or () if isinstance(each.spec, ShellSpec))
    once += [shell.tool_name for shell in shells if spec.tools is None or shell.tool_name in spec.tools]
    if once:
        declared.document.report(
            (*declared.path, "tools"),
            "retry-on-once-tool",
            f"would repeat calls that must not happen twice: {', '.join(once)}",
            found=", ".join(once),
            allowed="tools with idempotent: true only",
        )


def _once(tool: ToolObject, wanted: Sequence[str] | None, known: ToolNames) -> list[str]:
    """The object's tools that are not idempotent, of those ``wanted``; ``server/*`` where only the server knows them."""
    if tool.tools is not None:
        spelled = {model_name(name) for name in wanted or ()}
        names = [name for name in tool.tools if wanted is None or model_name(name) in spelled]
    elif wanted is not None:
        spelled = {model_name(name) for name in known.names}
        names = [name for name in wanted if model_name(name) not in spelled]
    else:
        return [] if tool.for_tool(REST).idempotent else [f"{tool.name}/{REST}"]
    return [name for name in names if not tool.for_tool(name).idempotent]
