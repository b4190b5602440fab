"""Everything of a list that comes in pages, for commands that print it whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, TypeVar

from bot.startup import Core
from harness_core.models import Page

PAGE: Final = 100
"""Rows that are read at once."""

Item = TypeVar("Item")


async def every_page(
    core: Core, read: Callable[[str, str | None], Awaitable[Page[Item]]]
) -> AsyncIterator[Item]:
    """The items of every team, in the order of their pages; ``read`` gets a tenant and a cursor."""
    for tenant in await core.control.tenants():
        cursor: str | None = None
        while True:
            page = await read(tenant, cursor)
            for item in page.items:
                yield item
            if page.cursor is None:
                break
            cursor = page.cursor
