"""Arguments that reach a tool under whatever names they have.

LangChain passes arguments on as keywords, beside some of its own, and its graphs put an object of theirs in the place
of an argument called ``runtime``: arguments of such names would be lost between what people approved and what runs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langchain_core.tools.base import ArgsSchema
from pydantic import BaseModel

TAKEN: Final = frozenset({"callbacks", "config", "run_manager", "runtime"})
"""Names that LangChain fills in by itself in tools that it calls by keyword."""

Serve = Callable[[dict[str, Any]], Awaitable[Any]]


class _Nothing(BaseModel):
    """What a graph is to put into a call of its own accord."""


class HandedOver(BaseTool):
    """A tool that gets its arguments as one mapping. ``args_schema`` describes them, ``serve`` does the work."""

    serve: Serve

    @property
    def tool_call_schema(self) -> ArgsSchema:
        schema = self.args_schema
        if isinstance(schema, dict):
            return {**schema, "description": self.description}
        return schema or _Nothing

    def get_input_schema(self, _config: RunnableConfig | None = None) -> type[BaseModel]:
        """Where a graph looks for arguments that it has to fill in: there are none."""
        return _Nothing

    def _to_args_and_kwargs(
        self, tool_input: str | dict[str, Any], tool_call_id: str | None
    ) -> tuple[tuple[str, ...], dict[str, Any]]:
        _, arguments = super()._to_args_and_kwargs(tool_input, tool_call_id)
        return (), {"arguments": arguments}

    def _run(self, *_args: Any, **_kwargs: Any) -> Any:
        raise NotImplementedError("tools are called asynchronously")

    async def _arun(self, *, arguments: Mapping[str, Any]) -> Any:
        return await self.serve(dict(arguments))


def lost_arguments(tool: BaseTool) -> list[str]:
    """The arguments that a model may give to a tool of somebody else's, and that would never reach it."""
    schema: Any = tool.tool_call_schema
    described = schema if isinstance(schema, dict) else schema.model_json_schema()
    return sorted(TAKEN & described.get("properties", {}).keys())
