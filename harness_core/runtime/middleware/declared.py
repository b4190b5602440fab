"""The middleware that an agent declares, built: what stands before the gate, what works inside it, which tools it brings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from langchain.agents.middleware import AgentMiddleware

from harness_core.errors import WorkspaceInvalid
from harness_core.runtime.handed_over import lost_arguments
from harness_core.runtime.middleware.around_model import (
    context_editing,
    model_call_limit,
    model_fallback,
    model_retry,
    pii,
    provider_tool_search,
    summarization,
    todo_list,
    tool_call_limit,
    tool_selector,
)
from harness_core.runtime.middleware.around_tools import tool_emulator, tool_error, tool_retry
from harness_core.runtime.middleware.custom import load_custom
from harness_core.runtime.middleware.kit import Kit, MiddlewareUnusable
from harness_core.runtime.middleware.shell import file_search, shell
from harness_core.runtime.middleware.spelling import as_models_spell
from harness_core.runtime.tools import BoundTool
from harness_core.workspace import AgentSpec, Diagnostic, MiddlewareSpec, ToolSpec, Workspace
from harness_core.workspace.schema.tool_middleware import CustomSpec

Layer = AgentMiddleware[Any, Any]

BUILDERS: Final[Mapping[str, Callable[[Any, Kit], Layer | None]]] = {
    "context_editing": context_editing,
    "custom": load_custom,
    "file_search": file_search,
    "llm_tool_emulator": tool_emulator,
    "llm_tool_selector": tool_selector,
    "model_call_limit": model_call_limit,
    "model_fallback": model_fallback,
    "model_retry": model_retry,
    "patch_tool_calls": lambda _spec, _kit: None,  # every graph has it, in its own place
    "pii": pii,
    "provider_tool_search": provider_tool_search,
    "shell": shell,
    "summarization": summarization,
    "todo_list": todo_list,
    "tool_call_limit": tool_call_limit,
    "tool_error": tool_error,
    "tool_retry": tool_retry,
}
"""How each type is built."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredMiddleware:
    """``before`` stands outside everything of ours, ``around_tools`` inside the gate; both the outermost first."""

    before: tuple[Layer, ...] = ()
    around_tools: tuple[Layer, ...] = ()
    brought: tuple[BoundTool, ...] = ()


def declared_middleware(workspace: Workspace, agent: AgentSpec, kit: Kit) -> DeclaredMiddleware:
    """Builds what ``agent`` declares. ``kit.tools`` are the agent's tools without those that middleware brings.

    :raises WorkspaceInvalid: with a finding for each declaration that cannot be built.
    """
    findings: list[Diagnostic] = []
    before: list[Layer] = []
    around: list[Layer] = []
    brought: list[BoundTool] = []
    # Those inside the gate may be about tools that those before it bring, wherever these are declared.
    for spec in sorted(workspace.middleware_of(agent), key=lambda spec: spec.side):
        known = {**kit.tools, **{tool.name: tool for tool in brought}}
        try:
            made = BUILDERS[spec.type](as_models_spell(spec), replace(kit, tools=known))
            tools = _brought(spec, made) if made is not None else []
        except WorkspaceInvalid as error:
            findings += [each for each in error.findings if isinstance(each, Diagnostic)]
            continue
        except (MiddlewareUnusable, ValueError, ImportError, OSError) as error:
            # LangChain refuses parameters that do not go together with the model by a ValueError.
            findings.append(_finding(agent, f"{spec.type}: {error}"))
            continue
        if made is not None:
            (before if spec.side == "around_model" else around).append(made)
            brought += tools
    findings += _repeated(agent, before)
    if findings:
        raise WorkspaceInvalid(findings)
    return DeclaredMiddleware(before=tuple(before), around_tools=tuple(around), brought=tuple(brought))


def _brought(spec: MiddlewareSpec, made: Layer) -> list[BoundTool]:
    """The tools that it brings, as the gate has to know them.

    Those of a class of somebody's own happen once: nothing is known about them.

    :raises MiddlewareUnusable: such a tool has an argument that would never reach it.
    """
    tools = getattr(made, "tools", ())  # classes that bring none need not say so
    if isinstance(spec, CustomSpec):
        for tool in tools:
            lost = lost_arguments(tool)
            if lost:
                raise MiddlewareUnusable(
                    f"{spec.python} brings the tool {tool.name} with an argument called {', '.join(lost)}, which "
                    "LangChain would fill in by itself: call it something else"
                )
        return [BoundTool(spec=ToolSpec(name=tool.name), tool=tool) for tool in tools]
    return [
        BoundTool(spec=about, tool=tool, stays_inside=about.idempotent)
        for tool, about in ((tool, spec.tool(tool.name)) for tool in tools)
    ]


def _repeated(agent: AgentSpec, layers: Sequence[Layer]) -> list[Diagnostic]:
    counted = Counter(layer.name for layer in layers)
    return [
        _finding(agent, f"two of its middleware are called {name}, and a graph takes each name once")
        for name, count in counted.items()
        if count > 1
    ]


def _finding(agent: AgentSpec, message: str) -> Diagnostic:
    return Diagnostic(
        code="middleware-unusable",
        file="workspace",
        line=0,
        path=f"Agent {agent.name}",
        message=message,
    )
