"""Messages after they were taken in: changed, withdrawn, read by a run at work, left behind with their thread.

======================  =====  ================================================================
key                     type   content
======================  =====  ================================================================
run:<id>:steers         list   ids of messages that the run has still to read
run:<id>:steered        list   ids of those that it has read, in order
run:<id>:steer:<id>     hash   such a message, its input sealed under its own id
======================  =====  ================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness_core.errors import StaleFence
from harness_core.models import Fence, Steer, new_thread_id
from harness_core.store.acceptance import SEEN_FOR, seal_input
from harness_core.store.connection import Client, store_errors
from harness_core.store.run_record import decode_input
from harness_core.store.scripts import Scripts, texts
from harness_core.store.seal import Seal

Restart = Literal["restarted", "duplicate", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What became of a change to a message, and the run that it is about; ``nothing``: it came too late."""

    outcome: Literal["changed", "corrected", "cancelled", "unread", "nothing"]
    run_id: str = ""


class MessageRepository:
    """Finds messages by the names under which they were taken in."""

    def __init__(self, client: Client, scripts: Scripts, seal: Seal) -> None:
        self._client = client
        self._scripts = scripts
        self._seal = seal

    async def note_post(self, tenant: str, conversation: str, place: int) -> None:
        """A person wrote something there, for the agent or not; ``place`` grows with each message."""
        await self._scripts.call("posted", self._scripts.keys(tenant), tenant, conversation, place)

    async def last_post(self, tenant: str, conversation: str) -> int:
        """The place of the newest message that a person wrote there since something was asked; 0: there is none."""
        keys = self._scripts.keys(tenant)
        async with store_errors():
            return int(await self._client.hget(keys("conversation", tenant, conversation), "posted") or 0)

    async def amend(
        self, tenant: str, name: str, text: str, *, by: str, stamp: int, correction: str
    ) -> Moved:
        """Puts ``text`` in the place of what a message said; a run at work reads ``correction`` instead.

        ``name`` is one of the message's, ``stamp`` grows with each change of it: an older one does nothing.
        """
        keys = self._scripts.keys(tenant)
        async with store_errors():
            stored = await self._client.get(keys("seen", tenant, name))
        # What a name stands for never changes, so the id may be read before the script checks it.
        message = (stored or b"").decode().partition("@")[0]
        if not message:
            return Moved(outcome="nothing")
        corrected = f"{message}.{stamp}"
        reply = await self._scripts.call(
            "amend", keys, tenant, name, by, stamp,
            message, seal_input(self._seal, tenant, message, {"text": text}),
            corrected, seal_input(self._seal, tenant, corrected, {"text": correction}),
        )  # fmt: skip
        match texts(reply):
            case ["changed" | "corrected" as outcome, run]:
                return Moved(outcome=outcome, run_id=run)
            case _:
                return Moved(outcome="nothing")

    async def withdraw(self, tenant: str, name: str, by: str) -> Moved:
        """Takes a message back that nobody has begun with, or that the model of a run at work was not told yet."""
        reply = await self._scripts.call("withdraw", self._scripts.keys(tenant), tenant, name, by)
        match texts(reply):
            case ["cancelled" | "unread" as outcome, run]:
                return Moved(outcome=outcome, run_id=run)
            case _:
                return Moved(outcome="nothing")

    async def restart(self, tenant: str, conversation: str, by: str, names: Sequence[str]) -> Restart:
        """Stops what is live in a conversation and gives it a new thread, once for the ``names`` of the request."""
        reply = await self._scripts.call(
            "restart", self._scripts.keys(tenant), tenant, conversation, by, new_thread_id(), SEEN_FOR, *names
        )
        match texts(reply):
            case ["restarted" | "duplicate" as outcome]:
                return outcome
            case _:
                return "unknown"

    async def written_to(self, fence: Fence) -> list[Steer]:
        """What people wrote to a run while it was at work: what it has read, then what it has not, in order."""
        keys, run_id = self._scripts.keys(fence.tenant), fence.run_id
        async with store_errors():
            pipe = self._client.pipeline()  # together: a message never moves in between
            for which in ("steered", "steers"):
                pipe.lrange(keys(which, run_id), 0, -1)
            read, unread = await pipe.execute()
            ids = texts([*read, *unread])
            if not ids:
                return []
            pipe = self._client.pipeline(transaction=False)
            for message in ids:
                pipe.hmget(keys("steer", run_id, message), "user", "kind", "input")
            rows = await pipe.execute()
        return [
            Steer(
                message=message,
                user=user.decode(),
                text=self._text(fence.tenant, message, sealed),
                kind="correction" if kind == b"correction" else "message",
                read=place < len(read),
            )
            for place, (message, (user, kind, sealed)) in enumerate(zip(ids, rows, strict=True))
            if sealed  # one that was withdrawn in between
        ]

    async def take(self, fence: Fence, messages: Sequence[str]) -> dict[str, str]:
        """What these messages say, which the model of the run is about to be told; without those that are gone.

        :raises StaleFence: the lease is gone.
        """
        rows = (await self._of_steers("steers_taken", fence, messages))[1:]
        return {
            message.decode(): self._text(fence.tenant, message.decode(), sealed)
            for message, sealed in zip(rows[::2], rows[1::2], strict=True)
        }

    async def mark_read(self, fence: Fence, messages: Sequence[str]) -> None:
        """The checkpoint of the run holds these messages, and its model has answered to them.

        :raises StaleFence: the lease is gone.
        """
        await self._of_steers("steers_read", fence, messages)

    async def _of_steers(self, verb: str, fence: Fence, messages: Sequence[str]) -> list[Any]:
        keys = self._scripts.keys(fence.tenant)
        reply = await self._scripts.call(
            verb, keys, fence.tenant, fence.conversation, fence.run_id, fence.epoch, *messages
        )
        if reply[0] == b"fenced":
            raise StaleFence(f"run {fence.run_id}: epoch {fence.epoch} no longer holds the lease")
        return reply

    def _text(self, tenant: str, message: str, sealed: bytes) -> str:
        return decode_input(self._seal.open(sealed, tenant, message, "input").decode()).text
