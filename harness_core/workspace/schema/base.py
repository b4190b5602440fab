"""What every object of a workspace has in common."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class Spec(BaseModel):
    """Frozen; unknown keys are errors. Its repr shows the ``name`` alone, since any other value may be secret."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        return [("name", self.name)] if hasattr(self, "name") else []
