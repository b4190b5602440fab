"""One execution of a run: the chunks of the runtime become events, the texts become the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Literal

from harness_core.engine.answer import Answer
from harness_core.engine.company import RunCompany
from harness_core.engine.endings import Completed
from harness_core.engine.journal import RunJournal
from harness_core.events import (
    OutputDelta,
    OutputTakenBack,
    ReasoningDelta,
    StepCompleted,
    StepStarted,
    ToolCalled,
    ToolRefused,
    ToolResult,
)
from harness_core.models import Claim, RunInput, Steer
from harness_core.runtime import (
    AgentRuntime,
    Chunk,
    ContentChunk,
    InterruptChunk,
    ReasoningChunk,
    RefusedChunk,
    StepChunk,
    TakenBackChunk,
    ToolCallChunk,
    ToolResultChunk,
    Turn,
    render_tool_failure,
)
from harness_core.workspace import Workspace

Way = Literal["begin", "go on", "read on"]
"""With the input, from the checkpoint, or from the end of the graph to what people wrote meanwhile."""

Stand = Literal["done", "asked", "foreign"]
"""The graph is done, or waits for people, or waits for an answer that nobody could be asked for."""


class Story:
    """Holds what is known of a run while this process tells it."""

    def __init__(
        self,
        claim: Claim,
        journal: RunJournal,
        runtime: AgentRuntime,
        workspace: Workspace,
        company: RunCompany,
    ) -> None:
        self.claim = claim
        self.journal = journal
        self.runtime = runtime
        self.workspace = workspace
        self.company = company
        self.agent = claim.run.agent or ""
        self.usergroups: frozenset[str] | None = frozenset()
        self.answer = Answer()
        self.asked = RunInput(text="")
        self.leave_unread = False
        self._clock = asyncio.get_running_loop().time
        self._end = self._clock() + workspace.runtime.limits.run - claim.run.worked / 1000
        self._tried: str | None = None
        self._failures: list[str] = []
        self._told: set[str] = set()
        self._stands: Stand = "done"

    async def stream(self, way: Way) -> Stand:
        """Executes to the end of the stream. The context is given each time: checkpoints do not hold it."""
        asked, begin = self.asked, way == "begin"
        turn = Turn(
            fence=self.claim.fence,
            agent=self.agent,
            user=self.claim.run.user,
            channel=self.claim.run.channel,
            usergroups=self.usergroups,
            company=self.company,
            left=self._end - self._clock(),
            text=asked.text if begin else None,
            more=way == "read on",
            context=asked.context,
            state=asked.state if begin else None,
            files=asked.files if begin else None,
        )
        self._stands = "done"
        async for chunk in self.runtime.stream(turn):
            self._take(chunk)
        return self._stands

    async def reads_on(self, written: Sequence[Steer]) -> bool:
        """Whether the graph is to go on for the sake of what people wrote to the run.

        Left to the next run is what is written by people who may have no say in this one, and everything when the
        graph has no memory of its own, or came to its end without asking its model: it would do so for ever.
        """
        unread = [each for each in written if not each.read]
        readable = [each.message for each in unread if await self.company.admits(each.user)]
        self.leave_unread = bool(unread)
        if not readable or readable[0] == self._tried or not await self.runtime.remembers(self.agent):
            return False
        self._tried = readable[0]
        return True

    def conclusion(self) -> Completed:
        """The answer; where the model gave none, what failed, or that there is none."""
        if self.answer.text:
            return Completed(output=self.answer.text)
        text = "\n".join(self._failures) or "The agent ended without an answer."
        return Completed(output=text, synthetic=True)

    def _take(self, chunk: Chunk) -> None:
        match chunk:
            case ContentChunk(text=text, message=message):
                self.answer.add(text, message)
                self.journal.add(OutputDelta(text=text, message=message))
            case TakenBackChunk(messages=messages):
                self.answer.take_back(messages)
                self.journal.add(OutputTakenBack(text=self.answer.text))
            case ReasoningChunk(text=text, message=message):
                self.journal.add(ReasoningDelta(text=text, message=message))
            case StepChunk(step=step, phase="started", label=label, kind=kind, effect=effect):
                self.journal.add(StepStarted(step=step, label=label, kind=kind, effect=effect.value))
            case StepChunk(step=step, ok=ok):
                self.journal.add(StepCompleted(step=step, ok=ok))
            case InterruptChunk(foreign=foreign):
                self._stands = "foreign" if foreign or self._stands == "foreign" else "asked"
            case ToolCallChunk() | ToolResultChunk() | RefusedChunk():
                self._take_call(chunk)

    def _take_call(self, chunk: ToolCallChunk | ToolResultChunk | RefusedChunk) -> None:
        match chunk:
            case ToolCallChunk(call=call, tool=tool, label=label, arguments=arguments):
                self.journal.add(ToolCalled(call=call, tool=tool, label=label, arguments=arguments))
            case RefusedChunk(call=call, tool=tool, title=title, message=message):
                self.journal.add(ToolRefused(call=call, tool=tool, title=title, message=message))
            case ToolResultChunk(call=call) if call in self._told:
                pass  # those of an earlier stretch are reported again
            case ToolResultChunk(call=call, tool=tool, output=output, is_error=is_error):
                self._told.add(call)
                if is_error:
                    self._failures.append(render_tool_failure(tool, output, run_id=self.claim.run.run_id))
                self.journal.add(ToolResult(call=call, tool=tool, output=output, is_error=is_error))
