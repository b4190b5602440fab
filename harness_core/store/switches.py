"""What operators ask of every worker at once: to take no more work, and to read the workspace again."""

from __future__ import annotations

from harness_core.models import Switches
from harness_core.store.connection import Client, store_errors
from harness_core.store.scripts import Scripts


class SwitchRepository:
    """Kept in the first partition. Every process looks here from time to time."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts
        self._key = scripts.all_keys()[0]("switches")

    async def read(self) -> Switches:
        """How they stand."""
        names = ("draining", "by", "at", "reloads")
        async with store_errors():
            values = await self._client.hmget(self._key, names)
        raw = {name: value.decode() for name, value in zip(names, values, strict=True) if value}
        return Switches(
            draining=raw.get("draining") == "1",
            by=raw.get("by", ""),
            at=int(raw["at"]) if "at" in raw else None,
            reloads=int(raw.get("reloads", 0)),
        )

    async def drain(self, by: str) -> bool:
        """No worker claims a run from now on; whether that is news."""
        return await self._switch(by, draining=True)

    async def resume(self, by: str) -> bool:
        """Work goes on; whether it had been paused."""
        return await self._switch(by, draining=False)

    async def reload(self) -> int:
        """Asks every process to read its workspace again; how often that was asked for."""
        async with store_errors():
            return int(await self._client.hincrby(self._key, "reloads", 1))

    async def _switch(self, by: str, *, draining: bool) -> bool:
        reply = await self._scripts.call("switch", self._scripts.all_keys()[0], by, int(draining))
        return bool(reply[0] == b"switched")
