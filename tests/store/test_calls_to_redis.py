"""How a call to the store ends when it is not the store that ends it."""

from __future__ import annotations

import asyncio

import pytest

from harness_core.errors import StoreUnavailable
from harness_core.store.connection import store_errors


async def endless(limit: float = 60.0) -> None:
    async with store_errors(limit):
        await asyncio.Event().wait()


def test_a_call_that_nobody_waits_for_ends_as_cancelled_when_the_process_ends() -> None:
    async def story() -> None:
        call = asyncio.create_task(endless())
        await asyncio.sleep(0)
        await asyncio.get_running_loop().shutdown_asyncgens()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(story())


async def test_a_call_ends_after_its_limit_and_says_so() -> None:
    with pytest.raises(StoreUnavailable, match=r"no answer within 0\.01 s"):
        await endless(0.01)


async def test_what_a_driver_raises_becomes_one_error_and_what_is_ours_stays() -> None:
    with pytest.raises(StoreUnavailable, match="ConnectionResetError: gone"):
        async with store_errors():
            raise ConnectionResetError("gone")
    with pytest.raises(KeyError):
        async with store_errors():
            raise KeyError("ours")
