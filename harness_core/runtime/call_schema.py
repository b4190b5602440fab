"""What a tool takes: its JSON Schema as people and models see it, and whether given arguments fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from langchain_core.tools import BaseTool
from pydantic import BaseModel, ValidationError

from harness_core.arguments import check_arguments, completed
from harness_core.canonical import digest_of


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSchema:
    """``schema`` is JSON Schema without what the runtime fills in; ``version`` changes when the schema does."""

    schema: Mapping[str, Any]
    version: str
    model: type[BaseModel] | None

    @classmethod
    def of(cls, tool: BaseTool) -> Self:
        """What ``tool`` takes from a caller."""
        found: Any = tool.tool_call_schema
        if isinstance(found, dict):
            schema, model = found, None
        else:
            # What the tool's own model would drop without a word must not be shown to people as if it counted.
            schema, model = {**found.model_json_schema(), "additionalProperties": False}, found
        return cls(schema=schema, version=digest_of(_shape(schema)), model=model)

    def completed(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """``arguments`` with the defaults of those that are missing: what would really be passed."""
        return completed(self.schema, arguments)

    def problem(self, arguments: Mapping[str, Any]) -> str | None:
        """Why a tool would refuse ``arguments``, without repeating any; None when they fit."""
        if self.model is None:
            found = [
                f"{each.argument or 'arguments'}: {each.message}"
                for each in check_arguments(self.schema, arguments)
            ]
        else:
            known = self.schema.get("properties", {})
            found = [f"{name}: is not an argument of this tool" for name in arguments if name not in known]
            found += _refused(self.model, arguments)
        return "; ".join(found) or None


def _refused(model: type[BaseModel], arguments: Mapping[str, Any]) -> list[str]:
    try:
        model.model_validate(dict(arguments))
    except ValidationError as error:
        return [
            f"{'.'.join(map(str, each['loc'])) or 'arguments'}: {each['msg']}"
            for each in error.errors(include_input=False, include_url=False)
        ]
    return []


def _shape(schema: Any) -> Any:
    """A schema without its prose: a better description is not another tool."""
    match schema:
        case dict():
            return {
                key: value if key in {"enum", "default", "const", "required"} else _shape(value)
                for key, value in schema.items()
                if not (key in {"description", "title"} and isinstance(value, str))
            }
        case list():
            return [_shape(each) for each in schema]
        case _:
            return schema
