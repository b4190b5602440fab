"""One call to Slack for one part of a run: made after it was booked, its outcome stored, never made blindly twice.

A post whose answer was lost stays pending, and :mod:`bot.delivery.read_back` decides before another attempt:

- the thread holds its nonce: that message is the one;
- the thread was read and does not: it is posted again, with the same nonce;
- the thread cannot be read now (limits, network, Slack down): asked again later, nothing is posted meanwhile;
- Slack refuses to let us read it for good (a missing scope): it is posted, and the log says that there may be
  two. ``conversations.replies`` is a method this bot needs; without it, a person's answer counts for more.

An edit may be repeated freely, so one of unknown outcome simply is.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Final

import structlog

from bot.delivery.answers import Answer, Done, RateLimited, Refused, Unclear
from bot.delivery.budgets import Method
from bot.delivery.parts import FIRST, PING, moved, ping
from bot.delivery.planning import Call, brought_by_another, to_be_replaced
from bot.delivery.read_back import Absent, Found, Unknown, find_post, metadata
from bot.delivery.refusals import Remedy, remedy
from bot.delivery.run_output import RunOutput
from bot.delivery.web_api import WebApi
from bot.view import words
from bot.view.message import Part, agent_name
from bot.view.reminders import reminded_card, reminders
from harness_core import Known, Lost, Store, Stored
from harness_core.errors import StoreUnavailable
from harness_core.models import Delivery, Ownership

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

OPTIONAL_WITHIN: Final = 2.0
"""Seconds for calls that a message waits for and can do without."""
_STORE_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class Said:
    """It is done and stored."""


@dataclass(frozen=True, slots=True)
class Changed:
    """It was not done, but what to do next is known: another call, for other reasons than this one's."""


@dataclass(frozen=True, slots=True)
class PutOff:
    """It was not done, or nobody knows. Worth another look in ``seconds``; None: by the number of failures."""

    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class TokenRefused:
    """Nothing can be sent to this team until an operator acts."""

    error: str


@dataclass(frozen=True, slots=True)
class OwnerLost:
    """Another worker owns the output by now. It will look at this run again."""


Outcome = Said | Changed | PutOff | TokenRefused | OwnerLost


class Outbox:
    """Makes booked calls. ``settle`` is how long after a lost answer Slack may still be at work, in seconds."""

    def __init__(self, store: Store, api: WebApi, *, settle: float) -> None:
        self._deliveries = store.deliveries
        self._api = api
        self._settle = settle

    async def make(self, ownership: Ownership, output: RunOutput, call: Call) -> Outcome:
        """Makes ``call`` and keeps what became of it, in the store and in ``output``.

        :raises StoreUnavailable: ``output`` knows the outcome, the store holds the call as pending.
        """
        match call.method:
            case Method.STATUS:
                return await self._status(ownership, output, call)
            case Method.REPLIES:
                return await self._read_back(ownership, output, call)
            case Method.POST | Method.UPDATE:
                return await self._write(ownership, output, call)

    async def _status(self, ownership: Ownership, output: RunOutput, call: Call) -> Outcome:
        target = output.target
        answer = await self._api.set_status(
            ownership.tenant,
            target.channel,
            target.thread_ts,
            words.reading(agent_name(output.view)),
            within=OPTIONAL_WITHIN,
        )
        if isinstance(answer, RateLimited):
            await self._deliveries.close_method(ownership.tenant, call.method, answer.seconds)
        worked = isinstance(answer, Done)
        record = replace(call.pending, state="shown" if worked else "undeliverable")
        return await self._store(ownership, output, record, complete=call.last and worked)

    async def _write(self, ownership: Ownership, output: RunOutput, call: Call) -> Outcome:
        match await self._send(ownership.tenant, output, call):
            case Done() if call.method is Method.UPDATE:
                return await self._store(
                    ownership, output, replace(call.pending, state="shown"), complete=call.last
                )
            case Done(data={"ts": str(ts)}):
                posted = replace(call.pending, state="shown", external_id=ts)
                return await self._store(ownership, output, posted, complete=call.last)
            case RateLimited(seconds=seconds):
                await self._deliveries.close_method(ownership.tenant, call.method, seconds)
                return await self._undo(ownership, output, call, Changed())
            case Unclear(sent=False):
                return await self._undo(ownership, output, call, PutOff())
            case Unclear() | Done():
                return PutOff(self._settle if call.method is Method.POST else None)
            case Refused(error=error, details=details):
                return await self._refused(ownership, output, call, Refused(error, details))

    async def _send(self, tenant: str, output: RunOutput, call: Call) -> Answer:
        target = output.target
        part = await self._with_link(tenant, output, call.part) if call.part.linked else call.part
        if call.method is Method.UPDATE:
            ts = call.pending.external_id or ""
            return await self._api.update_message(tenant, target.channel, ts, part.text, blocks=part.blocks)
        return await self._api.post_message(
            tenant,
            part.to or target.channel,
            part.text,
            blocks=part.blocks,
            thread_ts=None if part.to else target.thread_ts,
            metadata=metadata(call.pending),
        )

    async def _with_link(self, tenant: str, output: RunOutput, part: Part) -> Part:
        """``part`` with the address of the message that it is about, which is one of this run's."""
        card = reminded_card(output.view, part.name)
        if card is None:
            url = await self._permalink(tenant, output, FIRST)
            return ping(output.view, url) if part.name == PING else moved(part.name, url)
        if output.target.is_direct and part.to is not None:
            return part  # it leads nowhere: nobody else can open a direct message
        url = await self._permalink(tenant, output, card)
        in_public = part.to is not None and await self._is_public(tenant, output.target.channel)
        told = reminders(output.view, card_url=url, in_public=in_public)
        return next((each for each in told if each.name == part.name), part)

    async def _permalink(self, tenant: str, output: RunOutput, part: str) -> str:
        """The address of the message that shows ``part``; empty where it cannot be had."""
        record = output.deliveries.get(part)
        if record is None or record.external_id is None:
            return ""
        channel = output.target.channel
        found = await self._api.permalink(tenant, channel, record.external_id, within=OPTIONAL_WITHIN)
        return str(found.data.get("permalink", "")) if isinstance(found, Done) else ""

    async def _is_public(self, tenant: str, channel: str) -> bool:
        """Whether everybody may read ``channel``; not unless Slack says so."""
        match await self._api.channel_info(tenant, channel, within=OPTIONAL_WITHIN):
            case Done(data={"channel": {"is_channel": True, "is_private": False}}):
                return True
            case _:
                return False

    async def _refused(
        self, ownership: Ownership, output: RunOutput, call: Call, refusal: Refused
    ) -> Outcome:
        name, run_id = call.part.name, call.pending.run_id
        log = _log.bind(run_id=run_id, team_id=ownership.tenant, part=name, error=refusal.error)
        match remedy(refusal.error):
            case Remedy.FIX_TOKEN:
                return await self._undo(ownership, output, call, TokenRefused(refusal.error))
            case Remedy.REPOST if call.method is Method.UPDATE:
                log.info("delivery.message_gone")
                output.reposts[name] += 1
                return await self._store(ownership, output, to_be_replaced(call.before), Changed())
            case Remedy.SIMPLIFY if call.part.blocks and not call.part.linked and name not in output.plain:
                log.warning("delivery.content_refused", details=refusal.details)
                output.plain.add(name)
                return await self._undo(ownership, output, call, Changed())
            case given_up:
                log.error("delivery.undeliverable")
                # A person who cannot be written to says nothing about the thread.
                if given_up is Remedy.GIVE_UP and call.part.to is None:
                    await self._deliveries.undeliverable(ownership.tenant, run_id, refusal.error)
                    output.closed = refusal.error
                record = replace(call.pending, state="undeliverable")
                return await self._store(ownership, output, record, Changed())

    async def _read_back(self, ownership: Ownership, output: RunOutput, call: Call) -> Outcome:
        target, record = output.target, call.pending

        async def read_page(cursor: str | None) -> Answer:
            return await self._api.thread_replies(
                ownership.tenant, target.channel, target.thread_ts, oldest=target.asked_ts, cursor=cursor
            )

        match await find_post(record, read_page):
            case Found(ts=ts):
                found = replace(record, state="shown", external_id=ts)
                _log.info("delivery.found", run_id=record.run_id, team_id=ownership.tenant, part=record.part)
                return await self._store(ownership, output, found, Changed())
            case Absent():
                return await self._store(ownership, output, _absent(record), Changed())
            case Unknown(answer=answer):
                return await self._unreadable(ownership, output, record, answer)

    async def _unreadable(
        self,
        ownership: Ownership,
        output: RunOutput,
        record: Delivery,
        answer: RateLimited | Refused | Unclear,
    ) -> Outcome:
        match answer:
            case RateLimited(seconds=seconds):
                await self._deliveries.close_method(ownership.tenant, Method.REPLIES, seconds)
                return PutOff(seconds)
            case Unclear():
                return PutOff()
            case Refused(error="invalid_auth" | "not_authed" | "token_expired" as error):
                return TokenRefused(error)
            case Refused(error=error):
                _log.error(
                    "delivery.read_back_refused",
                    run_id=record.run_id,
                    team_id=ownership.tenant,
                    part=record.part,
                    error=error,
                    consequence="a second copy may be posted",
                )
                return await self._store(ownership, output, _absent(record), Changed())

    async def _undo(self, ownership: Ownership, output: RunOutput, call: Call, outcome: Outcome) -> Outcome:
        """Stores that nothing happened, so that nobody needs to find it out again."""
        return await self._store(ownership, output, call.before, outcome)

    async def _store(
        self,
        ownership: Ownership,
        output: RunOutput,
        record: Delivery,
        outcome: Outcome | None = None,
        *,
        complete: bool = False,
    ) -> Outcome:
        output.deliveries[record.part] = record
        attempts = 0
        while True:
            try:
                kept = await self._deliveries.done(ownership, record, complete=complete)
                break
            except StoreUnavailable:
                attempts += 1
                if attempts == _STORE_ATTEMPTS:
                    raise
                await asyncio.sleep(0.1 * 2**attempts)
        match kept:
            case Stored():
                return outcome or Said()
            case Known(external_id=ts):
                output.deliveries[record.part] = brought_by_another(record, ts)
                await self._take_back(ownership.tenant, output, record)
                return Changed()
            case Lost(extra=extra):
                if extra:
                    await self._take_back(ownership.tenant, output, record)
                return OwnerLost()

    async def _take_back(self, tenant: str, output: RunOutput, record: Delivery) -> None:
        """Removes the message of ``record``: while its post was on its way, another worker saw to that part."""
        if record.external_id is None:
            return
        answer = await self._api.delete_message(tenant, output.target.channel, record.external_id)
        log = _log.bind(run_id=record.run_id, team_id=tenant, part=record.part)
        if isinstance(answer, Done):
            log.info("delivery.second_copy_removed")
        else:
            log.error("delivery.second_copy_stays", answer=answer)


def _absent(record: Delivery) -> Delivery:
    """The record of a post that did not happen."""
    return replace(record, state="shown", shown=0, content="")
