"""Trials: a fault is caused, peace is awaited, and what happened in between is measured and judged."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count

import aiohttp

from bot.playground import contract
from bot.playground.errors import Impossible, PlaygroundError
from bot.playground.evidence.accounts import (
    Accounts,
    accounts,
    balance,
    most_runs_of_one_call,
    settled,
)
from bot.playground.evidence.counting import Counting
from bot.playground.evidence.scene import Attempt, Scene, Trial
from bot.playground.evidence.strikes import LOOK_EVERY, OFFERS, STRIKES, Strike, kill_after_approval
from bot.playground.evidence.verdicts import Fault, Measured, judge
from bot.playground.records import ApiCall

# A probe of the bot's own readiness is no sign that it is busy.
_BACKGROUND = frozenset({"auth.test"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    """How things stood when the button was pressed, in Unix time `at`."""

    at: float
    accounts: Accounts
    calls: int
    deliveries: int
    duplicates: int
    restarts: int
    effects: int


class Trials:
    """`publish` hears of every change of a trial. Each fault is tried once at a time; different ones may overlap."""

    def __init__(self, scene: Scene, counting: Counting, publish: Callable[[Trial], None]) -> None:
        self._scene = scene
        self._counting = counting
        self._publish = publish
        self._numbers = count(1)
        self._tasks: dict[Fault, asyncio.Task[None]] = {}
        self.latest: dict[Fault, Trial] = {}

    def unavailable(self, fault: Fault) -> str:
        """Why this fault cannot be caused here; empty when it can."""
        offer = next(offer for offer in OFFERS if offer.fault is fault)
        if offer.kills and not self._scene.processes.supervised:
            return "Only `make run` can do that: no process of a bot belongs to this playground."
        if offer.counts and not self._scene.effects.counted:
            return "Only `make run` can do that: nothing counts what tools do."
        return ""

    def start(self, fault: Fault, user: str, channel: str, *, at_approval: bool = False) -> Trial:
        """Presses the button as that person; raises Impossible when it cannot be pressed."""
        if why := self.unavailable(fault):
            raise Impossible(why)
        if fault in self._tasks:
            raise Impossible("That is going on already.")
        strike = kill_after_approval if at_approval else STRIKES[fault]
        trial = Trial(number=next(self._numbers), fault=fault, phase="pressed", started=time.time())
        attempt = Attempt(trial=trial, user=user, channel=channel, publish=self._note)
        self._note(trial)
        self._tasks[fault] = asyncio.create_task(self._run(attempt, strike), name=fault)
        return trial

    def call_off(self, fault: Fault) -> None:
        """Ends a trial without a verdict."""
        if task := self._tasks.get(fault):
            task.cancel()

    def forget(self) -> None:
        """Calls off what is going on, and forgets what became of the others."""
        for task in self._tasks.values():
            task.cancel()
        self.latest = {fault: trial for fault, trial in self.latest.items() if fault in self._tasks}

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _note(self, trial: Trial) -> None:
        self.latest[trial.fault] = trial
        self._publish(trial)

    async def _run(self, attempt: Attempt, strike: Strike) -> None:
        fault, before = attempt.trial.fault, self._now()
        try:
            with attempt.until_peace:
                await strike(self._scene, attempt)
                in_time = await self._peace(before, attempt)
            with suppress(aiohttp.ClientError, TimeoutError):
                await self._scene.effects.catch_up()
            measured = self._measured(attempt, before, in_time=in_time)
        except (PlaygroundError, aiohttp.ClientError, TimeoutError) as problem:
            attempt.change(phase="ended", note=str(problem) or "It took too long, so it was called off.")
        except asyncio.CancelledError:
            attempt.change(phase="ended", note="Called off.")
        else:
            attempt.change(phase="ended", verdict=judge(measured))
        finally:
            del self._tasks[fault]

    async def _peace(self, before: _Before, attempt: Attempt) -> bool:
        """Whether everything owed came, followed by quiet, in time."""
        scene, patience = self._scene, self._scene.config.patience
        deadline = time.time() + patience.within
        while time.time() < deadline:
            after = accounts(scene.world, attempt.decided)
            owed = balance(before.accounts, after, before.at)
            if settled(owed, after) and self._quiet_for() > patience.quiet:
                return True
            await scene.pulse.wait(scene.pulse.count, LOOK_EVERY)
        return False

    def _quiet_for(self) -> float:
        """Seconds since the bot last called."""
        ends = (
            call.at + call.seconds
            for call in reversed(self._scene.ledger.calls)
            if call.method not in _BACKGROUND
        )
        return time.time() - next(ends, 0.0)

    def _now(self) -> _Before:
        scene = self._scene
        return _Before(
            at=time.time(),
            accounts=accounts(scene.world),
            calls=len(scene.ledger.calls),
            deliveries=len(scene.ledger.deliveries),
            duplicates=self._counting.counters.duplicates,
            restarts=scene.processes.restarts,
            effects=len(scene.effects.seen),
        )

    def _measured(self, attempt: Attempt, before: _Before, *, in_time: bool) -> Measured:
        scene, fault = self._scene, attempt.trial.fault
        owed = balance(before.accounts, accounts(scene.world, attempt.decided), before.at)
        stopped = self._stops(before)
        return Measured(
            fault=fault,
            balance=replace(owed, failures=max(0, owed.failures - stopped)),
            restarts=scene.processes.restarts - before.restarts,
            hits=self._hits(fault, before),
            runs_of_one_call=most_runs_of_one_call(e.key for e in scene.effects.seen[before.effects :]),
            in_time=in_time,
        )

    def _hits(self, fault: Fault, before: _Before) -> int:
        match fault:
            case Fault.TWICE:
                return self._counting.counters.duplicates - before.duplicates
            case Fault.SLOW_DOWN:
                return self._calls(before, lambda call: call.status == 429)
            case Fault.LOSE_REPLY:
                return self._calls(before, lambda call: call.reply_lost)
            case Fault.KILL_BOT | Fault.KILL_TOOL:
                return self._scene.processes.restarts - before.restarts

    def _calls(self, before: _Before, matches: Callable[[ApiCall], bool]) -> int:
        return sum(matches(call) for call in self._scene.ledger.calls[before.calls :])

    def _stops(self, before: _Before) -> int:
        """How many runs a person stopped meanwhile: their end is no failure of the bot."""
        since = self._scene.ledger.deliveries[before.deliveries :]
        actions = (each.payload.get("actions", ()) for each in since if each.kind == "interactive")
        return sum(contract.RUN_STOP in str(each[0].get("action_id")) for each in actions if each)
