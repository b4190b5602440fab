"""Agent selection. Pure: reads the workspace, decides, and asks nobody."""

from harness_core.routing.selection import Request, Selection, Step, select_agent

__all__ = ("Request", "Selection", "Step", "select_agent")
