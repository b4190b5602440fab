"""Who speaks next in one team, and when.

Last words first, in the order in which their runs ended, then the run whose oldest unseen event is the oldest.
Of one message, edits are a second apart. Anything but a last word, and what people wait for, leaves budget for the
ends of the runs that are going. Nothing is queued: a call is rendered when it is made, so whatever was overtaken
is never sent. Of runs that have to wait the names of new events are read, all at once: one may be a question, or
the answer to it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from bot.delivery.budgets import POST_INTERVAL, Method, budget
from bot.delivery.comparing import compared_with_last
from bot.delivery.outbox import Changed, Outbox, Outcome, OwnerLost, PutOff, Said, TokenRefused
from bot.delivery.parts import FIRST
from bot.delivery.planning import (
    Call,
    brought_by_another,
    left_behind,
    may_be_replaced,
    nothing_posted,
    to_be_replaced,
)
from bot.delivery.run_output import RunOutput
from bot.delivery.target import Target
from harness_core import Begun, Known, Lost, Store, Stored, Wait
from harness_core.errors import RunNotFound, SealBroken, StoreUnavailable
from harness_core.models import Dirty, Ownership

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_FORGET_AFTER: Final = 60.0
_FOR_EVER: Final = float("inf")
_LONGEST_WAIT: Final = 1.0
"""Seconds; a budget may free up earlier than it said, when other runs end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast output goes; seconds, except ``at_once``, the most calls in flight for one team.

    ``peek`` is the least time between two looks at what is new about runs that have to wait. A last word is posted
    anew where its message could not be edited for longer than ``replace_after``.
    """

    poll: float = 0.12
    peek: float = 0.25
    edit_interval: float = 1.0
    post_interval: float = POST_INTERVAL
    patience: float = 1.5
    settle: float = 1.0
    replace_after: float = 10.0
    backoff: float = 0.5
    longest_backoff: float = 30.0
    token_pause: float = 60.0
    longest_token_pause: float = 600.0
    at_once: int = 16


class Scheduler:
    """The output of one team while this worker owns it. ``finished`` is called when a call came back."""

    def __init__(
        self, store: Store, outbox: Outbox, pace: Pace, finished: Callable[[], None], *, team_url: str = ""
    ) -> None:
        self._team_url = team_url
        self._store = store
        self._outbox = outbox
        self._pace = pace
        self._finished = finished
        self._outputs: dict[str, RunOutput] = {}
        self._closed: dict[tuple[Method, str, bool], float] = {}
        self._in_flight: dict[str, asyncio.Task[None]] = {}
        self._shunned: dict[str, float] = {}
        self._peek_at = 0.0
        self._paused_until = 0.0
        self._token_refusals = 0
        self.lost = False

    @property
    def busy(self) -> bool:
        """Whether calls are in flight."""
        return bool(self._in_flight)

    def reset(self) -> None:
        """Forgets every run: another worker may have written since."""
        self._outputs.clear()
        self.lost = False

    async def turn(self, ownership: Ownership, dirty: Sequence[Dirty], *, until: float) -> None:
        """Starts every call that may be made now; none is made after ``until``, when the lease may be over."""
        now = time.monotonic()
        self._forget(now)
        if now < self._paused_until:
            return
        await self._peek(dirty, now)
        # Where one post a second is free, a card must not stand in line behind the first words of other runs.
        for entry in sorted(dirty, key=lambda each: (not each.final, not self._is_called(each.run_id))):
            if self.lost or len(self._in_flight) >= self._pace.at_once:
                return
            if entry.run_id not in self._in_flight and self._shunned.get(entry.run_id, 0.0) <= now:
                await self._look(ownership, entry, until)

    async def drain(self, grace: float) -> bool:
        """Waits for the calls in flight; False when some had to be cut off, their outcome unknown."""
        tasks = list(self._in_flight.values())
        if tasks:
            await asyncio.wait(tasks, timeout=grace)
        left = [task for task in tasks if not task.done()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        return not left

    async def _look(self, ownership: Ownership, entry: Dirty, until: float) -> None:
        """Goes on with one run. One that cannot be shown must not keep others from being shown."""
        try:
            output = self._outputs.get(entry.run_id) or await self._open(ownership, entry.run_id)
            if output is not None and self._is_due(output, entry):
                await self._advance(ownership, output, until)
        except StoreUnavailable:
            raise
        except (RunNotFound, SealBroken) as error:
            self._shunned[entry.run_id] = _FOR_EVER
            _log.error("delivery.unreadable", run_id=entry.run_id, error=type(error).__name__)
        except Exception:  # noqa: BLE001 - it is logged whole, and the other runs must still be shown
            self._shunned[entry.run_id] = time.monotonic() + self._pace.longest_backoff
            _log.exception("delivery.fault", run_id=entry.run_id, team_id=ownership.tenant)

    async def _open(self, ownership: Ownership, run_id: str) -> RunOutput | None:
        run = await self._store.runs.get(run_id)
        deliveries = await self._store.deliveries.of_run(run_id)
        target = Target.of(run)
        if target is None:
            _log.error("delivery.no_target", run_id=run_id, team_id=run.tenant)
            nowhere = nothing_posted(run_id, FIRST, state="undeliverable", shown=run.events)
            await self._store.deliveries.done(ownership, nowhere, complete=True)
            return None
        request_url = target.request_url(run.tenant, self._team_url)
        self._outputs[run_id] = output = RunOutput.of(run, target, deliveries, request_url)
        return output

    def _is_due(self, output: RunOutput, entry: Dirty) -> bool:
        now = output.touched = time.monotonic()
        if entry.final and not output.urgent:
            output.urgent, output.not_before = True, 0.0
        if output.retry_at > now:
            return False
        return output.called or not self._is_held(output, now)

    async def _peek(self, dirty: Sequence[Dirty], now: float) -> None:
        """Finds out which of the runs that have to wait were called for, without opening what is new."""
        if now < self._peek_at:
            return
        self._peek_at = now + self._pace.peek
        known = [self._outputs.get(entry.run_id) for entry in dirty if entry.run_id not in self._in_flight]
        held = [output for output in known if output is not None and self._is_held(output, now)]
        found = await self._store.events.names({output.run.run_id: output.peeked for output in held})
        for output in held:
            output.peek(found[output.run.run_id])

    def _is_called(self, run_id: str) -> bool:
        output = self._outputs.get(run_id)
        return output is not None and output.called

    def _is_held(self, output: RunOutput, now: float) -> bool:
        """Whether all that it might say can wait, and has to."""
        return output.not_before > now or self._is_closed(output, now)

    async def _advance(self, ownership: Ownership, output: RunOutput, until: float) -> None:
        """Finds the next call of one run, books it and sets it going."""
        events = await self._store.events.read(output.run.run_id, after=output.view.seq)
        now = time.monotonic()
        output.take(events, now)
        for question in output.uncompared():
            output.compared[question] = await compared_with_last(self._store, ownership.tenant, question)
        if output.view.ended and output.posted is None:
            run = output.run
            output.posted = await self._store.messages.last_post(run.tenant, run.conversation)
        output.called = output.pressing
        if self._is_held(output, now) and not output.called:
            return
        held = output.opening(now, self._pace.patience)
        if held is not None:
            status = output.status_call()
            if status is not None:
                await self._book(ownership, output, status, until)
            else:
                output.not_before = now + min(held.seconds, self._pace.poll)
            return
        calls = output.calls()
        if not calls:
            await self._check(ownership, output, until)
            return
        wait = output.wait_for(calls[0], now, self._pace.edit_interval)
        if wait > 0:
            output.not_before = now + wait
        else:
            await self._book(ownership, output, calls[0], until)

    async def _check(self, ownership: Ownership, output: RunOutput, until: float) -> None:
        """With nothing to say: sees to it that open cards are still there, if that is why it was called."""
        for call in output.checks():
            output.checked.add(call.part.name)
            await self._book(ownership, output, call, until)
            return
        output.checked.clear()
        await self._settle(ownership, output)

    async def _settle(self, ownership: Ownership, output: RunOutput) -> None:
        """Stores that everything is shown, without a call."""
        record = output.settled()
        output.deliveries[record.part] = record
        match await self._store.deliveries.done(ownership, record, complete=True):
            case Stored() if output.view.ended:
                self._outputs.pop(output.run.run_id, None)
            case Known(external_id=ts):
                output.deliveries[record.part] = brought_by_another(record, ts)
            case Lost():
                self.lost = True

    async def _book(self, ownership: Ownership, output: RunOutput, call: Call, until: float) -> None:
        room = call.part.to or output.target.channel if call.method is Method.POST else None
        streams = sum(each.streaming for each in self._outputs.values())
        booked = await self._store.deliveries.begin(
            ownership,
            call.pending,
            method=call.method,
            room=room,
            budget=budget(
                call.method,
                urgent=call.urgent,
                streams=streams,
                post_interval=self._pace.post_interval,
            ),
        )
        now = time.monotonic()
        match booked:
            case Begun():
                output.sent[call.part.name] = now
                output.deliveries[call.part.name] = call.pending
                task = asyncio.create_task(self._make(ownership, output, call, until))
                self._in_flight[output.run.run_id] = task
            case Wait() if call.method is Method.STATUS:
                output.status_failed()
            case Wait(seconds=seconds) if seconds > self._pace.replace_after and may_be_replaced(
                call, output.deliveries
            ):
                await self._replace(ownership, output, call)
            case Wait(seconds=seconds):
                self._closed[call.method, room or "", call.urgent] = now + min(seconds, _LONGEST_WAIT)
            case Known(external_id=ts):
                output.deliveries[call.part.name] = brought_by_another(call.before, ts)
            case Lost():
                self.lost = True

    async def _replace(self, ownership: Ownership, output: RunOutput, call: Call) -> None:
        """Lets a new message take the place of one that cannot be edited in time; that one becomes a link later."""
        for record in (left_behind(call.before), to_be_replaced(call.before)):
            if isinstance(await self._store.deliveries.done(ownership, record, complete=False), Lost):
                self.lost = True
                return
            output.deliveries[record.part] = record
        _log.info(
            "delivery.replaced", run_id=output.run.run_id, team_id=ownership.tenant, part=call.part.name
        )

    def _is_closed(self, output: RunOutput, now: float) -> bool:
        method, urgent = output.next_call
        room = output.target.channel if method is Method.POST else ""
        return self._closed.get((method, room, urgent), 0.0) > now

    async def _make(self, ownership: Ownership, output: RunOutput, call: Call, until: float) -> None:
        try:
            # A process that was frozen here may have been replaced meanwhile.
            if time.monotonic() < until:
                self._take(output, call, await self._outbox.make(ownership, output, call))
            else:
                self.lost = True
        except StoreUnavailable:
            output.retry_at = time.monotonic() + self._backoff(output)
        except Exception:  # noqa: BLE001 - it is logged whole, and the other runs must still be shown
            output.retry_at = time.monotonic() + self._backoff(output)
            _log.exception("delivery.fault", run_id=output.run.run_id, team_id=ownership.tenant)
        finally:
            del self._in_flight[output.run.run_id]
            self._finished()

    def _take(self, output: RunOutput, call: Call, outcome: Outcome) -> None:
        now = time.monotonic()
        match outcome:
            case Said():
                output.failures = 0
                self._token_refusals = 0 if call.method is not Method.STATUS else self._token_refusals
                if call.last and output.view.ended:
                    # Whatever marks it again knows more than what is remembered here.
                    self._outputs.pop(output.run.run_id, None)
            case Changed():
                output.not_before = 0.0
            case PutOff(seconds=seconds):
                output.retry_at = now + (self._backoff(output) if seconds is None else seconds)
            case TokenRefused(error=error):
                pause = self._pace.token_pause * 2**self._token_refusals
                self._token_refusals += 1
                self._paused_until = now + min(pause, self._pace.longest_token_pause)
                _log.error(
                    "delivery.token_refused",
                    run_id=output.run.run_id,
                    team_id=output.run.tenant,
                    method=call.method.value,
                    error=error,
                    next_try_in=self._paused_until - now,
                )
            case OwnerLost():
                self.lost = True

    def _backoff(self, output: RunOutput) -> float:
        output.failures += 1
        return min(self._pace.backoff * 2.0 ** min(output.failures - 1, 16), self._pace.longest_backoff)

    def _forget(self, now: float) -> None:
        """Runs that wait for people may do so for days; they are read again when something happens."""
        stale = [
            run_id
            for run_id, output in self._outputs.items()
            if run_id not in self._in_flight and now - output.touched > _FORGET_AFTER
        ]
        for run_id in stale:
            del self._outputs[run_id]
