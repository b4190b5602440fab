-- Stands before every verb. Above it the loader puts `ALLOWED` (the state table), `key` (the key table) and `FAMILY`
-- (for each noun, the keys that hang on its id).
-- KEYS[1] is the root of the partition. ARGV[1] is the operation id, or '' for a verb that may simply be
-- repeated; a verb's own arguments start at ARGV[2].

local OP_TTL = 120000 -- ms a repeat of the same operation is answered from its first reply
local FRONT = 1e13 -- subtracted from a time: sorts before every plain time

local clock
local function now() -- ms by the server's clock
  if not clock then
    local t = redis.call('TIME')
    clock = t[1] * 1000 + math.floor(t[2] / 1000) + tonumber(redis.call('GET', key.clock_offset()) or 0)
  end
  return clock
end

local function integer(n) return string.format('%.0f', n) end

local function over(state) return state == 'completed' or state == 'failed' or state == 'cancelled' end

local function wake()
  redis.call('LPUSH', key.wake(), '1')
  redis.call('LTRIM', key.wake(), 0, 255)
end

-- An event, and the mark that the run's messages lag. `flag` is 'S' for a sealed payload, 'P' for a plain one.
local function emit(run, tenant, name, flag, data)
  redis.call('RPUSH', key.events(run), integer(now()) .. '|' .. flag .. '|' .. name .. '|' .. data)
  redis.call('ZADD', key.dirty(tenant), 'NX', integer(now()), run)
end

-- The sequence number of a run's newest event.
local function event_count(run)
  return tonumber(redis.call('HGET', key.run(run), 'folded') or 0) + redis.call('LLEN', key.events(run))
end

-- The message of a part that is known already, where `delivery` is about the same post and names another one or none.
local function known_message(run, part, delivery)
  local kept = redis.call('HGET', key.deliveries(run), part)
  local known = kept and cjson.decode(kept)
  if not known or known.nonce ~= delivery.nonce or type(known.external_id) ~= 'string' then return nil end
  if known.external_id ~= delivery.external_id then return known.external_id end
end

-- Under which the newest approved call of a tool is found: those who are in a channel may see what was asked there.
local function approved_place(approval)
  local a = redis.call('HMGET', key.approval(approval), 'channel', 'tool')
  return (a[1] or '') .. '|' .. (a[2] or '')
end

-- A person wrote something in a thread: what must go with their data is found by this.
local function took_part(tenant, thread, user)
  redis.call('SADD', key.thread_people(thread), user)
  redis.call('SADD', key.threads_user(tenant, user), thread)
end

-- Moves the record and its index. The caller has checked the fence where the table asks for one.
local function transition(run, tenant, from, to)
  if not ALLOWED[from .. '>' .. to] then return false end
  redis.call('HSET', key.run(run), 'state', to)
  redis.call('ZREM', key.runs_state(tenant, from), run)
  redis.call('ZADD', key.runs_state(tenant, to), 0, run)
  emit(run, tenant, 'run.state.changed', 'P', cjson.encode({ source = from, target = to }))
  return true
end

local function make_ready(run, tenant, score)
  redis.call('ZADD', key.ready(tenant), integer(score), run)
  redis.call('ZADD', key.ready_tenants(), 'NX', integer(score), tenant)
  wake()
end

-- Nobody holds the run any more. What its worker spent on it until `till` (now, if none is given) is added up: a run
-- may work for so long in all, and nothing else of its life is counted.
local function free_lease(run, tenant, user, till)
  local since = redis.call('HGET', key.run(run), 'leased_at')
  if since then
    redis.call('HINCRBY', key.run(run), 'worked', integer(math.max(0, (till or now()) - tonumber(since))))
    redis.call('HDEL', key.run(run), 'leased_at')
  end
  redis.call('ZREM', key.leases(), run)
  redis.call('SREM', key.active(tenant), run)
  redis.call('SREM', key.active_user(tenant, user), run)
end

-- Questions of a run that nobody can answer any more.
local function close_questions(run, tenant)
  for _, id in ipairs(redis.call('SMEMBERS', key.run_open(run))) do
    redis.call('HSET', key.approval(id), 'state', 'void')
    redis.call('ZREM', key.approvals_open(tenant), id)
    redis.call('ZREM', key.deadlines(), id)
    redis.call('ZREM', key.reminders(), id)
  end
  redis.call('DEL', key.run_open(run))
end

-- What a run did by its journal: calls that ran, and calls that may have.
local function touched(run)
  local ran, unsure = 0, 0
  for _, call in ipairs(redis.call('LRANGE', key.calls(run), 0, -1)) do
    local c = redis.call('HMGET', key.call(run, call), 'state', 'attempts')
    if tonumber(c[2] or 0) > 0 then
      if c[1] == 'done' then ran = ran + 1 else unsure = unsure + 1 end
    end
  end
  return ran, unsure
end

-- Whether `epoch` is the conversation's current one and the run's lease still holds.
local function holds(run, tenant, conversation, epoch)
  if redis.call('HGET', key.conversation(tenant, conversation), 'epoch') ~= epoch then return false end
  local till = redis.call('ZSCORE', key.leases(), run)
  return till and tonumber(till) > now()
end

local function owns(tenant, worker, epoch)
  local o = redis.call('HMGET', key.owner(tenant), 'worker', 'epoch', 'until')
  return o[1] == worker and o[2] == epoch and tonumber(o[3]) > now()
end
