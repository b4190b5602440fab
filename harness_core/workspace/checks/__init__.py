"""What objects say together, once each of them says what it may: checks that look at several objects at a time.

An object that is not valid by itself takes no part, so that one mistake is not told twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness_core.workspace.checks.agents import check_agents
from harness_core.workspace.checks.hosts import check_default_agent
from harness_core.workspace.checks.middleware import check_middleware
from harness_core.workspace.checks.models import check_providers
from harness_core.workspace.checks.paths import check_paths
from harness_core.workspace.checks.picture import Picture
from harness_core.workspace.checks.policies import check_policies
from harness_core.workspace.checks.tools import check_tools
from harness_core.workspace.diagnostics import Findings
from harness_core.workspace.fitting import Fitted
from harness_core.workspace.objects import Objects


def check_together(objects: Objects, fitted: Sequence[Fitted], folder: Path, findings: Findings) -> None:
    """Report what is wrong between the objects of a workspace."""
    picture = Picture(objects, fitted)
    check_providers(objects)
    check_tools(picture)
    check_agents(picture)
    check_middleware(picture)
    check_policies(picture)
    check_paths(picture, folder)
    check_default_agent(objects, findings)


__all__ = ("check_together",)
