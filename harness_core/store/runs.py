"""Runs: from the message that asks for one to its end. Every move is one script.

======================  =====  ============================================================
key                     type   content
======================  =====  ============================================================
run:<id>                hash   the record; ``input`` and ``output`` sealed
inbox:<tenant>:<conv>   list   run ids of a conversation, the head may run
ready:<tenant>          zset   claimable runs by time; recovered ones sort to the front
leases                  zset   leased runs by the end of their lease
active:<tenant>[:user]  set    leased runs, for the caps
runs:<tenant>[…]        zset   indexes of all runs, by state and by person
seen:<tenant>:<name>    str    a message that was taken in, 72 h
======================  =====  ============================================================
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Literal

from harness_core.errors import (
    RunNotFound,
    StaleFence,
    StoreError,
    StoreUnavailable,
    UnreadMessages,
)
from harness_core.events import Payload, RunRouted, encode_payload
from harness_core.models import (
    Acceptance,
    Claim,
    Fence,
    Renewal,
    Run,
    RunInput,
    Submission,
    new_run_id,
)
from harness_core.states import RunState
from harness_core.store.acceptance import accept_arguments, acceptance
from harness_core.store.connection import Client, store_errors
from harness_core.store.keys import Keys
from harness_core.store.run_answers import Appended, Parked, Reaped, appended, refuse
from harness_core.store.run_record import FIELDS, decode_input, decode_run
from harness_core.store.scripts import Argument, Scripts, texts
from harness_core.store.seal import Seal

log = logging.getLogger(__name__)

TAKEOVERS = 10
"""How often a run may be taken over in all, however far it comes in between."""

GIVEN_UP = "The bot stopped again and again while it worked on this, so it was given up. Press Retry, or ask an admin."

NOT_RECOVERED = "The bot stopped while it worked on this, and is set not to go on by itself. Press Retry to start it anew."


class RunRepository:
    """The life of a run. ``heartbeat`` is a client of its own, so renewals never wait behind other calls."""

    def __init__(self, client: Client, heartbeat: Client, scripts: Scripts, seal: Seal) -> None:
        self._client = client
        self._heartbeat = heartbeat
        self._scripts = scripts
        self._seal = seal

    async def accept(self, submission: Submission) -> Acceptance:
        """Stores the message once, whichever of its names it comes under: as a queued run, or with the run at work."""
        arguments = accept_arguments(submission, new_run_id(), self._seal)
        return acceptance(
            await self._scripts.call("accept", self._scripts.keys(submission.tenant), *arguments)
        )

    async def claim(
        self, worker: str, *, want: int, per_tenant: int, per_user: int, lease: float
    ) -> list[Claim]:
        """Leases up to ``want`` runs to ``worker`` for ``lease`` seconds, within the caps.

        What is leased is told whatever fails then; one that cannot be read is left until its lease is over.
        """
        claims: list[Claim] = []
        try:
            for keys in self._scripts.all_keys():
                if len(claims) >= want:
                    break
                reply = await self._scripts.call(
                    "claim", keys, worker, _ms(lease), want - len(claims), per_tenant, per_user
                )
                for run_id, taken_over, epoch in reply:
                    claim = await self._claimed(keys, run_id.decode(), taken_over == b"1", int(epoch))
                    claims += [claim] if claim is not None else []
        except StoreError as error:
            if not claims:
                raise
            log.warning("not all was claimed: %s", error)
        return claims

    async def _claimed(self, keys: Keys, run_id: str, taken_over: bool, epoch: int) -> Claim | None:  # noqa: FBT001 - a row of the reply
        try:
            run = await self._read(keys, run_id)
        except (LookupError, TypeError, ValueError):  # a damaged record
            log.exception("run_unreadable", extra={"run_id": run_id})
            return None
        if run is None:
            log.warning("run_gone", extra={"run_id": run_id})
            return None
        fence = Fence(
            tenant=run.tenant,
            conversation=run.conversation,
            thread_id=run.thread_id,
            run_id=run_id,
            epoch=epoch,
        )
        return Claim(run=run, fence=fence, taken_over=taken_over)

    async def renew(self, worker: str, fences: Sequence[Fence], lease: float) -> Renewal:
        """Extends the leases that still hold, and tells which are lost and which runs should stop."""
        lost: set[str] = set()
        cancelled: dict[str, str] = {}
        for keys in self._scripts.all_keys():
            pairs = [fence for fence in fences if self._scripts.keys(fence.tenant).root == keys.root]
            if pairs:
                flat = [item for fence in pairs for item in (fence.run_id, fence.epoch)]
                reply = await self._scripts.call(
                    "renew", keys, worker, _ms(lease), *flat, client=self._heartbeat, limit=1.0
                )
                lost.update(run.decode() for run in reply[0])
                stops = texts(reply[1])
                cancelled.update(zip(stops[::2], stops[1::2], strict=True))
        return Renewal(lost=frozenset(lost), cancelled=cancelled)

    async def route(self, fence: Fence, agent: str, step: str, workspace: str) -> None:
        """Fixes which agent runs it, and the digest of the workspace it runs with."""
        payload = self._sealed(fence, RunRouted(agent=agent, step=step))
        reply = await self._scripts.call(
            "route", self._scripts.keys(fence.tenant), fence.tenant, fence.conversation, fence.thread_id,
            fence.run_id, fence.epoch, agent, workspace, payload,
        )  # fmt: skip
        refuse(fence, reply)

    async def append(self, fence: Fence, batch: int, payloads: Sequence[Payload]) -> Appended:
        """Appends one batch of events; ``batch`` counts up within an epoch, a repeat changes nothing."""
        keys = self._scripts.keys(fence.tenant)
        reply = await self._scripts.call("append", keys, *self._append_arguments(fence, batch, payloads))
        refuse(fence, reply)
        return Appended(cancelled_by=reply[1].decode() or None)

    async def append_all(
        self, batches: Sequence[tuple[Fence, int, Sequence[Payload]]]
    ) -> list[Appended | StaleFence | StoreUnavailable]:
        """:meth:`append` for many runs in one round trip for each partition; one answer for each batch."""
        answers: dict[str, Appended | StaleFence | StoreUnavailable] = {}
        for keys in self._scripts.all_keys():
            rows = [row for row in batches if self._scripts.keys(row[0].tenant).root == keys.root]
            calls = [self._append_arguments(*row) for row in rows]
            for (fence, _, _), reply in zip(
                rows, await self._scripts.call_all("append", keys, calls), strict=True
            ):
                answers[fence.run_id] = appended(fence, reply)
        return [answers[fence.run_id] for fence, _, _ in batches]

    def _append_arguments(self, fence: Fence, batch: int, payloads: Sequence[Payload]) -> list[Argument]:
        flat = [item for each in payloads for item in (each.name, self._sealed(fence, each))]
        return [*self._place(fence)[1:], batch, *flat]

    async def park(self, fence: Fence) -> Parked:
        """Leaves the run to people while questions are open; with none left it goes on at once."""
        reply = await self._scripts.call("park", *self._place(fence))
        match texts(reply):
            case ["waiting"]:
                return Parked(outcome="waiting")
            case ["resuming", pause]:
                return Parked(outcome="resuming", pause=int(pause))
            case ["cancel_requested", by]:
                return Parked(outcome="cancelled", by=by)
        refuse(fence, reply, RunState.WAITING)
        raise StoreError(f"park answered {texts(reply)}")

    async def finish(
        self,
        fence: Fence,
        state: RunState,
        payload: Payload,
        *,
        reason: str | None = None,
        output: str | None = None,
        leave_unread: bool = False,
    ) -> str | None:
        """Ends the run, or names who asked it to stop: then nothing was changed and it must end as cancelled.

        :raises UnreadMessages: it was to complete and has messages to read, and nothing was changed. With
            ``leave_unread`` they become the next run.
        """
        sealed = b""
        if output is not None:
            sealed = self._seal.seal(output.encode(), fence.tenant, fence.run_id, "output")
        reply = await self._scripts.call(
            "finish", *self._place(fence), state.value, reason or "", sealed, payload.name,
            self._sealed(fence, payload), int(leave_unread),
        )  # fmt: skip
        match texts(reply):
            case ["cancel_requested", by]:
                return by
            case ["steered"]:
                raise UnreadMessages(fence.run_id)
        refuse(fence, reply, state)
        return None

    async def release(self, fence: Fence) -> None:
        """Hands the run back for another worker to go on with at once."""
        refuse(fence, await self._scripts.call("release", *self._place(fence)))

    async def reap(self, *, max_attempts: int, hold_before: int | None = None, limit: int = 50) -> Reaped:
        """Takes back the runs of workers that are gone, of each at most ``max_attempts`` times in a row; 0: they fail.

        Those that were last seen before ``hold_before`` (milliseconds) stay where they are until :meth:`carry_on`.
        """
        found: list[list[str]] = [[], [], []]
        for keys in self._scripts.all_keys():
            reply = await self._scripts.call(
                "reap", keys, max_attempts, TAKEOVERS, limit, "" if hold_before is None else hold_before,
                GIVEN_UP if max_attempts else NOT_RECOVERED,
            )  # fmt: skip
            for ids, more in zip(found, reply, strict=True):
                ids.extend(texts(more))
        taken, dead, held = map(tuple, found)
        return Reaped(taken=taken, dead=dead, held=held)

    async def carry_on(self, run_id: str) -> bool:
        """Lets a run go on that was left where its worker was lost; False when it is not such a run.

        :raises RunNotFound: there is no such run.
        """
        reply = await self._scripts.call("carry_on", await self.locate(run_id), run_id)
        if reply[0] == b"missing":
            raise RunNotFound(run_id)
        return bool(reply[0] == b"ok")

    async def cancel(self, run_id: str, by: str) -> Literal["cancelled", "requested", "finished"]:
        """Ends a run nobody works on, asks the worker of a running one to stop.

        :raises RunNotFound: there is no such run.
        """
        keys = await self.locate(run_id)
        reply = await self._scripts.call("cancel", keys, run_id, by)
        match texts(reply):
            case ["cancelled" | "requested" | "finished" as outcome, *_]:
                return outcome
            case _:
                raise RunNotFound(run_id)

    async def get(self, run_id: str) -> Run:
        """:raises RunNotFound: there is no such run."""
        run = await self._read(await self.locate(run_id), run_id)
        if run is None:
            raise RunNotFound(run_id)
        return run

    async def load_input(self, run_id: str) -> RunInput:
        """What this run was asked."""
        return decode_input(await self._text(run_id, "input"))

    async def output(self, run_id: str) -> str | None:
        """The answer, once the run has ended with one."""
        return await self._text(run_id, "output")

    async def wait_for_work(self, timeout: float) -> None:
        """Returns when there may be something to claim, at the latest after ``timeout`` seconds."""
        tokens = [keys("wake") for keys in self._scripts.all_keys()]
        async with store_errors(timeout + 5.0):
            await self._client.blpop(tokens, timeout=timeout)

    async def locate(self, run_id: str) -> Keys:
        """The key builder of the partition that holds the run.

        :raises RunNotFound: none does.
        """
        candidates = self._scripts.all_keys()
        if len(candidates) == 1:
            return candidates[0]
        for keys in candidates:
            async with store_errors():
                if await self._client.exists(keys("run", run_id)):
                    return keys
        raise RunNotFound(run_id)

    async def _read(self, keys: Keys, run_id: str) -> Run | None:
        async with store_errors():
            pipe = self._client.pipeline(transaction=True)
            pipe.hmget(keys("run", run_id), FIELDS)
            pipe.llen(keys("events", run_id))
            values, events = await pipe.execute()
        return decode_run(run_id, values, events)

    async def _text(self, run_id: str, kind: Literal["input", "output"]) -> str | None:
        keys = await self.locate(run_id)
        async with store_errors():
            tenant, sealed = await self._client.hmget(keys("run", run_id), "tenant", kind)
        if tenant is None:
            raise RunNotFound(run_id)
        return self._seal.open(sealed, tenant.decode(), run_id, kind).decode() if sealed else None

    def _sealed(self, fence: Fence, payload: Payload) -> bytes:
        return self._seal.seal(encode_payload(payload), fence.tenant, fence.run_id, "event", payload.name)

    def _place(self, fence: Fence) -> tuple[Keys, str, str, str, int]:
        keys = self._scripts.keys(fence.tenant)
        return keys, fence.tenant, fence.conversation, fence.run_id, fence.epoch


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
