"""LangChain tools that only know how to block, made fit for an event loop that has to go on and to end."""

from __future__ import annotations

from typing import Any

from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langchain_core.tools.base import ArgsSchema

from harness_core.daemon_thread import in_daemon_thread

_WAITING = "_arun"
"""The method of a tool that does not block; one without it is run in a pool."""


class _InThread(BaseTool):
    """``inner``, each of its calls in a thread of its own.

    LangChain would use a pool, where calls that hang keep others waiting and the process from ending.
    """

    inner: BaseTool

    @property
    def func(self) -> Any:
        """Where a graph looks, besides the schema, for arguments that it has to fill in."""
        return getattr(self.inner, "func", None)

    @property
    def tool_call_schema(self) -> ArgsSchema:
        return self.inner.tool_call_schema

    def get_input_schema(self, config: RunnableConfig | None = None) -> Any:
        return self.inner.get_input_schema(config)

    async def ainvoke(
        self,
        input: Any,  # noqa: A002 - the name that LangChain gives it
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Any:
        return await in_daemon_thread(lambda: self.inner.invoke(input, config, **kwargs), name="tool")

    def _run(self, *_args: Any, **_kwargs: Any) -> Any:
        raise NotImplementedError("tools are called asynchronously")


def unblocking(tool: BaseTool) -> BaseTool:
    """``tool``, or what does the same without holding up anything but its own call."""
    kind = type(tool)
    # The tools that LangChain makes of functions have the method, and work with it only where they got a coroutine.
    waits = getattr(kind, _WAITING) is not getattr(BaseTool, _WAITING)
    if waits and getattr(tool, "coroutine", tool) is not None:
        return tool
    return _InThread(**{name: getattr(tool, name) for name in BaseTool.model_fields}, inner=tool)
