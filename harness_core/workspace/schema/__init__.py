"""The workspace objects, field by field, as the YAML spells them. Durations are seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from harness_core.workspace.schema.agents import AgentSpec, ChannelSpec
from harness_core.workspace.schema.approvals import ApprovalExcept, Approvals, Approvers, ChannelApprovals
from harness_core.workspace.schema.base import Spec
from harness_core.workspace.schema.middleware import MIDDLEWARE_OBJECTS, MIDDLEWARE_TYPES, REFUSED_TYPES
from harness_core.workspace.schema.middleware_base import MiddlewareSpec, NamedMiddleware
from harness_core.workspace.schema.models import EmbeddingModelSpec, ModelSpec, ProvidedModel
from harness_core.workspace.schema.policies import Grants, PolicySpec, PolicyToolRule
from harness_core.workspace.schema.runtime import Checkpointer, RoutingRule, RuntimeSpec
from harness_core.workspace.schema.tools import McpOverHttp, McpOverStdio, ToolObject, ToolSpec

SPECS: Final[Mapping[str, type[Spec]]] = {
    "Runtime": RuntimeSpec,
    "Model": ModelSpec,
    "Tool": ToolObject,
    "Agent": AgentSpec,
    "EmbeddingModel": EmbeddingModelSpec,
    "Policy": PolicySpec,
    "Channel": ChannelSpec,
}
"""The kinds whose documents all have one shape."""

KINDS: Final = frozenset(SPECS) | {"Middleware"}
"""Every kind; a Middleware has the shape that its ``type`` says."""

__all__ = (
    "KINDS",
    "MIDDLEWARE_OBJECTS",
    "MIDDLEWARE_TYPES",
    "REFUSED_TYPES",
    "SPECS",
    "AgentSpec",
    "ApprovalExcept",
    "Approvals",
    "Approvers",
    "ChannelApprovals",
    "ChannelSpec",
    "Checkpointer",
    "EmbeddingModelSpec",
    "Grants",
    "McpOverHttp",
    "McpOverStdio",
    "MiddlewareSpec",
    "ModelSpec",
    "NamedMiddleware",
    "PolicySpec",
    "PolicyToolRule",
    "ProvidedModel",
    "RoutingRule",
    "RuntimeSpec",
    "Spec",
    "ToolObject",
    "ToolSpec",
)
