"""What must hold after every step of a story, and at its end."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from store.conversation_model import OVER, Conversations

from harness_core.states import RunState, allowed
from harness_core.store import Store

ROOT = "harness:{p0}:"

SLACK = 100.0
"""Seconds of working time by which the store may be ahead of the model, whose clock stands still between its steps."""

TICK = "redis.call('INCR', 'harness:{p0}:clock_offset')"
"""No two steps of a story in one millisecond: which of them came first must be the same each time it is told."""

STANDS = f"""
{TICK}
local root, records, lines, of_runs = '{ROOT}', {{}}, {{}}, true
for _, id in ipairs(ARGV) do
  if id == '' then
    of_runs = false
  elseif of_runs then
    records[#records + 1] = redis.call('HMGET', root .. 'run:' .. id, 'state', 'held', 'user', 'cancelled_by', 'worked')
  else
    lines[#lines + 1] = redis.call('LRANGE', root .. 'inbox:T1:' .. id, 0, -1)
  end
end
return {{ records, lines, redis.call('ZRANGE', root .. 'leases', 0, -1), redis.call('SMEMBERS', root .. 'active:T1'),
  redis.call('ZRANGE', root .. 'ready:T1', 0, -1) }}
"""
"""The records of runs and the lines of conversations, divided by an empty argument; leases, slots and who is ready."""

ENDS = f"""
local ends = {{}}
for _, id in ipairs(ARGV) do
  local run = '{ROOT}run:' .. id
  local told = {{ redis.call('HMGET', run, 'intent', 'ended_at', 'held') }}
  for _, event in ipairs(redis.call('LRANGE', run .. ':events', 0, -1)) do
    told[#told + 1] = string.match(event, '^%d+|P|run.state.changed|(.*)$')
  end
  ends[#ends + 1] = told
end
return ends
"""
"""Of each run what is left of its work, and then its changes of state."""


async def agree(store: Store, model: Conversations, per_tenant: int, per_user: int) -> None:
    """Runs, lines, leases, slots and queues of the store are those of the model."""
    stands = await store.client.eval(STANDS, 0, *model.runs, "", *model.line)
    leases, active, ready = ({each.decode() for each in ids} for ids in stands[2:])
    records = dict(zip(model.runs, stands[0], strict=True))
    lines = dict(zip(model.line, stands[1], strict=True))

    assert {run: state.decode() for run, (state, *_) in records.items()} == {
        run: each.state for run, each in model.runs.items()
    }
    assert {run for run, (_, held, *_) in records.items() if held} == {
        run for run, each in model.runs.items() if each.held
    }
    assert {run for run, (*_, stopper, _) in records.items() if stopper and model.runs[run].live} == {
        run for run, each in model.runs.items() if each.live and each.stopping
    }
    assert all(
        abs(int(worked or 0) / 1000 - model.runs[run].worked) < SLACK for run, (*_, worked) in records.items()
    )
    # What is live of an older thread was asked to stop, so nothing can be added to it.
    current = model.generation
    assert all(
        each.stopping
        for each in model.runs.values()
        if each.live and each.generation != current[each.conversation]
    )
    assert {conversation: [each.decode() for each in line] for conversation, line in lines.items()} == dict(
        model.line
    )
    assert leases == active == {run for run, each in model.runs.items() if each.leased_until is not None}
    heads = [line[0] for line in model.line.values() if line]
    assert leases <= set(heads)
    assert ready == {run for run in heads if model.runs[run].ready}
    people = Counter(user.decode() for run, (_, _, user, *_) in records.items() if run in leases)
    assert people.total() <= per_tenant
    assert max(people.values(), default=0) <= per_user


async def ready_now(store: Store) -> list[str]:
    """Who may be taken by a worker, the first first; what comes after this comes later."""
    ready = await store.client.eval(f"{TICK} return redis.call('ZRANGE', '{ROOT}ready:T1', 0, -1)", 0)
    return [each.decode() for each in ready]


async def nothing_left(store: Store) -> None:
    """No queue, lease, slot, question or message waits for anybody."""
    kept = {key.decode().removeprefix(ROOT) async for key in store.client.scan_iter(f"{ROOT}*")}
    waiting = {
        key
        for key in kept
        if key.startswith(("leases", "active:", "inbox:", "ready:", "deadlines", "reminders"))
        or key.endswith((":open", ":steers"))
        or (key.startswith("runs:T1:state:") and key.rpartition(":")[2] not in OVER)
    }
    assert not waiting, waiting


async def stories_hold(store: Store, model: Conversations, messages: Sequence[str]) -> None:
    """Every message that was taken in has its end, and every run changed its state as the table says."""
    for message in filter(None, messages):
        holder = model.holder(message)
        assert holder is not None or message in model.gone
        assert holder is None or not holder.live
    ends = await store.client.eval(ENDS, 0, *model.runs)
    for (intent, ended_at, held), *changes in ends:
        moves = [json.loads(change) for change in changes]
        states = ["queued", *(move["target"] for move in moves)]
        assert [move["source"] for move in moves] == states[:-1]
        assert all(allowed(RunState(move["source"]), RunState(move["target"])) for move in moves)
        assert [state in OVER for state in states] == [*[False] * len(moves), True]
        assert (intent, ended_at is not None, held) == (None, True, None)
