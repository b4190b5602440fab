-- What the verbs that remove runs and threads share; stands behind the prelude.

-- Removes every key that hangs on this id alone; how many there were.
local function remove(noun, id)
  local gone = 0
  for _, build in ipairs(FAMILY[noun]) do gone = gone + redis.call('UNLINK', build(id)) end
  return gone
end

-- Removes a thread without runs, and its conversation where nothing else is left of that. Its checkpoints may be
-- many: they are marked to be removed bit by bit.
local function forget_thread(thread)
  if redis.call('EXISTS', key.thread_runs(thread)) == 1 then return 0 end
  local t = redis.call('HMGET', key.thread(thread), 'tenant', 'conversation')
  redis.call('ZADD', key.unpruned(), 'NX', integer(now()), thread)
  if t[1] then
    for _, user in ipairs(redis.call('SMEMBERS', key.thread_people(thread))) do
      redis.call('SREM', key.threads_user(t[1], user), thread)
    end
  end
  local gone = remove('thread', thread)
  if not t[1] then return gone end
  local conv = key.conversation(t[1], t[2])
  local current = redis.call('HGET', conv, 'thread') or thread
  if current == thread and redis.call('EXISTS', key.inbox(t[1], t[2])) == 0 then
    gone = gone + redis.call('UNLINK', conv)
  end
  return gone
end

-- Removes an ended run from every index, with everything that hangs on it; `r` is its record in the order of OWNED.
local OWNED = { 'tenant', 'conversation', 'thread_id', 'user', 'state', 'ended_at' }
local function forget_run(run, r)
  local tenant, thread = r[1], r[3]
  local gone = 0
  close_questions(run, tenant)
  for _, id in ipairs(redis.call('LRANGE', key.run_approvals(run), 0, -1)) do
    redis.call('ZREM', key.approvals(tenant), id)
    local place = approved_place(id)
    if redis.call('HGET', key.approved(tenant), place) == id then redis.call('HDEL', key.approved(tenant), place) end
    redis.call('ZREM', key.grants(tenant), id)
    redis.call('SREM', key.thread_grants(thread), id)
    gone = gone + remove('approval', id)
  end
  for _, call in ipairs(redis.call('LRANGE', key.calls(run), 0, -1)) do
    gone = gone + redis.call('UNLINK', key.call(run, call))
  end
  for _, list in ipairs({ key.steers(run), key.steered(run) }) do
    for _, id in ipairs(redis.call('LRANGE', list, 0, -1)) do gone = gone + redis.call('UNLINK', key.steer(run, id)) end
  end
  for _, index in ipairs({ key.runs(tenant), key.runs_user(tenant, r[4]), key.runs_state(tenant, r[5]),
    key.thread_runs(thread), key.dirty(tenant), key.unfolded() }) do
    redis.call('ZREM', index, run)
  end
  gone = gone + remove('run', run)
  local newest = redis.call('ZRANGE', key.thread_runs(thread), '+', '-', 'BYLEX', 'REV', 'LIMIT', 0, 1)[1]
  if newest then
    redis.call('HSET', key.thread(thread), 'runs', redis.call('ZCARD', key.thread_runs(thread)))
    if redis.call('HGET', key.thread(thread), 'latest_run') == run then
      redis.call('HSET', key.thread(thread), 'latest_run', newest)
    end
    return gone, ''
  end
  return gone + forget_thread(thread), thread
end
