"""Where the gate has calls judged and recorded, and where is seen which runs must not be interrupted just now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from harness_core.policy import Ask, CallSite, Verdict, ask_about_outcome, judge
from harness_core.store import CallRepository
from harness_core.workspace import ToolSpec, Workspace


class Desk:
    """One for each version of the workspace, shared by the gates of all its agents."""

    def __init__(self, workspace: Workspace, journal: CallRepository) -> None:
        self.journal = journal
        self._workspace = workspace
        self._delicate: Counter[str] = Counter()

    def judge(self, tool: ToolSpec, arguments: Mapping[str, Any], site: CallSite) -> Verdict:
        """What the call needs before it may run."""
        return judge(self._workspace, tool, arguments, site)

    def ask_about_outcome(self, site: CallSite) -> Ask:
        """Who says what became of a call that broke off."""
        return ask_about_outcome(self._workspace, site)

    @contextmanager
    def delicate(self, run_id: str) -> Iterator[None]:
        """While a tool of this run works that must not run twice: breaking it off costs a person's time."""
        self._delicate[run_id] += 1
        try:
            yield
        finally:
            self._delicate[run_id] -= 1
            if not self._delicate[run_id]:
                del self._delicate[run_id]

    def is_delicate(self, run_id: str) -> bool:
        """Whether such a tool is at work."""
        return self._delicate[run_id] > 0
