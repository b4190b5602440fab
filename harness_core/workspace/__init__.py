"""The workspace: a folder of YAML that says which agents, models, tools and channels there are, and how runs behave."""

from harness_core.workspace.argument_rules import (
    check_against_schema,
    check_named_arguments,
    possible_values,
)
from harness_core.workspace.assembly import Workspace
from harness_core.workspace.diagnostics import Diagnostic
from harness_core.workspace.holder import Reloaded, ReloadOutcome, ReloadRefused, WorkspaceHolder
from harness_core.workspace.loader import Checked, check_workspace, load_workspace
from harness_core.workspace.policy_rules import (
    Caller,
    CallRule,
    call_rule,
    matches,
    refusals,
    usergroups_named,
)
from harness_core.workspace.python_reference import PythonReference, python_reference
from harness_core.workspace.reach import agent_digest, agents_reached, tool_of
from harness_core.workspace.schema import (
    AgentSpec,
    ApprovalExcept,
    Approvals,
    Approvers,
    ChannelApprovals,
    ChannelSpec,
    Checkpointer,
    EmbeddingModelSpec,
    Grants,
    McpOverHttp,
    McpOverStdio,
    MiddlewareSpec,
    ModelSpec,
    PolicySpec,
    PolicyToolRule,
    RoutingRule,
    RuntimeSpec,
    ToolObject,
    ToolSpec,
)
from harness_core.workspace.tool_names import READ_ON, TASK, model_name

__all__ = (
    "READ_ON",
    "TASK",
    "AgentSpec",
    "ApprovalExcept",
    "Approvals",
    "Approvers",
    "CallRule",
    "Caller",
    "ChannelApprovals",
    "ChannelSpec",
    "Checked",
    "Checkpointer",
    "Diagnostic",
    "EmbeddingModelSpec",
    "Grants",
    "McpOverHttp",
    "McpOverStdio",
    "MiddlewareSpec",
    "ModelSpec",
    "PolicySpec",
    "PolicyToolRule",
    "PythonReference",
    "ReloadOutcome",
    "ReloadRefused",
    "Reloaded",
    "RoutingRule",
    "RuntimeSpec",
    "ToolObject",
    "ToolSpec",
    "Workspace",
    "WorkspaceHolder",
    "agent_digest",
    "agents_reached",
    "call_rule",
    "check_against_schema",
    "check_named_arguments",
    "check_workspace",
    "load_workspace",
    "matches",
    "model_name",
    "possible_values",
    "python_reference",
    "refusals",
    "tool_of",
    "usergroups_named",
)
