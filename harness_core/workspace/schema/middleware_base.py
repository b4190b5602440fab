"""What middleware declarations have in common."""

from __future__ import annotations

from typing import ClassVar, Literal

from harness_core.workspace.fields import Name
from harness_core.workspace.schema.base import Spec
from harness_core.workspace.schema.tools import ToolSpec

Side = Literal["around_model", "around_tools"]


class MiddlewareSpec(Spec):
    """One middleware by ``type``; the other keys are the parameters of LangChain's class, in its names.

    ``class_name`` is that class; one graph holds one instance of each :attr:`instance_name`. Middleware
    ``around_tools`` works on calls that the gate has let through, the others stand before it.
    """

    class_name: ClassVar[str]
    side: ClassVar[Side] = "around_model"

    type: str

    @property
    def instance_name(self) -> str:
        return self.class_name

    @property
    def brings(self) -> tuple[str, ...]:
        """The tools that come with it."""
        return ()

    def tool(self, name: str) -> ToolSpec:
        """How careful to be with one of the tools that it brings: nothing they do shows outside."""
        return ToolSpec(name=name, idempotent=True)

    @property
    def models_named(self) -> tuple[str, ...]:
        """The Model objects that it uses."""
        named = (getattr(self, "model", None), *getattr(self, "models", ()))
        return tuple(name for name in named if isinstance(name, str))


class NamedMiddleware(MiddlewareSpec):
    """An object of kind Middleware; what it declares is mixed in."""

    kind: Literal["Middleware"] = "Middleware"
    name: Name
