"""Lists of runs and threads, newest first, a page at a time.

Run ids begin with their time, and every index holds them under one score, so an index is ordered by id and
the cursor of a page is simply the last id on it: exact, also while new runs arrive and old ones are removed.
"""

from __future__ import annotations

import re

from harness_core.errors import ThreadNotFound
from harness_core.models import Message, Page, Run, RunFilter, Thread
from harness_core.states import RunState
from harness_core.store.connection import Client, store_errors
from harness_core.store.keys import Keys
from harness_core.store.message_log import MessageLog
from harness_core.store.paging import RUN, checked
from harness_core.store.run_record import FIELDS, decode_run
from harness_core.store.scripts import Scripts
from harness_core.store.seal import Seal

_CHUNK = 100
_SEPARATOR = "."  # in cursors; in no id
_OF_THREADS = re.compile(r"run_\w+\.(run_\w+)?")


class RunList:
    """Reads pages of runs through the index that narrows most."""

    def __init__(self, client: Client, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    async def tenants(self) -> list[str]:
        """Every tenant that ever had a run."""
        found: set[bytes] = set()
        for keys in self._scripts.all_keys():
            async with store_errors():
                found |= await self._client.smembers(keys("tenants"))
        return sorted(tenant.decode() for tenant in found)

    async def counts(self, tenant: str) -> dict[RunState, int]:
        """How many runs of a tenant stand where."""
        keys = self._scripts.keys(tenant)
        async with store_errors():
            pipe = self._client.pipeline(transaction=False)
            for state in RunState:
                pipe.zcard(keys("runs_state", tenant, state.value))
            return dict(zip(RunState, await pipe.execute(), strict=True))

    async def page(
        self, tenant: str, wanted: RunFilter | None = None, *, cursor: str | None = None, limit: int = 10
    ) -> Page[Run]:
        """Up to ``limit`` runs before ``cursor``, newest first.

        :raises ValueError: the cursor is none of this list, or the limit is less than 1; so do all lists.
        """
        wanted = wanted or RunFilter()
        keys = self._scripts.keys(tenant)
        index = _index(keys, tenant, wanted)
        items: list[Run] = []
        upper: str | None = checked(cursor, limit, RUN)
        while len(items) <= limit:
            ids = await ids_before(self._client, index, upper)
            items.extend(run for run in await self._read(keys, ids) if _fits(run, wanted))
            if len(ids) < _CHUNK:
                break
            upper = ids[-1]
        more = len(items) > limit
        items = items[:limit]
        return Page(items=tuple(items), cursor=items[-1].run_id if more else None)

    async def _read(self, keys: Keys, ids: list[str]) -> list[Run]:
        if not ids:
            return []
        async with store_errors():
            pipe = self._client.pipeline(transaction=True)
            for run_id in ids:
                pipe.hmget(keys("run", run_id), FIELDS)
                pipe.llen(keys("events", run_id))
            replies = await pipe.execute()
        runs = (decode_run(run_id, replies[2 * row], replies[2 * row + 1]) for row, run_id in enumerate(ids))
        return [run for run in runs if run is not None]


class ThreadRepository:
    """Threads, the conversation they belong to, and their messages."""

    def __init__(self, client: Client, scripts: Scripts, seal: Seal) -> None:
        self._client = client
        self._scripts = scripts
        self._seal = seal

    async def find(self, tenant: str, conversation: str) -> Thread | None:
        """The current thread of a conversation, if it ever had one."""
        keys = self._scripts.keys(tenant)
        async with store_errors():
            thread_id = await self._client.hget(keys("conversation", tenant, conversation), "thread")
        return await self._read(keys, thread_id.decode()) if thread_id else None

    async def get(self, thread_id: str) -> Thread:
        """:raises ThreadNotFound: there is no such thread."""
        for keys in self._scripts.all_keys():
            thread = await self._read(keys, thread_id)
            if thread is not None:
                return thread
        raise ThreadNotFound(thread_id)

    async def page(self, tenant: str, *, cursor: str | None = None, limit: int = 20) -> Page[Thread]:
        """Threads by their newest run: each stands where that run stands.

        A list that was begun shows how it stood then: a thread that is used meanwhile keeps its place on the pages
        that follow, and is on none of them twice.
        """
        keys = self._scripts.keys(tenant)
        index = keys("runs", tenant)
        began, _, last = checked(cursor, limit, _OF_THREADS).partition(_SEPARATOR)
        threads: list[Thread] = []
        while True:
            ids = await ids_before(self._client, index, last or None)
            began = began or (ids[0] if ids else "")
            for run_id in ids:
                thread = await self._standing_at(keys, run_id, began)
                if thread is not None and len(threads) == limit:
                    return Page(items=tuple(threads), cursor=f"{began}{_SEPARATOR}{last}")
                last = run_id
                if thread is not None:
                    threads.append(thread)
            if len(ids) < _CHUNK:
                return Page(items=tuple(threads))

    async def _standing_at(self, keys: Keys, run_id: str, began: str) -> Thread | None:
        """The thread whose newest run this was when the list was ``began`` with another."""
        async with store_errors():
            thread_id = await self._client.hget(keys("run", run_id), "thread_id")
            if thread_id is None:
                return None
            newest = await self._client.zrange(
                keys("thread_runs", thread_id.decode()),
                f"[{began}",
                "-",
                bylex=True,
                desc=True,
                offset=0,
                num=1,
            )
        if [each.decode() for each in newest] != [run_id]:
            return None
        return await self._read(keys, thread_id.decode())

    async def messages(self, thread_id: str, *, cursor: str | None = None, limit: int = 50) -> Page[Message]:
        """The log of a thread, newest first: the answer of a run, then what people said that it answers."""
        thread = await self.get(thread_id)
        log = MessageLog(self._client, self._scripts.keys(thread.tenant), self._seal, thread)
        return await log.page(cursor, limit)

    async def is_followed(self, tenant: str, conversation: str) -> bool:
        """Whether replies in this conversation are read without being addressed."""
        keys = self._scripts.keys(tenant)
        async with store_errors():
            thread, quiet, crowded = await self._client.hmget(
                keys("conversation", tenant, conversation), "thread", "quiet", "crowded"
            )
        return bool(thread) and not quiet and not crowded

    async def set_quiet(self, tenant: str, conversation: str) -> None:
        """From here on only addressed messages are read in this conversation."""
        await self._set(tenant, conversation, "quiet", "1")

    async def set_agent(self, tenant: str, conversation: str, agent: str) -> None:
        """The agent of the conversation's next runs."""
        await self._set(tenant, conversation, "agent", agent)

    async def agent_of(self, tenant: str, conversation: str) -> str | None:
        """The agent this conversation already has."""
        keys = self._scripts.keys(tenant)
        async with store_errors():
            agent = await self._client.hget(keys("conversation", tenant, conversation), "agent")
        return agent.decode() if agent else None

    async def _set(self, tenant: str, conversation: str, field: str, value: str) -> None:
        keys = self._scripts.keys(tenant)
        async with store_errors():
            await self._client.hset(keys("conversation", tenant, conversation), field, value)

    async def _read(self, keys: Keys, thread_id: str) -> Thread | None:
        names = (
            "tenant",
            "conversation",
            "created_at",
            "agent",
            "latest_run",
            "runs",
            "version",
            "generation",
        )
        async with store_errors():
            values = await self._client.hmget(keys("thread", thread_id), names)
            raw = {name: value.decode() for name, value in zip(names, values, strict=True) if value}
            if "tenant" not in raw:
                return None
            latest = raw.get("latest_run")
            state = await self._client.hget(keys("run", latest), "state") if latest else None
        return Thread(
            thread_id=thread_id,
            tenant=raw["tenant"],
            conversation=raw["conversation"],
            created_at=int(raw["created_at"]),
            agent=raw.get("agent"),
            status=RunState(state.decode()) if state else None,
            latest_run=latest,
            runs=int(raw.get("runs", 0)),
            generation=int(raw.get("generation", 1)),
            version=int(raw.get("version", 1)),
        )


async def ids_before(client: Client, index: str, run_id: str | None, limit: int = _CHUNK) -> list[str]:
    """The newest run ids of an index that are older than ``run_id``, which need not be there any more."""
    start = f"({run_id}" if run_id else "+"
    async with store_errors():
        ids = await client.zrange(index, start, "-", bylex=True, desc=True, offset=0, num=limit)
    return [each.decode() for each in ids]


def _index(keys: Keys, tenant: str, wanted: RunFilter) -> str:
    if wanted.thread_id is not None:
        return keys("thread_runs", wanted.thread_id)
    if wanted.user is not None:
        return keys("runs_user", tenant, wanted.user)
    if wanted.state is not None:
        return keys("runs_state", tenant, wanted.state.value)
    return keys("runs", tenant)


def _fits(run: Run, wanted: RunFilter) -> bool:
    pairs = (
        (wanted.state, run.state),
        (wanted.user, run.user),
        (wanted.agent, run.agent),
        (wanted.thread_id, run.thread_id),
        (wanted.channel, run.channel),
        (wanted.reason, run.reason),
    )
    return all(want is None or want == found for want, found in pairs)
