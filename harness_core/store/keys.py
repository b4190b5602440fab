"""Every Redis key, from one table.

The same table is rendered into the scripts (:func:`lua_builders`), so Python and Lua spell a key alike.
Every key starts with the partition root ``harness:{pN}``; the braces put one partition into one slot of a
cluster, so that a script may touch all of it. Arguments are percent-encoded: no id can reach into
another key, whatever characters a platform puts into it.
"""

from __future__ import annotations

from urllib.parse import quote
from zlib import crc32

META = "harness:meta"
"""Hash: ``schema`` and ``partitions``, pinned when the first process opens the store. Never expires."""

TEMPLATES: dict[str, str] = {
    "clock_offset": "clock_offset",  # string, ms added to TIME; only tests set it
    "op": "op:%s",  # string, msgpack of a verb's reply; 120 s
    "seen": "seen:%s:%s",  # string by tenant and dedupe name: run id, or message@run it was added to; 72 h
    "tenants": "tenants",  # set of tenants that ever had a run
    "conversation": "conv:%s:%s",  # hash: thread, generation, epoch, agent, starter, crowded, quiet, posted
    "inbox": "inbox:%s:%s",  # list of run ids of a conversation, the head may run
    "thread": "thread:%s",  # hash: a generation of a conversation
    "thread_runs": "thread:%s:runs",  # zset of run ids, score 0
    "thread_people": "thread:%s:people",  # set of those who wrote something in it
    "threads_user": "threads:%s:user:%s",  # set of the threads in which a person wrote something
    "thread_grants": "thread:%s:grants",  # set of ids of approvals that more was granted with in it
    "run": "run:%s",  # hash: the run's record, sealed input and output
    "events": "run:%s:events",  # list: at|sealed?|name|payload, sequence = folded + index + 1
    "folded": "run:%s:folded",  # string: the first `folded` events of an ended run, compressed and sealed
    "steers": "run:%s:steers",  # list of ids of messages that a run at work has still to read
    "steered": "run:%s:steered",  # list of ids of those that it has read, in order
    "steer": "run:%s:steer:%s",  # hash: such a message, its input sealed
    "calls": "run:%s:calls",  # list of the keys of a run's tool calls, in order
    "call": "run:%s:call:%s",  # hash: one tool call in the journal, its result sealed
    "run_approvals": "run:%s:approvals",  # list of a run's approval ids, in order
    "run_open": "run:%s:open",  # set of those that wait for people
    "approval": "approval:%s",  # hash: a question, what people see of it sealed
    "votes": "approval:%s:votes",  # hash: person -> at|source, of the current revision
    "grant": "approval:%s:grant",  # hash: what was granted with it: scope, terms, uses, who gave and revoked it
    "grants": "grants:%s",  # zset of ids of approvals with a grant that was neither used up nor revoked, by its end, ms
    "approvals": "approvals:%s",  # zset of a tenant's approval ids by the time they were asked
    "approved": "approvals:%s:approved",  # hash of the approval of the newest approved call, by approved_place()
    "approvals_open": "approvals:%s:open",  # zset, those that wait for people
    "deadlines": "deadlines",  # zset of open approval ids by their deadline, ms
    "reminders": "reminders",  # zset of open approval ids by their next reminder, ms
    "audit": "audit:%s",  # list: hash|seq|at|previous hash|JSON, each link hashing the one before
    "audit_head": "audit:%s:head",  # hash: seq, hash of the newest link; cut: how many links retention took
    "deliveries": "run:%s:deliveries",  # hash: part -> JSON record
    "runs": "runs:%s",  # zset of a tenant's run ids, score 0, so ordered by id = by time
    "runs_state": "runs:%s:state:%s",  # zset, the same by state
    "runs_user": "runs:%s:user:%s",  # zset, the same by person
    "ready_tenants": "ready",  # zset of tenants with claimable runs, by the oldest one's time
    "ready": "ready:%s",  # zset of a tenant's claimable run ids
    "leases": "leases",  # zset of run ids by the end of their lease, ms
    "active": "active:%s",  # set of a tenant's leased runs
    "active_user": "active:%s:%s",  # set of a person's leased runs
    "unfolded": "unfolded",  # zset of ended runs whose events are a list still, by their end, ms
    "unpruned": "unpruned",  # zset of threads with checkpoints to thin out or to forget, by when they fell idle, ms
    "upkeep": "upkeep",  # hash: worker, until, due: who does the maintenance, and when it is due again
    "switches": "switches",  # hash: draining, by, at, reloads; in the first partition, for all workers
    "wake": "wake",  # list of at most 256 tokens, they carry nothing
    "worker": "worker:%s",  # string, expires with the worker
    "workers": "workers",  # zset of worker ids by last beat
    "dirty": "dirty:%s",  # zset of run ids whose messages lag, finals first
    "owner": "owner:%s",  # hash: worker, epoch, until: who writes to this tenant's platform
    "budget": "budget:%s:%s",  # string, theoretical arrival time in us of a method's next call
    "room_budget": "budget:%s:%s:%s",  # the same for a method in one room
    "sends": "sends:%s:%s",  # zset of a method's calls in the last 60 s
    "closed": "closed:%s:%s",  # string, expires when a refused method may be called again
    "items": "items:%s",  # zset of the names of a tenant's long-term items, score 0: by namespace and key
    "items_due": "items:%s:due",  # zset of the names of those that expire, by when, ms
    "item": "items:%s:item:%s",  # hash: value and vectors sealed, created, updated, ttl in ms
    "outputs": "run:%s:outputs",  # hash: reference -> sealed output of a tool that was too long to read whole
    "ck_namespaces": "ck:%s",  # set of checkpoint namespaces of a thread
    "ck_headers": "ck:%s:%s:h",  # hash: checkpoint id -> sealed header
    "ck_ids": "ck:%s:%s:i",  # zset of checkpoint ids in the order they were first written
    "ck_blobs": "ck:%s:%s:b",  # hash: channel, version -> sealed value
    "ck_writes": "ck:%s:%s:w:%s",  # hash: task path, task, index -> sealed write
}


_FAMILIES = ("run", "thread", "approval")
"""Nouns whose keys all begin with their name and their id."""

_OF_OTHERS = (*_FAMILIES, "ck", "op", "worker")


def family(noun: str) -> list[str]:
    """The names of the keys that a noun's id alone leads to: they live and go together."""
    return [
        name
        for name, template in TEMPLATES.items()
        if template.count("%s") == 1 and f"{template}:".startswith(f"{noun}:%s:")
    ]


def of_tenants() -> list[str]:
    """The names of the keys that belong to a tenant, whose id is the first thing in them."""
    return [
        name
        for name, template in TEMPLATES.items()
        if "%s" in template and template.partition(":")[0] not in _OF_OTHERS
    ]


def partition_of(tenant: str, partitions: int) -> int:
    """The partition that holds everything of ``tenant``."""
    return crc32(tenant.encode()) % partitions


class Keys:
    """The keys of one partition."""

    def __init__(self, partition: int) -> None:
        self.root = f"harness:{{p{partition}}}"

    def __call__(self, name: str, *parts: str) -> str:
        """The key ``name`` for ``parts``. A wrong name or count is a programmer's error."""
        return f"{self.root}:{TEMPLATES[name]}" % tuple(quote(part, safe="") for part in parts)

    def of_tenant(self, name: str, tenant: str) -> str:
        """The key ``name`` of a tenant; a pattern of all of them where more than the tenant leads to one.

        An encoded id holds no character that means something in a pattern.
        """
        template = TEMPLATES[name]
        rest = ["*"] * (template.count("%s") - 1)
        return f"{self.root}:{template}" % (quote(tenant, safe=""), *rest)


def lua_builders() -> str:
    """The table as Lua: ``key.run(id)`` and so on, under the root in ``KEYS[1]``, and the families by noun."""
    lines = ["local key = {}"]
    for name, template in TEMPLATES.items():
        names = [f"a{index}" for index in range(template.count("%s"))]
        spelt = template
        for each in names:
            spelt = spelt.replace("%s", f"' .. quote({each}) .. '", 1)
        lines.append(f"function key.{name}({', '.join(names)}) return root .. ':{spelt}' end")
    families = (f"{noun} = {{ {', '.join(f'key.{name}' for name in family(noun))} }}" for noun in _FAMILIES)
    lines.append(f"local FAMILY = {{ {', '.join(families)} }}")
    return "\n".join(lines)
