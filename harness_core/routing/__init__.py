"""Agent selection: reads the workspace, decides, and asks nobody but the model that it is given."""

from harness_core.routing.model_routing import AskModel, choose_agent
from harness_core.routing.selection import Request, Selection, Step, select_agent

__all__ = (
    "AskModel",
    "Request",
    "Selection",
    "Step",
    "choose_agent",
    "select_agent",
)
