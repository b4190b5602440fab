"""One process of the product, and what can be done to it from outside."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest
from faults.launcher import launch
from waiting import wait_until

# Python and every library are loaded once, in a server that processes are forked from: each start would take
# seconds of a core for it. The other tests of processes start them by their command.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["bot.app", "bot.front", "bot.back", "harness_core.runtime.compiling"])

START_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class Armed:
    """An order that a process carries out when it passes the point."""

    file: Path

    @property
    def pending(self) -> bool:
        """Whether it has not been carried out."""
        return self.file.exists()

    def let_go(self) -> None:
        """Lets the call that waits go on, and withdraws an order that was not carried out."""
        self.file.unlink(missing_ok=True)
        self.file.with_suffix(".held").unlink(missing_ok=True)


@dataclass(slots=True, kw_only=True)
class BotProcess:
    """A ``web``, ``worker`` or ``serve`` process. It may be started again after it ended; its log goes on."""

    role: str
    name: str
    environ: Mapping[str, str]
    folder: Path
    child: ForkServerProcess | None = None
    started: int = 0
    _orders: int = 0
    _log_from: int = field(default=0)

    @property
    def pid(self) -> int:
        assert self.child is not None, f"{self.name} was never started"
        assert self.child.pid is not None
        return self.child.pid

    @property
    def lives(self) -> bool:
        return self.child is not None and self.child.is_alive()

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def orders(self) -> Path:
        """Where this process looks for the points at which to strike itself."""
        return self.folder / f"{self.name}.orders"

    @property
    def came_up(self) -> bool:
        """Whether this life got as far as saying what it is."""
        return "\nmode  " in f"\n{self._text()}"

    def start(self) -> None:
        """Starts it; its log from here on is that of this life."""
        assert not self.lives, f"{self.name} runs already"
        if self.child is not None:
            self._collect(0)
        self._log_from = self.log.stat().st_size if self.log.exists() else 0
        self.started += 1
        self.orders.mkdir(exist_ok=True)
        self.log.touch()
        self.child = FORKS.Process(target=launch, args=(self.role, dict(self.environ), self.orders, self.log))
        self.child.start()

    def arm(self, point: str, *, nth: int = 1, about: str = "", action: str = "kill") -> Armed:
        """Kill, ``stop`` or ``hold`` it when it passes ``point`` for the ``nth`` time with word of ``about``."""
        self.orders.mkdir(exist_ok=True)
        self._orders += 1
        order, draft = self.orders / str(self._orders), self.orders / "draft"
        draft.write_text(f"{action} {point} {nth} {about}".strip(), encoding="utf-8")
        draft.replace(order)
        return Armed(order)

    def disarm(self) -> None:
        """Withdraws every order, and lets go of what is held."""
        for file in self.orders.iterdir():
            file.unlink(missing_ok=True)

    def slack_calls(self, channel: str) -> list[str]:
        """The methods it called about this channel, in all its lives, in order."""
        noted = self.orders.with_suffix(".calls")
        lines = noted.read_text(encoding="utf-8").splitlines() if noted.exists() else []
        return [method for method, where in map(str.split, lines) if where == channel]

    def kill(self) -> None:
        """SIGKILL, and wait."""
        if self.child is not None:
            self.child.kill()
            self._collect(10)

    def ask_to_stop(self) -> None:
        """SIGTERM; it may take a while."""
        os.kill(self.pid, signal.SIGTERM)

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    async def ended(self, within: float) -> float:
        """Waits for its end; the seconds that took."""
        began = time.monotonic()
        await wait_until(lambda: not self.lives, timeout=within, what=f"{self.name} ended")
        self._collect(0)
        return time.monotonic() - began

    async def logs(self, event: str, *, within: float = START_WITHIN, **fields: Any) -> dict[str, Any]:
        """Waits for a line of this life whose event begins with ``event`` and that has these fields."""

        def found() -> list[dict[str, Any]]:
            if not self.lives:
                pytest.fail(f"{self.name} ended:\n{self.tail()}")
            return self.lines(event, **fields)

        return (await wait_until(found, timeout=within, what=f"{event!r} in the log of {self.name}"))[0]

    def lines(self, event: str = "", **fields: Any) -> list[dict[str, Any]]:
        """The JSON log of this life: lines whose event begins with ``event`` and that have these fields."""
        return [
            line
            for line in map(_json, self._text().splitlines())
            if str(line.get("event", "")).startswith(event)
            and all(line.get(key) == value for key, value in fields.items())
        ]

    def tail(self, length: int = 4000) -> str:
        return self._text()[-length:]

    def _text(self) -> str:
        with self.log.open("rb") as log:
            log.seek(self._log_from)
            return log.read().decode(errors="replace")

    def _collect(self, within: float) -> None:
        assert self.child is not None
        self.child.join(within)
        assert not self.lives, f"{self.name} did not end within {within:g} s"


def _json(line: str) -> dict[str, Any]:
    try:
        read = json.loads(line)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
