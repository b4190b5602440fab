"""An output owner in a process of its own, to be killed: ``python owner_process.py REDIS SEAL API TOKEN``."""

from __future__ import annotations

import asyncio
import os
import sys

from bot.delivery.owner import Lease, OutputOwner
from bot.delivery.web_api import SingleToken, WebApi
from harness_core import Seal, Store


async def main(redis_url: str, seal: str, api_url: str, token: str) -> None:
    store = await Store.open(redis_url, seal=Seal(bytes.fromhex(seal)))
    api = WebApi.open(SingleToken(token), base_url=api_url)
    await OutputOwner(store, api, worker=f"process-{os.getpid()}", lease=Lease(ttl=1.0, renew=0.3)).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
