-- Stores a message as a queued run, adds it to the run at work, or says why not. Nothing is stored twice, and nothing
-- is half stored.
-- ARGV 2 tenant 3 conversation 4 user 5 run id 6 thread id if a new one is needed 7 sealed input
--      8 agent 9 channel 10 target 11 traceparent 12 retry of ('' = none for 8-12) 13 who asked, JSON list
--      14 addressed 15 followed 16 shared 17 anew ('1'/'0') 18 while running: queue, steer, interrupt or reject
--      19 messages per conversation 20 queued runs per tenant
--      21 ms to remember the message 22… names under which it may come again
-- Replies: accepted, run, thread, position | steered, run, thread | duplicate, run ('' = it was turned away)
--          | not_followed | busy | thread_full | tenant_full
local tenant, conversation, user, run, thread = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local addressed, followed, shared, anew = ARGV[14] == '1', ARGV[15] == '1', ARGV[16] == '1', ARGV[17] == '1'
local mode = ARGV[18]

local function remember(value, only_new)
  for i = 22, #ARGV do
    local name = key.seen(tenant, ARGV[i])
    if only_new then
      redis.call('SET', name, value, 'NX', 'PX', ARGV[21])
    else
      redis.call('SET', name, value, 'PX', ARGV[21])
    end
  end
end

for i = 22, #ARGV do
  local earlier = redis.call('GET', key.seen(tenant, ARGV[i]))
  if earlier then
    remember(earlier, true)
    local found = whereabouts(earlier)
    return { 'duplicate', found }
  end
end

local conv = key.conversation(tenant, conversation)
local known = redis.call('HMGET', conv, 'thread', 'quiet', 'starter', 'crowded')
local crowded = known[4] == '1'
if shared and known[3] and known[3] ~= user and not crowded then
  crowded = true
  redis.call('HSET', conv, 'crowded', '1')
end
if not addressed and (not known[1] or not followed or known[2] == '1' or crowded) then
  return { 'not_followed' }
end

local inbox = key.inbox(tenant, conversation)
local renews = anew and known[1]
local queued = redis.call('ZCARD', key.runs_state(tenant, 'queued'))
if renews then -- refused before anything is stopped for it, and what waits here will be stopped
  for _, id in ipairs(redis.call('LRANGE', inbox, 0, -1)) do
    if redis.call('HGET', key.run(id), 'state') == 'queued' then queued = queued - 1 end
  end
  if queued >= tonumber(ARGV[20]) then return { 'tenant_full' } end
  start_anew(tenant, conversation, user, thread)
  known[1] = thread
end
local position = redis.call('LLEN', inbox)
local head = redis.call('LINDEX', inbox, 0)
local h = head and redis.call('HMGET', key.run(head), 'state', 'cancelled_by', 'thread_id', 'agent') or {}
local at_work = head and h[1] ~= 'queued' and not h[2]
-- One whose thread is about to be removed takes nothing more in.
local steers = at_work and mode == 'steer' and h[3] == known[1] and (ARGV[8] == '' or ARGV[8] == h[4])

-- One that is about to end keeps nobody from asking anew.
if mode == 'reject' and head and not (h[2] and position == 1) then
  remember('')
  return { 'busy' }
end
local waiting = head and not renews and redis.call('LLEN', key.steers(head)) or 0
if position + waiting >= tonumber(ARGV[19]) then return { 'thread_full' } end
if not steers and queued >= tonumber(ARGV[20]) then return { 'tenant_full' } end
if addressed and known[2] == '1' then redis.call('HDEL', conv, 'quiet') end

local fields = { 'input', ARGV[7], 'agent', ARGV[8], 'channel', ARGV[9], 'target', ARGV[10], 'traceparent', ARGV[11] }
if steers then
  remember(run .. '@' .. head)
  steer(head, tenant, run, 'message', user, fields)
  return { 'steered', head, h[3] }
end

remember(run)
if known[1] then
  thread = known[1]
else
  redis.call('HSET', conv, 'thread', thread, 'starter', user, 'generation', 1)
  redis.call('HSET', key.thread(thread), 'version', 1, 'tenant', tenant, 'conversation', conversation,
    'created_at', integer(now()), 'runs', 0, 'generation', 1)
end
if at_work and mode == 'interrupt' then
  redis.call('LINSERT', inbox, 'AFTER', head, run) -- first: the end of the head makes the next one ready
  stop(head, user)
  position = redis.call('LINDEX', inbox, 0) == run and 0 or 1
else
  redis.call('RPUSH', inbox, run)
end
for _, each in ipairs({ 'retry_of', ARGV[12], 'requesters', ARGV[13] }) do fields[#fields + 1] = each end
create(run, tenant, conversation, thread, user, position, fields)
if position == 0 then make_ready(run, tenant, now()) end
return { 'accepted', run, thread, position }
