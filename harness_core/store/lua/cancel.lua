-- Ends a run that nobody works on; asks the worker of a running one to stop.
-- ARGV 2 run 3 by
-- Replies: cancelled | requested | finished, state | missing
local run, by = ARGV[2], ARGV[3]
local r = redis.call('HMGET', key.run(run), 'tenant', 'conversation', 'state', 'user', 'cancelled_by')
local tenant, conversation, state = r[1], r[2], r[3]
if not tenant then return { 'missing' } end
if state == 'completed' or state == 'failed' or state == 'cancelled' then return { 'finished', state } end
local leased = redis.call('ZSCORE', key.leases(), run)
if state == 'running' or leased then
  if not r[5] then
    redis.call('HSET', key.run(run), 'cancelled_by', by)
    emit(run, tenant, 'run.cancel.requested', 'P', cjson.encode({ by = by }))
  end
  return { 'requested' }
end
redis.call('HINCRBY', key.conversation(tenant, conversation), 'epoch', 1)
redis.call('HSET', key.run(run), 'cancelled_by', by, 'reason', 'cancelled')
transition(run, tenant, state, 'cancelled')
local ran, unsure = touched(run)
emit(run, tenant, 'run.cancelled', 'P', cjson.encode({ by = by, ran = ran, unsure = unsure }))
redis.call('HDEL', key.run(run), 'intent')
leave_inbox(run, tenant, conversation)
return { 'cancelled' }
