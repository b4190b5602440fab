"""Python tools: a function or a LangChain tool by reference, made ready for a model to call.

The JSON Schema of a function's arguments comes from its annotations and the description from its docstring,
so both must be there.
"""

from __future__ import annotations

import contextvars
import importlib
import inspect
import json
import typing
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pydantic_core
from langchain_core.tools import BaseTool
from pydantic import BaseModel, ConfigDict, create_model

from harness_core.approvals import Effect
from harness_core.daemon_thread import in_daemon_thread
from harness_core.redaction import MASK, redact
from harness_core.runtime.handed_over import HandedOver, lost_arguments
from harness_core.runtime.unblocking import unblocking
from harness_core.tool_call import ToolCall
from harness_core.workspace import ToolSpec, python_reference

_current: contextvars.ContextVar[ToolCall] = contextvars.ContextVar("_current")


class ToolUnusable(Exception):
    """A reference that is not a tool; says why and what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundTool:
    """A tool with what the workspace says about it.

    ``source`` is the object of the workspace it comes from, empty for tools that agents bring along. A tool that
    ``stays_inside`` changes nothing outside the graph; one that ``delegates`` has other agents work, who may take as
    long as the run.
    """

    spec: ToolSpec
    tool: BaseTool
    source: str = ""
    stays_inside: bool = False
    delegates: bool = False

    @property
    def name(self) -> str:
        """What models call it."""
        return self.tool.name

    @property
    def effect(self) -> Effect:
        """What repeating a call would do."""
        if self.stays_inside:
            return Effect.NONE
        return Effect.IDEMPOTENT if self.spec.idempotent else Effect.ONCE

    def label(self, arguments: Mapping[str, Any]) -> str:
        return self.spec.label_for(arguments)

    def title(self, arguments: Mapping[str, Any]) -> str:
        return self.spec.title_for(arguments)

    def shown(self, arguments: Mapping[str, Any]) -> str:
        """``arguments`` as JSON text, secret ones masked."""
        secret = self.spec.secret_arguments
        return json.dumps(
            {name: MASK if name in secret else value for name, value in arguments.items()},
            ensure_ascii=False,
            default=str,
        )

    def secrets(self, arguments: Mapping[str, Any]) -> list[str]:
        """The values of this call that must not be shown."""
        return [
            each
            for name in self.spec.secret_arguments
            if name in arguments
            for each in _leaves(arguments[name])
        ]

    def clean(self, text: str, arguments: Mapping[str, Any]) -> str:
        """``text`` fit for people: without this call's secrets and what looks like one."""
        return redact(text, self.secrets(arguments))


@contextmanager
def serving(call: ToolCall) -> Iterator[None]:
    """Within this block, tools that ask for their call get ``call``."""
    token = _current.set(call)
    try:
        yield
    finally:
        _current.reset(token)


def load_tool(spec: ToolSpec) -> BoundTool:
    """The tool that ``spec`` refers to.

    :raises ToolUnusable: it cannot be imported, is not a tool, or does not say what it takes and does.
    """
    found = _import(spec)
    if isinstance(found, BaseTool):
        return BoundTool(spec=spec, tool=_renamed(found, spec), source=spec.name)
    if inspect.isfunction(found):
        return BoundTool(spec=spec, tool=_from_function(found, spec), source=spec.name)
    raise ToolUnusable(
        f"{spec.python} is a {type(found).__name__}: a tool is a function or a LangChain tool object"
    )


def _import(spec: ToolSpec) -> Any:
    reference = python_reference(spec.python or "")
    if reference is None:
        raise ToolUnusable(f"{spec.python} is not a reference: write package.module:function")
    try:
        module = importlib.import_module(reference.module)
    except Exception as error:
        # A tool's module is somebody else's code: whatever it raises is a finding.
        raise ToolUnusable(
            f"{reference.module} cannot be imported: {type(error).__name__}: {redact(str(error))}"
        ) from error
    try:
        return getattr(module, reference.attribute)
    except AttributeError:
        raise ToolUnusable(f"{reference.module} has no {reference.attribute}") from None


def _renamed(tool: BaseTool, spec: ToolSpec) -> BaseTool:
    if not tool.description.strip():
        raise ToolUnusable(f"{spec.python} has no description: the model would not know what it does")
    schema = tool.get_input_schema()
    fields = getattr(schema, "model_fields", {})
    if any(field.annotation is ToolCall for field in fields.values()):
        raise ToolUnusable(
            f"{spec.python} is a LangChain tool with a ToolCall parameter: refer to the plain function instead"
        )
    lost = lost_arguments(tool)
    if lost:
        raise ToolUnusable(
            f"{spec.python} is a LangChain tool with an argument called {', '.join(lost)}, which LangChain would fill "
            "in by itself: call it something else, or refer to the plain function"
        )
    return unblocking(tool.model_copy(update={"name": spec.name}))


def _from_function(function: Callable[..., Any], spec: ToolSpec) -> BaseTool:
    description = inspect.getdoc(function)
    if not description:
        raise ToolUnusable(f"{spec.python} has no docstring: the model would not know what it does")
    hints = _hints(function, spec)
    call_parameter = next((name for name, hint in hints.items() if hint is ToolCall), None)
    schema = _schema(function, hints, call_parameter, spec)

    async def serve(arguments: dict[str, Any]) -> str:
        if call_parameter is not None:
            arguments[call_parameter] = _current.get()
        if inspect.iscoroutinefunction(function):
            return as_text(await function(**arguments))
        found = await in_daemon_thread(lambda: function(**arguments), name="tool")
        # A plain function around an async one gives what is still to be awaited.
        return as_text(await found if inspect.isawaitable(found) else found)

    return HandedOver(name=spec.name, description=description, args_schema=schema, serve=serve)


def _hints(function: Callable[..., Any], spec: ToolSpec) -> dict[str, Any]:
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except Exception as error:
        raise ToolUnusable(f"{spec.python}: an annotation cannot be resolved ({error})") from error
    hints.pop("return", None)
    return hints


def _schema(
    function: Callable[..., Any], hints: Mapping[str, Any], hidden: str | None, spec: ToolSpec
) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind not in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}:
            raise ToolUnusable(f"{spec.python}: parameter {parameter} cannot be filled by name")
        if name not in hints:
            raise ToolUnusable(f"{spec.python}: parameter {name} has no annotation")
        if name != hidden:
            default = ... if parameter.default is parameter.empty else parameter.default
            fields[name] = (hints[name], default)
    try:
        schema: type[BaseModel] = create_model(
            f"{spec.name}_arguments", __config__=ConfigDict(extra="forbid"), **fields
        )
        schema.model_json_schema()
    except Exception as error:
        raise ToolUnusable(f"{spec.python}: its parameters have no JSON Schema ({error})") from error
    return schema


def _leaves(value: Any) -> Iterator[str]:
    """The texts and numbers of an argument, each as it would be read on its own."""
    match value:
        case Mapping():
            for each in value.values():
                yield from _leaves(each)
        case list() | tuple() | set() | frozenset():
            for each in value:
                yield from _leaves(each)
        case None | bool():
            return
        case _:
            yield str(value)


def as_text(value: Any) -> str:
    """A tool's result for the model: text as it is, anything else as JSON.

    :raises TypeError: it is neither.
    """
    if isinstance(value, str):
        return value
    try:
        return pydantic_core.to_json(value, inf_nan_mode="strings").decode()
    except (pydantic_core.PydanticSerializationError, ValueError):
        raise TypeError(
            f"the tool returned a {type(value).__name__}, which is neither text nor JSON"
        ) from None
