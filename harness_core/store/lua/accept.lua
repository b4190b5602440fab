-- Stores a message as a queued run, or says why not. Nothing is stored twice, and nothing is half stored.
-- ARGV 2 tenant 3 conversation 4 user 5 run id 6 thread id if none exists yet 7 sealed input
--      8 agent 9 channel 10 target 11 traceparent 12 retry of ('' = none for 8-12)
--      13 addressed 14 followed 15 shared ('1'/'0') 16 runs per conversation 17 queued runs per tenant
--      18 ms to remember the message 19… names under which it may come again
-- Replies: accepted, run, thread, position | duplicate, run | not_followed | thread_full | tenant_full
local tenant, conversation, user, run, thread = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local addressed, followed, shared = ARGV[13] == '1', ARGV[14] == '1', ARGV[15] == '1'

for i = 19, #ARGV do
  local earlier = redis.call('GET', key.seen(tenant, ARGV[i]))
  if earlier then
    for j = 19, #ARGV do
      redis.call('SET', key.seen(tenant, ARGV[j]), earlier, 'NX', 'PX', ARGV[18])
    end
    return { 'duplicate', earlier }
  end
end

local conv = key.conversation(tenant, conversation)
local known = redis.call('HMGET', conv, 'thread', 'quiet', 'starter', 'crowded', 'agent')
local crowded = known[4] == '1'
if shared and known[3] and known[3] ~= user and not crowded then
  crowded = true
  redis.call('HSET', conv, 'crowded', '1')
end
if not addressed and (not known[1] or not followed or known[2] == '1' or crowded) then
  return { 'not_followed' }
end

local inbox = key.inbox(tenant, conversation)
local position = redis.call('LLEN', inbox)
if position >= tonumber(ARGV[16]) then return { 'thread_full' } end
if redis.call('ZCARD', key.runs_state(tenant, 'queued')) >= tonumber(ARGV[17]) then return { 'tenant_full' } end

for i = 19, #ARGV do redis.call('SET', key.seen(tenant, ARGV[i]), run, 'PX', ARGV[18]) end
local at = integer(now())
if known[1] then
  thread = known[1]
else
  redis.call('HSET', conv, 'thread', thread, 'starter', user)
  redis.call('HSET', key.thread(thread), 'version', 1, 'tenant', tenant, 'conversation', conversation,
    'created_at', at, 'runs', 0)
end
if addressed and known[2] == '1' then redis.call('HDEL', conv, 'quiet') end
redis.call('HSET', key.run(run), 'version', 1, 'tenant', tenant, 'conversation', conversation,
  'thread_id', thread, 'user', user, 'state', 'queued', 'created_at', at, 'input', ARGV[7], 'agent', ARGV[8],
  'channel', ARGV[9], 'target', ARGV[10], 'traceparent', ARGV[11], 'retry_of', ARGV[12],
  'epoch', 0, 'attempts', 0, 'takeovers', 0, 'pause', 1, 'intent', 'run-input')
redis.call('HSET', key.thread(thread), 'latest_run', run)
redis.call('HINCRBY', key.thread(thread), 'runs', 1)
redis.call('ZADD', key.thread_runs(thread), 0, run)
redis.call('ZADD', key.runs(tenant), 0, run)
redis.call('ZADD', key.runs_user(tenant, user), 0, run)
redis.call('ZADD', key.runs_state(tenant, 'queued'), 0, run)
redis.call('SADD', key.tenants(), tenant)
redis.call('RPUSH', inbox, run)
emit(run, tenant, 'run.created', 'P', cjson.encode({ user = user }))
emit(run, tenant, 'run.queued', 'P', cjson.encode({ position = position }))
if position == 0 then make_ready(run, tenant, now()) end
return { 'accepted', run, thread, position }
