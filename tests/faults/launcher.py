"""Starts the product with named points at which a test may kill, freeze or hold the process from inside.

:func:`launch` is what a process of a fleet runs. Points are ``before:VERB`` and ``after:VERB`` for every verb of
the store and every method of Slack's Web API. ``.final`` behind the name means the last word of a run, ``.card`` a
message that asks people.

Each file in the folder ``FAULT_ORDERS`` is one order: ``kill|stop|hold POINT NTH [ABOUT]``, counting only passes that
mention ``ABOUT``, a channel, an id or a name, and the runs that were mentioned together with it. An order is carried
out once: its file is gone before the strike. ``hold`` lets only this one call wait, while a file with the suffix
``.held`` stands in its place. Beside the folder, with the suffix ``.calls``, grows the list of this process's calls to
Slack. With ``FAULT_BUDGETS=off`` it speaks as fast as it can. The product does not know of any of this.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import re
import runpy
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from bot.delivery.web_api import WebApi
from harness_core.store.keys import Keys
from harness_core.store.scripts import Scripts

PROJECT = Path(__file__).parents[2]


_SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
_RUN = re.compile(r"run_[0-9A-Z]{26}")
_LOOK = 0.02


@dataclass(slots=True)
class Order:
    """One file of the folder, and what has been seen of its subject."""

    file: Path
    action: str
    point: str
    nth: int
    about: str
    passes: int = 0
    runs: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, file: Path) -> Order:
        action, point, nth, about = (*file.read_text(encoding="utf-8").split(), "")[:4]
        return cls(file, action, point, int(nth), about)

    def concerns(self, text: str) -> bool:
        """Whether this is about its subject; learns the runs that are, but not from what lists several."""
        runs = set(_RUN.findall(text))
        if self.about in text:
            self.runs |= runs if len(runs) == 1 else set()
            return True
        return bool(runs & self.runs)


class FaultPoints:
    """Carries out the orders in ``folder``. A point that nobody ordered costs one look at it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, Order] = {}

    async def passed(self, point: str, *about: object, marks: Sequence[str] = ()) -> None:
        """The process is at ``point``; ``about`` are the texts that say for whom, ``marks`` its suffixes."""
        names = {point, *(f"{point}.{mark}" for mark in marks)}
        orders = self._orders()
        text = " ".join(_texts(about)) if orders else ""
        for order in orders:
            # Every mention counts for learning its runs, not only those at its point.
            if not order.concerns(text) or order.point not in names:
                continue
            order.passes += 1
            if order.passes == order.nth:
                await self._carry_out(order)

    def note(self, call: str) -> None:
        """Lists a call to Slack that is about to be made."""
        with self._folder.with_suffix(".calls").open("a", encoding="utf-8") as calls:
            calls.write(f"{call}\n")

    def _orders(self) -> list[Order]:
        names = [name for name in os.listdir(self._folder) if name.isdecimal()]  # noqa: PTH208  # the fastest look
        for name in sorted(set(names) - self._known.keys()):
            try:
                self._known[name] = Order.read(self._folder / name)
            except FileNotFoundError:
                names.remove(name)
        self._known = {name: self._known[name] for name in names}
        return list(self._known.values())

    async def _carry_out(self, order: Order) -> None:
        if order.action in _SIGNALS:
            order.file.unlink(missing_ok=True)
            os.kill(os.getpid(), _SIGNALS[order.action])
            return
        held = order.file.with_suffix(".held")
        try:
            order.file.rename(held)
        except FileNotFoundError:
            return  # it was withdrawn in this moment
        while held.exists():  # noqa: ASYNC110  # the test is another process
            await asyncio.sleep(_LOOK)


def install(points: FaultPoints) -> None:
    """Puts the points around the store's verbs and Slack's methods."""
    _around_verbs(points)
    _around_slack(points)


def _around_verbs(points: FaultPoints) -> None:
    call, call_all = Scripts.call, Scripts.call_all

    async def watched(self: Scripts, verb: str, keys: Keys, *arguments: Any, **options: Any) -> list[Any]:
        marks = ["final"] if any('"final": true' in text for text in _texts(arguments)) else []
        await points.passed(f"before:{verb}", *arguments, marks=marks)
        reply = await call(self, verb, keys, *arguments, **options)
        # A claim is passed once for each run that it brings, and not at all for none.
        for about in reply if verb == "claim" else [arguments]:
            await points.passed(f"after:{verb}", *about, marks=marks)
        return reply

    async def watched_all(
        self: Scripts, verb: str, keys: Keys, calls: Sequence[Sequence[Any]], **options: Any
    ) -> list[Any]:
        for arguments in calls:
            await points.passed(f"before:{verb}", *arguments)
        replies = await call_all(self, verb, keys, calls, **options)
        for arguments in calls:
            await points.passed(f"after:{verb}", *arguments)
        return replies

    cast("Any", Scripts).call, cast("Any", Scripts).call_all = watched, watched_all


def _around_slack(points: FaultPoints) -> None:
    call = WebApi._call

    async def watched(
        self: WebApi, tenant: str, method: str, arguments: Mapping[str, Any], **options: Any
    ) -> Any:
        marks = _marks(str(arguments.get("blocks") or ""))
        await points.passed(f"before:{method}", *arguments.values(), marks=marks)
        points.note(f"{method} {arguments.get('channel') or arguments.get('channel_id')}")
        answer = await call(self, tenant, method, arguments, **options)
        await points.passed(f"after:{method}", *arguments.values(), marks=marks)
        return answer

    cast("Any", WebApi)._call = watched


def _marks(blocks: str) -> list[str]:
    """What a message is, by its buttons."""
    if "'approval:" in blocks:
        return ["card"]
    return ["final"] if "'run:steps'" in blocks and "'run:stop'" not in blocks else []


def _unlimited() -> None:
    """Lifts the bot's own budgets: the simulated Slack of a fleet refuses nothing, so they would only cost time."""
    scheduler: Any = import_module("bot.delivery.scheduler")
    budget = scheduler.budget

    def generous(*arguments: Any, **options: Any) -> Any:
        small = budget(*arguments, **options)
        return replace(small, per_minute=60_000, burst=10_000, keep=0, room_interval=0.0)

    scheduler.budget = generous


def _texts(values: Sequence[object]) -> Iterator[str]:
    for value in values:
        yield value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _end_with_parent() -> None:
    """Stops this process when the test run is gone."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def launch(role: str, environ: Mapping[str, str], orders: Path, log: Path) -> None:
    """Becomes ``python -m bot ROLE`` in a session, an environment and with a log of its own."""
    os.setsid()
    os.chdir(PROJECT)
    os.environ.clear()
    os.environ.update(environ)
    with log.open("ab") as output, Path(os.devnull).open("rb") as nothing:
        for source, target in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(source.fileno(), target)
    sys.path[:] = [
        str(PROJECT),
        *(entry for entry in sys.path if not entry.startswith(str(PROJECT / "tests"))),
    ]
    sys.argv[:] = ["bot", role]
    install(FaultPoints(orders))
    if os.environ.pop("FAULT_BUDGETS", "") == "off" and role != "web":
        _unlimited()
    _end_with_parent()
    runpy.run_module("bot", run_name="__main__", alter_sys=True)
