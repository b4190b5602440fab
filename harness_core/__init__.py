"""An agent harness on LangGraph and Redis: durable runs, leases, recovery, an event log for every run.

The public names are the ones in ``__all__``. They are looked up on first use (:pep:`562`), because
:class:`Worker` and :class:`Harness` import LangChain, which takes seconds, and a process that only takes
messages in must not pay for it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness_core import approvals, errors, events, grants, models, states
    from harness_core.arguments import changes_between, takes
    from harness_core.engine.approvals import Approvals
    from harness_core.engine.bus import EventBus
    from harness_core.engine.coming import ComingWorker
    from harness_core.engine.control import Control
    from harness_core.engine.deletion import Deleted, Deletion, DeletionPlan
    from harness_core.engine.harness import Harness, RunResult
    from harness_core.engine.stream_items import Listeners, StreamItem
    from harness_core.engine.switchboard import Switchboard
    from harness_core.engine.worker import Worker
    from harness_core.foreign_schemas import SchemaUnreadable
    from harness_core.routing import Request, Selection, choose_agent, select_agent
    from harness_core.runtime import check_runtime
    from harness_core.states import RunState
    from harness_core.store import Begun, Budget, Known, Lost, Seal, Store, Stored, Wait, verify_chain
    from harness_core.store.embedded import EmbeddedServer
    from harness_core.tool_call import OutcomeUnknown, ToolCall
    from harness_core.workspace import (
        Checked,
        Diagnostic,
        Reloaded,
        ReloadRefused,
        Workspace,
        WorkspaceHolder,
        check_workspace,
        load_workspace,
    )

_HOMES = {
    "harness_core.arguments": ("changes_between", "takes"),
    "harness_core.engine.approvals": ("Approvals",),
    "harness_core.engine.bus": ("EventBus",),
    "harness_core.engine.coming": ("ComingWorker",),
    "harness_core.engine.control": ("Control",),
    "harness_core.engine.deletion": ("Deleted", "Deletion", "DeletionPlan"),
    "harness_core.engine.harness": ("Harness", "RunResult"),
    "harness_core.engine.stream_items": ("Listeners", "StreamItem"),
    "harness_core.engine.switchboard": ("Switchboard",),
    "harness_core.engine.worker": ("Worker",),
    "harness_core.foreign_schemas": ("SchemaUnreadable",),
    "harness_core.routing": ("Request", "Selection", "choose_agent", "select_agent"),
    "harness_core.runtime": ("check_runtime",),
    "harness_core.states": ("RunState",),
    "harness_core.store": (
        "Begun",
        "Budget",
        "Known",
        "Lost",
        "Seal",
        "Store",
        "Stored",
        "Wait",
        "verify_chain",
    ),
    "harness_core.store.embedded": ("EmbeddedServer",),
    "harness_core.tool_call": ("OutcomeUnknown", "ToolCall"),
    "harness_core.workspace": (
        "Checked",
        "Diagnostic",
        "ReloadRefused",
        "Reloaded",
        "Workspace",
        "WorkspaceHolder",
        "check_workspace",
        "load_workspace",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
_MODULES = ("approvals", "errors", "events", "grants", "models", "states")

__all__ = [
    "Approvals",
    "Begun",
    "Budget",
    "Checked",
    "ComingWorker",
    "Control",
    "Deleted",
    "Deletion",
    "DeletionPlan",
    "Diagnostic",
    "EmbeddedServer",
    "EventBus",
    "Harness",
    "Known",
    "Listeners",
    "Lost",
    "OutcomeUnknown",
    "ReloadRefused",
    "Reloaded",
    "Request",
    "RunResult",
    "RunState",
    "SchemaUnreadable",
    "Seal",
    "Selection",
    "Store",
    "Stored",
    "StreamItem",
    "Switchboard",
    "ToolCall",
    "Wait",
    "Worker",
    "Workspace",
    "WorkspaceHolder",
    "approvals",
    "changes_between",
    "check_runtime",
    "check_workspace",
    "choose_agent",
    "errors",
    "events",
    "grants",
    "load_workspace",
    "models",
    "select_agent",
    "states",
    "takes",
    "verify_chain",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"harness_core.{name}")
    if name in _HOME_OF:
        return getattr(import_module(_HOME_OF[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
