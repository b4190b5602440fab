"""Tools that say what they would have done. For a process that does nothing else: modules are changed in place."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable
from typing import Any

from bot.errors import StartupFailed
from harness_core import Workspace


def replace_tools(workspace: Workspace) -> None:
    """Puts a stand-in with the same arguments and description in the place of every tool of the workspace.

    Blocks for importing them.

    :raises StartupFailed: a tool has no place where it could be replaced: it is an object, or a server's.
    """
    for spec in workspace.tools.values():
        if spec.python is None:
            raise StartupFailed(
                f"Tool {spec.name} is a server's, which cannot be kept from running its tools."
            )
        module_name, _, attribute = spec.python.partition(":")
        try:
            module = importlib.import_module(module_name)
            tool = getattr(module, attribute)
        except Exception as error:
            raise StartupFailed(
                f"Tool {spec.name}: {spec.python} cannot be imported ({type(error).__name__}); "
                "`python -m bot check` says more."
            ) from error
        setattr(module, attribute, _stand_in(tool, spec.name))


def _stand_in(tool: Any, name: str) -> Any:
    if inspect.isfunction(tool):
        return _told(tool, name)
    # LangChain's tool objects carry their function in a field.
    if "coroutine" in getattr(type(tool), "model_fields", {}):
        return tool.model_copy(update={"func": None, "coroutine": _told(_anything, name)})
    raise StartupFailed(f"Tool {name} is an object that cannot be replaced: try it without --dry-run.")


def _told(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(function)
    async def stand_in(*_: Any, **__: Any) -> str:
        return f"Dry run: {name} was not run."

    return stand_in


async def _anything(**_: Any) -> str:
    return ""
