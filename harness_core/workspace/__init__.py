"""The workspace: a folder of YAML that says which agents, models, tools and channels there are, and how runs behave."""

from harness_core.workspace.diagnostics import Diagnostic
from harness_core.workspace.holder import Reloaded, ReloadOutcome, ReloadRefused, WorkspaceHolder
from harness_core.workspace.loader import Checked, Workspace, check_workspace, load_workspace
from harness_core.workspace.python_reference import PythonReference, python_reference
from harness_core.workspace.reach import agent_digest, agents_reached
from harness_core.workspace.schema import (
    AgentSpec,
    ApprovalExcept,
    Approvals,
    Approvers,
    ChannelSpec,
    ModelSpec,
    RoutingRule,
    RuntimeSpec,
    ToolSpec,
)

__all__ = (
    "AgentSpec",
    "ApprovalExcept",
    "Approvals",
    "Approvers",
    "ChannelSpec",
    "Checked",
    "Diagnostic",
    "ModelSpec",
    "PythonReference",
    "ReloadOutcome",
    "ReloadRefused",
    "Reloaded",
    "RoutingRule",
    "RuntimeSpec",
    "ToolSpec",
    "Workspace",
    "WorkspaceHolder",
    "agent_digest",
    "agents_reached",
    "check_workspace",
    "load_workspace",
    "python_reference",
)
