-- Leases the oldest claimable runs, within the caps; recovered and resuming ones come first.
-- ARGV 2 worker 3 lease ms 4 how many 5 runs per tenant 6 runs per person
-- Replies: a list of {run id, '1' if another worker began it, epoch}
local worker, lease, want = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local per_tenant, per_user = tonumber(ARGV[5]), tonumber(ARGV[6])
local claimed = {}

local function lease_run(run, tenant, record)
  local user, conversation, state = record[1], record[2], record[3]
  local epoch = redis.call('HINCRBY', key.conversation(tenant, conversation), 'epoch', 1)
  redis.call('ZREM', key.ready(tenant), run)
  redis.call('ZADD', key.leases(), integer(now() + lease), run)
  redis.call('SADD', key.active(tenant), run)
  redis.call('SADD', key.active_user(tenant, user), run)
  redis.call('HSET', key.run(run), 'epoch', epoch, 'worker', worker, 'seen_at', integer(now()),
    'leased_at', integer(now()))
  local taken_over = '1'
  if state == 'queued' then
    taken_over = '0'
    redis.call('HSET', key.run(run), 'started_at', integer(now()))
    transition(run, tenant, 'queued', 'running')
    emit(run, tenant, 'run.started', 'P', cjson.encode({ worker = worker }))
  end
  claimed[#claimed + 1] = { run, taken_over, epoch }
end

for _, tenant in ipairs(redis.call('ZRANGE', key.ready_tenants(), 0, -1)) do
  local room = per_tenant - redis.call('SCARD', key.active(tenant))
  local passed = 0 -- so many stay ready because their people are at their cap: others come after them
  while room > 0 and #claimed < want do
    local run = redis.call('ZRANGE', key.ready(tenant), passed, passed)[1]
    if not run then break end
    local record = redis.call('HMGET', key.run(run), 'user', 'conversation', 'state')
    if not record[1] then
      redis.call('ZREM', key.ready(tenant), run)
    elseif redis.call('SCARD', key.active_user(tenant, record[1])) < per_user then
      lease_run(run, tenant, record)
      room = room - 1
    else
      passed = passed + 1
    end
  end
  if redis.call('ZCARD', key.ready(tenant)) == 0 then redis.call('ZREM', key.ready_tenants(), tenant) end
  if #claimed >= want then break end
end
return claimed
