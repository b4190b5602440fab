"""``try AGENT "input"``: one turn of an agent in the terminal, on a Redis of its own that is thrown away after."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from pydantic import SecretBytes

from bot.commands.dry_run import replace_tools
from bot.commands.exits import Exit
from bot.settings import SEAL_KEY_BYTES, Settings
from bot.startup import open_core, open_workspace
from bot.view.visible import harmless
from harness_core import Harness, StreamItem
from harness_core.errors import UnknownAgent
from harness_core.events import (
    OutputDelta,
    OutputTakenBack,
    RunCancelled,
    RunCompleted,
    RunFailed,
    ToolCalled,
    ToolResult,
)
from harness_core.models import Run


async def command(settings: Settings, agent: str, text: str, *, dry_run: bool) -> Exit:
    """Streams the answer to standard output and the steps to standard error.

    With ``dry_run`` the model sees the tools and calls them, but none of them runs.

    :raises StartupFailed: the workspace cannot be used.
    """
    holder = await asyncio.to_thread(open_workspace, settings)
    if dry_run:
        await asyncio.to_thread(replace_tools, holder.current)
    with tempfile.TemporaryDirectory(prefix="harness-try-") as folder:
        # Never the configured Redis: its workers would take the run, and their tools are real.
        scratch = replace(
            settings,
            redis_url=None,
            seal_key=SecretBytes(os.urandom(SEAL_KEY_BYTES)),
            data=Path(folder) / "data",
        )
        async with (
            open_core(scratch) as core,
            Harness(
                core.store, holder, seal=core.seal, folder=scratch.data, groups_of=_in_no_group
            ) as harness,
        ):
            screen = Screen()
            try:
                async for item in harness.stream_events(text, agent):
                    screen.show(item)
            except UnknownAgent as error:
                sys.stderr.write(f"{error}\n")
                return Exit.NOT_FOUND
    return screen.exit


async def _in_no_group(_run: Run, _groups: frozenset[str]) -> frozenset[str]:
    """Whoever has the shell is no person of the team's, and so in none of its groups."""
    return frozenset()


class Screen:
    """The answer on standard output as it grows, everything else on standard error."""

    def __init__(self) -> None:
        self.exit = Exit.FAILED
        self._message: str | None = None

    def show(self, item: StreamItem) -> None:
        """Writes one item."""
        match item.event.payload:
            case OutputDelta(text=text, message=message):
                between = "" if self._message in (None, message) else "\n\n"
                self._message = message
                self._write(between + text)
            case OutputTakenBack():
                self._message = None
                self._write("\n")
                _remark("· the answer broke off and begins again")
            case ToolCalled(tool=tool, arguments=arguments):
                _remark(f"· {tool} {arguments}")
            case ToolResult(output=output, is_error=is_error):
                _remark(f"  {'failed: ' if is_error else '→ '}{output}")
            case RunCompleted(output=output):
                self._write("\n" if self._message is not None else f"{output}\n")
                self.exit = Exit.OK
            case RunFailed(message=message, reason=reason):
                self._write("\n" if self._message is not None else "")
                _remark(message or reason)
            case RunCancelled():
                _remark("The run was stopped.")
            case _:
                pass

    @staticmethod
    def _write(text: str) -> None:
        sys.stdout.write(harmless(text))
        sys.stdout.flush()


def _remark(text: str) -> None:
    sys.stderr.write(f"{harmless(text)}\n")
