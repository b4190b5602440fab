"""The bot as the playground keeps it: two processes that live and die together, and what is told of them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from bot.commands.programs import Program
from bot.errors import PlaygroundFailed
from harness_core import WorkspaceHolder
from harness_core.errors import WorkspaceInvalid

# What each of them says when it can do its part: `web` on its output, `worker` in its log.
_WEB_LISTENS: Final = "Redis"
_WORKER_WORKS: Final = "agents ready"
# What `web` says in its log of each attempt to read the workspace again.
_RELOADED: Final = "workspace reloaded"
_NOT_RELOADED: Final = "workspace not reloaded: "
_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 5.0
_LOOK: Final = 1.0
_FIRST_NEWS_WITHIN: Final = 90.0
_SERIOUS: Final = frozenset({"warning", "error", "critical"})


class BotLife:
    """``web`` and ``worker``: when one ends, the other is ended too and both are started again.

    ``tell`` gets a line of JSON for everything that happens to them.
    """

    def __init__(self, workspace: Path, environ: Mapping[str, str], tell: Callable[[str], None]) -> None:
        self._workspace = workspace
        self._environ = environ
        self._tell = tell
        self._announced: set[str] = set()
        self._ready = asyncio.Event()
        self._news = asyncio.Event()
        self._last_words = ""
        self._asking: set[asyncio.Task[None]] = set()
        self._away = 0.0
        self._verbose = environ.get("LOG_LEVEL") == "debug"
        self._web, self._worker = (self._program(role) for role in ("web", "worker"))

    async def first_news(self) -> None:
        """Waits until the bot is ready for the first time, or could not start: that is told, and tried again.

        :raises PlaygroundFailed: neither came.
        """
        try:
            async with asyncio.timeout(_FIRST_NEWS_WITHIN):
                await self._news.wait()
        except TimeoutError:
            raise PlaygroundFailed(
                f"The bot was not ready within {_FIRST_NEWS_WITHIN:g} s; what it said is above."
            ) from None

    async def live(self) -> None:
        """Until cancelled. One that cannot start is tried again, at the latest when its workspace changes."""
        again, pause = False, _PAUSE
        while True:
            self._begin_anew()
            for program in (self._web, self._worker):
                await program.start()
            self._say("started", again=again, pids=[self._web.pid, self._worker.pid])
            how = await self._until_one_ends()
            was_ready = self._ready.is_set()
            self._say("ended", how=how)
            if was_ready:
                pause = _PAUSE
            else:
                await self._explain()
                pause = min(2 * pause, _LONGEST_PAUSE)
            self._news.set()
            away, self._away = self._away or pause, 0.0
            await asyncio.sleep(away)
            again = True

    async def hold(self) -> None:
        """The worker stands still from now on; it has to be killed."""
        await self._worker.hold()
        self._say("held")

    def kill(self, away: float) -> None:
        """SIGKILL for both, at once; they are started again after ``away`` seconds."""
        self._away = away
        self._web.kill()
        self._worker.kill()

    async def end(self) -> None:
        """Ends both; no other life may follow."""
        await asyncio.gather(self._web.end(), self._worker.end())

    def _begin_anew(self) -> None:
        self._announced.clear()
        self._ready.clear()
        self._last_words = ""

    async def _until_one_ends(self) -> str:
        """Waits for an end, or for new Python code; then both are gone. How it came to that."""
        ends = [asyncio.create_task(program.ended()) for program in (self._web, self._worker)]
        code = asyncio.create_task(self._new_code())
        try:
            done, _ = await asyncio.wait({*ends, code}, return_when=asyncio.FIRST_COMPLETED)
            await self.end()
            return next(iter(done)).result()
        finally:
            for task in (*ends, code):
                task.cancel()

    async def _new_code(self) -> str:
        """Waits for a change of the workspace's Python files: a running process keeps the modules that it has."""
        before = await asyncio.to_thread(_code_stamp, self._workspace)
        while True:
            await asyncio.sleep(_LOOK)
            if await asyncio.to_thread(_code_stamp, self._workspace) != before:
                return "new code"

    async def _explain(self) -> None:
        findings = await asyncio.to_thread(self._findings)
        self._say("cannot_start", why=findings[0] if findings else self._last_words or "it said nothing")
        if findings:
            self._say("workspace", findings=findings)

    def _findings(self) -> list[str]:
        try:
            WorkspaceHolder(self._workspace, self._environ)
        except WorkspaceInvalid as error:
            return [str(finding) for finding in error.findings]
        return []

    def _program(self, role: str) -> Program:
        return Program(
            name=role,
            arguments=("-m", "bot", role),
            environ=self._environ,
            hears=lambda line: self._hear(role, line) if role == "web" else None,
            mutters=lambda line: self._read_log(role, line),
        )

    def _hear(self, role: str, line: str) -> None:
        if line.startswith(_WEB_LISTENS):
            self._announce(role)

    def _announce(self, role: str) -> None:
        self._announced.add(role)
        if len(self._announced) == 2 and not self._ready.is_set():
            self._ready.set()
            self._news.set()
            self._say("ready")

    def _read_log(self, role: str, line: str) -> None:
        """A line of the bot's log: what matters is passed on to the terminal, the workspace's fate to the page."""
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict):
            self._last_words = line or self._last_words
            sys.stderr.write(f"{line}\n")
            return
        if role == "web":
            self._tell_of_workspace(entry)
        elif str(entry.get("event")).startswith(_WORKER_WORKS):
            self._announce(role)
        if self._verbose:
            sys.stderr.write(f"{role}: {line}\n")
        elif entry.get("level") in _SERIOUS:
            more = {name: value for name, value in entry.items() if name not in {"ts", "level", "event"}}
            sys.stderr.write(f"{role}: {entry.get('event')}{f' {more}' if more else ''}\n")

    def _tell_of_workspace(self, entry: Mapping[str, Any]) -> None:
        event = str(entry.get("event"))
        if event.startswith(_NOT_RELOADED):
            # The log says it in one line; the page shows each finding on its own.
            asked = asyncio.create_task(self._tell_findings(event.removeprefix(_NOT_RELOADED)))
            self._asking.add(asked)
            asked.add_done_callback(self._asking.discard)
        elif event == _RELOADED:
            self._say("workspace")

    async def _tell_findings(self, line: str) -> None:
        self._say("workspace", findings=await asyncio.to_thread(self._findings) or [line])

    def _say(self, news: str, **more: object) -> None:
        self._tell(json.dumps({"news": news, **more}))


def _code_stamp(folder: Path) -> frozenset[tuple[str, int]]:
    """Every Python file below the folder, and when it changed."""
    return frozenset((str(path), path.stat().st_mtime_ns) for path in folder.rglob("*.py") if path.is_file())
