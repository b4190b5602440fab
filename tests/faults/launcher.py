"""Starts the product with named points at which a test may kill or freeze the process from inside.

``python tests/faults/launcher.py web|worker|serve``. Points are ``before:VERB`` and ``after:VERB`` for every verb of
the store and every method of Slack's Web API; ``.final`` behind the name means the last word of a run.

The file named by ``FAULT_POINT_FILE`` says where to strike next: ``kill|stop POINT NTH [CHANNEL]``, counting only
passes about that channel and its runs. It is removed before the strike, so each order is carried out once. Beside
it, with the suffix ``.calls``, grows the list of this process's calls to Slack. The product does not know of any of this.
"""

from __future__ import annotations

import os
import re
import runpy
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

PROJECT = Path(__file__).parents[2]

_SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
_RUN = re.compile(r"run_[0-9A-Z]{26}")


@dataclass(frozen=True, slots=True)
class Order:
    """One line of the file."""

    action: str
    point: str
    nth: int
    about: str

    @classmethod
    def parse(cls, line: str) -> Order:
        action, point, nth, about = (*line.split(), "")[:4]
        return cls(action, point, int(nth), about)


class FaultPoints:
    """Carries out the order in ``file``. A point that nobody ordered costs the look at one file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._order: Order | None = None
        self._passes = 0
        self._runs: set[str] = set()

    def passed(self, point: str, *about: object, final: bool = False) -> None:
        """The process is at ``point``; ``about`` are the texts that say for which channel and run."""
        order = self._read()
        if order is None or not self._concerns(order, " ".join(_texts(about))):
            return
        if order.point != point and not (final and order.point == f"{point}.final"):
            return
        self._passes += 1
        if self._passes == order.nth:
            self._file.unlink()
            os.kill(os.getpid(), _SIGNALS[order.action])

    def note(self, call: str) -> None:
        """Lists a call to Slack that is about to be made."""
        with self._file.with_suffix(".calls").open("a", encoding="utf-8") as calls:
            calls.write(f"{call}\n")

    def _read(self) -> Order | None:
        try:
            order = Order.parse(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            self._order = None
            return None
        if order != self._order:
            self._order, self._passes, self._runs = order, 0, set()
        return order

    def _concerns(self, order: Order, text: str) -> bool:
        runs = set(_RUN.findall(text))
        if order.about in text:
            self._runs |= runs
            return True
        return bool(runs & self._runs)


def install(points: FaultPoints) -> None:
    """Puts the points around the store's verbs and Slack's methods."""
    _around_verbs(points)
    _around_slack(points)


def _around_verbs(points: FaultPoints) -> None:
    from harness_core.store.keys import Keys  # noqa: PLC0415  # the project is on the path only by now
    from harness_core.store.scripts import Scripts  # noqa: PLC0415  # as above

    call, call_all = Scripts.call, Scripts.call_all

    async def watched(self: Scripts, verb: str, keys: Keys, *arguments: Any, **options: Any) -> list[Any]:
        final = any('"final": true' in text for text in _texts(arguments))
        points.passed(f"before:{verb}", *arguments, final=final)
        reply = await call(self, verb, keys, *arguments, **options)
        if verb != "claim" or reply:
            points.passed(f"after:{verb}", *arguments, final=final)
        return reply

    async def watched_all(
        self: Scripts, verb: str, keys: Keys, calls: Sequence[Sequence[Any]], **options: Any
    ) -> list[list[Any]]:
        for arguments in calls:
            points.passed(f"before:{verb}", *arguments)
        replies = await call_all(self, verb, keys, calls, **options)
        for arguments in calls:
            points.passed(f"after:{verb}", *arguments)
        return replies

    cast("Any", Scripts).call, cast("Any", Scripts).call_all = watched, watched_all


def _around_slack(points: FaultPoints) -> None:
    from bot.delivery.web_api import WebApi  # noqa: PLC0415  # the project is on the path only by now

    call = WebApi._call

    async def watched(
        self: WebApi, tenant: str, method: str, arguments: Mapping[str, Any], **options: Any
    ) -> Any:
        final = bool(arguments.get("blocks")) and "run:stop" not in str(arguments["blocks"])
        points.passed(f"before:{method}", *arguments.values(), final=final)
        points.note(f"{method} {arguments.get('channel') or arguments.get('channel_id')}")
        answer = await call(self, tenant, method, arguments, **options)
        points.passed(f"after:{method}", *arguments.values(), final=final)
        return answer

    cast("Any", WebApi)._call = watched


def _texts(values: Sequence[object]) -> Iterator[str]:
    for value in values:
        yield value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _end_with_parent() -> None:
    """Stops this process when its standard input ends, which it does when the test run is gone."""

    def wait() -> None:
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def main() -> None:
    sys.path[0] = str(PROJECT)
    sys.argv[0] = "bot"
    install(FaultPoints(Path(os.environ.pop("FAULT_POINT_FILE"))))
    _end_with_parent()
    runpy.run_module("bot", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
