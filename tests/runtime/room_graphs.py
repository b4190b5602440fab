"""Every graph behind an agent, found by following what the agent's own graph can really call."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any

from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode

from harness_core.runtime.gate import ToolGate


def graphs_behind(graph: Any) -> list[CompiledStateGraph[Any, Any, Any, Any]]:
    """``graph`` and every graph that its tools, or theirs, hold on to."""
    found: list[CompiledStateGraph[Any, Any, Any, Any]] = []
    pending = [graph]
    while pending:
        each = pending.pop()
        if any(each.builder is known.builder for known in found):  # configured copies share it
            continue
        found.append(each)
        node = tool_node(each)
        for tool in node.tools_by_name.values() if node is not None else ():
            pending += [
                reached
                for reached in _reached(getattr(tool, "coroutine", None))
                if isinstance(reached, CompiledStateGraph)
            ]
    return found


def tool_node(graph: Any) -> ToolNode | None:
    """The node of a graph that runs tools."""
    for node in graph.nodes.values():
        if isinstance(node.bound, ToolNode):
            return node.bound
    return None


def wrappers(node: ToolNode) -> list[Any]:
    """The middleware around a node's tools, the innermost last; what is none of ours is a function."""
    return [each for each in _reached(node._awrap_tool_call) if hasattr(each, "awrap_tool_call")]


def innermost(node: ToolNode) -> Any:
    """What a call passes last before its tool."""
    around = wrappers(node)
    return around[-1] if around else None


def is_gated(graph: Any) -> bool:
    """Whether no tool of the graph can be reached but through the gate."""
    node = tool_node(graph)
    return node is None or isinstance(innermost(node), ToolGate)


def _reached(function: Any, seen: set[int] | None = None) -> Iterator[Any]:
    """What a function holds in its closure, in order, functions and containers followed."""
    seen = set() if seen is None else seen
    if function is None or id(function) in seen:
        return
    seen.add(id(function))
    match function:
        case types.MethodType():
            yield function.__self__
        case types.FunctionType():
            inner = getattr(function, "__wrapped__", None)
            held = [] if inner is not None else [cell.cell_contents for cell in function.__closure__ or ()]
            names = dict(zip(function.__code__.co_freevars, held, strict=False))
            # A composed wrapper holds the one around and the one inside; their order is what is asked for.
            ordered = [names.pop(name) for name in ("outer", "inner") if name in names]
            for each in [*([inner] if inner is not None else []), *ordered, *names.values()]:
                yield from _reached(each, seen)
        case dict():
            for each in function.values():
                yield from _reached(each, seen)
        case list() | tuple():
            for each in function:
                yield from _reached(each, seen)
        case _:
            yield function
            bound = getattr(function, "bound", None)
            if bound is not None:
                yield from _reached(bound, seen)
