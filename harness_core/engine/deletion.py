"""Deleting what there is of a conversation, a person or a team, for good.

Live runs are stopped first, and given a moment to say so; one that does not obey is ended over its worker's head.
Then everything goes that hangs on the threads: runs with their logs, calls, questions and deliveries, checkpoints,
what was remembered of them. The audit chain stays: it holds ids and hashes, and a deletion is an entry of its own.

A person's data are the conversations in which they wrote something, whole: what others were answered there may
repeat it. That somebody approved or stopped what others asked stays with those runs, by id alone, until they end by
retention. What is in messages outside is not touched.

Imports the store alone, so a shell need not load an agent framework.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

from harness_core.errors import NotFound, RunNotFound
from harness_core.models import Run
from harness_core.states import LIVE
from harness_core.store import ItemName, ItemWrite, Store

STOP_WITHIN = 30.0
"""Seconds in which live runs may end by themselves after they were asked to."""

SHOW_WITHIN = 10.0
"""Seconds in which people may be shown that a run was stopped, before it is gone."""

LOOK = 0.2
"""Seconds between two looks at whether they have."""

_ROUNDS = 20  # times a thread or a team is emptied that people keep writing in

Kind = Literal["thread", "user", "team"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionPlan:
    """What a deletion would remove. ``threads`` are pairs of tenant and thread id.

    ``runs`` counts what is there now, ``of_others`` those of them that somebody else asked for.
    """

    kind: Kind
    subject: str
    tenants: tuple[str, ...]
    threads: tuple[tuple[str, str], ...]
    runs: int = 0
    live: int = 0
    of_others: int = 0
    remembered: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """What was removed. ``mentions`` are short-lived keys that named it; ``left`` threads that could not be emptied.

    ``keys`` counts those of runs and threads in Redis, ``values`` those of channels in checkpoints.
    """

    threads: int = 0
    runs: int = 0
    checkpoints: int = 0
    values: int = 0
    remembered: int = 0
    mentions: int = 0
    keys: int = 0
    left: tuple[str, ...] = ()


class Deletion:
    """Plans a deletion, then carries it out. ``forget`` also removes a thread where only its process keeps it."""

    def __init__(
        self,
        store: Store,
        *,
        stop_within: float = STOP_WITHIN,
        show_within: float = SHOW_WITHIN,
        forget: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self._store = store
        self._stop_within = stop_within
        self._show_within = show_within
        self._forget = forget

    async def of_thread(self, thread_id: str) -> DeletionPlan:
        """Everything about one conversation.

        :raises ThreadNotFound: there is no such thread.
        """
        tenant = (await self._store.threads.get(thread_id)).tenant
        return await self._counted(
            DeletionPlan(kind="thread", subject=thread_id, tenants=(tenant,), threads=((tenant, thread_id),))
        )

    async def of_person(self, user: str, tenant: str | None = None) -> DeletionPlan:
        """Every conversation in which a person wrote something, and what was remembered for them; in all teams.

        :raises NotFound: nothing of this person is stored.
        """
        tenants = [tenant] if tenant is not None else await self._store.lists.tenants()
        threads: list[tuple[str, str]] = []
        concerned: list[str] = []
        for each in tenants:
            found = await self._store.erasure.threads_of_person(each, user)
            threads += [(each, thread_id) for thread_id in found]
            if found or await self._remembered(each, people=(user,)):
                concerned.append(each)
        if not concerned:
            raise NotFound(f"nothing that {user} wrote is stored")
        plan = DeletionPlan(kind="user", subject=user, tenants=tuple(concerned), threads=tuple(threads))
        return await self._counted(plan)

    async def of_team(self, tenant: str) -> DeletionPlan:
        """Everything of a team but its audit chain.

        :raises NotFound: nothing of this team is stored.
        """
        if tenant not in await self._store.lists.tenants():
            raise NotFound(f"no team {tenant}")
        threads = await self._store.erasure.threads_of_tenant(tenant)
        plan = DeletionPlan(
            kind="team",
            subject=tenant,
            tenants=(tenant,),
            threads=tuple((tenant, thread_id) for thread_id in threads),
        )
        return await self._counted(plan)

    async def carry_out(self, plan: DeletionPlan, *, by: str) -> Deleted:
        """Removes it. What is said in the same conversations from now on is new; of a team, it goes as well.

        Safe to repeat: a deletion that was cut off is finished by the next.
        """
        done = Deleted()
        for tenant in plan.tenants:
            facts = {"by": by, plan.kind: plan.subject}
            await self._store.audit.note(tenant, {"what": "deletion.asked", **facts})
            here = await self._of_tenant(tenant, plan, by)
            counts = {"threads": str(here.threads), "runs": str(here.runs), "left": str(len(here.left))}
            await self._store.audit.note(tenant, {"what": "deleted", **facts, **counts})
            done = _sum(done, here)
        return done

    async def _of_tenant(self, tenant: str, plan: DeletionPlan, by: str) -> Deleted:
        if plan.kind == "team":
            return await self._whole_team(tenant, plan, by)
        threads = [thread_id for owner, thread_id in plan.threads if owner == tenant]
        return await self._emptied(tenant, threads, plan, by)

    async def _whole_team(self, tenant: str, plan: DeletionPlan, by: str) -> Deleted:
        """Until a look finds nothing: people may write anywhere meanwhile, and what begins while the keys of the team
        are removed is in none of its indexes.
        """
        done = await self._emptied(tenant, await self._store.erasure.threads_of_tenant(tenant), plan, by)
        for _ in range(_ROUNDS):
            more = await self._store.erasure.threads_of_tenant(tenant)
            if done.left or not more:
                return done
            done = _sum(done, await self._emptied(tenant, more, plan, by))
        return replace(done, left=tuple(await self._store.erasure.threads_of_tenant(tenant)))

    async def _emptied(self, tenant: str, threads: Sequence[str], plan: DeletionPlan, by: str) -> Deleted:
        done, ids = Deleted(), set[str]()
        for thread_id in threads:
            ids.add(thread_id)
            if plan.kind != "team":
                await self._store.upkeep.detach(tenant, thread_id)
            done = _sum(done, await self._thread(tenant, thread_id, ids, by))
        people = (plan.subject,) if plan.kind == "user" else ()
        # After the runs: whoever remembers a conversation looks whether it is still there.
        items = await self._remembered(tenant, ids, people=people, everything=plan.kind == "team")
        forgotten = [ItemWrite(namespace=namespace, key=key, value=None) for namespace, key in items]
        await self._store.items.write(tenant, forgotten)
        mentions = await self._store.erasure.remove_mentions(tenant, ids)
        keys = done.keys
        if plan.kind == "team" and not done.left:
            keys += await self._store.erasure.remove_tenant(tenant)
        return replace(done, remembered=len(items), mentions=mentions, keys=keys)

    async def _thread(self, tenant: str, thread_id: str, ids: set[str], by: str) -> Deleted:
        done = Deleted()
        for _ in range(_ROUNDS):
            run_ids = await self._store.erasure.runs_of_thread(tenant, thread_id)
            ids |= set(run_ids)
            await self._end(tenant, run_ids, by)
            gone = await self._store.upkeep.forget_runs(tenant, run_ids)
            done = replace(done, runs=done.runs + gone.runs, keys=done.keys + gone.keys)
            if not gone.threads:
                gone = await self._store.upkeep.forget_thread(tenant, thread_id)
                done = replace(done, keys=done.keys + gone.keys)
            if gone.threads:
                return await self._without_checkpoints(tenant, thread_id, replace(done, threads=1))
        return replace(done, left=(thread_id,))

    async def _without_checkpoints(self, tenant: str, thread_id: str, done: Deleted) -> Deleted:
        if self._forget is not None:
            await self._forget(thread_id)
        removed = await self._store.checkpoints.delete_thread(thread_id)
        await self._store.erasure.dismiss_thread(tenant, thread_id)
        return replace(done, checkpoints=removed.checkpoints, values=removed.values)

    async def _end(self, tenant: str, run_ids: Sequence[str], by: str) -> None:
        """Stops what is live, the last first, so that none of them begins in between."""
        live = [run.run_id for run in reversed(await self._runs(run_ids)) if run.state in LIVE]
        for run_id in live:
            with suppress(RunNotFound):
                await self._store.runs.cancel(run_id, by)
        if await self._store.presence.workers():
            await _until(lambda: self._have_ended(live), self._stop_within)
        for run_id in live:
            with suppress(RunNotFound):
                await self._store.upkeep.evict(tenant, run_id, by)
        if await self._store.erasure.is_shown_by_somebody(tenant):
            await _until(lambda: self._are_shown(tenant, live), self._show_within)

    async def _have_ended(self, run_ids: Sequence[str]) -> bool:
        return not any(run.state in LIVE for run in await self._runs(run_ids))

    async def _are_shown(self, tenant: str, run_ids: Sequence[str]) -> bool:
        return not await self._store.erasure.lagging(tenant, run_ids)

    async def _runs(self, run_ids: Sequence[str]) -> list[Run]:
        found: list[Run] = []
        for run_id in run_ids:
            with suppress(RunNotFound):  # it went by retention
                found.append(await self._store.runs.get(run_id))
        return found

    async def _counted(self, plan: DeletionPlan) -> DeletionPlan:
        runs: list[Run] = []
        for tenant, thread_id in plan.threads:
            runs += await self._runs(await self._store.erasure.runs_of_thread(tenant, thread_id))
        ids = {thread_id for _, thread_id in plan.threads} | {run.run_id for run in runs}
        people = (plan.subject,) if plan.kind == "user" else ()
        items = [
            item
            for tenant in plan.tenants
            for item in await self._remembered(tenant, ids, people=people, everything=plan.kind == "team")
        ]
        return replace(
            plan,
            runs=len(runs),
            live=sum(run.state in LIVE for run in runs),
            of_others=sum(run.user != plan.subject for run in runs) if plan.kind == "user" else 0,
            remembered=len(items),
        )

    async def _remembered(
        self,
        tenant: str,
        ids: set[str] | None = None,
        *,
        people: Sequence[str] = (),
        everything: bool = False,
    ) -> list[ItemName]:
        """Long-term items that came from one of these threads or runs, or belong to one of these people."""
        found: list[ItemName] = []
        last: ItemName | None = None
        while names := await self._store.items.names(tenant, after=last):
            last = names[-1]
            for name, item in zip(names, await self._store.items.read(tenant, names), strict=True):
                if item is None:
                    continue
                text = json.dumps([name, item.value])
                parts = {*name[0], *map(str, item.value.values())}
                if everything or any(each in text for each in ids or ()) or parts & _spellings(people):
                    found.append(name)
        return found


def _spellings(people: Sequence[str]) -> set[str]:
    """A person's id as it is, and as a label of a namespace spells it."""
    return {*people, *(person.replace("%", "%25").replace(".", "%2E") for person in people)}


async def _until(holds: Callable[[], Awaitable[bool]], seconds: float) -> None:
    """Until it holds, at most for so long."""
    deadline = time.monotonic() + seconds
    while not await holds() and time.monotonic() < deadline:  # noqa: ASYNC110 - the store tells nobody of it
        await asyncio.sleep(LOOK)


def _sum(one: Deleted, other: Deleted) -> Deleted:
    added = {name: getattr(one, name) + getattr(other, name) for name in Deleted.__slots__}
    return Deleted(**added)
