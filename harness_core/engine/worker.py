"""The worker: claims runs, keeps their leases, sweeps for lost ones, executes.

Its loops stand or fall together: a worker whose heartbeat or sweep has died must not go on claiming.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from harness_core.engine.bus import EventBus
from harness_core.engine.coming import worker_name
from harness_core.engine.company import Admission, GroupsOf
from harness_core.engine.executor import Executor
from harness_core.engine.held import HeldRun
from harness_core.engine.journal import EventWriter
from harness_core.engine.maintenance import Maintenance
from harness_core.engine.runtimes import Runtimes
from harness_core.engine.sweep import Sweep
from harness_core.engine.switchboard import Switchboard
from harness_core.engine.thread_memory import ThreadMemory
from harness_core.errors import StoreError
from harness_core.events import RunFailed
from harness_core.models import Claim, Upkept
from harness_core.runtime import render_runtime_failure
from harness_core.states import RunState
from harness_core.store import Store
from harness_core.store.seal import Seal
from harness_core.workspace import WorkspaceHolder

log = logging.getLogger(__name__)

CAPACITY = 80
"""Runs one process executes at once: a core keeps up with about 80 streaming runs."""

IDLE = 1.0
"""Seconds after which a claim is tried even if no wake-up came."""

PAUSE = 0.5
"""Seconds to wait after Redis failed, so that an outage is not a busy loop, and while operators want no work done."""

TELL_WITHIN = 1.0
"""Seconds in which listeners may hear of the last events before this process is gone."""

LOOK = 0.2
"""Seconds between two looks at what still works while this process drains."""


class Worker:
    """Executes runs until it is drained or cancelled. ``bus`` sees the events of the runs it holds.

    ``folder`` is where checkpoints go that a workspace keeps in a file. ``upkept`` hears of every pass of
    maintenance that this worker made.
    """

    def __init__(
        self,
        store: Store,
        holder: WorkspaceHolder,
        *,
        seal: Seal,
        name: str | None = None,
        admission: Admission | None = None,
        groups_of: GroupsOf | None = None,
        capacity: int = CAPACITY,
        folder: Path | None = None,
        upkept: Callable[[Upkept], None] | None = None,
    ) -> None:
        self.name = name or worker_name()
        self.bus = EventBus(store.events)
        self.ready = asyncio.Event()
        self._store = store
        self._holder = holder
        self._admission = admission
        self._groups_of = groups_of
        self._capacity = capacity
        self.runtimes = Runtimes(store, holder, seal, folder=folder)
        self._writer = EventWriter(store.runs, self.bus.touch)
        self._sweep = Sweep(store, holder, self.bus.touch)
        self._maintenance = Maintenance(store, holder, self.runtimes, worker=self.name, told=upkept)
        self._board = Switchboard(store, holder, self.runtimes.rebuild)
        self._threads = ThreadMemory(store, self.runtimes.memory, self._remembers_threads)
        self._held: dict[str, HeldRun] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._draining = asyncio.Event()
        self._room = asyncio.Event()
        self._renewed = time.monotonic()

    @property
    def held(self) -> int:
        """How many runs this process executes at the moment."""
        return len(self._held)

    async def run(self) -> None:
        """Works until drained; raises what any of its loops raises."""
        started = await self._start()
        await self._board.look()
        executor = Executor(
            self._store,
            self._writer,
            admission=self._admission,
            groups_of=self._groups_of,
            started=started,
        )
        self._threads.attach(self.bus)
        try:
            async with asyncio.TaskGroup() as loops:
                side = [
                    loops.create_task(self._renew(), name="renew"),
                    loops.create_task(self._beat(), name="presence"),
                    loops.create_task(self._sweep.run(started), name="sweep"),
                    loops.create_task(self._board.run(), name="switches"),
                    loops.create_task(self.runtimes.follow(), name="agents"),
                    loops.create_task(self._maintenance.run(), name="maintenance"),
                    loops.create_task(self._writer.run(), name="events"),
                    loops.create_task(self.bus.run(), name="bus"),
                ]
                await self._claim(executor)
                await self._last_runs()
                for loop in side:
                    loop.cancel()
        finally:
            left = list(self._tasks)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            await self._tell_the_last()
            await self.runtimes.aclose()
            with contextlib.suppress(StoreError):
                await self._store.presence.leave(self.name)

    async def drain(self, *, limit: float = 25.0, grace: float = 5.0) -> None:
        """Claims no more, lets runs end for ``grace`` seconds, hands the others over within ``limit``.

        A tool that must not run twice gets most of that time to end: broken off, it would cost a person a look. So
        does a run whose checkpoints go with this process: nobody could go on with it.
        """
        self._draining.set()
        self._room.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        patience = time.monotonic() + max(0.0, limit - grace) * 0.8
        while self._tasks and time.monotonic() < patience:
            for held in list(self._held.values()):
                if not held.is_delicate():
                    held.hand_over()
            await asyncio.wait(self._tasks, timeout=LOOK)
        for held in list(self._held.values()):
            held.hand_over()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=max(0.0, limit - grace) * 0.2)

    async def _start(self) -> int:
        while True:
            try:
                return await self._store.now()
            except StoreError as error:
                log.warning("waiting for Redis: %s", error)
                await asyncio.sleep(PAUSE)

    async def _claim(self, executor: Executor) -> None:
        workspace, _ = await self.runtimes.current()
        self.ready.set()
        while not self._draining.is_set():
            if len(self._held) >= self._capacity:
                self._room.clear()
                await self._room.wait()
                continue
            if self._board.draining:
                await asyncio.sleep(PAUSE)
                continue
            try:
                workspace = self._holder.current
                caps = workspace.runtime.concurrency
                claims = await self._store.runs.claim(
                    self.name,
                    want=min(self._capacity - len(self._held), 20),
                    per_tenant=caps.max_concurrent_runs,
                    per_user=caps.per_user,
                    lease=workspace.runtime.recovery.lease,
                )
                for claim in claims:
                    self._begin(claim, executor)
                if not claims:
                    await self._store.runs.wait_for_work(IDLE)
            except StoreError as error:
                log.warning("no claim: %s", error)
                await asyncio.sleep(PAUSE)

    def _begin(self, claim: Claim, executor: Executor) -> None:
        held = HeldRun(claim)
        older = self._held.get(claim.run.run_id)
        if older is not None:
            older.lose()
        self._held[claim.run.run_id] = held
        task = asyncio.create_task(self._execute(held, executor), name=claim.run.run_id)
        held.attach(task)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _execute(self, held: HeldRun, executor: Executor) -> None:
        run_id = held.claim.run.run_id
        try:
            try:
                workspace, runtime = await self.runtimes.current()
            except asyncio.CancelledError:
                if held.stopped_by is None:
                    raise
                await executor.let_go(held)
                return
            await executor.execute(held, runtime, workspace)
        except Exception as error:
            log.exception("run could not be executed", extra={"run_id": run_id})
            await self._refuse(held, error)
        finally:
            # A run that was lost here may be held again already, by a younger task.
            if self._held.get(run_id) is held:
                del self._held[run_id]
            self._room.set()
            self.bus.touch(run_id)

    async def _refuse(self, held: HeldRun, error: Exception) -> None:
        reason, message = render_runtime_failure(error, run_id=held.claim.run.run_id)
        payload = RunFailed(reason=reason, message=message)
        with contextlib.suppress(StoreError):
            await self._store.runs.finish(held.claim.fence, RunState.FAILED, payload, reason=reason)

    async def _last_runs(self) -> None:
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _remembers_threads(self) -> bool:
        return self._holder.current.runtime.memory.remember_threads

    async def _tell_the_last(self) -> None:
        """Ends of runs that the bus had no time to tell, since it was stopped with the other loops."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TELL_WITHIN):
                await self.bus.catch_up()
        await self._threads.close()

    async def _renew(self) -> None:
        self._renewed = time.monotonic()
        while True:
            lease = self._holder.current.runtime.recovery.lease
            asked = time.monotonic()
            try:
                fences = [held.claim.fence for held in self._held.values()]
                renewal = await self._store.runs.renew(self.name, fences, lease)
                self._renewed = asked
                self._heed(renewal.lost, renewal.cancelled)
            except StoreError as error:
                log.warning("leases not renewed: %s", error)
                if time.monotonic() - self._renewed > lease / 2:
                    self._heed(self._held, {})
            await asyncio.sleep(lease / 4)

    async def _beat(self) -> None:
        """Tells people that this worker is alive; on its own, since a lease must not wait for it."""
        while True:
            lease = self._holder.current.runtime.recovery.lease
            try:
                await self._store.presence.beat(self.name, lease * 1.5)
            except StoreError as error:
                log.warning("presence not told: %s", error)
            await asyncio.sleep(lease / 4)

    def _heed(self, lost: Collection[str], cancelled: Mapping[str, str]) -> None:
        for run_id, held in self._held.items():
            if run_id in lost:
                held.lose()
            elif run_id in cancelled:
                held.cancel(cancelled[run_id])
