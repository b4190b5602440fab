"""The message log of a thread. It is not stored twice: it is the inputs and outputs of the thread's runs, and what
people wrote to them while they were at work.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness_core.models import Message, Page, Thread
from harness_core.store.connection import Client, store_errors
from harness_core.store.keys import Keys
from harness_core.store.paging import checked
from harness_core.store.run_record import decode_input
from harness_core.store.scripts import texts
from harness_core.store.seal import Seal

_SEPARATOR = "."  # in cursors; in no id
_SHAPE = re.compile(r"run_\w+\.\d+")
_RUN = ("user", "created_at", "input", "ended_at", "output")
_STEER = ("user", "at", "input", "kind")


class MessageLog:
    """Reads the log of one thread, newest first."""

    def __init__(self, client: Client, keys: Keys, seal: Seal, thread: Thread) -> None:
        self._client = client
        self._keys = keys
        self._seal = seal
        self._thread = thread

    async def page(self, cursor: str | None, limit: int) -> Page[Message]:
        """Up to ``limit`` messages before the one that ``cursor`` names by its run and its place there.

        Places count from the oldest, so what is said meanwhile changes none.
        """
        last, _, place = checked(cursor, limit, _SHAPE).partition(_SEPARATOR)
        before = int(place) if place.isdecimal() else 0
        ids = [last] if before else []
        ids += await self._runs(f"({last}" if last else "+", limit + 1)
        found: list[tuple[int, Message]] = []
        for run_id, row, steers in await self._rows(ids):
            said = self._of_run(run_id, row, await self._steered(run_id, steers))
            found += list(enumerate(said[:before] if run_id == last else said))[::-1]
            if len(found) > limit:
                end, oldest = found[limit - 1]
                shown = tuple(message for _, message in found[:limit])
                return Page(items=shown, cursor=f"{oldest.run_id}{_SEPARATOR}{end}")
        return Page(items=tuple(message for _, message in found))

    async def _runs(self, start: str, count: int) -> list[str]:
        index = self._keys("thread_runs", self._thread.thread_id)
        async with store_errors():
            return texts(
                await self._client.zrange(index, start, "-", bylex=True, desc=True, offset=0, num=count)
            )

    async def _rows(self, ids: Sequence[str]) -> list[tuple[str, list[bytes | None], list[str]]]:
        async with store_errors():
            pipe = self._client.pipeline(transaction=False)
            for run_id in ids:
                pipe.hmget(self._keys("run", run_id), _RUN)
                pipe.lrange(self._keys("steered", run_id), 0, -1)
                pipe.lrange(self._keys("steers", run_id), 0, -1)
            rows = await pipe.execute()
        return [
            (run_id, rows[3 * at], texts([*rows[3 * at + 1], *rows[3 * at + 2]]))
            for at, run_id in enumerate(ids)
        ]

    async def _steered(self, run_id: str, ids: Sequence[str]) -> list[Message]:
        if not ids:
            return []
        async with store_errors():
            pipe = self._client.pipeline(transaction=False)
            for message in ids:
                pipe.hmget(self._keys("steer", run_id, message), _STEER)
            rows = await pipe.execute()
        return [
            self._said(run_id, message, user, at, asked)
            for message, (user, at, asked, kind) in zip(ids, rows, strict=True)
            if kind == b"message"
        ]

    def _of_run(self, run_id: str, row: Sequence[bytes | None], steered: list[Message]) -> list[Message]:
        """What was said, oldest first."""
        user, created, asked, ended, answer = row
        said = [self._said(run_id, run_id, user, created, asked)] if asked else []
        said += steered
        if answer:
            text = self._seal.open(answer, self._thread.tenant, run_id, "output").decode()
            said.append(Message(role="assistant", text=text, run_id=run_id, at=int(ended or 0)))
        return said

    def _said(
        self, run_id: str, message: str, user: bytes | None, at: bytes | None, asked: bytes | None
    ) -> Message:
        stored = self._seal.open(asked or b"", self._thread.tenant, message, "input").decode()
        who = (user or b"").decode()
        return Message(role="user", text=decode_input(stored).text, run_id=run_id, at=int(at or 0), user=who)
