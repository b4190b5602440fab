"""The atomic verbs: one Lua file each, behind a shared prelude.

The loader puts the state table and the key table in front, and wraps the verb so that a repeat under the
same operation id gets the first call's reply: a client that lost a reply may ask again without doing the
thing twice (redis-py repeats calls by itself after a broken connection).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from redis.commands.core import AsyncScript

from harness_core.errors import StoreUnavailable
from harness_core.models import new_op_id
from harness_core.states import MOVES
from harness_core.store.connection import Client, store_errors
from harness_core.store.keys import Keys, lua_builders, partition_of

Argument = str | bytes | int

REPEATABLE = frozenset(
    {"renew", "append", "own", "disown", "route", "ck_put", "ck_writes", "out_done", "call_open", "call_done",
     "item_read", "item_list", "ck_before", "item_index", "output_put", "steers_read", "steers_taken", "mark_dirty",
     "posted", "fold", "forget_run", "forget_thread", "detach", "evict", "ck_prune", "audit_trim", "upkeep_begin",
     "upkeep_end", "upkeep_seen"}
)  # fmt: skip
"""Verbs whose repeat changes nothing by their own logic; they need no stored reply."""

SHARED: Mapping[tuple[str, ...], frozenset[str]] = {
    ("sha256", "questions"): frozenset(
        {
            "call_open",
            "decide",
            "revise",
            "expire",
            "stir",
            "abandon",
            "note",
            "grant_revoke",
            "undeliverable",
        }
    ),
    ("inbox",): frozenset(
        {
            "accept",
            "restart",
            "amend",
            "withdraw",
            "finish",
            "cancel",
            "reap",
            "abandon",
            "evict",
            "undeliverable",
        }
    ),
    ("forgetting",): frozenset({"forget_run", "forget_thread"}),
}
"""Files that stand between the prelude and some verbs: those that ask people and add to the audit chain, those that
begin, steer and end runs, and those that remove them."""

_QUOTE = """
local root = KEYS[1]
local function quote(s)
  return (tostring(s):gsub('[^%w_.~-]', function(c) return string.format('%%%02X', string.byte(c)) end))
end
"""

_ONCE = """
local reply_key = key.op(ARGV[1])
local earlier = redis.call('GET', reply_key)
if earlier then return cmsgpack.unpack(earlier) end
local reply = verb()
redis.call('SET', reply_key, cmsgpack.pack(reply), 'PX', OP_TTL)
return reply
"""


@cache
def script_text(verb: str) -> str:
    """The whole script of a verb as Redis runs it."""
    lua = resources.files("harness_core.store") / "lua"
    moves = ", ".join(f"['{move.source}>{move.target}'] = true" for move in MOVES)
    body = (lua / f"{verb}.lua").read_text(encoding="utf-8")
    return "\n".join(
        (
            _QUOTE,
            lua_builders(),
            f"local ALLOWED = {{ {moves} }}",
            (lua / "prelude.lua").read_text(encoding="utf-8"),
            *_shared(lua, verb),
            f"local function verb()\n{body}\nend",
            "return verb()" if verb in REPEATABLE else _ONCE,
        )
    )


def _shared(lua: Traversable, verb: str) -> list[str]:
    names = [name for group, verbs in SHARED.items() if verb in verbs for name in group]
    return [(lua / f"{name}.lua").read_text(encoding="utf-8") for name in names]


class Scripts:
    """Calls verbs on the partition of a tenant."""

    def __init__(self, client: Client, partitions: int) -> None:
        self._client = client
        self.partitions = partitions
        self._loaded: dict[str, AsyncScript] = {}

    def keys(self, tenant: str) -> Keys:
        """The key builder of ``tenant``'s partition."""
        return Keys(partition_of(tenant, self.partitions))

    def all_keys(self) -> list[Keys]:
        """The key builders of every partition."""
        return [Keys(partition) for partition in range(self.partitions)]

    async def call(
        self, verb: str, keys: Keys, *arguments: Argument, client: Client | None = None, limit: float = 5.0
    ) -> list[Any]:
        """Runs ``verb`` on one partition and returns its reply.

        :raises StoreUnavailable: no reply; whether it happened is unknown, and a repeat is safe.
        """
        script = self._script(verb)
        operation = "" if verb in REPEATABLE else new_op_id()
        async with store_errors(limit):
            reply: list[Any] = await script(keys=[keys.root], args=[operation, *arguments], client=client)
        return reply

    async def call_all(
        self, verb: str, keys: Keys, calls: Sequence[Sequence[Argument]]
    ) -> list[list[Any] | StoreUnavailable]:
        """Calls a repeatable ``verb`` many times on one partition in one round trip.

        One answer for each call, which is an error where it brought no reply; a repeat is safe.
        """
        if not calls:
            return []
        script = self._script(verb)
        # A pipeline with scripts looks first whether they are loaded, and keeps its connection if that is cut off:
        # only leaving the block gives it back.
        try:
            async with store_errors(), self._client.pipeline(transaction=False) as pipe:
                for arguments in calls:
                    await script(keys=[keys.root], args=["", *arguments], client=pipe)
                replies: list[Any] = await pipe.execute(raise_on_error=False)
        except StoreUnavailable as error:
            return [error] * len(calls)
        return [_failed(each) if isinstance(each, Exception) else each for each in replies]

    def _script(self, verb: str) -> AsyncScript:
        if verb not in self._loaded:
            self._loaded[verb] = self._client.register_script(script_text(verb))
        return self._loaded[verb]


def _failed(error: Exception) -> StoreUnavailable:
    return StoreUnavailable(f"Redis did not do what was asked ({type(error).__name__}: {error})")


def texts(reply: Sequence[Any]) -> list[str]:
    """A reply of names and numbers as text."""
    return [item.decode() if isinstance(item, bytes) else str(item) for item in reply]
