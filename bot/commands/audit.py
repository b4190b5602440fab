"""``audit export``: the record of what was asked, decided and refused, as it is chained."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Final

from bot.commands.exits import Exit
from bot.commands.terminal import complain, say_object
from bot.settings import Settings
from bot.startup import Core, open_core
from harness_core import verify_chain
from harness_core.approvals import AuditEntry

_PAGE: Final = 1000
_FIRST: Final = -2  # before the first entry, also when the number of that one is damaged


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """Entries from number ``since`` on. With ``verify`` the whole chain is checked, also what is not printed."""

    since: int
    verify: bool


def order(options: argparse.Namespace) -> Export:
    """What the parsed arguments ask for."""
    return Export(since=options.since, verify=options.verify)


async def command(settings: Settings, wanted: Export) -> Exit:
    """Prints an object per entry; 1 when the chain is broken.

    :raises StartupFailed: Redis or the key is not there.
    """
    worst = Exit.OK
    async with open_core(settings) as core:
        for tenant in await core.control.tenants():
            if not await _export(core, tenant, wanted):
                worst = Exit.FAILED
    return worst


async def _export(core: Core, tenant: str, wanted: Export) -> bool:
    """Whether nothing was found that is wrong."""
    broken: int | None = None
    head = await core.store.audit.head(tenant)
    last: list[AuditEntry] = []
    async for page in _pages(core, tenant, after=_FIRST if wanted.verify else wanted.since - 1):
        for entry in page:
            if entry.seq >= wanted.since or entry.seq < 0:
                say_object({"team": tenant, **asdict(entry)})
        if wanted.verify and broken is None:
            broken = _broken([*last, *page])
        last = page[-1:]
    if wanted.verify and broken is None:
        broken = verify_chain(last, head)
    if broken is not None:
        complain(
            f"Entry {broken} of {tenant} is missing, not as it was written, or does not follow from the one "
            "before it: the chain is broken there."
        )
    elif wanted.verify:
        complain(f"{tenant}: the chain holds up to entry {last[0].seq if last else head.seq}.")
    return broken is None


async def _pages(core: Core, tenant: str, *, after: int) -> AsyncIterator[list[AuditEntry]]:
    while page := await core.store.audit.read(tenant, after=after, limit=_PAGE):
        yield page
        # An entry whose number is damaged must not lead back to the beginning.
        after = max(page[-1].seq, after + len(page))


def _broken(entries: list[AuditEntry]) -> int | None:
    """The number of the first broken entry; by its place, where the number itself is what was damaged."""
    found = verify_chain(entries)
    if found is None or found >= 0:
        return found
    place = next(place for place, entry in enumerate(entries) if entry.seq == found)
    return entries[place - 1].seq + 1 if place else 1
