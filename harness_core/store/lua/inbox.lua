-- What the verbs that begin, steer and end runs share; stands behind the prelude.

-- A queued run with its indexes and first events; it is in the inbox. `fields` are those of its record in which runs
-- differ. The latest of a thread is the last in line, not the last that was made.
local function create(run, tenant, conversation, thread, user, position, fields)
  local at = integer(now())
  redis.call('HSET', key.run(run), 'version', 1, 'tenant', tenant, 'conversation', conversation, 'thread_id', thread,
    'user', user, 'state', 'queued', 'created_at', at, 'epoch', 0, 'attempts', 0, 'takeovers', 0, 'pause', 1,
    'intent', 'run-input', unpack(fields))
  if redis.call('LINDEX', key.inbox(tenant, conversation), -1) == run then
    redis.call('HSET', key.thread(thread), 'latest_run', run)
  end
  redis.call('HINCRBY', key.thread(thread), 'runs', 1)
  redis.call('ZADD', key.thread_runs(thread), 0, run)
  redis.call('ZADD', key.runs(tenant), 0, run)
  redis.call('ZADD', key.runs_user(tenant, user), 0, run)
  redis.call('ZADD', key.runs_state(tenant, 'queued'), 0, run)
  redis.call('SADD', key.tenants(), tenant)
  took_part(tenant, thread, user)
  emit(run, tenant, 'run.created', 'P', cjson.encode({ user = user }))
  emit(run, tenant, 'run.queued', 'P', cjson.encode({ position = position }))
end

-- Whether the model of a run was told a message that was added to it, may it have answered or not.
local function taken(said)
  local s = redis.call('HMGET', said, 'taken_at', 'read_at')
  return s[1] or s[2]
end

-- Messages that a run ends without having read: the first becomes the next run of the conversation, which reads the
-- others. Corrections of what is over, what was taken back, and what was said in a thread that is left behind, go with
-- the run.
local function pass_on(run, tenant, conversation)
  local left = redis.call('LRANGE', key.steers(run), 0, -1)
  redis.call('DEL', key.steers(run))
  local thread = redis.call('HGET', key.run(run), 'thread_id')
  local current = redis.call('HGET', key.conversation(tenant, conversation), 'thread') == thread
  local heir
  for _, id in ipairs(left) do
    local said = key.steer(run, id)
    local s = redis.call('HMGET', said, 'kind', 'user', 'input', 'agent', 'channel', 'target', 'traceparent',
      'withdrawn')
    if s[1] ~= 'message' or s[8] or not current then
      redis.call('DEL', said)
    elseif heir then
      redis.call('HDEL', said, 'taken_at')
      redis.call('RENAME', said, key.steer(heir, id))
      redis.call('RPUSH', key.steers(heir), id)
    else
      heir = id
      redis.call('DEL', said)
      redis.call('LPUSH', key.inbox(tenant, conversation), id)
      create(id, tenant, conversation, thread, s[2], 0, { 'input', s[3], 'agent', s[4], 'channel', s[5], 'target', s[6],
        'traceparent', s[7], 'retry_of', '', 'requesters', cjson.encode({ s[2] }) })
      redis.call('HSET', key.run(run), 'heir', id)
    end
  end
end

-- After a terminal state: out of the inbox, and the next one of the conversation may run.
local function leave_inbox(run, tenant, conversation)
  close_questions(run, tenant)
  local inbox = key.inbox(tenant, conversation)
  local was_head = redis.call('LINDEX', inbox, 0) == run
  redis.call('LREM', inbox, 1, run)
  redis.call('ZREM', key.ready(tenant), run)
  redis.call('HDEL', key.run(run), 'intent', 'held')
  redis.call('HSET', key.run(run), 'ended_at', integer(now()))
  redis.call('ZADD', key.dirty(tenant), integer(now() - FRONT), run)
  redis.call('ZADD', key.unfolded(), integer(now()), run)
  redis.call('ZADD', key.unpruned(), integer(now()), redis.call('HGET', key.run(run), 'thread_id'))
  pass_on(run, tenant, conversation)
  local head = redis.call('LINDEX', inbox, 0)
  if was_head and head then make_ready(head, tenant, now()) end
end

-- Whether a worker is at a live run; it is asked to stop.
local function asked_to_stop(run, tenant, state, by)
  local r = redis.call('HMGET', key.run(run), 'cancelled_by', 'held')
  local at_work = redis.call('ZSCORE', key.leases(), run) or (state == 'running' and not r[2])
  if at_work and not r[1] then
    redis.call('HSET', key.run(run), 'cancelled_by', by)
    emit(run, tenant, 'run.cancel.requested', 'P', cjson.encode({ by = by }))
  end
  return at_work
end

-- Ends a live run that nobody works on, and says so; asks the worker of any other to stop.
local function stop(run, by)
  local r = redis.call('HMGET', key.run(run), 'tenant', 'conversation', 'state')
  local tenant, conversation, state = r[1], r[2], r[3]
  if asked_to_stop(run, tenant, state, by) then return false end
  -- One that never began has no worker to fence off; the run before it in the line may have one that is at work.
  if state ~= 'queued' then redis.call('HINCRBY', key.conversation(tenant, conversation), 'epoch', 1) end
  redis.call('HSET', key.run(run), 'cancelled_by', by, 'reason', 'cancelled')
  transition(run, tenant, state, 'cancelled')
  local ran, unsure = touched(run)
  emit(run, tenant, 'run.cancelled', 'P', cjson.encode({ by = by, ran = ran, unsure = unsure }))
  leave_inbox(run, tenant, conversation)
  return true
end

-- What was granted in a thread that nothing is asked in any more is over.
local function end_grants(tenant, thread)
  for _, id in ipairs(redis.call('SMEMBERS', key.thread_grants(thread))) do
    if redis.call('ZREM', key.grants(tenant), id) == 1 then
      local ends = tonumber(redis.call('HGET', key.grant(id), 'expires_at'))
      redis.call('HSET', key.grant(id), 'expires_at', integer(math.min(now(), ends)))
    end
  end
end

-- Another thread takes the place of the conversation's; what is live of the old one is stopped, the last first, so
-- that none of them becomes ready in between.
local function start_anew(tenant, conversation, by, thread)
  local conv = key.conversation(tenant, conversation)
  end_grants(tenant, redis.call('HGET', conv, 'thread'))
  local generation = redis.call('HINCRBY', conv, 'generation', 1)
  redis.call('HSET', conv, 'thread', thread)
  redis.call('HDEL', conv, 'agent')
  redis.call('HSET', key.thread(thread), 'version', 1, 'tenant', tenant, 'conversation', conversation,
    'created_at', integer(now()), 'runs', 0, 'generation', generation)
  redis.call('ZADD', key.unpruned(), integer(now()), thread) -- nothing may ever be asked in it
  local live = redis.call('LRANGE', key.inbox(tenant, conversation), 0, -1)
  for i = #live, 1, -1 do stop(live[i], by) end
end

-- A message is added to a run that is at work.
local function steer(run, tenant, id, kind, by, fields)
  redis.call('HSET', key.steer(run, id), 'kind', kind, 'user', by, 'at', integer(now()), unpack(fields))
  redis.call('RPUSH', key.steers(run), id)
  took_part(tenant, redis.call('HGET', key.run(run), 'thread_id'), by)
  emit(run, tenant, 'run.steered', 'P', cjson.encode({ message = id, by = by, kind = kind }))
end

-- Under a name of a message is the run that it became, or, as 'message@run', the one it was added to.
local function parsed(value)
  local message, run = string.match(value, '^([^@]*)@(.*)$')
  return message or value, run
end

-- Where a message is now: its run, or the run it was added to and its id there. What was left over moves on.
local function whereabouts(value)
  local message, run = parsed(value)
  while run do
    if redis.call('EXISTS', key.run(message)) == 1 then return message end
    if redis.call('EXISTS', key.steer(run, message)) == 1 then return run, message end
    run = redis.call('HGET', key.run(run), 'heir')
  end
  return message
end
