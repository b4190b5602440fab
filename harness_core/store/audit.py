"""The audit chain of a tenant: what was asked, decided, changed and refused, each link hashing the one before.

A link holds ids and digests, never what people or agents said. The head says how far the chain goes, so that a
tail that was lost is missed. Whoever can write to Redis can write a whole new chain and its head; keep the newest
hash of an export elsewhere, and no earlier link can be changed unnoticed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from harness_core.approvals import AuditEntry, AuditHead
from harness_core.store.connection import Client, store_errors
from harness_core.store.paging import check_limit
from harness_core.store.scripts import Scripts


class AuditRepository:
    """Reads the chain; the verbs that do things add to it."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    async def read(self, tenant: str, *, after: int = 0, limit: int = 1000) -> list[AuditEntry]:
        """The links after sequence number ``after``, in order."""
        check_limit(limit)
        keys = self._scripts.keys(tenant)
        while True:
            cut = (await self.head(tenant)).cut
            # Retention cuts the oldest links off, so the place of a link is counted from the first that is left.
            start = max(0, after - cut)
            async with store_errors():
                rows = await self._client.lrange(keys("audit", tenant), start, start + limit - 1)
            if (await self.head(tenant)).cut == cut:
                return [_entry(row) for row in rows]

    async def head(self, tenant: str) -> AuditHead:
        """How far the chain goes. Links that are read after this reach at least so far."""
        async with store_errors():
            found = await self._client.hmget(
                self._scripts.keys(tenant)("audit_head", tenant), "seq", "hash", "cut"
            )
        seq, link, cut = found
        return AuditHead(seq=int(seq or 0), hash=(link or b"").decode(), cut=int(cut or 0))

    async def newest(self, tenant: str, *, limit: int = 10) -> list[AuditEntry]:
        """The newest links, the newest first."""
        check_limit(limit)
        async with store_errors():
            rows = await self._client.lrange(self._scripts.keys(tenant)("audit", tenant), -limit, -1)
        return [_entry(row) for row in reversed(rows)]

    async def note(self, tenant: str, facts: Mapping[str, str]) -> None:
        """Adds a link about something that changed nothing else, such as a refusal."""
        await self._scripts.call("note", self._scripts.keys(tenant), tenant, json.dumps(dict(facts)))


def verify_chain(entries: Sequence[AuditEntry], head: AuditHead | None = None) -> int | None:
    """The sequence number of the first link that is not as it was written, or None.

    ``entries`` are consecutive. A link is broken when its content, its number or the hash it builds on was changed,
    and where one is missing. With a ``head`` that was read before them they are the end of the chain, or all that
    is left of it, and must reach as far as it says.
    """
    previous: AuditEntry | None = None
    for entry in entries:
        expected = entry.seq if previous is None else previous.seq + 1
        builds_on = entry.previous if previous is None else previous.hash
        if entry.hash != _hash(entry) or entry.seq != expected or entry.previous != builds_on:
            return expected
        previous = entry
    return None if head is None else _missing(previous, head)


def _missing(last: AuditEntry | None, head: AuditHead) -> int | None:
    reached = head.cut if last is None else last.seq
    if reached < head.seq:
        return reached + 1
    return head.seq if last is not None and last.seq == head.seq and last.hash != head.hash else None


def _hash(entry: AuditEntry) -> str:
    link = f"{entry.seq}|{entry.at}|{entry.previous}|{entry.data}"
    return hashlib.sha256(link.encode("utf-8", "surrogateescape")).hexdigest()


def _entry(row: bytes) -> AuditEntry:
    parts = row.decode("utf-8", "surrogateescape").split("|", 4)
    # A row that is no link any more is an entry with a wrong hash, to be found and named.
    stored, seq, at, previous, data = (*parts, "", "", "", "")[:5]
    return AuditEntry(seq=_number(seq), at=_number(at), previous=previous, hash=stored, data=data)


def _number(text: str) -> int:
    """A damaged number is one that no link has, so that it is found and named rather than raised."""
    return int(text) if text.isdecimal() and text.isascii() else -1
