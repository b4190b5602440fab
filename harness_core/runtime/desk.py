"""Where the gate has calls judged and recorded, and where is seen which runs must not be interrupted just now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from harness_core.models import Fence
from harness_core.policy import Ask, Called, CallSite, Verdict, ask_about_outcome, judge
from harness_core.runtime.outputs import shortened
from harness_core.runtime.results import Result
from harness_core.runtime.tools import BoundTool
from harness_core.store import CallRepository, OutputRepository
from harness_core.workspace import Workspace, agent_digest


class Desk:
    """One for each version of the workspace, shared by the gates of all its agents."""

    def __init__(self, workspace: Workspace, journal: CallRepository, outputs: OutputRepository) -> None:
        self.journal = journal
        self._outputs = outputs
        self._workspace = workspace
        self._delicate: Counter[str] = Counter()
        self._digests: dict[str, str] = {}

    def judge(self, tool: BoundTool, arguments: Mapping[str, Any], site: CallSite) -> Verdict:
        """What the call needs before it may run."""
        return judge(self._workspace, _called(tool), arguments, site)

    def ask_about_outcome(self, tool: BoundTool, site: CallSite) -> Ask:
        """Who says what became of a call that broke off."""
        return ask_about_outcome(self._workspace, _called(tool), site)

    def digest(self, agent: str) -> str:
        """Stands for everything that says how ``agent`` behaves.

        :raises UnknownAgent: the workspace has no such agent.
        """
        if agent not in self._digests:
            self._digests[agent] = agent_digest(self._workspace, agent)
        return self._digests[agent]

    async def shortened(self, fence: Fence, key: str, result: Result) -> Result:
        """The result of a call as a model may read it; what is too long is kept under the call's ``key``."""
        return await shortened(self._outputs, fence, key, result)

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


def _called(tool: BoundTool) -> Called:
    return Called(spec=tool.spec, name=tool.spec.name, source=tool.source)
