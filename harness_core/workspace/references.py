"""How the objects of a workspace name each other and Python code, and that each reference leads somewhere.

Works on raw values: a mistake inside an agent does not make the agent unknown to those who name it, nor hide that it
names a model that is not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from harness_core.workspace.diagnostics import KeyPath, listed, nearest_name
from harness_core.workspace.document import Document
from harness_core.workspace.objects import Objects
from harness_core.workspace.python_reference import (
    PythonReference,
    defined_names,
    module_source,
    modules_beside,
    python_reference,
)
from harness_core.workspace.schema import MIDDLEWARE_TYPES

OWN_TOOLS: Final = "harness_core.tools"
"""The module of the tools that come with the library: it needs no entry in ``tool_packages``."""


def check_references(objects: Objects) -> None:
    """Report duplicates and references that lead nowhere, each at the place that is to be mended."""
    objects.check_duplicates()
    for agent in objects.of_kind("Agent"):
        objects.check_name(agent, ("model",), "Model")
        objects.check_names(agent, ("tools",), "Tool", repeated="repeated-tool")
        objects.check_names(agent, ("subagents",), "Agent", repeated="repeated-subagent")
        for index in range(agent.length("middleware")):
            _check_middleware(agent, ("middleware", index), objects)
    for middleware in objects.of_kind("Middleware"):
        _check_models_of(middleware, (), objects)
    for channel in objects.of_kind("Channel"):
        objects.check_name(channel, ("agent",), "Agent")
    for policy in objects.of_kind("Policy"):
        objects.check_names(policy, ("agents",), "Agent")
    for runtime in objects.of_kind("Runtime"):
        _check_runtime(runtime, objects)
    _check_python(objects)


def _check_runtime(runtime: Document, objects: Objects) -> None:
    objects.check_name(runtime, ("routing", "default_agent"), "Agent")
    objects.check_name(runtime, ("routing", "model", "use"), "Model")
    objects.check_name(runtime, ("store", "embeddings"), "EmbeddingModel")
    for index in range(runtime.length("routing", "rules")):
        objects.check_name(runtime, ("routing", "rules", index, "agent"), "Agent")


def _check_middleware(agent: Document, path: KeyPath, objects: Objects) -> None:
    name = agent.text(*path)
    if name in MIDDLEWARE_TYPES and name not in objects.names("Middleware"):
        message = "a text names a Middleware object, and there is none; a type stands in a mapping"
        agent.report(path, "unknown-middleware", message, allowed=f"{{type: {name}, …}}")
    elif name:
        objects.check_name(agent, path, "Middleware")
    else:
        _check_models_of(agent, path, objects)


def _check_models_of(document: Document, path: KeyPath, objects: Objects) -> None:
    objects.check_name(document, (*path, "model"), "Model")
    objects.check_names(document, (*path, "models"), "Model")


def _python_keys(objects: Objects) -> Iterator[tuple[Document, KeyPath]]:
    """Every place that may name Python code."""
    for tool in objects.of_kind("Tool"):
        yield tool, ("python",)
        yield tool, ("preview",)
    for middleware in objects.of_kind("Middleware"):
        yield middleware, ("python",)
    for agent in objects.of_kind("Agent"):
        yield agent, ("backend", "python")
        for index in range(agent.length("middleware")):
            yield agent, ("middleware", index, "python")


def _check_python(objects: Objects) -> None:
    packages: dict[str, str] = {}
    for runtime in objects.of_kind("Runtime"):
        for index in range(runtime.length("tool_packages")):
            path = ("tool_packages", index)
            packages[runtime.text(*path)] = runtime.shown(*path)
    list_is_known = not objects.may_be_unreadable("Runtime")
    for document, place in _python_keys(objects):
        reference = python_reference(document.text(*place))
        if reference is None:
            continue
        if reference.module == OWN_TOOLS or reference.package in packages or not list_is_known:
            _check_target(document, place, reference)
        else:
            document.report(
                place,
                "python-not-allowed",
                "the package is not in tool_packages of the Runtime",
                allowed=listed(packages.values()),
                nearest=nearest_name(reference.package, packages.values()),
            )


def _check_target(document: Document, place: KeyPath, reference: PythonReference) -> None:
    source = module_source(reference.module)
    if source is None:
        known = modules_beside(reference.module)
        document.report(
            place,
            "module-not-found",
            f"there is no Python module {reference.module}",
            allowed=listed(known) if known else "a module on Python's path",
            nearest=nearest_name(reference.module, known),
        )
        return
    names = defined_names(source)
    if names is not None and reference.attribute not in names:
        public = [name for name in names if not name.startswith("_")]
        document.report(
            place,
            "function-not-found",
            f"the module {reference.module} does not define {reference.attribute}",
            allowed=listed(public),
            nearest=nearest_name(reference.attribute, public),
        )
